"""Recordings as objects of Neo, the data model that electrophysiology tools share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from homeonet.config import Config, Recording
from homeonet.errors import InputError
from homeonet.machine.optional import require_extra
from homeonet.runs.results import RunResult, load_run

if TYPE_CHECKING:
    import neo
    import xarray as xr

__all__ = ["to_neo"]


def to_neo(run: RunResult | str | Path) -> neo.Block:
    """What a run has recorded, as a Neo block with one segment.

    Each neuron whose spikes are recorded becomes a ``SpikeTrain``, annotated with `record`, `population` and `neuron`;
    each state variable of a recording an ``AnalogSignal`` with a channel for each neuron. Weights are left out: Neo has
    no place for them.

    Parameters
    ----------
    run : RunResult or path
        A run with recordings ([record.NAME] in its configuration), or its folder.

    Returns
    -------
    neo.Block

    Raises
    ------
    InputError
        If the run has recorded neither spikes nor state, or Neo is not installed (extra ``neo``).

    Notes
    -----
    Neo: Garcia et al. 2014, Front Neuroinform 8:10.
    """
    require_extra("neo", "neo", "homeonet.to_neo")
    import neo

    found = run if isinstance(run, RunResult) else load_run(run)
    config, recordings = found.config, found.recordings
    of_populations = {name: record for name, record in config.record.items() if record.population is not None}
    if recordings is None or not of_populations:
        raise InputError(
            f'the run {config.run_id} has recorded no neurons; add [record.NAME] with population = "exc" and '
            'variables = ["spikes", "v"] to its configuration and run it again'
        )
    end = float(found.metrics["simulated_seconds"])
    block = neo.Block(name=f"{config.preset}, run {config.run_id}", run_id=config.run_id)
    segment = neo.Segment(name="training")
    block.segments.append(segment)
    for name, record in of_populations.items():
        if "spikes" in record.variables:
            segment.spiketrains.extend(_spike_trains(name, record, config, recordings, end))
        segment.analogsignals.extend(_signals(name, record, recordings))
    return block


def _spike_trains(
    name: str, record: Recording, config: Config, recordings: xr.Dataset, end: float
) -> list[neo.SpikeTrain]:
    import neo

    time, unit = recordings[f"{name}_spike_time"].values, recordings[f"{name}_spike_unit"].values
    stop = end if record.stop is None else min(record.stop, end)
    order = np.argsort(unit, kind="stable")
    neurons = record.indices(config.size(str(record.population)))
    first, last = (np.searchsorted(unit[order], neurons, side=side) for side in ("left", "right"))
    return [
        neo.SpikeTrain(
            time[order[a:b]],
            units="s",
            t_start=record.start,
            t_stop=max(stop, record.start),
            name=f"{record.population} {neuron}",
            record=name,
            population=record.population,
            neuron=neuron,
        )
        for neuron, a, b in zip(neurons, first, last, strict=True)
    ]


def _signals(name: str, record: Recording, recordings: xr.Dataset) -> list[neo.AnalogSignal]:
    import neo
    import quantities

    signals: list[Any] = []
    for variable in record.state:
        values = recordings[f"{name}_{variable}"]
        time = recordings[f"{name}_time"].values
        signals.append(
            neo.AnalogSignal(
                values.values,
                units=values.attrs.get("units", "dimensionless"),
                sampling_period=float(record.every or 0) * quantities.s,
                t_start=(time[0] if len(time) else record.start) * quantities.s,
                name=f"{record.population} {variable}",
                record=name,
                population=record.population,
                variable=variable,
                array_annotations={"neuron": recordings[f"{name}_neuron"].values},
            )
        )
    return signals
