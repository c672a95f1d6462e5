"""How fast are the gradient-trained neurons on a CPU, beside step loops, SpikingJelly and snnTorch?

Forward and backward of one layer, 16 × 128 lanes in float32, T from 32 to 16 384; the linear recurrence beside bare
C++ loops; what AHSAR and TrLIF add to a training step; and layers taken one step at a time. All in one process with
one allocator setting, timed in turn, in rounds of alternating direction; ratios are taken within a round. Read the
ratios and not the wall times.

    python studies/speed/gradient.py            # a quarter of an hour on two quiet cores
    python studies/speed/gradient.py --quick    # T up to 1024, a minute: does everything run?
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median

import homeonet.gradient  # noqa: F401  before torch: it says how idle threads wait

# isort: split
import torch
from gradient_contestants import CPP_LOOP, peers, scans
from gradient_steps import STEPS, layers_alone, single_steps, training_steps
from rich.console import Console
from rich.table import Table

from homeonet.cli.terminal import run_main
from homeonet.machine.allocator import keep_freed_memory
from homeonet.study.layers import neurons
from homeonet.study.tables import markdown_table
from homeonet.study.timing import BATCH, UNITS, Compared, Contestant, Effort, compare, compete, ratios

LENGTHS = (32, 64, 256, 1024, 4096, 16384)


def number(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def spread(values: list[float]) -> str:
    """Median and range, the range where there is one."""
    low, high = number(min(values)), number(max(values))
    return number(median(values)) + (f" ({low}-{high})" if low != high else "")


def time_rows(contestants: list[Contestant], lengths: list[int]) -> list[list[str]]:
    """Milliseconds per call."""
    rows = [["forward + backward, ms", *(f"T = {n}" for n in lengths)]]
    for c in contestants:
        cells = [number(1e3 * median(c.seconds[n])) if n in c.seconds else c.skipped[n] for n in lengths]
        rows.append([c.name, *cells])
    return rows


def ratio_rows(contestants: list[Contestant], base: str, lengths: list[int]) -> list[list[str]]:
    """Everyone's time as a multiple of that of `base`."""
    by_name = {c.name: c for c in contestants}
    rows = [[f"time / {base}", *(f"T = {n}" for n in lengths)]]
    for c in contestants:
        found = [ratios(c, by_name[base], n) for n in lengths]
        rows.append([c.name, *(spread(values) if values else "" for values in found)])
    return rows


def step_rows(contestants: list[Contestant], lengths: list[int]) -> list[list[str]]:
    """Microseconds per time step: flat where the cost is linear."""
    rows = [["µs a step", *(f"T = {n}" for n in lengths)]]
    for c in contestants:
        cells = [number(1e6 * median(c.seconds[n]) / n) if n in c.seconds else "" for n in lengths]
        rows.append([c.name, *cells])
    return rows


def compared_rows(title: str, found: dict[str, Compared]) -> list[list[str]]:
    """Milliseconds, and ratio to the first."""
    rows = [[title, "ms", "time / LIF, median [95 % interval]"]]
    for c in found.values():
        rows.append([c.name, number(1e3 * c.seconds), str(c) if len(rows) > 1 else "1"])
    return rows


def single_step_rows(found: dict[str, dict[str, Compared]]) -> list[list[str]]:
    """Microseconds per step, and ratio to the first."""
    rows = [
        [
            f"step(), {BATCH} × {UNITS} lanes",
            *(f"{mode}, {what}" for mode in found for what in ("µs", "/ LIF")),
        ]
    ]
    for name in next(iter(found.values())):
        cells = [
            cell
            for c in (of_mode[name] for of_mode in found.values())
            for cell in (number(1e6 * c.seconds / STEPS), "1" if name == "LIF" else str(c))
        ]
        rows.append([name, *cells])
    return rows


def goal_rows(
    contestants: list[Contestant],
    steps: dict[str, Compared],
    alone: dict[str, Compared],
    single: dict[str, dict[str, Compared]],
) -> list[list[str]]:
    """Goals beside what was measured."""
    by_name = {c.name: c for c in contestants}
    rows = [["goal", "measured", "met"]]

    def add(goal: str, values: list[float], met: Callable[[float], bool], shown: str = "") -> None:
        told = shown or (spread(values) if values else "not measured")
        rows.append([goal, told, ("yes" if met(median(values)) else "no") if values else ""])

    def quotient(of: str, to: str, n_steps: int) -> list[float]:
        return ratios(by_name[of], by_name[to], n_steps) if of in by_name and to in by_name else []

    for psn in ("PSN", "SpikingJelly PSN"):
        add(f"{psn} ≥ 100 × DSN's time at T = 16384", quotient(psn, "DSN", 16384), lambda r: r >= 100)
    for psn in ("PSN", "SpikingJelly PSN"):
        add(f"DSN ≤ 2 × {psn}'s time at T = 32", quotient("DSN", psn, 32), lambda r: r <= 2)
    cost = {n: median(taken) / n for n, taken in by_name["DSN"].seconds.items() if n >= 1024}
    growth = [cost[max(cost)] / cost[1024]] if 1024 in cost and len(cost) > 1 else []
    longest = f"T = {max(cost, default=0)}" if growth else "the longest T"
    add(f"DSN: cost per step at {longest} ≤ 1.5 × that at T = 1024 (flat)", growth, lambda r: r <= 1.5)
    for name, what in (
        (
            "linear_recurrence",
            "linear_recurrence, the compiled kernel under autograd, ≤ 2.5 × that kernel alone",
        ),
        (
            "linear_recurrence in torch operations",
            "linear_recurrence in torch operations ≤ 2.5 × the C++ loop",
        ),
    ):
        for n_steps in LENGTHS:
            add(f"{what} at T = {n_steps}", quotient(name, CPP_LOOP, n_steps), lambda r: r <= 2.5)
    for peer in ("SpikingJelly LIFNode", "snnTorch Leaky"):
        add(f"{peer} ≥ 8 × LIF's time at T = 1024", quotient(peer, "LIF", 1024), lambda r: r >= 8)
    add("TrLIF ≤ 1.2 × LIF at T = 1024, the layer alone", quotient("TrLIF", "LIF", 1024), lambda r: r <= 1.2)
    for goal, found, limit in (
        ("TrLIF ≤ 1.2 × LIF, the network's first layer alone", alone["TrLIF"], 1.2),
        ("TrLIF ≤ 1.1 × LIF, a whole training step", steps["TrLIF"], 1.1),
        ("AHSAR ≤ 1.03 × a whole training step without", steps["LIF with AHSAR"], 1.03),
        ("DSN ≤ 1.5 × LIF, a step at a time without gradients", single["no gradients"]["DSN"], 1.5),
        ("DSN ≤ 1.5 × LIF, a step at a time, forward + backward", single["gradients"]["DSN"], 1.5),
    ):
        add(goal, [found.ratio], lambda r, limit=limit: r <= limit, str(found))
    return rows


