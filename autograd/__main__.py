"""`python -m autograd "tanh(w*x + b)" w=0.5 x=2 b=-1`: the derivation in a terminal."""

import sys

from autograd.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
