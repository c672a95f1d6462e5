"""What runs of the plastic network are made of: validated parameters with units, and the presets.

Imports neither brian2 nor torch.
"""

from homeonet.config._config import (
    PATHWAYS,
    Config,
    Guard,
    Pathway,
    PoissonPopulation,
    Population,
    apply_overrides,
    load_config,
    preset_names,
)

__all__ = [
    "PATHWAYS",
    "Config",
    "Guard",
    "Pathway",
    "PoissonPopulation",
    "Population",
    "apply_overrides",
    "load_config",
    "preset_names",
]
