"""Does every gradient-trained neuron learn Fashion-MNIST in a small convolutional network on a CPU?

LIF, TrLIF, HD-LIF (through time and online) and DSN, the same three convolutions, the same budget; the official test
set, seen once, at the end. Prints and writes one table: mean and 95 % Student-t interval over seeds, or for a single
seed its 95 % Wilson interval.

    python studies/gradient_fashion/study.py            # the full training set; resumes when interrupted
    python studies/gradient_fashion/study.py --quick    # 2000 embedded MNIST images, a minute
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from homeonet.analysis import mean_interval
from homeonet.cli.terminal import progress_bar, run_main
from homeonet.gradient.training import train_config
from homeonet.runs.gradient import train
from homeonet.study.tables import markdown_table

NEURONS = {
    "LIF, through time": {"neuron": "lif"},
    "TrLIF, through time": {"neuron": "trlif"},
    "HD-LIF, through time": {"neuron": "hdlif"},
    "HD-LIF, online": {"neuron": "hdlif", "paradigm": "online"},
    "DSN, parallel": {"neuron": "dsn", "paradigm": "parallel"},
}
COMMON: dict[str, Any] = {"net": "conv", "net_options.width": 0.5, "steps": 2, "batch": 64, "lr": 3e-3}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], metavar="S", help="default: 1")
    parser.add_argument("--epochs", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="mnist5k, 2000 images, two epochs")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/gradient_fashion[_quick]")
    return parser.parse_args()


def main() -> None:
    """Train all neurons and seeds; print and write the table."""
    options = parse()
    out = options.out or Path("results", "gradient_fashion" + ("_quick" if options.quick else ""))
    data: dict[str, Any] = {
        "data": "fashion",
        "train": 55000,
        "val": 5000,
        "test": 10000,
        "epochs": options.epochs,
    }
    if options.quick:
        data = {"data": "mnist5k", "train": 2000, "val": 500, "test": 1000, "epochs": 2}
    rows = [["neuron", "test accuracy, %", "validation, %", "active share"]]
    for title, chosen in NEURONS.items():
        found = []
        for seed in options.seeds:
            config = train_config(**COMMON, **data, **chosen, seed=seed)
            folder = out / f"{title.replace(', ', '_').replace(' ', '_').lower()}_{seed}"
            first = len(rows) == 1 and not found  # the pixels do not depend on the neuron
            result = train(config, folder, progress=progress_bar, baselines=first)
            found.append(result.metrics)
        if len(rows) == 1:
            rows.append(["raw pixels, logistic", f"{100 * found[0]['accuracy.raw_pixels']:.1f}", "", ""])
        rates = [sum(r) / len(r) for r in ([v for k, v in m.items() if k.startswith("rate.")] for m in found)]
        rows.append(
            [
                title,
                interval(found, "accuracy.test"),
                interval(found, "accuracy.val"),
                f"{sum(rates) / len(rates):.3f}",
            ]
        )
        table = markdown_table(rows)
        (out / "table.md").write_text(table + "\n", encoding="utf-8")
    print(table)


def interval(runs: list[dict[str, Any]], key: str) -> str:
    """Mean with the half-width of its interval over seeds; of one seed its own interval, where there is one."""
    values = [100 * metrics[key] for metrics in runs]
    if len(values) > 1:
        found = mean_interval(values)
        return f"{found.estimate:.1f} ± {found.high - found.estimate:.1f}"
    if f"{key}.ci_low" not in runs[0]:
        return f"{values[0]:.1f}"
    low, high = (100 * runs[0][f"{key}.ci_{end}"] for end in ("low", "high"))
    return f"{values[0]:.1f} [{low:.1f}, {high:.1f}]"


if __name__ == "__main__":
    raise SystemExit(run_main(main))
