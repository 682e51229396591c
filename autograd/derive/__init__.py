"""The chain rule written out for a recorded graph: as data, as text, as LaTeX, as a page, along routes, and done wrong.

`derive` makes the steps. `formulas` has the rows as expressions, `dialects` and `printed` how they, names and numbers are
written, `families` folds what is alike; `telling` says what `text` and `latex` lay out. `paths` multiplies along routes.
`page`, with `javascript`, is the derivation in a browser. `wrong_ways` runs the famous mistakes, `parting` reports them.
"""

from autograd.derive.derive import Derivation as Derivation
from autograd.derive.derive import derive as derive
