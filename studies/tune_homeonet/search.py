"""Can constants be had with which the network beats what has learnt nothing? A search on validation images.

Optuna (TPE) changes the constants of the preset `homeonet`: rates, densities, gains, learning rates, sleep. A trial
trains on MNIST and on Fashion-MNIST and scores validation images under the logistic readout and under QDA; its value is
the mean of the four margins over the better of random ReLU features of equal size and the noisy pixels that the network
sees. Test images are never scored. Trials are kept in a file and added to when it is run again.

    pip install optuna
    HOMEONET_DATA=… python studies/tune_homeonet/search.py --trials 100 --out results/search     # a minute a trial
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from homeonet import load_config
from homeonet.analysis import evaluate_readout
from homeonet.cli.terminal import run_main
from homeonet.data import Dataset, load
from homeonet.errors import HomeonetError
from homeonet.plastic import Structure, Training, read_features, stream_id
from homeonet.runs.baselines import input_counts, random_relu
from homeonet.study.tables import markdown_table

READOUTS = ("logistic", "qda")
#: Constants: lowest, highest, whether on a logarithmic scale, unit.
SPACE: dict[str, tuple[float, float, bool, str]] = {
    "input.mean_rate": (80, 300, False, "Hz"),
    "input_exc.density": (0.03, 0.4, True, ""),
    "input_exc.gain": (2, 40, True, "mV"),
    "input_exc.eta": (0.002, 0.05, True, ""),
    "input_exc.w_target": (0.05, 0.5, False, ""),
    "stdp.x_target": (0.3, 3, False, ""),
    "exc.theta_plus": (1e-4, 0.05, True, "mV"),
    "exc_exc.gain": (0.1, 5, True, "mV"),
    "exc_exc.eta": (5e-5, 5e-3, True, ""),
    "exc_inh.gain": (4, 40, True, "mV"),
    "inh_exc.gain": (0.3, 15, True, "mV"),
    "sleep.ratio": (0.0, 0.25, False, ""),
}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=100, metavar="N", help="in all; default: %(default)s")
    parser.add_argument("--data", nargs="+", default=["mnist", "fashion"], help="default: mnist fashion")
    parser.add_argument("--train", type=int, default=2000, metavar="N", help="default: %(default)s")
    parser.add_argument("--val", type=int, default=1000, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results", "search"), metavar="DIR")
    return parser.parse_args()


def margins(parameters: dict[str, Any], options: argparse.Namespace) -> dict[str, float]:
    """Points by which the network is above the better baseline, and the rates of both populations, by data."""
    found: dict[str, float] = {}
    for data in options.data:
        sizes = {"data": data, "seed": options.seed, "train": options.train, "val": options.val}
        config = load_config("homeonet", parameters | sizes)
        d = load(data, size=config.input.side, test=10, **{k: sizes[k] for k in ("train", "val", "seed")})
        training = Training([config], d.x_train)
        while not training.done:
            training.advance()
        counts = read_features(training.network(), np.concatenate([d.x_val, d.x_train]))
        codes = {
            "network": (counts[len(d.x_val) :], counts[: len(d.x_val)]),
            "relu": random_relu(
                d.x_train, d.x_val, Structure.of(config).n_neurons, stream_id(options.seed, "relu")
            ),
            "noisy": tuple(
                input_counts(x, config, stream_id(options.seed, part))
                for x, part in ((d.x_train, "fit"), (d.x_val, "scored"))
            ),
        }
        for readout in READOUTS:
            right = {name: _accuracy(readout, *code, d, options.seed) for name, code in codes.items()}
            found[f"{data}.{readout}"] = right["network"]
            found[f"{data}.{readout}.margin"] = right["network"] - max(right["relu"], right["noisy"])
        rates = counts.mean(axis=0) / config.evaluation.presentation
        found[f"{data}.exc"], found[f"{data}.inh"] = (
            float(part.mean()) for part in np.split(rates, [config.exc.n])
        )
    return found


def _accuracy(readout: str, train: np.ndarray, val: np.ndarray, d: Dataset, seed: int) -> float:
    tune = readout == "logistic"
    return 100 * evaluate_readout(readout, train, d.y_train, val, d.y_val, seed=seed, tune=tune).accuracy


def main() -> None:
    """Add trials until there are as many as asked for, and print the best."""
    import optuna

    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name="homeonet",
        storage=f"sqlite:///{options.out / 'trials.db'}",
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=options.seed, multivariate=True),
        load_if_exists=True,
    )
    preset = load_config("homeonet")
    if not study.trials:
        study.enqueue_trial({name: _preset_value(preset, name) for name in SPACE})

    def objective(trial: optuna.Trial) -> float:
        values = {
            name: trial.suggest_float(name, low, high, log=log) for name, (low, high, log, _) in SPACE.items()
        }
        parameters = {name: f"{v} {SPACE[name][3]}" if SPACE[name][3] else v for name, v in values.items()}
        try:
            found = margins(parameters, options)
        except HomeonetError as error:  # a network that explodes or falls silent is a finding
            trial.set_user_attr("error", str(error))
            raise optuna.TrialPruned from None
        for name, value in found.items():
            trial.set_user_attr(name, value)
        return float(np.mean([found[f"{d}.{r}.margin"] for d in options.data for r in READOUTS]))

    ended = sum(trial.state.is_finished() for trial in study.trials)
    study.optimize(objective, n_trials=max(0, options.trials - ended))
    done = sorted((t for t in study.trials if t.value is not None), key=lambda t: -(t.value or 0))
    names = [f"{d}.{r}.margin" for d in options.data for r in READOUTS]
    rows = [["trial", "mean margin", *names, "E / I, Hz", *SPACE]]
    for trial in done[:10]:
        rates = ", ".join(
            f"{trial.user_attrs[f'{d}.exc']:.3g} / {trial.user_attrs[f'{d}.inh']:.3g}" for d in options.data
        )
        own = [f"{trial.user_attrs[name]:+.1f}" for name in names]
        constants = [f"{trial.params[name]:.3g}" for name in SPACE]
        rows.append([str(trial.number), f"{trial.value:+.2f}", *own, rates, *constants])
    text = markdown_table(rows)
    (options.out / "search.md").write_text(text, encoding="utf-8")
    print(f"{text}\n{len(done)} of {len(study.trials)} trials ended; trial 0 is the preset.")


def _preset_value(preset: Any, name: str) -> float:
    section, _, key = name.partition(".")
    value = float(getattr(getattr(preset, section), key))
    return value * 1e3 if SPACE[name][3] == "mV" else value


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(run_main(main))
