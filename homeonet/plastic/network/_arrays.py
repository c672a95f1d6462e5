"""The arrays that a program is handed: every parameter and every state variable, by name, in SI units.

A network is a pure function of these; nothing else reaches it but the stimulus, the connectivity and the
number of the first step. What there is and which length it has, mechanisms say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from homeonet.config import Config
from homeonet.errors import InputError
from homeonet.plastic.mechanisms._ahsar import ahsar_values
from homeonet.plastic.mechanisms._equations import Place, values_of
from homeonet.plastic.mechanisms._rate_sensor import sensor_values
from homeonet.plastic.mechanisms._rules import variable
from homeonet.plastic.mechanisms._sleep import ALWAYS_AWAKE, CONTROLLER_STATE, controller_values
from homeonet.plastic.mechanisms._times import NEVER
from homeonet.plastic.network._connectivity import initial_weights
from homeonet.plastic.network._model import population_mechanism
from homeonet.plastic.network._structure import Structure

__all__ = ["Arrays", "assemble", "watched_weight", "weights_of"]

Arrays = dict[str, np.ndarray]


def assemble(structure: Structure, configs: Sequence[Config], *, evaluation: bool = False) -> Arrays:
    """All arrays at step 0: parameters, initial weights, membranes at rest.

    Parameters
    ----------
    structure : Structure
        The structure of all `configs`, with as many replicas.
    configs : sequence of Config
        One per replica; they may differ in everything that is not structure.
    evaluation : bool
        Parameters for reading features out: no sleep, the evaluation's presentation time and thresholds.

    Returns
    -------
    dict of str to ndarray
        "group.variable" to values; replicas one after the other.
    """
    assert len(configs) == structure.replicas
    each = [_one_replica(structure, config, r, evaluation=evaluation) for r, config in enumerate(configs)]
    if len(each) == 1:
        return each[0]
    constants = {
        f"{name}.{constant}"
        for name in structure.population
        for constant in population_mechanism(name, structure).constants
    }
    return {name: _join(name, [arrays[name] for arrays in each], name in constants) for name in each[0]}


def _join(name: str, values: list[np.ndarray], in_common: bool) -> np.ndarray:
    if not in_common:
        return np.concatenate(values)
    if any(value != values[0] for value in values):
        raise InputError(
            f"{name} differs between replicas ({', '.join(f'{float(v[0]):g}' for v in values[:4])}); replicas may "
            "differ in seed, sleep, noise and the parameters of pathways: run the others separately"
        )
    return values[0]


def weights_of(arrays: Mapping[str, np.ndarray], replica: int, structure: Structure) -> Arrays:
    """The weights of one replica, by pathway."""
    return {
        name: arrays[f"{name}.w"].reshape(structure.replicas, -1)[replica].copy()
        for name in structure.pathway
    }


def watched_weight(weights: Mapping[str, np.ndarray], structure: Structure) -> float:
    """W: the sum of the weights of the pathways that the controller watches."""
    return float(sum(weights[name].sum() for name in structure.watched))


def _one_replica(structure: Structure, config: Config, replica: int, *, evaluation: bool) -> Arrays:
    weights = initial_weights(structure, config)
    totals = {name: float(found.sum()) for name, found in weights.items()}
    watched = watched_weight(weights, structure)
    sleeping = ALWAYS_AWAKE if evaluation else controller_values(config, watched, totals)
    scalars = {
        **{f"controller.{name}": value for name, value in sleeping.items()},
        **{f"controller.{name}": 0.0 for name in CONTROLLER_STATE},
        "controller.last_wake_step": NEVER,
        **{f"totals.total_{name}": total for name, total in totals.items()},
    }
    scalars |= {f"totals.{name}": value for name, value in sensor_values(structure.sensed, structure).items()}
    if structure.ahsar:
        scalars |= {f"ahsar.{name}": value for name, value in ahsar_values(config, structure.lif).items()}
    arrays = {name: np.full(1, value, dtype=float) for name, value in scalars.items()}
    arrays |= {f"{name}.w": found for name, found in weights.items()}
    for name, found in structure.pathway.items():
        begins: Mapping[str, float] = structure.rule(name).initial
        if structure.has_own_rule(name):
            own = config.rule[found.rule].state
            begins = {variable(found.rule, state): value for state, value in own.items()}
        arrays |= {f"{name}.{state}": np.full(found.n_synapses, value) for state, value in begins.items()}
    for name in structure.population:
        place = Place(config, structure, name, weights, evaluation, replica)
        values = values_of(population_mechanism(name, structure), place)
        arrays |= {f"{name}.{variable}": value for variable, value in values.items()}
        arrays[f"{name}.unit"] = np.arange(structure.size(name), dtype=np.int32)
    return arrays
