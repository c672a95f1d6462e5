"""Pixel by pixel (T = 784): does DSN learn sequential MNIST in minutes, and what does a batch cost beside step loops?

A residual network of two spiking layers sees one pixel per step, of 10 000 training images by default. First a training
batch is timed, alternating: DSN in parallel, DSN step by step, LIF step by step, LIF in one compiled loop. Then DSN and
LIF are trained and scored on the official test set.

    python studies/sequential_mnist/study.py            # resumes when interrupted
    python studies/sequential_mnist/study.py --quick    # embedded images of 8 × 8 pixels, a minute
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

from homeonet.cli.terminal import progress_bar, run_main
from homeonet.gradient import SpikingNeuron, spiking_neurons
from homeonet.gradient.training import build, train_config
from homeonet.machine.allocator import keep_freed_memory
from homeonet.runs.gradient import train
from homeonet.study.tables import markdown_table

#: Both with a memory of many steps at the start: what is to be told apart lies hundreds of steps back.
DSN = {"neuron": "dsn", "neuron_options.longest_memory": 300.0}
LIF = {"neuron": "lif", "neuron_options.decay": 0.98, "neuron_options.gain": 0.1}
FORMS = {
    "DSN, parallel": DSN,
    "DSN, step by step": DSN,
    "LIF, step by step": LIF,
    "LIF, compiled loop": LIF,
}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=int, default=10000, metavar="N", help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=8, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="default: %(default)s")
    parser.add_argument(
        "--quick", action="store_true", help="mnist5k at 8 × 8 pixels, 1000 images, two epochs"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/sequential_mnist[_quick]")
    return parser.parse_args()


def step_by_step(neuron: SpikingNeuron) -> None:
    """Let a layer run its readable form, one step after the other under autograd."""

    def sequence(x: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        outputs = []
        for x_t in x.unbind():
            out, state = neuron.single_step(x_t, state)
            outputs.append(out)
        return torch.stack(outputs), state

    neuron.sequence = sequence


def batch_seconds(models: dict[str, nn.Module], x: torch.Tensor, repeats: int) -> dict[str, float]:
    """Median seconds of a forward and a backward pass, the models taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(repeats + 1):
        for name, model in models.items():
            start = time.perf_counter()
            model(x).mean(0).logsumexp(1).sum().backward()
            seconds[name].append(time.perf_counter() - start)
    return {name: median(found[1:]) for name, found in seconds.items()}  # the first one warms up


def main() -> None:
    """Time one batch of each form, train DSN and LIF, print and write the table."""
    options = parse()
    keep_freed_memory()
    out = options.out or Path("results", "sequential_mnist" + ("_quick" if options.quick else ""))
    common: dict[str, Any] = {"net": "sequence", "encoding": "pixels", "lr": 5e-3, "seed": options.seed}
    common |= {"data": "mnist", "train": options.train, "val": 1000, "test": 10000, "epochs": options.epochs}
    if options.quick:
        common |= {"data": "mnist5k", "size": 8, "train": 1000, "val": 200, "test": 500, "epochs": 2}
    configs = {name: train_config(**neuron, **common) for name, neuron in FORMS.items()}
    models = {name: build(config, 10)[0] for name, config in configs.items()}
    for name in ("DSN, step by step", "LIF, step by step"):
        for neuron in spiking_neurons(models[name]):
            step_by_step(neuron)
    seconds = batch_seconds(models, torch.rand(configs["DSN, parallel"].sequence_steps, 64, 1), 3)
    rows = [["neuron", "seconds per batch of 64", "times DSN", "test accuracy, %", "training, s"]]
    for name, config in configs.items():
        accuracy = trained = ""
        if name in ("DSN, parallel", "LIF, compiled loop"):
            folder = out / name.split(",")[0].lower()
            metrics = train(config, folder, progress=progress_bar, baselines=False).metrics
            low, high = (100 * metrics[f"accuracy.test.ci_{end}"] for end in ("low", "high"))
            accuracy = f"{100 * metrics['accuracy.test']:.1f} [{low:.1f}, {high:.1f}]"
            trained = f"{metrics['train_seconds']:.0f}"
        ratio = seconds[name] / seconds["DSN, parallel"]
        rows.append([name, f"{seconds[name]:.2f}", f"{ratio:.1f}", accuracy, trained])
    table = markdown_table(rows)
    (out / "table.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    raise SystemExit(run_main(main))
