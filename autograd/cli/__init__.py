"""What `python -m autograd` is given: `parse` reads an expression, from `tokens`, and `remedies` says what is wrong with it."""
