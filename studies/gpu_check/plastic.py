"""The plastic network on a GPU: beside C++ on the CPU, and its speed with the number of replicas.

On both, every random number comes from the same counter and every sum has one order. What differs is the last bit of
exp, log and pow, which are other libraries' there; from the first spike that moves by it the two part, as two runs of
a chaotic system do, and only statistics can be compared.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import numpy as np
from joblib import Parallel, delayed

from homeonet.config import Config, load_config
from homeonet.data import load
from homeonet.plastic import Structure, Training, program_for, watched_weight

RATIOS = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.7, 0.99]
#: How far means over replicas may lie apart once the two have parted, relative.
BOUND = 0.03
#: No earlier step may they part at: the last bit of a double moves a spike in a thousand steps hardly ever.
PARTING = {"float64": 1000, "float32": 10}


def configs_of(n: int, **overrides: object) -> list[Config]:
    """`n` runs of the paper's network that differ in ratio, noise and seed."""
    rng = np.random.default_rng(0)
    return [
        load_config(
            "massey2026",
            {
                "seed": k + 1,
                "sleep.ratio": RATIOS[k % len(RATIOS)],
                "noise.sigma": f"{rng.uniform(0, 8):.1f} mV",
            }
            | {"guard.max_rate": "1001 Hz", "sleep.interval": "4 s"}
            | overrides,
        )
        for k in range(n)
    ]


def images_of(n: int) -> np.ndarray:
    """Digits of MNIST that come with a dependency, again from the first where there are too few."""
    shown = load("mnist5k", size=15, train=1000, test=10).x_train
    return np.resize(shown, (n, shown.shape[1]))


def trained(configs: Sequence[Config], images: np.ndarray, device: str) -> Training:
    """Train to the end; the spikes stay on the object as `spikes`."""
    training = Training(configs, images, device)
    assert training.engine.device == device  # nothing else has stepped in
    spikes = {"exc": [], "inh": []}
    while not training.done:
        found = training.advance().result.spikes
        for name, parts in spikes.items():
            parts.append(np.stack(found[name]))
    training.spikes = {name: np.concatenate(parts, axis=1) for name, parts in spikes.items()}
    return training


def by_cpp(small: bool) -> Training:
    """What a GPU's runs are compared with."""
    return trained(configs_of(4 if small else 16), images_of(6 if small else 40), "cpp")


def compare_with_cpp(theirs: Training, device: str, precision: str) -> list[list[str]]:
    """What must be equal to `by_cpp`, which computes in float64, and what must be close."""
    configs = configs_of(len(theirs.configs), **{"simulation.precision": precision})
    images = theirs.images[0]
    ours = trained(configs, images, device)
    rows = _means(ours, theirs)
    parted, least = parting_step(ours, theirs), min(PARTING[precision], theirs.step)
    rows.append(
        ["spikes equal up to step", f"{parted:,}", f"of {theirs.step:,}", "yes" if parted >= least else "NO"]
    )
    twice = trained(configs, images, device)
    again = all(np.array_equal(ours.arrays[k], twice.arrays[k]) for k in ours.arrays)
    rows.append(["the same run twice", "equal" if again else "different", "", "yes" if again else "NO"])
    one = Training(configs[1:2], images, device)
    while not one.done:
        one.advance()
    alone = np.array_equal(one.finished[0].weights["exc_exc"], ours.finished[1].weights["exc_exc"])
    rows.append(
        ["a replica and the same alone", "equal" if alone else "different", "", "yes" if alone else "NO"]
    )
    return rows


def compare_brian2cuda(theirs: Training, device: str, own: str) -> list[list[str]]:
    """brian2cuda's program beside `by_cpp`, in means alone: it adds in no fixed order; then its time beside `own`'s."""
    ours = trained(theirs.configs, theirs.images[0], device)
    rows = _means(ours, theirs)
    beside = trained(theirs.configs, theirs.images[0], own)
    seconds = [training.loop_seconds for training in (ours, beside)]
    rows.append(
        ["seconds in the time loop, and of this package's program", *(f"{s:.3g}" for s in seconds), "yes"]
    )
    return rows


