"""How fast is one replica of the plastic network on one core, beside the practical limit and other simulators?

The network: 225 Poisson inputs onto 200 excitatory and 50 inhibitory neurons, 51 000 plastic synapses, membrane
noise throughout, E at 10 Hz and I at 25 Hz, about 1.1 million plastic events a simulated second. Contestants are
this engine, a hand-written C++ loop of the same network (`hand_written.cpp`, the practical limit), Brian2 as in
the textbook and, where an interpreter has them, NEST and BindsNET (`peers.py`).

All are prepared first (built, compiled, connected) and then timed in turn, in rounds of alternating direction, so
that the drift of a shared machine meets everyone alike; ratios are taken within a round and their median is shown.
Read the ratios and not the wall times. Every contestant's firing rates are shown: equal rates, equal work.

    python studies/speed/plastic.py --quick
    python studies/speed/plastic.py --peers-python PATH/bin/python --markdown studies/speed/plastic.md
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import median

from plastic_contestants import (
    ENGINE,
    LIMIT,
    PEERS,
    Contestant,
    benchmark_config,
    engine,
    hand_written,
    peer,
    plastic_events,
)
from plastic_presets import PRESET_HEADER, preset_rows
from rich.console import Console
from rich.table import Table

from homeonet.machine.compiler import compiler, compiler_version

HERE = Path(__file__).parent


def compete(
    dt_ms: float, arguments: argparse.Namespace, console: Console
) -> tuple[list[Contestant], list[str]]:
    """Prepare everyone at one time step and time them in rounds; contestants, and who is absent and why."""
    config, absent = benchmark_config(dt_ms), []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        contestants = [engine(config, arguments.seconds), hand_written(config, arguments.seconds, folder)]
        for key in PEERS:
            console.print(f"dt {dt_ms:g} ms: preparing {PEERS[key][0]}", highlight=False)
            python = sys.executable if key.startswith("brian2") else arguments.peers_python
            found = peer(key, python, config, arguments.seconds, stack)
            (absent if isinstance(found, str) else contestants).append(found)
        for number in range(arguments.repeats):
            console.print(f"dt {dt_ms:g} ms: round {number + 1} of {arguments.repeats}", highlight=False)
            for contestant in contestants if number % 2 == 0 else reversed(contestants):
                contestant.measurements.append(contestant.run())
    return contestants, absent


SLOW = [name for name, share in PEERS.values() if share < 1]
HEADER = (
    "contestant",
    "simulated s / wall s",
    "incl. process",
    f"time / {LIMIT}",
    f"time / {ENGINE}",
    "E, I, input Hz",
    "plastic events/s",
    "prepared",
)


def rows(dt_ms: float, contestants: list[Contestant]) -> list[tuple[str, ...]]:
    """The table of one time step, as text."""
    by_name = {contestant.name: contestant.measurements for contestant in contestants}

    def slower(contestant: Contestant, than: str) -> str:
        pairs = zip(by_name[than], contestant.measurements, strict=True)
        ratios = [other.speed / own.speed for other, own in pairs]
        return f"{median(ratios):.3g} ({min(ratios):.3g}-{max(ratios):.3g})"

    table = []
    for contestant in contestants:
        taken = contestant.measurements
        speeds = [m.speed for m in taken]
        started = [m.simulated / m.with_start for m in taken if m.with_start]
        rates = {group: median(m.rates[group] for m in taken) for group in ("exc", "inh", "input")}
        events = plastic_events(benchmark_config(dt_ms), rates)
        table.append(
            (
                contestant.name,
                f"{median(speeds):.4g} ({min(speeds):.4g}-{max(speeds):.4g})",
                f"{median(started):.4g}" if started else "",
                slower(contestant, LIMIT),
                slower(contestant, ENGINE),
                ", ".join(f"{rate:.1f}" for rate in rates.values()),
                f"{events / 1e6:.2f} M",
                f"{contestant.prepared:.1f} s",
            )
        )
    return table


def starting(repeats: int) -> dict[str, float]:
    """Seconds that a first and a second process of one structure need, with a cache that starts empty."""
    compiled, first, second = [], [], []
    command = [sys.executable, "-c", "from plastic_contestants import first_step; first_step(1.0)"]
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as cache:
            for waited in (first, second):
                begin = time.time()
                environment = {**os.environ, "HOMEONET_CACHE": cache}
                done = subprocess.run(
                    command, cwd=HERE, env=environment, check=True, capture_output=True, text=True
                )
                answer = json.loads(done.stdout)
                waited.append(answer["stepped"] - begin)
                if waited is first:
                    compiled.append(answer["compiled"])
    return {
        "cold compile (code generation and compiler)": median(compiled),
        "first process of a structure, to its first step": median(first),
        "second process of a structure, to its first step": median(second),
    }


def machine() -> str:
    """What the numbers were measured on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor()
    return (
        f"{processor}, {os.cpu_count()} cores; Python {platform.python_version()}, Brian2 {version('brian2')}, "
        f"{compiler_version(compiler() or ('g++',))}; {time.strftime('%Y-%m-%d')}"
    )


