"""A run on what another has learnt: its spike counts as images, and what cannot be stacked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from homeonet import InputError, load_run, run
from homeonet.data import load
from tests.support.short_runs import short


def test_the_counts_of_a_run_are_the_images_of_the_next(finished: Path) -> None:
    records = load_run(finished).records
    dataset = load(f"run:{finished}", train=30, test=10)
    counts = records["features_train"].values[:30, :200]  # the excitatory neurons
    assert dataset.image_shape == (15, 15)
    brightest = records["features_train"].values[:, :200].max()
    np.testing.assert_allclose(dataset.x_train[:, :200] * brightest, counts, rtol=1e-6)
    assert not dataset.x_train[:, 200:].any()
    np.testing.assert_array_equal(dataset.y_train, records["labels_train"].values[:30])
    np.testing.assert_array_equal(dataset.y_test, records["labels_test"].values[:10])


def test_a_second_layer_runs_and_is_repeatable(finished: Path) -> None:
    config = short(data=f"run:{finished}", train=20, test=10)
    first, second = (run(config, figures=False, baselines=False).metrics for _ in range(2))
    assert first["accuracy.qda"] == second["accuracy.qda"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 28}, "input.side = 15"),
        ({"val": 5}, "val = 0"),
        ({"train": 41}, "train = 41"),
        ({"test": 21}, "test = 21"),
    ],
)
def test_what_the_run_does_not_hold_is_named(options: dict, words: str, finished: Path) -> None:
    with pytest.raises(InputError, match=words):
        load(f"run:{finished}", **options)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="finished run"):
        load(f"run:{tmp_path}")
