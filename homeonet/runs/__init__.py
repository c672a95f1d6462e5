"""Runs: one network, from images to a folder of results."""

from homeonet.machine.cores import usable_cores
from homeonet.runs.baselines import measure_baselines
from homeonet.runs.callbacks import Callback, TensorBoard
from homeonet.runs.evaluation import Evaluation, evaluate
from homeonet.runs.plastic import run
from homeonet.runs.results import RunResult, draw_figures, load_network, load_run
from homeonet.runs.stored_features import read_out

__all__ = [
    "Callback",
    "Evaluation",
    "RunResult",
    "TensorBoard",
    "draw_figures",
    "evaluate",
    "load_network",
    "load_run",
    "measure_baselines",
    "read_out",
    "run",
    "usable_cores",
]
