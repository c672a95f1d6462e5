"""From a configuration to a network: its structure, its synapses, its arrays, and the Brian2 objects of both."""
