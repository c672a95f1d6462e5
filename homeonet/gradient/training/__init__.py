"""Training of spiking networks by gradients: paradigms, loop, checkpoints, records.

Whole runs, with data and a folder of results, are those of ``homeonet.runs.gradient``.
"""

import importlib

from homeonet.gradient.training._checkpoint import load_weights, save_weights
from homeonet.gradient.training._coherence import gradient_cosine, temporal_factor
from homeonet.gradient.training._config import TrainConfig, load_train_config, train_config
from homeonet.gradient.training._encoding import augmented, encoded
from homeonet.gradient.training._held import held_bytes
from homeonet.gradient.training._history import ActivityProbe, History, weight_norms
from homeonet.gradient.training._own_checks import check_sources, checked_own
from homeonet.gradient.training._paradigms import PARADIGMS, Learner, check_paradigm
from homeonet.gradient.training._run import build

__all__ = [
    "PARADIGMS",
    "ActivityProbe",
    "History",
    "Learner",
    "TrainConfig",
    "TrainResult",
    "augmented",
    "build",
    "check_paradigm",
    "check_sources",
    "checked_own",
    "encoded",
    "gradient_cosine",
    "held_bytes",
    "load_train_config",
    "load_trained",
    "load_weights",
    "measure_baselines",
    "save_weights",
    "temporal_factor",
    "train",
    "train_config",
    "weight_norms",
]

#: Of ``homeonet.runs.gradient``, and known from here too.
_OF_RUNS = ("TrainResult", "load_trained", "measure_baselines", "train")


def __getattr__(name: str) -> object:
    if name in _OF_RUNS:
        return getattr(importlib.import_module("homeonet.runs.gradient"), name)
    raise AttributeError(f"module 'homeonet.gradient.training' has no attribute {name!r}")
