"""Is everything right on this machine's GPU, and how fast is it? One command, a Markdown table, under 8 minutes.

First correctness: the plastic network on the GPU, in both precisions, beside C++ on the CPU (inputs and sleep equal,
spikes until a last bit of exp or log differs, then rates and weights within bounds), brian2cuda's program where that is
installed (means within the same bounds), and the scan and the
layers beside float64 references. Then speed: replicas side by side against one CPU core, and the scan against memory
bandwidth, DSN against its parts, PSN, LIF in one kernel and step by step, and a recurrent layer with its steps compiled
and as a CUDA graph. Exits with 1 if something is wrong.

    python studies/gpu_check/study.py                     # a machine with a GPU, its driver, nvcc and torch for CUDA
    python studies/gpu_check/study.py --experiment        # and the 55 runs of the sleep paper as one program, in full
    python studies/gpu_check/study.py --rehearse          # no GPU: everything on the CPU, small; its times mean nothing

Without a registry: on a machine that has one, and the same Python, `pip wheel -c constraints.txt -w wheels
".[gradient]"` (with ".[cuda,gradient]" nvcc too); there, beside a copy of this folder, `pip install --no-index
--find-links wheels "homeonet[gradient]"`, or without the extra where torch for CUDA is there already.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from plastic import by_cpp, compare_brian2cuda, compare_with_cpp, replica_speed, whole_experiment
from rich.console import Console
from scan import layer_errors, recurrent_speed, scan_errors, scan_speed

from homeonet._version import __version__
from homeonet.cli.terminal import run_main
from homeonet.errors import HomeonetError, InputError
from homeonet.machine.cuda import architecture, find_nvcc, nvcc_version, require_gpu
from homeonet.study.tables import markdown_table


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
    """Check, measure, print; what is done is kept when something fails after it."""
    options = parse()
    console = Console(stderr=True)
    small = options.rehearse
    device, accelerator = ("emulated", "cpu") if small else ("cuda", "cuda")
    if small:
        where = [f"a rehearsal on {platform.processor() or platform.machine()}: times mean nothing"]
    else:
        card = require_gpu()
        where = [f"{card}, {architecture()}; {nvcc_version(find_nvcc())}"]
        if "scan" in options.only and not torch.cuda.is_available():
            raise InputError(
                f"torch {torch.__version__} sees no GPU; install a build for CUDA, or --only plastic"
            )
    where.append(f"torch {torch.__version__}, homeonet {__version__}, Python {platform.python_version()}")
    parts, wrong = [], []

    def keep(text: str) -> None:
        print(text + "\n", flush=True)
        parts.append(text)
        if options.out:
            options.out.write_text("\n\n".join(parts) + "\n", encoding="utf-8")

    def say(title: str, measure: Callable[..., list[list[str]]], *given: object) -> None:
        console.print(f"{title} …")
        try:
            rows = measure(*given)
        except (
            RuntimeError,
            AssertionError,
            HomeonetError,
        ) as error:  # memory of the GPU, a kernel: the rest goes on
            wrong.append(f"{title}: {error}")
            keep(f"## {title}\n\nfailed: {str(error).splitlines()[0]}")
            return
        wrong.extend(f"{title}: {row[0]}" for row in rows[1:] if row[-1] == "NO")
        keep(f"## {title}\n\n{markdown_table(rows)}")

    keep("# A GPU, checked and measured\n\n" + "\n".join(where))
    if "plastic" in options.only:
        reference = by_cpp(small)
        for precision in ("float64", "float32"):
            title = f"The plastic network in {precision} beside C++"
            say(title, compare_with_cpp, reference, device, precision)
        by_brian2 = "brian2" if small else "brian2cuda"
        if small or find_spec("brian2cuda"):
            say("brian2cuda's program beside C++", compare_brian2cuda, reference, by_brian2, device)
        else:
            keep("## brian2cuda's program beside C++\n\nnot compared: `homeonet doctor` says what it needs")
        say("Replicas side by side", replica_speed, device, small)
        if options.experiment:
            say("The sleep paper's experiment as one program", whole_experiment, device, small)
    if "scan" in options.only:
        say("The scan beside a float64 reference", scan_errors, accelerator, small)
        say("Layers beside float64", layer_errors, accelerator, small)
        say("The scan's speed, forward and backward", scan_speed, accelerator, small)
        say("A loop over steps that no kernel replaces", recurrent_speed, accelerator, small)
    for what in wrong:
        print(f"wrong: {what}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(run_main(main))
