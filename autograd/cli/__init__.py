"""What `python -m autograd` is given: `parse` reads an expression, from `tokens`, and `messages` says what is wrong with it."""
