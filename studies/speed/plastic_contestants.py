"""The network of the speed benchmark, and everyone who runs it: this engine, the hand-written limit, served peers.

225 Poisson inputs onto 200 excitatory and 50 inhibitory neurons: dense input->E (45 000 synapses) and E->E (6 000)
learn by pair STDP, I->E by Vogels' rule, E->I is static; membrane noise throughout, no sleep. Its rates are steady
for a minute: E at 10 Hz, I at 25 Hz, inputs at 10 Hz. A contestant is prepared once (built, compiled, connected)
and then timed as often as it is called; nothing is compared or printed here.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from homeonet.config import PATHWAYS, Config, load_config
from homeonet.machine.compiler import compiler
from homeonet.machine.optional import install_command
from homeonet.plastic import Training
from homeonet.plastic.network._structure import Structure

HERE = Path(__file__).parent
ENGINE, LIMIT = "homeonet", "hand-written C++"
PEERS = {  # served by peers.py; the slow ones run a tenth of the simulated time
    "brian2-standalone": ("Brian2 textbook, standalone", 1.0),
    "brian2-cython": ("Brian2 textbook, Cython", 0.1),
    "nest": ("NEST", 0.1),
    "bindsnet": ("BindsNET PostPre", 0.1),
}
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def benchmark_config(dt_ms: float) -> Config:
    """The configuration at a time step of `dt_ms` milliseconds."""
    overrides: dict[str, object] = {
        "simulation.dt": f"{dt_ms:g} ms",
        "input.mean_rate": "10 Hz",
        "sleep.ratio": 0.0,
        "noise.during": "always",
        "noise.sigma": "1.6 mV",
        "stdp.tau_plus": "20 ms",
        "stdp.tau_minus": "20 ms",
        "stdp.a_plus": 1.0,
        "stdp.a_minus": 1.05,
        "istdp.tau": "20 ms",
        "istdp.rho_target": "10 Hz",
    }
    for population, tau_m, refractory in (("exc", "20 ms", "3 ms"), ("inh", "10 ms", "2 ms")):
        values = {"tau_m": tau_m, "refractory": refractory, "tau_g_exc": "5 ms", "tau_g_inh": "5 ms"}
        values |= {"e_leak": "-58 mV", "v_reset": "-70 mV", "v_threshold": "-50 mV", "theta_plus": "0 mV"}
        overrides |= {f"{population}.{name}": value for name, value in values.items()}
    for pathway, density, w_initial, w_spread, w_max, rule, eta in (
        ("input_exc", 1.0, 0.05, 1.0, 0.4, "stdp", 2e-4),
        ("exc_exc", 0.15, 0.02, 1.0, 0.4, "stdp", 2e-4),
        ("exc_inh", 0.25, 0.10, 0.0, 0.4, "static", 0.0),
        ("inh_exc", 0.25, 0.32, 0.0, 1.5, "istdp", 2e-3),
    ):
        values = {"density": density, "w_initial": w_initial, "w_spread": w_spread, "w_min": 0.0}
        values |= {"w_max": w_max, "rule": rule, "eta": eta, "gain": "20 mV"}
        overrides |= {f"{pathway}.{name}": value for name, value in values.items()}
    return load_config("massey2026", overrides)


def images(config: Config, seconds: float) -> np.ndarray:
    """One Gaussian blob for as long as `seconds`, shape (n_images, n_input)."""
    side = config.input.side
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    blob = np.exp(-(x**2 + y**2) / (2 * 2.55**2)).ravel()
    return np.tile(blob, (math.ceil(seconds / config.input.presentation), 1))


def parameters(config: Config, seconds: float) -> dict:
    """The network as plain numbers in SI units, for contestants that do not know this package."""
    image = images(config, 1.0)[0]
    told = {name: getattr(config, name) for name in ("exc", "inh", "noise", "stdp", "istdp", *PATHWAYS)}
    numbers = {
        name: {key: getattr(part, key) for key in type(part).model_fields} for name, part in told.items()
    }
    for pathway in Structure.of(config).pathways:
        numbers[pathway.name]["in_degree"] = pathway.in_degree
    rates = list(config.input.mean_rate * image / image.mean())
    pathways = [(name, *ends) for name, ends in PATHWAYS.items()]
    return {
        "dt": config.simulation.dt,
        "seconds": seconds,
        "seed": 1,
        "rates": rates,
        "pathways": pathways,
    } | numbers


def plastic_events(config: Config, rates: dict[str, float]) -> float:
    """Updates of plastic weights per simulated second, at presynaptic and postsynaptic spikes, from rates in Hz."""
    structure = Structure.of(config)
    return sum(
        structure.n_synapses(pathway) * (rates[PATHWAYS[pathway][0]] + rates[PATHWAYS[pathway][1]])
        for pathway in structure.plastic_pathways()
    )


def first_step(dt_ms: float) -> None:
    """Take one step, as a fresh process does; prints the seconds of compilation and the time of day after it."""
    config = benchmark_config(dt_ms)
    training = Training([config], images(config, 1.0), device="cpp")
    training.advance(config.simulation.dt)
    print(json.dumps({"compiled": training.engine.compile_seconds, "stepped": time.time()}))


@dataclass(frozen=True)
class Measurement:
    """One timed run: wall seconds in the time loop, with process start (if any), and mean rates in Hz."""

    simulated: float
    seconds: float
    with_start: float | None
    rates: dict[str, float]

    @property
    def speed(self) -> float:
        """Simulated seconds per second of wall time."""
        return self.simulated / self.seconds


@dataclass
class Contestant:
    """Something that runs the network when called, what it took to prepare, and all its measurements."""

    name: str
    run: Callable[[], Measurement]
    prepared: float
    measurements: list[Measurement] = field(default_factory=list)


def engine(config: Config, seconds: float) -> Contestant:
    """This package, from the initial state each time; input rates are those configured (not recorded)."""
    structure = Structure.of(config)
    shown = images(config, seconds)
    start = time.perf_counter()
    Training([config], shown, device="cpp")
    prepared = time.perf_counter() - start

    def run() -> Measurement:
        training = Training([config], shown, device="cpp")
        start = time.perf_counter()
        result = training.advance(seconds).result
        wall = time.perf_counter() - start
        rates = {
            name: len(unit) / structure.size(name) / seconds for name, (unit, _) in result.spikes.items()
        }
        return Measurement(seconds, result.seconds, wall, {"input": config.input.mean_rate} | rates)

    return Contestant(ENGINE, run, prepared)


def hand_written(config: Config, seconds: float, folder: Path) -> Contestant:
    """The practical limit, compiled now for this machine and these sizes."""
    structure, program = Structure.of(config), folder / "hand_written"
    sizes = {name: structure.size(name) for name in ("input", "exc", "inh")}
    defined = [f"-DN_{name.upper()}={n}" for name, n in sizes.items()]
    command = [
        *(compiler() or ("g++",)),
        "-O3",
        "-march=native",
        "-ffast-math",
        *defined,
        str(HERE / "hand_written.cpp"),
    ]
    start = time.perf_counter()
    subprocess.run([*command, "-o", str(program)], check=True)
    prepared = time.perf_counter() - start
    lines = []
    for name, value in parameters(config, seconds).items():
        parts = value.items() if isinstance(value, dict) else ()
        lines += [
            f"{name}.{key} {v!r}"
            for key, v in parts
            if isinstance(v, (int, float)) and not isinstance(v, bool)
        ]
        lines += [f"{name} {value!r}"] if isinstance(value, (int, float)) else []
    lines += [f"rate {float(rate)!r}" for rate in parameters(config, seconds)["rates"]]
    told = folder / f"parameters-{config.run_id}.txt"
    told.write_text("\n".join(lines) + "\n")

    def run() -> Measurement:
        start = time.perf_counter()
        done = subprocess.run([str(program), str(told)], check=True, capture_output=True, text=True)
        wall = time.perf_counter() - start
        found = json.loads(done.stdout)
        rates = {name: found[name] / n / seconds for name, n in sizes.items()}
        return Measurement(seconds, found["seconds"], wall, rates)

    return Contestant(LIMIT, run, prepared)


def peer(key: str, python: str, config: Config, seconds: float, stack: ExitStack) -> Contestant | str:
    """A contestant served by another process, or the reason why it cannot take part."""
    name, share = PEERS[key]
    seconds = max(1.0, share * seconds)
    structure = Structure.of(config)
    process = subprocess.Popen(
        [python, str(HERE / "peers.py"), key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **ONE_THREAD},
    )
    stack.enter_context(process)  # leaving closes its standard input, which ends it
    assert process.stdin and process.stdout
    questions, answers = process.stdin, process.stdout

    def ask(question: str) -> dict:
        print(question, file=questions, flush=True)
        return json.loads(answers.readline() or '{"failed": "its process ended"}')

    ready = ask(json.dumps(parameters(config, seconds)))
    if "missing" in ready:
        return f"{name}: not installed, {ready['missing']} is missing ({install_command('bench')})"
    if "failed" in ready:
        return f"{name}: could not be prepared: {ready['failed']}"

    def run() -> Measurement:
        done = ask("")
        if "failed" in done:
            raise SystemExit(f"{name} stopped: {done['failed']}")
        rates = {group: n / structure.size(group) / seconds for group, n in done["spikes"].items()}
        return Measurement(seconds, done["seconds"], None, rates)

    return Contestant(name, run, ready["prepared"])
