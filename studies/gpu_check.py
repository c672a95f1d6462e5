"""Is everything right on this machine's GPU, and how fast is it? One command, a Markdown table, under 8 minutes.

First correctness: the plastic network on the GPU, in both precisions, beside C++ on the CPU (inputs and sleep equal,
spikes until a last bit of exp or log differs, then rates and weights within bounds), and the scan and a layer of DSN
beside float64 references. Then speed: replicas side by side against one CPU core, and the scan against memory
bandwidth, DSN against its parts, PSN, LIF in one kernel and step by step, and a recurrent layer with its steps compiled
and as a CUDA graph. Exits with 1 if something is wrong.

    python studies/gpu_check.py                     # a machine with a GPU, its driver, nvcc and torch for CUDA
    python studies/gpu_check.py --experiment        # and the 55 runs of the sleep paper as one program, in full
    python studies/gpu_check.py --rehearse          # no GPU: everything on the CPU, small; its times mean nothing

Without a registry: on a machine that has one, `pip download -d wheels "homeonet[gradient]"` for that machine's Python;
there, `pip install --no-index --find-links wheels homeonet` beside the torch that it has.
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path

import torch
from _gpu_plastic import by_cpp, compare_with_cpp, replica_speed, whole_experiment
from _gpu_scan import dsn_errors, recurrent_speed, scan_errors, scan_speed
from rich.console import Console

from homeonet._report import markdown_table
from homeonet._version import __version__
from homeonet.cli import run_main
from homeonet.plastic._cuda import architecture, find_nvcc, nvcc_version, require_gpu


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the tables there as Markdown")
    parser.add_argument("--experiment", action="store_true", help="the 55 runs of the sleep paper, in full")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, small: does the script work?")
    parser.add_argument(
        "--only", nargs="+", choices=["plastic", "scan"], default=["plastic", "scan"], help="a part of it"
    )
    return parser.parse_args()


def main() -> int:
    """Check, measure, print."""
    options = parse()
    console = Console(stderr=True)
    small = options.rehearse
    device, accelerator = ("emulated", "cpu") if small else ("cuda", "cuda")
    if small:
        where = [f"a rehearsal on {platform.processor() or platform.machine()}: times mean nothing"]
    else:
        card = require_gpu()
        where = [f"{card}, {architecture()}; {nvcc_version(find_nvcc())}"]
    where.append(f"torch {torch.__version__}, homeonet {__version__}, Python {platform.python_version()}")
    parts, wrong = ["# A GPU, checked and measured", "\n".join(where)], []

    def say(title: str, rows: list[list[str]]) -> None:
        parts.append(f"## {title}\n\n{markdown_table(rows)}")
        console.print(f"done: {title}")
        failed = [row[0] for row in rows[1:] if row[-1] == "NO"]
        wrong.extend(f"{title}: {name}" for name in failed)

    if "plastic" in options.only:
        reference = by_cpp(small)
        for precision in ("float64", "float32"):
            title = f"The plastic network in {precision} beside C++"
            say(title, compare_with_cpp(reference, device, precision))
        say("Replicas side by side", replica_speed(device, small))
        if options.experiment:
            say("The sleep paper's experiment as one program", whole_experiment(device, small))
    if "scan" in options.only:
        say("The scan beside a float64 reference", scan_errors(accelerator, small))
        say("A layer of DSN beside float64", dsn_errors(accelerator, small))
        say("The scan's speed, forward and backward", scan_speed(accelerator, small))
        say("A loop over steps that no kernel replaces", recurrent_speed(accelerator, small))
    text = "\n\n".join(parts) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    for what in wrong:
        print(f"wrong: {what}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(run_main(main))
