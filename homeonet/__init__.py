"""homeonet: homeostasis in spiking networks, grown by local plasticity under a sleep-wake controller.

The public API in one place. Importing it loads neither brian2 nor torch.

=====================  ==============================================================================
``load_config``        a validated configuration from a preset or a TOML file
``run``                train, evaluate and record one network
``load_run``           open a finished run; ``load_network`` its trained network
``evaluate``           read a network out on any data set, plasticity off
``homeonet.data``      images, split and checked
``homeonet.plastic``   the engine
``homeonet.analysis``  readouts, weight dynamics, embeddings, similarity, statistics
``homeonet.plotting``  figures from records
=====================  ==============================================================================
"""

from homeonet._version import __version__
from homeonet.config import Config, load_config, preset_names
from homeonet.errors import HomeonetError, InputError, RunawayError
from homeonet.runs import Evaluation, RunResult, evaluate, load_network, load_run, run

__all__ = [
    "Config",
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
    "run",
]