def main() -> None:
    """Measure, then print tables and write them where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--dt", type=float, nargs="+", default=[0.5, 1.0], metavar="MS", help="time steps in ms (0.5 1.0)")
    add("--seconds", type=float, default=50.0, help="simulated seconds of a timed run, at most 256 (50)")
    add("--repeats", type=int, default=5, help="rounds (5)")
    add("--quick", action="store_true", help="10 simulated seconds, 2 rounds: does everything run?")
    add("--peers-python", default=sys.executable, metavar="PATH", help="Python with NEST and BindsNET")
    add("--json", type=Path, metavar="FILE", help="write all measurements")
    add("--markdown", type=Path, metavar="FILE", help="write the tables")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds, arguments.repeats = 10.0, 2
    if not 1 <= arguments.seconds <= 256 or arguments.repeats < 1:
        parser.error("--seconds must lie between 1 and 256, --repeats must be at least 1")
    if shutil.which(arguments.peers_python) is None:
        parser.error(f"--peers-python {arguments.peers_python} is not a program")
    progress = Console(stderr=True)
    console = Console(width=None if sys.stdout.isatty() else 180)
    note = (
        f"One replica, one core, {arguments.seconds:g} simulated s (a tenth for {', '.join(SLOW)}); medians and "
        f"ranges of {arguments.repeats} rounds, ratios within a round; {ENGINE}'s input rate is the configured one"
    )
    text = [f"# Speed of the plastic engine\n\n{note}. {machine()}.\n"]
    raw: dict[str, object] = {"machine": machine(), "measurements": {}}
    for dt_ms in arguments.dt:
        contestants, absent = compete(dt_ms, arguments, progress)
        table = Table(*HEADER, title=f"dt = {dt_ms:g} ms", caption=note)
        text += [f"## dt = {dt_ms:g} ms\n", f"| {' | '.join(HEADER)} |", "|---" * len(HEADER) + "|"]
        for row in rows(dt_ms, contestants):
            table.add_row(*row)
            text.append(f"| {' | '.join(row)} |")
        console.print(table)
        for line in absent:
            console.print(line, highlight=False, markup=False)
        text += ["", *(f"- {line}" for line in absent), ""]
        raw["measurements"][f"{dt_ms:g} ms"] = {
            c.name: [asdict(m) for m in c.measurements] for c in contestants
        }
    images = 30 if arguments.quick else 300
    table = Table(*PRESET_HEADER, title=f"The presets, {images} images")
    text += ["## The presets, subnormal numbers flushed and kept\n"]
    text += [f"{images} digits per run, {arguments.repeats} rounds that alternate the two.\n"]
    text += [f"| {' | '.join(PRESET_HEADER)} |", "|---" * len(PRESET_HEADER) + "|"]
    raw["presets"] = preset_rows(images, arguments.repeats)
    for row in raw["presets"]:
        table.add_row(*row)
        text.append(f"| {' | '.join(row)} |")
    console.print(table)
    text.append("")
    raw["starting"] = starting(min(3, arguments.repeats))
    text.append("## Starting\n")
    for what, seconds in raw["starting"].items():
        console.print(f"{what}: {seconds:.1f} s", highlight=False)
        text.append(f"- {what}: {seconds:.1f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(raw, indent=1) + "\n")
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
