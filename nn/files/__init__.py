"""Models and runs on disk: `models` saves and loads networks, `checkpoint` keeps a run of fit, `npz` is the file format."""

from nn.files.models import from_state_dict as from_state_dict
from nn.files.models import load as load
from nn.files.models import save as save
from nn.files.models import state_dict as state_dict
