"""A graph recorded once and run again with other numbers.

`program` is the flat graph as data, `source` writes it as Python; `replay` has the class `Tape`, which runs it on floats,
arrays, Values and other modules' numbers; `arguments` checks what a tape is called with; `native` runs it as machine code.
"""
