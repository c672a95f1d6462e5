"""homeonet: homeostasis in spiking networks, grown by local plasticity under a sleep-wake controller.

The public API in one place. Importing it loads nothing; a name is imported where it is first used.

=====================  ==============================================================================
``load_config``        a validated configuration from a preset or a TOML file
``run``                train, evaluate and record one network
``load_run``           open a finished run; ``load_network`` its trained network
``to_neo``             the recordings of a run as a block of Neo (needs neo)
``evaluate``           read a network out on any data set, plasticity off
``read_out``           fit readouts on the spike counts that a run has stored
``train``              train one network by gradients; ``train_config`` its configuration (needs torch)
``homeonet.data``      images, split and checked; ``homeonet.data.Dataset.from_arrays`` one's own
``homeonet.plastic``   the engine of the networks grown by local plasticity
``homeonet.gradient``  neurons, networks and homeostasis trained by gradients (needs torch)
``homeonet.sweep``     grids of runs on all cores or a cluster, opened as one table
``homeonet.analysis``  readouts, weight dynamics, embeddings, similarity, statistics
``homeonet.plotting``  figures from records
=====================  ==============================================================================
"""

import importlib

from homeonet._version import __version__

TYPE_CHECKING = False  # as typing has it, whose import takes longer than all else here
if TYPE_CHECKING:
    from homeonet import analysis as analysis
    from homeonet import data as data
    from homeonet import gradient as gradient
    from homeonet import plastic as plastic
    from homeonet import plotting as plotting
    from homeonet import sweep as sweep
    from homeonet.config import Config, load_config, preset_names
    from homeonet.errors import BusyError, DiskFullError, HomeonetError, InputError, RunawayError
    from homeonet.runs import Evaluation, RunResult, evaluate, load_network, load_run, read_out, run
    from homeonet.runs.neo import to_neo

__all__ = [
    "BusyError",
    "Config",
    "DiskFullError",
    "Evaluation",
    "HomeonetError",
    "InputError",
    "RunResult",
    "RunawayError",
    "__version__",
    "evaluate",
    "load_config",
    "load_network",
    "load_run",
    "preset_names",
    "read_out",
    "run",
    "to_neo",
]

_SUBPACKAGES = ("analysis", "data", "gradient", "plastic", "plotting", "sweep")
_DEFINED_IN = {
    "config": ("Config", "load_config", "preset_names"),
    "errors": ("BusyError", "DiskFullError", "HomeonetError", "InputError", "RunawayError"),
    "gradient.training": ("TrainConfig", "train_config"),
    "runs.gradient": ("TrainResult", "load_trained", "train"),
    "runs": ("Evaluation", "RunResult", "evaluate", "load_network", "load_run", "read_out", "run"),
    "runs.neo": ("to_neo",),
}
#: Not in `__all__`, so that "from homeonet import *" does not need torch.
_NEED_GRADIENT = ("gradient.training", "runs.gradient")


def __getattr__(name: str) -> object:
    # the command line starts at once, and Ctrl-C during imports is its to answer, because nothing is imported before
    for module, names in _DEFINED_IN.items():
        if name in names:
            if module in _NEED_GRADIENT:
                importlib.import_module("homeonet.machine.optional").require_gradient(f"homeonet.{name}")
            return getattr(importlib.import_module(f"homeonet.{module}"), name)
    if name in _SUBPACKAGES:
        return importlib.import_module(f"homeonet.{name}")
    raise AttributeError(f"module 'homeonet' has no attribute {name!r}")


def __dir__() -> list[str]:
    of_gradient = [name for module in _NEED_GRADIENT for name in _DEFINED_IN[module]]
    return sorted([*__all__, *_SUBPACKAGES, *of_gradient])
