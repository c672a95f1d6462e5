"""Readouts, weight dynamics, embeddings, similarity and statistics: arrays in, labelled arrays out.

For turning what a run recorded into numbers. Never simulates, never draws, and imports neither brian2 nor
torch.
"""

from homeonet.analysis._activity import (
    ActivitySummary,
    EffectiveRank,
    activity_summary,
    dead_and_saturated,
    effective_rank,
    unit_rates,
)
from homeonet.analysis._assignment import assign_labels
from homeonet.analysis._clustering import clustering_score
from homeonet.analysis._conditions import compare_conditions, mixed_model
from homeonet.analysis._confusion import confusion_matrix
from homeonet.analysis._embedding import Embedding, embed
from homeonet.analysis._membrane import membrane_distance, total_variation
from homeonet.analysis._readouts import READOUTS, ReadoutResult, evaluate_readout
from homeonet.analysis._replay import Replay, pattern_replay
from homeonet.analysis._sequential import LOOKS, last_look, repeated_interval, values_to_decide
from homeonet.analysis._significance import PermutationResult, holm_correction, paired_permutation_test
from homeonet.analysis._similarity import field_overlap, linear_cka, rank_correlation
from homeonet.analysis._statistics import Interval, bootstrap_interval, mean_interval, wilson_interval
from homeonet.analysis._weights import (
    PATHWAYS,
    Drift,
    drift,
    receptive_fields,
    sleep_episodes,
    synaptic_operations,
    weight_drift,
    weight_summary,
)

__all__ = [
    "LOOKS",
    "PATHWAYS",
    "READOUTS",
    "ActivitySummary",
    "Drift",
    "EffectiveRank",
    "Embedding",
    "Interval",
    "PermutationResult",
    "ReadoutResult",
    "Replay",
    "activity_summary",
    "assign_labels",
    "bootstrap_interval",
    "clustering_score",
    "compare_conditions",
    "confusion_matrix",
    "dead_and_saturated",
    "drift",
    "effective_rank",
    "embed",
    "evaluate_readout",
    "field_overlap",
    "holm_correction",
    "last_look",
    "linear_cka",
    "mean_interval",
    "membrane_distance",
    "mixed_model",
    "paired_permutation_test",
    "pattern_replay",
    "rank_correlation",
    "receptive_fields",
    "repeated_interval",
    "sleep_episodes",
    "synaptic_operations",
    "total_variation",
    "unit_rates",
    "values_to_decide",
    "weight_drift",
    "weight_summary",
    "wilson_interval",
]
