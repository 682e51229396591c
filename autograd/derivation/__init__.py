"""The chain rule written out for a recorded graph: as data, as text, as LaTeX, as a page, along routes, and done wrong.

`derive` makes the steps; `formulas`, `dialects`, `printed` and `families` are how they are called and printed; `telling`, `text`
the derivation as text and LaTeX; `paths` multiplies along routes; `page`, with `javascript`, is the derivation in a
browser; `wrong_ways` and its report `parting` run the famous mistakes beside it.
"""
