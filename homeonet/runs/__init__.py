"""Runs: one network, from images to a folder of results."""

from homeonet.runs.plastic import (
    Evaluation,
    RunResult,
    draw_figures,
    evaluate,
    load_network,
    load_run,
    measure_baselines,
    run,
    usable_cores,
)

__all__ = [
    "Evaluation",
    "RunResult",
    "draw_figures",
    "evaluate",
    "load_network",
    "load_run",
    "measure_baselines",
    "run",
    "usable_cores",
]
