"""What a training run leaves to look at: weights, rates and sleep over time, and the spikes around a sleep.

Collected between segments from what they return; becomes one labelled Dataset. Never touches the simulation.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from homeonet.config import Config
from homeonet.plastic.engine._image_counts import ImageCounts, WakeClock
from homeonet.plastic.engine._simulation import Network, Segment
from homeonet.plastic.mechanisms._times import SAMPLE_PERIOD
from homeonet.plastic.network._arrays import watched_weight
from homeonet.plastic.network._structure import Structure

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Recorder"]

_QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
#: Seconds of spikes kept on either side of a sleep, and the longest stretch kept in all.
_RASTER_MARGIN, _RASTER_LONGEST = 2.0, 20.0


class Recorder:
    """Records of one replica.

    Parameters
    ----------
    config : Config
    replica : int
        Which one of a training's replicas.
    """

    def __init__(self, config: Config, replica: int = 0) -> None:
        self._config, self._replica = config, replica
        self._structure = Structure.of(config)
        self._sample_steps = round(SAMPLE_PERIOD / config.simulation.dt)
        # lists of arrays, one a segment; joined only at the end
        self._columns: dict[str, list[np.ndarray]] = {}
        self._recent: list[tuple[np.ndarray, np.ndarray]] = []  # unit, step of the last two segments
        self._raster: tuple[np.ndarray, np.ndarray, float, float] | None = None
        self._recent_start = self._last_start = 0
        self.images = ImageCounts(
            self._structure.n_neurons, round(config.input.presentation / config.simulation.dt)
        )
        self.total_seconds = self.wake_seconds = 0.0

    def add(self, segment: Segment) -> None:
        """Take in a segment, in order."""
        result, dt = segment.result, self._config.simulation.dt
        self._append("sample_step", result.sample_step)
        for name, values in result.samples.items():
            self._append(name, values[:, self._replica])
        weights = {
            name: self._part(result.arrays[f"{name}.w"], self._structure.n_synapses(name))
            for name in self._structure.pathway
        }
        self._append("snapshot_step", np.array([segment.first_step + segment.n_steps]))
        self._append("snapshot_sd", np.array([[w.std() for w in weights.values()]]))
        self._append("snapshot_quantile", np.array([[np.quantile(w, _QUANTILES) for w in weights.values()]]))
        units, steps = self._spikes(segment)
        first_sample = segment.first_step // self._sample_steps
        for population, (first, size) in self._ranges().items():
            mine = steps[(units >= first) & (units < first + size)]
            counts = np.bincount(mine // self._sample_steps - first_sample)
            found = np.flatnonzero(counts)
            self._append(f"spike_sample_{population}", found + first_sample)
            self._append(f"spike_count_{population}", counts[found])
        self.total_seconds = (segment.first_step + segment.n_steps) * dt
        self._recent = [*self._recent[-1:], (units, steps)]
        self._recent_start, self._last_start = self._last_start, segment.first_step
        self.images = self.images.with_spikes(units, steps, self._clock(segment))
        self.wake_seconds = float(result.arrays["controller.wake_step"][self._replica]) * dt
        self._keep_raster()

    def _clock(self, segment: Segment) -> WakeClock:
        """From the samples of the controller, and its state in the segment's last step."""
        result, at_end = segment.result, segment.first_step + segment.n_steps - 1
        inside = result.sample_step < at_end
        sampled = (
            np.append(
                result.samples[name][inside, self._replica],
                result.arrays[f"controller.{name}"][self._replica],
            )
            for name in ("wake_step", "asleep")
        )
        wake, asleep = sampled
        step = np.append(result.sample_step[inside], at_end)
        return WakeClock(step.astype(np.int64), wake.astype(np.int64), asleep > 0.5)

    def copy(self) -> Recorder:
        """What is recorded so far; `add` to one of the two does not change the other."""
        twin = copy.copy(self)
        twin._columns = {name: list(parts) for name, parts in self._columns.items()}
        return twin

    def state(self) -> dict[str, np.ndarray]:
        """Everything recorded so far, as arrays for a checkpoint."""
        state = {f"column/{name}": np.concatenate(parts) for name, parts in self._columns.items()}
        for k, (units, steps) in enumerate(self._recent):
            state |= {f"recent/{k}/unit": units, f"recent/{k}/step": steps}
        if self._raster is not None:
            units, steps, start, stop = self._raster
            state |= {"raster/unit": units, "raster/step": steps, "raster/span": np.array([start, stop])}
        state["recent/start"] = np.array([self._recent_start, self._last_start])
        state |= {f"images/{name}": values for name, values in self.images.state().items()}
        return state | {"seconds": np.array([self.total_seconds, self.wake_seconds])}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from what `state` returned."""
        self._columns = {
            name.removeprefix("column/"): [values]
            for name, values in state.items()
            if name.startswith("column/")
        }
        self._recent = [
            (state[f"recent/{k}/unit"], state[f"recent/{k}/step"])
            for k in range(2)
            if f"recent/{k}/unit" in state
        ]
        if "raster/unit" in state:
            start, stop = (float(value) for value in state["raster/span"])
            self._raster = (state["raster/unit"], state["raster/step"], start, stop)
        self.images = self.images.restored({name: state[f"images/{name}"] for name in self.images.state()})
        self._recent_start, self._last_start = (int(value) for value in state["recent/start"])
        self.total_seconds, self.wake_seconds = (float(value) for value in state["seconds"])

    def sleep_fraction(self) -> float:
        """Part of the simulated time that was slept."""
        return 1 - self.wake_seconds / self.total_seconds

    def mean_rates(self) -> dict[str, float]:
        """Mean rate of each population over the whole run, in Hz."""
        sizes = {name: size for name, (_, size) in self._ranges().items()}
        return {
            name: float(self._column(f"spike_count_{name}").sum() / (sizes[name] * self.total_seconds))
            for name in self._structure.neurons
        }

    def intervals(self) -> list[tuple[int, dict[str, float]]]:
        """What the network did from segment to segment: simulated seconds at the end, and numbers by name.

        ``rate/POPULATION`` in Hz, ``sleep_fraction`` and, at the end, the mean ``weight/PATHWAY``, up to the last
        sample of each segment. A segment within one sample counts to the next.
        """
        step, wake = self._column("sample_step"), self._column("wake_step")
        ends = self._column("snapshot_step")
        rates = {name: self._rates(name, len(step)) for name in self._structure.neurons}
        weights = {
            name: self._column(f"total_{name}") / self._structure.n_synapses(name)
            for name in self._structure.pathway
        }
        found, first = [], 0
        for end, last in zip(ends, np.searchsorted(step, ends) - 1, strict=True):
            if last <= first:
                continue
            slept = 1 - float(wake[last] - wake[first]) / float(step[last] - step[first])
            numbers = {f"rate/{name}": float(rate[first:last].mean()) for name, rate in rates.items()}
            numbers["sleep_fraction"] = max(0.0, slept)
            numbers |= {f"weight/{name}": float(mean[last]) for name, mean in weights.items()}
            found.append((round(end * self._config.simulation.dt), numbers))
            first = last
        return found

    def to_dataset(self, initial: Network, final: Network) -> xr.Dataset:
        """The records with named dimensions and units, and the weights before and after."""
        import xarray as xr

        dt = self._config.simulation.dt
        pathways, neurons = list(self._structure.pathway), self._structure.neurons
        time = self._column("sample_step") * dt
        n_synapses = [len(final.weights[name]) for name in pathways]
        totals = np.stack([self._column(f"total_{name}") for name in pathways], axis=1)
        rates = np.stack([self._rates(name, len(time)) for name in neurons], axis=1)
        data: dict[str, Any] = {
            "asleep": ("time", self._column("asleep").astype(np.int8)),
            "wake_time": ("time", self._column("wake_step") * dt, {"units": "s"}),
            "total_weight": (
                "time",
                sum(totals[:, pathways.index(name)] for name in self._structure.watched),
            ),
            "pathway_mean": (("time", "pathway"), totals / np.array(n_synapses)),
            "rate": (("time", "population"), rates, {"units": "Hz"}),
            "weight_sd": (("snapshot", "pathway"), self._column("snapshot_sd")),
            "weight_quantile": (("snapshot", "pathway", "quantile"), self._column("snapshot_quantile")),
        }
        if self._structure.ahsar:
            data |= self._ahsar(final)
        for name in pathways:
            dimension = f"synapse_{name}"
            data[f"w_initial_{name}"] = (dimension, initial.weights[name])
            data[f"w_final_{name}"] = (dimension, final.weights[name])
            data[f"pre_{name}"] = (dimension, final.connections[name][0].astype(np.int32))
            data[f"post_{name}"] = (dimension, final.connections[name][1].astype(np.int32))
        data["population_size"] = ("population", [self._structure.size(name) for name in neurons])
        for name, values in final.kept.items():
            data[f"kept_{name.replace('.', '_of_')}"] = (f"unit_{name.partition('.')[0]}", values)
        for name in final.thresholds:
            data[f"threshold_rise_{name}"] = (f"unit_{name}", final.thresholds[name], {"units": "V"})
        coordinates: dict[str, Any] = {
            "time": ("time", time, {"units": "s"}),
            "pathway": pathways,
            "population": list(neurons),
            "quantile": _QUANTILES,
            "snapshot_time": ("snapshot", self._column("snapshot_step") * dt, {"units": "s"}),
        }
        falls, wakes = self._sleeps()
        data["sleep_start"] = ("episode", falls, {"units": "s"})
        data["sleep_stop"] = ("episode", wakes, {"units": "s"})
        attributes = {
            "w_total_initial": watched_weight(initial.weights, self._structure),
            "alpha_trigger": self._config.sleep.alpha_trigger,
            "alpha_base": self._config.sleep.alpha_base,
            "sleep_ratio": self._config.sleep.ratio,
            "sleep_trigger": self._config.sleep.trigger,
            "preset": self._config.preset,
            "data": self._config.data,
            "seed": self._config.seed,
            **{f"n_{name}": self._structure.size(name) for name in neurons},
            "image_height": self._config.input.side,
            "image_width": self._config.input.side,
        }
        if self._raster is not None:
            units, steps, start, stop = self._raster
            data["raster_time"] = ("spike", steps * dt, {"units": "s"})
            data["raster_unit"] = ("spike", units.astype(np.int32))
            attributes |= {"raster_start": start, "raster_stop": stop}
        return xr.Dataset(data, coordinates, attributes)

    def _ahsar(self, final: Network) -> dict[str, Any]:
        """r̄, h and the scale of thresholds over time, and the scale at the end."""
        neurons = self._structure.neurons
        rate, state = (
            np.stack([self._column(f"{kind}_{name}") for name in neurons], axis=1)
            for kind in ("mean_rate", "state")
        )
        over_time = ("time", "population")
        return {
            "ahsar_rate": (over_time, rate, {"units": "Hz"}),
            "ahsar_state": (over_time, state),
            "threshold_scale": (over_time, 1 + self._config.ahsar.span * np.tanh(state)),
            "threshold_scale_final": ("population", [final.threshold_scale[name] for name in neurons]),
        }

    def _append(self, name: str, values: np.ndarray) -> None:
        self._columns.setdefault(name, []).append(values)

    def _column(self, name: str) -> np.ndarray:
        return np.concatenate(self._columns[name]) if name in self._columns else np.array([])

    def _rates(self, population: str, n_samples: int) -> np.ndarray:
        """Mean rate from each sample to the next, in Hz."""
        sample, counts = (self._column(f"spike_{k}_{population}") for k in ("sample", "count"))
        inside = sample < n_samples
        total = np.bincount(sample[inside].astype(int), counts[inside], minlength=n_samples)
        return total / (self._ranges()[population][1] * SAMPLE_PERIOD)

    def _keep_raster(self) -> None:
        """Keep the spikes around the last sleep that lies within the last two segments, else any five seconds."""
        dt = self._config.simulation.dt
        units, steps = (np.concatenate(parts) for parts in zip(*self._recent, strict=True))
        begin, end = self._recent_start * dt, self.total_seconds
        around = [
            (fall - _RASTER_MARGIN, min(wake + _RASTER_MARGIN, fall - _RASTER_MARGIN + _RASTER_LONGEST))
            for fall, wake in zip(*self._sleeps(), strict=True)
            if fall - _RASTER_MARGIN >= begin and wake + _RASTER_MARGIN <= end
        ]
        if not around and self._raster is not None:
            return
        start, stop = around[-1] if around else (max(begin, end - 5.0), end)
        inside = (steps * dt >= start) & (steps * dt < stop)
        units, steps = units[inside], steps[inside]
        order = np.argsort(steps, kind="stable")  # segment by segment, population by population
        self._raster = (units[order], steps[order], float(start), float(stop))

    def _sleeps(self) -> tuple[np.ndarray, np.ndarray]:
        """Start and stop of every finished sleep in seconds, to the step.

        Wake steps between two samples tell how many were slept; a sleep that spans samples begins late in its
        first interval and ends early in its last one.
        """
        step, wake = self._column("sample_step"), self._column("wake_step")
        slept = np.diff(step) - np.diff(wake)
        edges = np.diff(np.concatenate(([0], slept > 0, [0])).astype(int))
        first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
        finished = last < len(slept) - 1
        first, last = first[finished], last[finished]
        # a sleep within one interval could lie anywhere in it: it is put at the end
        start = step[first + 1] - slept[first]
        stop = step[last] + slept[last]
        alone = first == last
        stop = np.where(alone, step[first + 1], stop)
        return start * self._config.simulation.dt, stop * self._config.simulation.dt

    def _part(self, values: np.ndarray, n_synapses: int) -> np.ndarray:
        return values.reshape(-1, n_synapses)[self._replica]

    def _ranges(self) -> dict[str, tuple[int, int]]:
        sizes = [self._structure.size(name) for name in self._structure.neurons]
        firsts = np.cumsum([0, *sizes[:-1]]).tolist()
        return dict(zip(self._structure.neurons, zip(firsts, sizes, strict=True), strict=True))

    def _spikes(self, segment: Segment) -> tuple[np.ndarray, np.ndarray]:
        """This replica's spikes: population by population, each in order of time."""
        units, steps = [], []
        for population, (first, size) in self._ranges().items():
            unit, step = segment.result.spikes[population]
            mine = unit // size == self._replica
            units.append(unit[mine] % size + first)
            steps.append(step[mine])
        return np.concatenate(units), np.concatenate(steps)