def machine(threads: int, *, allocator: bool) -> str:
    """What the numbers were measured on, and how."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor()
    kept = "keeps freed memory (mallopt)" if allocator else "as it is (no mallopt here)"
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    waiting = os.environ.get("OMP_WAIT_POLICY", "default")
    return (
        f"{processor}, {threads} of {os.cpu_count()} cores{load}; Python {platform.python_version()}, torch "
        f"{version('torch')}; for all contestants alike the allocator {kept} and OMP_WAIT_POLICY is {waiting}; "
        f"{time.strftime('%Y-%m-%d')}"
    )


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    add = parser.add_argument
    add("--quick", action="store_true", help="T up to 1024, few rounds; writes no file without --out")
    add("--rounds", type=int, metavar="N", help="rounds at each length; default: 9, with --quick 3")
    add("--threads", type=int, default=cores, metavar="N", help="default: all usable cores, %(default)s")
    add("--out", type=Path, metavar="FILE", help="Markdown; default: studies/speed/gradient.md")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 9)
    if options.threads < 1:
        parser.error(f"--threads {options.threads}: at least 1 is needed")
    if options.out is None and not options.quick:
        options.out = Path(__file__).with_name("gradient.md")
    return options


def sections(options: argparse.Namespace, progress: Console) -> Iterator[tuple[str, list[list[str]]]]:
    """Measure; titles and tables."""
    effort = Effort(options.rounds, 0.35 * options.rounds, 4 * options.rounds)
    if not options.quick:
        effort = Effort(options.rounds, options.rounds, 20 * options.rounds)
    lengths = [n for n in LENGTHS if n <= 1024] if options.quick else list(LENGTHS)
    others, missing = peers()
    layers, recurrences = neurons() + others, scans()
    for n_steps in lengths:
        progress.print(f"T = {n_steps}", highlight=False)
        compete(layers, n_steps, effort)
        compete(recurrences, n_steps, effort)
    progress.print("training steps", highlight=False)
    steps = compare(training_steps(), effort.training_rounds)
    alone = compare(layers_alone(), effort.training_rounds)
    single = {
        mode: compare(single_steps(mode), effort.training_rounds) for mode in ("no gradients", "gradients")
    }
    yield "Goals", goal_rows(layers + recurrences, steps, alone, single)
    yield "Spiking layers", time_rows(layers, lengths)
    yield "Spiking layers beside DSN", ratio_rows(layers, "DSN", lengths)
    yield "Spiking layers beside LIF", ratio_rows(layers, "LIF", lengths)
    yield "Cost per step", step_rows(layers, lengths)
    yield "Linear recurrence", time_rows(recurrences, lengths)
    if recurrences[0].name == CPP_LOOP:
        yield "Linear recurrence beside the C++ loop", ratio_rows(recurrences, CPP_LOOP, lengths)
    shape = "batch 64, T = 4, 28 × 28, three convolutions, Adam"
    yield "Training step", compared_rows(shape, steps)
    yield "Its first spiking layer alone", compared_rows("(4, 64, 32, 28, 28)", alone)
    yield "A step at a time", single_step_rows(single)
    yield "Missing", [["contestant"], *([line] for line in missing or ["none"])]


def main() -> None:
    """Measure, then print tables and write them where asked."""
    options = parse()
    allocator = keep_freed_memory()
    torch.set_num_threads(options.threads)
    console = Console(width=None if os.isatty(1) else 200)
    note = (
        f"Layers: forward + backward of {BATCH} × {UNITS} lanes in float32; medians of up to "
        f"{options.rounds} rounds, ratios within a round with their range. "
        f"{machine(options.threads, allocator=allocator)}."
    )
    text = [f"# Speed of the gradient side\n\n{note}\n"]
    for title, rows in sections(options, Console(stderr=True)):
        table = Table(*rows[0], title=title)
        for row in rows[1:]:
            table.add_row(*row)
        console.print(table)
        text.append(f"## {title}\n\n{markdown_table(rows)}\n")
    console.print(note, highlight=False, markup=False)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(run_main(main, resumes=False))
