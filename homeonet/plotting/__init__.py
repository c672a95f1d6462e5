"""Figures of what a run recorded and what the analysis returned, in one style.

Each function takes an Axes and returns its artists; `draw_run` writes every figure of a run. Never simulates
or fits a readout, imports neither brian2 nor torch, and leaves pyplot's state alone.
"""

from homeonet.plotting._accuracy import plot_accuracies
from homeonet.plotting._activity import plot_raster, plot_rates
from homeonet.plotting._comparison import plot_sleep_comparison
from homeonet.plotting._differences import plot_differences
from homeonet.plotting._fields import plot_receptive_fields
from homeonet.plotting._named import NamedFigures
from homeonet.plotting._readout import plot_confusion, plot_embedding
from homeonet.plotting._report import draw_comparison, draw_run, run_figures
from homeonet.plotting._style import (
    COLOURS,
    COLUMN_WIDTH,
    DOUBLE_WIDTH,
    MARKERS,
    PATHWAY_NAMES,
    POPULATION_NAMES,
    SERIES,
    STYLE,
    new_figure,
    shade_sleep,
    use_style,
)
from homeonet.plotting._sweep import plot_against, plot_heat_map
from homeonet.plotting._training import draw_training, plot_layers, plot_learning, training_figures
from homeonet.plotting._weights import plot_total_weight, plot_weight_histograms, plot_weight_trajectories

__all__ = [
    "COLOURS",
    "COLUMN_WIDTH",
    "DOUBLE_WIDTH",
    "MARKERS",
    "PATHWAY_NAMES",
    "POPULATION_NAMES",
    "SERIES",
    "STYLE",
    "NamedFigures",
    "draw_comparison",
    "draw_run",
    "draw_training",
    "new_figure",
    "plot_accuracies",
    "plot_against",
    "plot_confusion",
    "plot_differences",
    "plot_embedding",
    "plot_heat_map",
    "plot_layers",
    "plot_learning",
    "plot_raster",
    "plot_rates",
    "plot_receptive_fields",
    "plot_sleep_comparison",
    "plot_total_weight",
    "plot_weight_histograms",
    "plot_weight_trajectories",
    "run_figures",
    "shade_sleep",
    "training_figures",
    "use_style",
]
