"""What runs of the plastic network are made of: validated parameters with units, and the presets.

Imports neither brian2 nor torch.
"""

from homeonet.config._config import (
    PATHWAYS,
    Config,
    Guard,
    Pathway,
    Population,
    apply_overrides,
    load_config,
    preset_names,
)
from homeonet.config._sections import OwnPopulation, PoissonPopulation, Recording
from homeonet.config._units import unit_and_factor
from homeonet.config.mechanism_text import ControllerText, HomeostasisText, NeuronText, SignalText
from homeonet.config.rule_text import ASLEEP, RuleText

__all__ = [
    "ASLEEP",
    "PATHWAYS",
    "Config",
    "ControllerText",
    "Guard",
    "HomeostasisText",
    "NeuronText",
    "OwnPopulation",
    "Pathway",
    "PoissonPopulation",
    "Population",
    "Recording",
    "RuleText",
    "SignalText",
    "apply_overrides",
    "load_config",
    "preset_names",
    "unit_and_factor",
]
