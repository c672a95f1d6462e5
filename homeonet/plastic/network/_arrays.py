"""The arrays that a program is handed: every parameter and every state variable, by name, in SI units.

A network is a pure function of these; nothing else reaches it but the stimulus, the connectivity and the
number of the first step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from homeonet.config import PATHWAYS, Config
from homeonet.errors import InputError
from homeonet.plastic.mechanisms._adaptation import adaptation_values
from homeonet.plastic.mechanisms._ahsar import ahsar_values
from homeonet.plastic.mechanisms._istdp import istdp_alpha
from homeonet.plastic.mechanisms._neuron import membrane_values
from homeonet.plastic.mechanisms._noise import noise_values
from homeonet.plastic.mechanisms._poisson import NEVER
from homeonet.plastic.mechanisms._random import stream_id
from homeonet.plastic.mechanisms._renormalisation import homeostasis_values
from homeonet.plastic.mechanisms._rules import variable
from homeonet.plastic.mechanisms._sleep import ALWAYS_AWAKE, CONTROLLER_STATE, controller_values
from homeonet.plastic.mechanisms._traces import trace_values
from homeonet.plastic.network._connectivity import initial_weights
from homeonet.plastic.network._structure import Structure

__all__ = ["Arrays", "assemble", "excitatory_weight", "weights_of"]

Arrays = dict[str, np.ndarray]


def assemble(structure: Structure, configs: Sequence[Config], *, evaluation: bool = False) -> Arrays:
    """All arrays at step 0: parameters, initial weights, membranes at rest.

    Parameters
    ----------
    structure : Structure
        Of all `configs`, with as many replicas.
    configs : sequence of Config
        One a replica; they may differ in everything that is not structure.
    evaluation : bool
        Parameters for reading features out: no sleep, the evaluation's presentation time and thresholds.

    Returns
    -------
    dict of str to ndarray
        "group.variable" to values; replicas one after the other.
    """
    assert len(configs) == structure.replicas
    each = [_one_replica(structure, config, evaluation=evaluation) for config in configs]
    if len(each) == 1:
        return each[0]
    return {name: _join(name, [arrays[name] for arrays in each], structure) for name in each[0]}


def _join(name: str, values: list[np.ndarray], structure: Structure) -> np.ndarray:
    group, variable = name.split(".")
    if group not in ("input", "exc", "inh") or _per_neuron(group, variable, structure):
        return np.concatenate(values)
    if any(value != values[0] for value in values):
        raise InputError(
            f"{name} differs between replicas ({', '.join(f'{float(v[0]):g}' for v in values[:4])}); replicas may "
            "differ in seed, sleep, noise and the parameters of pathways: run the others separately"
        )
    return values[0]


def weights_of(arrays: Mapping[str, np.ndarray], replica: int, structure: Structure) -> Arrays:
    """The weights of one replica, a pathway."""
    return {name: arrays[f"{name}.w"].reshape(structure.replicas, -1)[replica].copy() for name in PATHWAYS}


def excitatory_weight(weights: Mapping[str, np.ndarray]) -> float:
    """W: the sum of the weights of all excitatory synapses onto excitatory neurons."""
    return float(weights["input_exc"].sum() + weights["exc_exc"].sum())


def _one_replica(structure: Structure, config: Config, *, evaluation: bool) -> Arrays:
    weights = initial_weights(structure, config)
    presentation = (config.evaluation if evaluation else config.input).presentation
    sleeping = ALWAYS_AWAKE if evaluation else controller_values(config, excitatory_weight(weights))
    values: dict[str, float | np.ndarray] = {
        **{f"controller.{name}": value for name, value in sleeping.items()},
        **{f"controller.{name}": 0.0 for name in CONTROLLER_STATE},
        "input.input_stream": stream_id(config.seed, f"{'test' if evaluation else 'train'}/input"),
        "input.image_steps": round(presentation / config.simulation.dt),
        "input.first_wake_step": 0.0,
        "controller.last_wake_step": NEVER,
        "input.next_spike": np.full(structure.n_input, NEVER),
        "input.unit": np.arange(structure.n_input, dtype=np.int32),
        **{f"ahsar.{name}": value for name, value in ahsar_values(config).items()},
    }
    for name, value in trace_values(config).items():
        values |= {f"{group}.{name}": value for group in ("input", "exc", "inh")}
    values |= {
        f"{group}.x_{kind}": 0.0 for group in ("input", "exc", "inh") for kind in ("plus", "minus", "istdp")
    }
    for group in ("input", "exc", "inh"):
        values |= {f"{group}.{k}": v for k, v in _own_rules(config).items()}
    for group in ("exc", "inh"):
        values |= {f"{group}.{k}": v for k, v in _population(group, structure, config, evaluation).items()}
    for name, (_, target) in PATHWAYS.items():
        total = weights[name].sum()
        # as the tally would find them; onto each neuron in equal shares is corrected by the first tally
        values[f"totals.total_{name}"] = total
        values[f"{target}.sum_{name}"] = total / structure.size(target)
        values[f"{target}.initial_{name}"] = total / structure.size(target)
        values[f"{name}.w"] = weights[name]
        values |= {f"{target}.{name}_{k}": v for k, v in _pathway(name, config).items()}
    return {name: _sized(name, value, structure) for name, value in values.items()}


def _population(
    group: str, structure: Structure, config: Config, evaluation: bool
) -> dict[str, float | np.ndarray]:
    population = getattr(config, group)
    frozen = evaluation and config.evaluation.freeze_threshold
    noise_stream = stream_id(config.seed, f"{'test' if evaluation else 'train'}/noise/{group}")
    return {
        **membrane_values(population, config.simulation.dt),
        **adaptation_values(population, frozen=frozen),
        **noise_values(config, population.tau_m, noise_stream),
        **homeostasis_values(config),
        "v": population.e_leak,
        "g_e": 0.0,
        "g_i": 0.0,
        "hold": 0.0,
        "theta": 0.0,
        "plasticity": 1.0,
        "n_spikes": 0.0,
        "unit": np.arange(structure.size(group), dtype=np.int32),
    }


def _own_rules(config: Config) -> dict[str, float]:
    """Traces at rest, time constants and parameters of the user's rules, as variables of neurons."""
    values: dict[str, float] = {}
    for name, rule in config.rule.items():
        values |= {variable(name, parameter): value for parameter, value in rule.parameters.items()}
        for trace, found in {**rule.pre_traces, **rule.post_traces}.items():
            values |= {variable(name, trace): 0.0, f"tau_{variable(name, trace)}": found.tau}
    return values


