"""The paper's readout once more, with noise in the test as there was while the network learnt.

The released code has noise on the membranes while the network learns, fits its readout on what was answered then, and
tests without noise. These are the same runs and the same readout, on answers to the same test images with noise.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from homeonet import load_network, load_run
from homeonet.machine.cores import worker_count
from homeonet.plastic import read_features
from homeonet.runs.images import load_images
from homeonet.runs.readouts import SpikeCounts, fit_readouts
from homeonet.runs.stored_features import stored_while_learning
from homeonet.store import write_json

__all__ = ["tested_with_noise"]


def tested_with_noise(results: xr.Dataset, folder: Path) -> xr.DataArray:
    """Accuracies of the runs of a sweep in `folder`; what was found is kept there and not computed again."""
    kept = folder / "tested_with_noise.json"
    known = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    found = xr.full_like(results["accuracy.paper"], np.nan)
    for place in np.ndindex(found.shape):
        at = dict(zip(found.dims, place, strict=True))
        cell = results["cell"].isel(at).item()
        if results["state"].isel(at).item() != "done":
            continue
        if cell not in known:
            known[cell] = _accuracy(folder / "cells" / cell)
            write_json(kept, known)
        found[at] = known[cell]
    return found


def _accuracy(folder: Path) -> float:
    network, learnt = load_network(folder), stored_while_learning(load_run(folder))
    config = network.config.replace(**{"evaluation.noise": True})
    dataset = load_images(config, None)
    noisy = replace(network, config=config)
    answers = read_features(noisy, dataset.x_test, workers=worker_count(None))
    counts = SpikeCounts(answers, dataset.y_test, answers, dataset.y_test, learnt)  # fitted on `learnt` alone
    return fit_readouts(config, counts, ["paper"])["paper"].accuracy
