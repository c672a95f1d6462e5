"""What callbacks are told is what a run leaves behind: once, in order, and from the start again where it resumes."""

from __future__ import annotations

import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from homeonet import InputError, run
from homeonet.cli.main import main
from homeonet.machine import optional as _optional
from homeonet.machine.optional import install_command
from homeonet.runs import Callback, TensorBoard
from homeonet.runs import plastic as _plastic
from tests.support.meters import interrupted_after
from tests.support.short_runs import SHORT, assert_same_run, short

TINY = {"data": "mnist5k", "train": 120, "val": 30, "test": 40, "size": 8, "batch": 30, "epochs": 3}
TINY |= {"neuron": "lif", "net": "sg_snn", "net_options.hidden": 20}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "track.md"


class Recording:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def on_start(self, config: dict[str, Any]) -> None:
        self.told.append(("start", config))

    def on_interval(self, step: int, metrics: dict[str, float]) -> None:
        self.told.append(("interval", (step, metrics)))

    def on_end(self, metrics: dict[str, Any]) -> None:
        self.told.append(("end", metrics))

    @property
    def intervals(self) -> list[tuple[int, dict[str, float]]]:
        return [found for what, found in self.told if what == "interval"]


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_plastic, "SEGMENT_SECONDS", 5.0)


def test_a_grown_network_s_intervals_add_up_to_its_records(short_segments: None, tmp_path: Path) -> None:
    heard = Recording()
    sleepy = short(sleep__trigger="interval", sleep__interval="6 s", sleep__ratio=0.5, sleep__alpha_base=0)
    result = run(sleepy, tmp_path / "a", figures=False, baselines=False, callbacks=[heard])
    kinds = [what for what, _ in heard.told]
    assert kinds == ["start", *["interval"] * len(heard.intervals), "end"] and len(heard.intervals) >= 4
    assert heard.told[0][1]["sleep"] == result.config.model_dump(mode="json")["sleep"]
    assert heard.told[-1][1] == result.metrics and (tmp_path / "a" / "metrics.json").exists()
    steps = np.array([step for step, _ in heard.intervals])
    assert (np.diff(steps) > 0).all() and steps[0] == 5
    lengths = np.diff(steps, prepend=0)
    records = result.records
    time = records.time.values
    for name in ("exc", "inh"):
        rates = np.array([numbers[f"rate/{name}"] for _, numbers in heard.intervals])
        before_last_sample = records.rate.sel(population=name).values[time < time[-1]]
        assert np.average(rates, weights=lengths) == pytest.approx(before_last_sample.mean(), rel=0.02)
    slept = np.array([numbers["sleep_fraction"] for _, numbers in heard.intervals])
    assert np.average(slept, weights=lengths) == pytest.approx(result.metrics["sleep_fraction"], abs=0.02)
    assert result.metrics["sleep_fraction"] > 0.01
    for name in records.pathway.values:
        means = records.pathway_mean.sel(pathway=name).values
        assert heard.intervals[-1][1][f"weight/{name}"] == pytest.approx(means[-1])
        first = np.searchsorted(time, 5.0) - 1  # the last sample of the first segment
        assert heard.intervals[0][1][f"weight/{name}"] == pytest.approx(means[first])


def test_a_resumed_run_tells_all_of_it_and_a_complete_one_nothing(
    short_segments: None, tmp_path: Path
) -> None:
    whole, broken, resumed, complete = (Recording() for _ in range(4))
    options: dict[str, Any] = {"figures": False, "baselines": False}
    run(short(), tmp_path / "whole", callbacks=[whole], **options)
    with pytest.raises(KeyboardInterrupt):
        run(short(), tmp_path / "a", callbacks=[broken], progress=interrupted_after(2), **options)
    assert broken.intervals == whole.intervals[: len(broken.intervals)] and broken.told[-1][0] == "interval"
    run(short(), tmp_path / "a", callbacks=[resumed], **options)
    assert resumed.intervals == whole.intervals and resumed.told[-1][0] == "end"
    run(short(), tmp_path / "a", callbacks=[complete], **options)
    assert complete.told == []
    assert_same_run(tmp_path / "whole", tmp_path / "a")


