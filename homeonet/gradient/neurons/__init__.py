"""Spiking neurons, one per file, and what they have in common: states, steps and sequences."""