def _means(ours: Training, theirs: Training) -> list[list[str]]:
    configs, rows = ours.configs, [["check", "GPU", "C++", "as it must be"]]

    def add(name: str, a: float, b: float, fine: bool, form: str = ".4g") -> None:
        rows.append([name, format(a, form), format(b, form), "yes" if fine else "NO"])

    # falls and wakes by the clock do not depend on what the network does
    slept = [t.step - t.arrays["controller.wake_step"].sum() / len(configs) for t in (ours, theirs)]
    add("steps asleep, a replica", *slept, abs(slept[0] - slept[1]) <= BOUND * max(slept[1], 1))
    inputs = [t.arrays["input.next_spike"] for t in (ours, theirs)]
    same = float(np.mean(inputs[0] == inputs[1]))
    add("next input spikes that are equal", same, 1.0, same > 0.99)
    for name, size in (("exc", configs[0].exc.n), ("inh", configs[0].inh.n)):
        seconds = [len(configs) * size * t.step * t.dt for t in (ours, theirs)]
        rate = [t.spikes[name].shape[1] / s for t, s in zip((ours, theirs), seconds, strict=True)]
        add(f"rate {name}, Hz", *rate, abs(rate[0] - rate[1]) <= BOUND * rate[1])
    weight = [
        float(np.mean([watched_weight(t.finished[r].weights, t.structure) for r in range(len(configs))]))
        for t in (ours, theirs)
    ]
    add("total excitatory weight", *weight, abs(weight[0] - weight[1]) <= BOUND * weight[1])
    return rows


def parting_step(ours: Training, theirs: Training) -> int:
    """The first step whose spikes differ; all steps if none does."""
    first = min(ours.step, theirs.step)
    for name in ours.spikes:
        sets = []
        for t in (ours, theirs):
            order = np.lexsort(t.spikes[name])
            sets.append(t.spikes[name][:, order])
        n = min(part.shape[1] for part in sets)
        different = np.flatnonzero((sets[0][:, :n] != sets[1][:, :n]).any(axis=0))
        if len(different):
            first = min(first, int(min(part[1, different[0]] for part in sets)))
    return first


def steps_a_second(n: int, device: str, seconds: float, precision: str = "float64") -> tuple[float, float]:
    """Replica-steps per second of wall time, one segment of all replicas at once, and of its time loop alone.

    The first counts what goes to the program and back too. Weights begin where training takes them, since a quiet
    network is cheaper on a CPU; a short segment comes before.
    """
    configs = configs_of(n, **{"input_exc.w_initial": 0.45, "simulation.precision": precision})
    training = Training(configs, images_of(60), device)
    training.advance(0.2)
    start = time.perf_counter()
    segment = training.advance(seconds)
    steps = n * segment.n_steps
    return steps / (time.perf_counter() - start), steps / segment.result.seconds


def build(n: int, device: str, precision: str) -> None:
    """Compile the program of `n` replicas into the cache."""
    config = configs_of(1, **{"simulation.precision": precision})[0]
    program_for(Structure.of(config, n), device)


def replica_speed(device: str, small: bool) -> list[list[str]]:
    """Replica-steps per second against one CPU core; where the GPU overtakes it."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    numbers = (1, 2) if small else (1, 16, 132, 512, 1024)
    cases = [(n, p) for n in numbers for p in ("float64", "float32") if p == "float64" or n in (1, 16, 1024)]
    # before any clock runs, and side by side: a program takes nvcc 20 s
    Parallel(n_jobs=min(len(cases), os.cpu_count() or 1))(delayed(build)(n, device, p) for n, p in cases)
    core, in_loop = steps_a_second(1, "cpp", 2.0 if small else 20.0)
    rows = [
        ["replicas", "precision", "replica-steps per second", "of one CPU core in C++", "in the time loop"]
    ]
    rows.append(["one CPU core, C++", "float64", f"{core:,.0f}", "1", f"{in_loop:,.0f}"])
    over: dict[str, int] = {}
    for n, precision in cases:
        found, in_loop = steps_a_second(n, device, 0.5 if small else 20.0, precision)
        rows.append([str(n), precision, f"{found:,.0f}", f"{found / core:.2f}", f"{in_loop:,.0f}"])
        if found > core:
            over.setdefault(precision, n)
    crossover = f"from {over['float64']} replicas on" if "float64" in over else "not reached"
    rows.append(["crossover", "float64", crossover, "", ""])
    return rows


def whole_experiment(device: str, small: bool) -> list[list[str]]:
    """11 ratios x 5 seeds, 6000 images of a second, as one program: training alone, wall time."""
    ratios, seeds, n = (RATIOS[:2], [1], 5) if small else (RATIOS, [1, 2, 3, 4, 5], 6000)
    configs = [
        load_config("massey2026", {"sleep.ratio": ratio, "seed": seed, "guard.max_rate": "1001 Hz"})
        for ratio in ratios
        for seed in seeds
    ]
    training = Training(configs, images_of(n), device)
    start = time.perf_counter()
    while not training.done:
        training.advance()
    minutes = (time.perf_counter() - start) / 60
    rows = [["runs", "images each", "steps", "minutes", "in the time loop"]]
    loop = f"{training.loop_seconds / 60:.1f}"
    rows.append([str(len(configs)), f"{n:,}", f"{training.step:,}", f"{minutes:.1f}", loop])
    return rows
