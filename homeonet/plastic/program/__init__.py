"""From a network to a compiled program: code generation, compilers, and the cache of what they made."""
