"""The presets themselves, as users run them, with subnormal numbers flushed to zero and with them kept.

Awake and asleep, on digits that come with a dependency; sleep silences inhibition in ``massey2026``, and what a silent
neuron holds decays into subnormal numbers. Processors differ in what those cost.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from homeonet.config import load_config, preset_names
from homeonet.data import load
from homeonet.plastic import Training

__all__ = ["PRESET_HEADER", "preset_rows"]

PRESET_HEADER = ("preset", "sleep.ratio", "flushed: simulated s / wall s", "kept", "time kept / flushed")


@contextmanager
def subnormals(kept: bool) -> Iterator[None]:
    """Have the programs keep them, or not; programs read it when they start."""
    os.environ["HOMEONET_SUBNORMALS"] = "1" if kept else "0"
    try:
        yield
    finally:
        del os.environ["HOMEONET_SUBNORMALS"]


def preset_rows(n_images: int, repeats: int) -> list[tuple[str, ...]]:
    """One row per preset and sleep ratio, medians and ranges over rounds that alternate the two."""
    shown = load("mnist5k", size=15, train=n_images, test=10).x_train
    rows = []
    for name in preset_names():
        configured = load_config(name)
        for ratio in sorted({0.0, configured.sleep.ratio}):
            config = configured.replace(sleep__ratio=ratio, guard__max_rate="1001 Hz")
            speeds: dict[bool, list[float]] = {False: [], True: []}
            for number in range(repeats):
                for kept in (False, True) if number % 2 == 0 else (True, False):
                    with subnormals(kept):
                        training = Training([config], shown, device="cpp")
                        while not training.done:
                            training.advance()
                    speeds[kept].append(training.step * training.dt / training.loop_seconds)
            ratios = [a / b for a, b in zip(speeds[False], speeds[True], strict=True)]
            flushed, kept_text, slower = (
                f"{median(v):.4g} ({min(v):.4g}-{max(v):.4g})" for v in (*speeds.values(), ratios)
            )
            rows.append((name, f"{ratio:g}", flushed, kept_text, slower))
    return rows
