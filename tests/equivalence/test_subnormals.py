"""Numbers too small for a normal double: they are slow on Intel processors, and worth nothing. Nobody computes them."""

from __future__ import annotations

import numpy as np
import pytest

from homeonet.config import PATHWAYS, preset_names
from tests.support.gpu_runs import small, trained

#: Long enough for a trace of 20 ms to pass 1e-308.
SILENT = {"input__presentation": "2 s", "noise__sigma": "0 mV"}
TINY = np.finfo(float).tiny


def run(preset: str, device: str, shown: np.ndarray):
    training, results = trained([small(preset, **SILENT)], shown, device)
    tiny = {
        name
        for name, values in training.arrays.items()
        if values.dtype.kind == "f" and ((values != 0) & (np.abs(values) < TINY)).any()
    }
    return training, results, tiny


@pytest.fixture(scope="module")
def then_silence() -> np.ndarray:
    """Two images, and black ones until all activity has decayed."""
    shown = np.zeros((14, 36))
    shown[:2] = np.random.default_rng(0).random((2, 36))
    return shown


@pytest.mark.parametrize("preset", preset_names())
def test_subnormals_are_zero_and_nothing_else_changes(
    preset: str, then_silence: np.ndarray, monkeypatch
) -> None:
    flushed, results, tiny = run(preset, "cpp", then_silence)
    assert not tiny
    monkeypatch.setenv("HOMEONET_SUBNORMALS", "1")
    kept, kept_results, tiny = run(preset, "cpp", then_silence)
    assert tiny and {name.partition(".")[2] for name in tiny} <= {
        "x_plus",
        "x_minus",
        "x_istdp",
        "g_e",
        "g_i",
    }
    for name in PATHWAYS:
        np.testing.assert_array_equal(flushed.arrays[f"{name}.w"], kept.arrays[f"{name}.w"])
    for name in flushed.arrays.keys() - tiny:
        np.testing.assert_array_equal(flushed.arrays[name], kept.arrays[name])
    for name in tiny:  # Euler's steps end at the smallest number whose change is a normal one
        np.testing.assert_allclose(flushed.arrays[name], kept.arrays[name], rtol=0, atol=1e-300)
    for one, other in zip(results, kept_results, strict=True):
        for population in ("exc", "inh"):
            np.testing.assert_array_equal(one.spikes[population], other.spikes[population])
        for name in one.samples:
            np.testing.assert_array_equal(one.samples[name], other.samples[name])


def test_the_emulated_gpu_flushes_them_too(then_silence: np.ndarray) -> None:
    cpp, emulated = (run("massey2026", device, then_silence) for device in ("cpp", "emulated"))
    assert not emulated[2]
    for name, values in cpp[0].arrays.items():
        np.testing.assert_array_equal(values, emulated[0].arrays[name])
