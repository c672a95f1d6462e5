"""What the package asks of the machine: compilers, GPUs, memory, signals, optional packages, folders for a while.

Knows nothing of networks, data or results.
"""
