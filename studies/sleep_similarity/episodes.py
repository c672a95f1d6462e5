"""Follows a network through its sleeps, and compares it before and after each; for `study.py`."""

from __future__ import annotations

import numpy as np
import xarray as xr

from homeonet import Config
from homeonet.analysis import field_overlap, linear_cka, rank_correlation, receptive_fields
from homeonet.data import load
from homeonet.plastic import Network, Training, read_features

__all__ = ["PATHWAYS", "episodes"]

STEP = 0.5  # seconds between looks at the network
PATHWAYS = ("input_exc", "exc_exc", "exc_inh", "inh_exc")


def episodes(config: Config, most: int, probes: int) -> list[dict[str, float]]:
    """Similarities over each of the first sleeps, and over as much wake time before it."""
    dataset = load(config.data, size=config.input.side, train=config.train, test=probes, seed=config.seed)
    training = Training([config], dataset.x_train)
    past: list[tuple[float, Network]] = [(0.0, training.network())]  # while awake
    before: Network | None = None
    slept, found = 0.0, []
    while not training.done and len(found) < most:
        was_asleep = bool(training.arrays["controller.asleep"][0])
        training.advance(STEP)
        asleep = bool(training.arrays["controller.asleep"][0])
        now = training.step * training.dt
        if asleep and not was_asleep:
            before, slept = past[-1][1], now
        elif was_asleep and not asleep and before is not None:
            length = now - slept + STEP
            then, earlier = min(past, key=lambda item: abs(past[-1][0] - length - item[0]))
            pairs = [("sleep", before, training.network())]
            if (
                abs(past[-1][0] - then - length) <= STEP and then < past[-1][0]
            ):  # there was as much time awake
                pairs.append(("wake", earlier, before))
            for kind, first, second in pairs:
                found.append({"kind": kind, "seconds": length} | similarity(first, second, dataset.x_test))
            past = []
        if not asleep:
            past = [*past[-40:], (now, training.network())]
    return found


def similarity(first: Network, second: Network, images: np.ndarray) -> dict[str, float]:
    """All measures between two moments of a network."""
    values = {name: rank_correlation(first.weights[name], second.weights[name]) for name in PATHWAYS}
    codes = [read_features(network, images) for network in (first, second)]
    varied = [unit for unit in range(codes[0].shape[1]) if all(np.ptp(code[:, unit]) for code in codes)]
    ranks = [rank_correlation(codes[0][:, unit], codes[1][:, unit]) for unit in varied]
    fields = [receptive_fields(_records(network)) for network in (first, second)]
    values["fields"] = float(np.nanmean(field_overlap(*fields)))
    return values | {"code": linear_cka(*codes), "order": float(np.mean(ranks)) if ranks else np.nan}


def _records(network: Network) -> xr.Dataset:
    """The part of a run's records that its receptive fields are made of."""
    pre, post = network.connections["input_exc"]
    parts = {"w_final_input_exc": network.weights["input_exc"], "pre_input_exc": pre, "post_input_exc": post}
    side = network.config.input.side
    attributes = {"image_height": side, "image_width": side, "n_exc": network.config.exc.n}
    return xr.Dataset({name: ("synapse", values) for name, values in parts.items()}, attrs=attributes)
