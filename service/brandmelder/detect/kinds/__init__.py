"""4b. The other kinds of spike beside the negative volume, each a small pure step with its part of the budget."""
