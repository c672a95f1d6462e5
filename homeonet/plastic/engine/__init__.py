"""Runs networks, segment by segment: compiled, on a GPU or on Brian2's runtime; with guard, records, checkpoints."""