def test_an_error_of_a_callback_ends_the_run_and_the_same_call_goes_on(
    short_segments: None, tmp_path: Path
) -> None:
    class Broken(Recording):
        def on_interval(self, step: int, metrics: dict[str, float]) -> None:
            if step >= 10:
                raise ConnectionError("the tracker is gone")

    options: dict[str, Any] = {"figures": False, "baselines": False}
    with pytest.raises(ConnectionError, match="gone"):
        run(short(), tmp_path / "a", callbacks=[Broken()], **options)
    assert (tmp_path / ".a.partial" / "checkpoint.npz").exists()
    run(short(), tmp_path / "a", **options)
    run(short(), tmp_path / "b", **options)
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_epochs_are_told_as_the_history_has_them(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from homeonet import train, train_config

    first, second = Recording(), Recording()
    options: dict[str, Any] = {"figures": False, "baselines": False}
    result = train(train_config(**TINY), tmp_path / "a", callbacks=[first], **options)
    assert [step for step, _ in first.intervals] == [1, 2, 3]
    for k, (_, numbers) in enumerate(first.intervals):
        epoch = result.records.isel(epoch=k)
        for name in ("train_loss", "train_accuracy", "val_accuracy", "learning_rate"):
            assert numbers[name] == float(epoch[name])
        for layer in result.records.layer.values:
            assert numbers[f"rate/{layer}"] == float(epoch.layer_rate.sel(layer=layer))
        for weight in result.records.weight.values:
            assert numbers[f"weight_norm/{weight}"] == float(epoch.weight_norm.sel(weight=weight))
    assert first.told[0][1]["neuron"] == "lif" and first.told[-1] == ("end", result.metrics)
    with pytest.raises(KeyboardInterrupt):  # 4 batches an epoch
        train(train_config(**TINY), tmp_path / "b", progress=interrupted_after(6), **options)
    train(train_config(**TINY), tmp_path / "b", callbacks=[second], **options)
    timeless = [
        [(step, numbers | {"seconds": 0}) for step, numbers in heard.intervals] for heard in (first, second)
    ]
    assert timeless[0] == timeless[1]
    nowhere = Recording()
    train(train_config(**TINY), callbacks=[nowhere], **options)
    assert [what for what, _ in nowhere.told] == ["start", *["interval"] * 3, "end"]


def test_the_command_writes_what_tensorboard_reads(tmp_path: Path, capsys) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    arguments = ["run", "massey2026", *SHORT, "--no-figures", "--no-baselines", "--tensorboard"]
    assert main([*arguments, "--out", str(tmp_path / "a")]) == 0
    files = list((tmp_path / "a" / "tensorboard").iterdir())
    assert len(files) == 1
    events = EventAccumulator(str(tmp_path / "a" / "tensorboard")).Reload()
    assert {"rate/exc", "rate/inh", "sleep_fraction", "weight/input_exc"} <= set(events.Tags()["scalars"])
    (event, *_) = events.Scalars("rate/exc")
    assert event.value > 0
    board = TensorBoard(tmp_path / "mine")
    assert isinstance(board, Callback)
    run(short(), callbacks=[board], figures=False, baselines=False)
    mine = EventAccumulator(str(tmp_path / "mine")).Reload()
    assert [e.step for e in mine.Scalars("rate/exc")] == [e.step for e in events.Scalars("rate/exc")]


def test_a_run_with_tensorboard_goes_on_where_it_was_interrupted(
    short_segments: None, tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    options: dict[str, Any] = {"figures": False, "baselines": False, "tensorboard": True}
    with pytest.raises(KeyboardInterrupt):
        run(short(), tmp_path / "a", progress=interrupted_after(2), **options)
    run(short(), tmp_path / "a", **options)
    events = EventAccumulator(str(tmp_path / "a" / "tensorboard")).Reload()
    steps = [event.step for event in events.Scalars("sleep_fraction")]
    assert len(steps) >= 4 and steps == sorted(set(steps))


@pytest.mark.parametrize("wrong", [print, Recording, object()])
def test_what_is_no_callback_is_named(wrong: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"callbacks\[1\] = .*on_start, on_interval and on_end"):
        run(short(), tmp_path / "a", callbacks=[Recording(), wrong])  # type: ignore[list-item]
    assert not list(tmp_path.iterdir())


def test_tensorboard_without_a_folder_or_its_package_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"tensorboard = True needs a folder.*TensorBoard\(folder\)"):
        run(short(), tensorboard=True)
    monkeypatch.setattr(_optional, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=f"needs tensorboard.*{re.escape(install_command('tensorboard'))}"):
        run(short(), tmp_path / "a", tensorboard=True)
    with pytest.raises(InputError, match="TensorBoard needs tensorboard"):
        TensorBoard(tmp_path)


def fake_wandb(said: list) -> SimpleNamespace:
    tracked = SimpleNamespace(
        log=lambda metrics, step: said.append((step, metrics)),
        summary=SimpleNamespace(update=lambda metrics: said.append(("end", metrics))),
        finish=lambda: said.append("finished"),
    )

    def init(project: str, config: dict) -> SimpleNamespace:
        said.append(("start", config))
        return tracked

    return SimpleNamespace(init=init)


def fake_mlflow(said: list) -> SimpleNamespace:
    return SimpleNamespace(
        start_run=lambda: None,
        log_dict=lambda config, name: said.append(("start", config)),
        log_metrics=lambda metrics, step=None: said.append(("end" if step is None else step, metrics)),
        end_run=lambda: said.append("finished"),
    )


@pytest.mark.parametrize(("name", "fake"), [("wandb", fake_wandb), ("mlflow", fake_mlflow)])
def test_the_trackers_of_the_documentation_say_all(
    name: str, fake, short_segments: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (code,) = [block for block in blocks if f"import {name}" in block]
    said: list[Any] = []
    monkeypatch.setitem(__import__("sys").modules, name, fake(said))
    place: dict[str, Any] = {}
    exec(code.partition("\n\nhomeonet.")[0], place)
    (tracker,) = [made for made in place.values() if isinstance(made, type) and made.__module__ == "builtins"]
    heard = Recording()
    run(short(), figures=False, baselines=False, callbacks=[heard, tracker()])
    assert said[0] == ("start", heard.told[0][1]) and said[-1] == "finished"
    assert said[1:-2] == heard.intervals
    numbers = {k: v for k, v in heard.told[-1][1].items() if isinstance(v, float) and math.isfinite(v)}
    assert numbers.items() <= said[-2][1].items()
