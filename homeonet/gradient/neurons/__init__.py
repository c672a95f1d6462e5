"""Spiking neurons, one a file, and what they have in common: states, steps and sequences."""
