"""One mechanism per file: its equations with units, its values, its state, and the source that it is from."""
