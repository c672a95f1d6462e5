"""The arithmetic of neurons: thresholds with surrogate gradients, charges, recurrences, each beside a reference."""
