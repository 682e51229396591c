"""Formulas: expressions of names, numbers and the operations of the table, and how they are printed.

`expression` makes them, `rows` has the rows of the table as formulas; `printer` puts texts together, in the languages of
`text`, `latex`, `python` and `javascript`.
"""

from autograd.expressions.expression import EXPANDED as EXPANDED
from autograd.expressions.expression import SYMBOLS as SYMBOLS
from autograd.expressions.expression import Expression as Expression
from autograd.expressions.expression import call as call
from autograd.expressions.expression import derivative as derivative
from autograd.expressions.expression import equation as equation
from autograd.expressions.expression import mean as mean
from autograd.expressions.expression import number as number
from autograd.expressions.expression import operands_first as operands_first
from autograd.expressions.expression import size as size
from autograd.expressions.expression import substituted as substituted
from autograd.expressions.expression import summed as summed
from autograd.expressions.expression import symbol as symbol
from autograd.expressions.expression import unchanged as unchanged
from autograd.expressions.expression import where as where
from autograd.expressions.latex import as_latex as as_latex
from autograd.expressions.python import as_python as as_python
from autograd.expressions.text import as_text as as_text
