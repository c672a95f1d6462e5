"""The order in which training images are shown."""

from __future__ import annotations

import numpy as np
import pytest

from homeonet import InputError, load_config
from homeonet.runs.images import presentation_order

LABELS = np.random.default_rng(0).integers(0, 10, 200)


def test_classes_are_mixed_and_each_later_epoch_shuffled() -> None:
    order = presentation_order(LABELS, load_config("massey2026", {"epochs": 3}))
    first, *later = np.split(order, 3)
    assert first.tolist() == list(range(200))
    for epoch in later:
        assert sorted(epoch) == list(range(200)) and epoch.tolist() != first.tolist()
    assert later[0].tolist() != later[1].tolist()


@pytest.mark.parametrize("together", [1, 2, 3])
def test_classes_one_after_another_keep_their_order_within(together: int) -> None:
    config = load_config("massey2026", {"epochs": 2, "input.classes_at_a_time": together})
    mixed = np.split(presentation_order(LABELS, config.replace(**{"input.classes_at_a_time": 10})), 2)
    for epoch, usual in zip(np.split(presentation_order(LABELS, config), 2), mixed, strict=True):
        tasks = LABELS[epoch] // together
        assert (np.diff(tasks) >= 0).all()
        for task in range(10 // together):
            assert epoch[tasks == task].tolist() == [k for k in usual if LABELS[k] // together == task]


def test_it_names_runs_of_its_own_and_changes_no_other_s_name() -> None:
    config = load_config("massey2026", {"train": 20})
    assert config.run_id == "6bdff4a23aaa08f1"  # as in test_presets_stay
    assert config.replace(**{"input.classes_at_a_time": 2}).run_id != config.run_id
    with pytest.raises(InputError, match="classes_at_a_time"):
        config.replace(**{"input.classes_at_a_time": -1})


@pytest.mark.parametrize(("epochs", "tasks"), [(1, 1), (2, 3)])
def test_first_tasks_alone_are_the_beginning_of_all(epochs: int, tasks: int) -> None:
    config = load_config("massey2026", {"epochs": epochs, "input.classes_at_a_time": 2})
    shown = np.split(presentation_order(LABELS, config), epochs)
    few = presentation_order(LABELS, config.replace(**{"input.tasks": tasks}))
    first = np.isin(LABELS, range(2 * tasks)).sum()
    assert few.tolist() == [k for epoch in shown for k in epoch[:first]]


def test_tasks_need_classes_at_a_time() -> None:
    config = load_config("massey2026", {"train": 20, "input.classes_at_a_time": 2})
    assert config.replace(**{"input.tasks": 1}).run_id != config.run_id
    with pytest.raises(InputError, match=r"input.tasks = 1 needs input.classes_at_a_time"):
        load_config("massey2026", {"input.tasks": 1})
