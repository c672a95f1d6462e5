"""What can be read from a preset with other constants, on validation images; test images are never scored.

Each --try is one setting: NAME=VALUE pairs with spaces between them, quoted as one argument ("" is the preset
as it is). Beside each stand frozen weights, with the same constants and adapting thresholds, and raw pixels.

    HOMEONET_DATA=… python studies/tune_homeonet/study.py --try "" --try "stdp.x_target=2 'input.mean_rate=60 Hz'"
"""

from __future__ import annotations

import argparse
import shlex
import sys

import numpy as np
from threadpoolctl import threadpool_limits

from homeonet import Config, load_config
from homeonet.analysis import evaluate_readout
from homeonet.cli.options import parse_assignments
from homeonet.cli.terminal import run_main
from homeonet.data import Dataset, load
from homeonet.errors import HomeonetError
from homeonet.plastic import Training, read_features
from homeonet.study.tables import markdown_table

FROZEN = {"input_exc.rule": "static", "exc_exc.rule": "static", "sleep.ratio": 0.0}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="homeonet", help="default: %(default)s")
    parser.add_argument(
        "--try", action="append", dest="settings", metavar="SETTING", help="default: the preset"
    )
    parser.add_argument("--data", nargs="+", default=["mnist", "fashion"], help="default: mnist fashion")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2], metavar="S", help="default: 1 2")
    parser.add_argument("--train", type=int, default=6000, metavar="N", help="default: %(default)s")
    parser.add_argument("--val", type=int, default=1000, metavar="N", help="default: %(default)s")
    parser.add_argument("--no-frozen", action="store_true", help="leave frozen weights out")
    parser.add_argument("--quick", action="store_true", help="mnist5k, 300 and 100 images, one seed")
    return parser.parse_args()


def logistic(train: np.ndarray, val: np.ndarray, dataset: Dataset, seed: int) -> float:
    """Validation accuracy in per cent; C is chosen on training images alone."""
    y, z = dataset.y_train, dataset.y_val
    return 100 * evaluate_readout("logistic", train, y, val, z, seed=seed, tune=True).accuracy


def network(config: Config, dataset: Dataset) -> tuple[float, float]:
    """Accuracy of a network trained with `config`, and the rate of its excitatory neurons in Hz."""
    training = Training([config], dataset.x_train)
    while not training.done:
        training.advance()
    n_val = len(dataset.x_val)
    features = read_features(training.network(), np.concatenate([dataset.x_val, dataset.x_train]))
    rate = features[:, : config.exc.n].mean() / config.evaluation.presentation
    return logistic(features[n_val:], features[:n_val], dataset, config.seed), float(rate)


def mean(values: list[float]) -> str:
    """Mean and sample standard deviation."""
    spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{np.mean(values):.1f}{spread}"


def main() -> None:
    """Try every setting on every set, and print a row as soon as it is known, then the table."""
    options = parse()
    if options.quick:
        options.data, options.seeds, options.train, options.val = ["mnist5k"], [1], 300, 100
    rows = [["setting", "data", "learned", "E (Hz)", "frozen", "raw pixels"]]
    for setting in options.settings or [""]:
        overrides = parse_assignments(shlex.split(setting))
        for data in options.data:
            found: dict[str, list[float]] = {"learned": [], "rate": [], "frozen": [], "raw": []}
            for seed in options.seeds:
                sizes = {"data": data, "seed": seed, "train": options.train, "val": options.val}
                config = load_config(options.preset, overrides | sizes)
                d = load(data, size=config.input.side, train=config.train, val=config.val, test=10, seed=seed)
                try:
                    for name, value in zip(("learned", "rate"), network(config, d), strict=True):
                        found[name].append(value)
                    if not options.no_frozen:
                        frozen = load_config(options.preset, overrides | sizes | FROZEN)
                        found["frozen"].append(network(frozen, d)[0])
                except HomeonetError as error:  # a setting that explodes is a finding
                    print(f"{setting}, {data}, seed {seed}: {error}", file=sys.stderr)
                found["raw"].append(logistic(d.x_train, d.x_val, d, seed))
            rows.append([setting or options.preset, data, *(mean(v) if v else "" for v in found.values())])
            print(*rows[-1], sep=" | ", flush=True)
    print("\n" + markdown_table(rows))


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(run_main(main))