def _pathway(name: str, config: Config) -> dict[str, float]:
    pathway = getattr(config, name)
    return {
        "gain": pathway.gain,
        "eta": pathway.eta,
        "w_min": pathway.w_min,
        "w_max": pathway.w_max,
        "w_target": pathway.w_target,
        "inverse_w_target": 1 / pathway.w_target,
        "a_plus": config.stdp.a_plus,
        "a_minus": config.stdp.a_minus,
        "x_target": config.stdp.x_target,
        "alpha": istdp_alpha(config),
    }


_STATE = {
    "v",
    "g_e",
    "g_i",
    "hold",
    "theta",
    "plasticity",
    "n_spikes",
    "next_spike",
    "unit",
    "x_plus",
    "x_minus",
    "x_istdp",
}
#: Parameters that replicas may differ in; all others are constants, with one value in the network.
_PER_REPLICA = {
    "noise_scale",
    "noise_awake",
    "noise_stream",
    "input_stream",
    "first_wake_step",
    "sleep_decay",
}


def _per_neuron(group: str, name: str, structure: Structure) -> bool:
    pathway = next((pathway for pathway in PATHWAYS if name.startswith(f"{pathway}_")), None)
    of_own = name.startswith("rule_") or (pathway is not None and structure.has_own_rule(pathway))
    is_state = name in _STATE or name.startswith(("sum_", "initial_"))
    return is_state or of_own or (structure.replicas > 1 and (pathway is not None or name in _PER_REPLICA))


def _sized(name: str, value: float | np.ndarray, structure: Structure) -> np.ndarray:
    """Give a value the length it has in the network."""
    group, variable = name.split(".")
    if isinstance(value, np.ndarray):
        return value
    in_population = group in ("input", "exc", "inh")
    size = structure.size(group) if in_population and _per_neuron(group, variable, structure) else 1
    return np.full(size, value, dtype=float)
