"""A graph recorded once and replayed: `tape` flattens it, and runs it on floats, arrays and other modules' numbers.

`arguments` says what it was called with, `modules` gives other modules NumPy's names, `program` writes it as Python;
`native` runs it as machine code, which `kernel` and `lowering` write as LLVM text and `machine` has compiled.
"""
