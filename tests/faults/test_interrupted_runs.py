"""Runs that are interrupted, killed, started twice or given another's checkpoint: one line, nothing half-written."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from homeonet import Config, InputError, _version, run, store
from homeonet.cli.main import main
from homeonet.data import load
from homeonet.plastic import Recorder, Training, load_checkpoint, save_checkpoint
from homeonet.progress import bar
from homeonet.runs import evaluation as _evaluation
from homeonet.runs import plastic as _plastic
from homeonet.runs.folder import RunFolder
from homeonet.store import locked, publish_folder
from tests.support.commands import one_line
from tests.support.short_runs import SHORT, assert_same_run, short

#: ``homeonet`` with a checkpoint after every segment, and segments of five seconds.
EAGER = (
    "import sys; from homeonet.cli.main import main; from homeonet.runs import plastic;"
    "plastic._CHECKPOINT_SECONDS, plastic.SEGMENT_SECONDS = 0.0, 5.0; sys.exit(main(sys.argv[1:]))"
)


# ---------------------------------------------------------------------------------------------- interruptions


def test_kills_at_random_moments_leave_no_trace(tmp_path: Path) -> None:
    """SIGKILL again and again while images are shown; the folder of the end is that of a quiet run."""
    arguments = ["run", "massey2026", *SHORT, "--no-figures", "--no-baselines", "--train", "400", "--out"]
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    start = [sys.executable, "-c", EAGER, *arguments]
    assert subprocess.run([*start, str(quiet)], check=False).returncode == 0
    moments = np.random.default_rng()
    checkpoint = tmp_path / ".killed.partial" / "checkpoint.npz"
    resumed_from = []
    for _ in range(4):
        process = subprocess.Popen([*start, str(killed)], start_new_session=True, stdout=subprocess.DEVNULL)
        written = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while process.poll() is None and (
            not checkpoint.exists() or checkpoint.stat().st_mtime_ns == written
        ):
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            break
        assert not killed.exists()
        with np.load(checkpoint) as stored:  # whole, whenever the kill came
            resumed_from.append(int(stored["step"]))
    assert resumed_from and resumed_from == sorted(set(resumed_from))
    assert subprocess.run([*start, str(killed)], check=False).returncode == 0
    assert_same_run(quiet, killed)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "quiet"]


@pytest.mark.parametrize("where", ["while recording", "after recording", "between", "evaluating", "drawing"])
def test_ctrl_c_at_any_place_continues_to_the_same_run(
    where: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """State and records of the checkpoint agree even where Ctrl-C comes between the two."""
    from homeonet import plotting

    monkeypatch.setattr(_plastic, "SEGMENT_SECONDS", 5.0)
    count = 0

    def interrupted(original, calls: int, *, first: bool):
        def called(*arguments, **options):
            nonlocal count
            count += 1
            if count == calls and first:
                original(*arguments, **options)
            if count == calls:
                raise KeyboardInterrupt
            return original(*arguments, **options)

        return called

    target, name, calls, first = {
        "while recording": (Recorder, "_keep_raster", 2, False),
        "after recording": (Recorder, "add", 2, True),
        "between": (Training, "advance", 2, True),
        "evaluating": (_evaluation, "read_features", 1, True),
        "drawing": (plotting, "draw_run", 1, True),
    }[where]
    out, quiet = tmp_path / "r", tmp_path / "quiet"
    arguments = ["run", "massey2026", *SHORT, "--no-baselines", "--out"]
    if where != "drawing":
        arguments.insert(1, "--no-figures")
    with monkeypatch.context() as patch:
        patch.setattr(target, name, interrupted(getattr(target, name), calls, first=first))
        assert main([*arguments, str(out)]) == 130
    assert count == calls
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and "same command continues it" in printed.err
    assert not out.exists() and (tmp_path / ".r.partial" / "checkpoint.npz").exists()
    with np.load(tmp_path / ".r.partial" / "checkpoint.npz") as stored:
        assert int(stored["step"]) == (20_000 if where in ("evaluating", "drawing") else 5_000)
    assert main([*arguments, str(out)]) == 0
    assert main([*arguments, str(quiet)]) == 0
    assert_same_run(quiet, out)
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["steps_per_second"] > 0 and metrics["realtime_factor"] > 0


def test_ctrl_c_before_the_first_segment_leaves_nothing(tmp_path: Path, monkeypatch, capsys) -> None:
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Training, "advance", interrupt)
    assert main(["run", "massey2026", *SHORT, "--out", str(tmp_path / "r")]) == 130
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_nothing_in_the_temporary_folder(tmp_path: Path) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    arguments = ["run", "massey2026", *SHORT, "--no-figures", "--train", "400", "--out", str(tmp_path / "r")]
    process = subprocess.Popen(
        [sys.executable, "-c", EAGER, *arguments], env={**os.environ, "TMPDIR": str(scratch)}
    )
    while process.poll() is None and not (tmp_path / ".r.partial" / "checkpoint.npz").exists():
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert list(scratch.iterdir()) == []


# ------------------------------------------------------------------------------------------------------ locks


def test_a_folder_is_written_by_one_process_at_a_time(tmp_path: Path, capsys) -> None:
    work = tmp_path / ".r.partial"
    work.mkdir()
    (work / "checkpoint.npz").write_text("of the other process")
    arguments = ["run", "massey2026", *SHORT, "--no-figures", "--no-baselines", "--out", str(tmp_path / "r")]
    with locked(tmp_path / ".r.lock"):
        assert main([*arguments, "--seed", "4"]) == 2
        one_line(
            capsys.readouterr().err, str(tmp_path / ".r.lock"), "another process", "choose another folder"
        )
    assert [path.name for path in work.iterdir()] == ["checkpoint.npz"]
    assert [path.name for path in tmp_path.iterdir()] == [".r.partial"]


def test_the_lock_of_a_dead_process_stops_nobody(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from homeonet.store import locked\n"
        "with locked(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    path = tmp_path / ".r.lock"
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -signal.SIGKILL
    assert path.exists()
    with locked(path), pytest.raises(InputError, match="another process"), locked(path):
        pass
    assert not path.exists()


def test_who_waited_while_another_finished_gets_that_run(finished: Path, tmp_path: Path, monkeypatch) -> None:
    """The folder appears after the first look and before the lock is had."""

    @contextlib.contextmanager
    def late(path: Path, *, wait: bool = False):
        shutil.copytree(finished, tmp_path / "r")
        with locked(path):
            yield

    monkeypatch.setattr(store, "locked", late)
    monkeypatch.setattr(Training, "advance", None)
    assert run(short(), tmp_path / "r").found_complete
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


# ------------------------------------------------------------------------------------------------ checkpoints


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Config, np.ndarray]:
    config = short()
    images = load("geometric", train=40, test=20).x_train
    training, recorder = Training([config], images), Recorder(config)
    recorder.add(training.advance(2.0))
    path = tmp_path_factory.mktemp("checkpoint") / "checkpoint.npz"
    save_checkpoint(path, training, recorder, 1.5)
    return path, config, images


def test_any_damage_to_a_checkpoint_is_seen(checkpoint, tmp_path: Path) -> None:
    """Cut short or with a byte changed: refused, unless what is read is what was written."""
    path, config, images = checkpoint
    whole = path.read_bytes()
    reference = Training([config], images)
    assert load_checkpoint(path, reference, Recorder(config)) == 1.5
    rng = np.random.default_rng(0)
    damaged = [whole[: int(n)] for n in np.linspace(0, len(whole) - 1, 15)]
    # of 12 places half are in the directory at the end, where the reader's mistakes are the most varied
    places = [*rng.integers(0, len(whole), 6), *rng.integers(len(whole) - 3000, len(whole), 30)]
    damaged += [whole[:k] + bytes([whole[k] ^ int(rng.integers(1, 256))]) + whole[k + 1 :] for k in places]
    broken, seen = tmp_path / "broken.npz", 0
    training = Training([config], images)
    for content in damaged:
        broken.write_bytes(content)
        try:
            load_checkpoint(broken, training, Recorder(config))
        except InputError as error:
            seen += 1
            message = str(error)
        else:
            message = f"{broken} is as good as new; delete it to start the run again"
            assert training.step == reference.step
            assert all(np.array_equal(training.arrays[k], v) for k, v in reference.arrays.items())
        assert message.startswith(str(broken)) and message.endswith("; delete it to start the run again")
        assert "\n" not in message
    assert seen >= 15 + 6  # all that were cut, and most that were changed


def test_a_checkpoint_of_other_arrays_is_refused(checkpoint, tmp_path: Path) -> None:
    path, config, images = checkpoint
    with np.load(path) as stored:
        values = {name: stored[name] for name in stored.files}
    del values["array/exc.v"]
    np.savez(tmp_path / "old.npz", **values)
    with pytest.raises(InputError, match=r"old\.npz is damaged .*another version.* delete it"):
        load_checkpoint(tmp_path / "old.npz", Training([config], images), Recorder(config))


def test_a_checkpoint_of_another_version_is_refused(checkpoint, tmp_path: Path, monkeypatch) -> None:
    path, config, images = checkpoint
    with np.load(path) as stored:
        values = {name: stored[name] for name in stored.files}
    assert values["homeonet_version"] == _version.__version__
    for version in ("0.0.9", None):
        values.pop("homeonet_version", None)
        np.savez(
            tmp_path / "old.npz", **values | ({"homeonet_version": np.array(version)} if version else {})
        )
        with pytest.raises(
            InputError, match=r"written by homeonet .*0\.0\.9|earlier.* delete it to start"
        ) as caught:
            load_checkpoint(tmp_path / "old.npz", Training([config], images), Recorder(config))
        assert "damaged" not in str(caught.value) and _version.__version__ in str(caught.value)


def test_the_command_names_a_damaged_or_foreign_checkpoint(checkpoint, tmp_path: Path, capsys) -> None:
    work = tmp_path / ".r.partial"
    work.mkdir()
    stored = work / "checkpoint.npz"
    arguments = ["run", "massey2026", *SHORT, "--no-figures", "--no-baselines", "--out", str(tmp_path / "r")]
    stored.write_bytes(checkpoint[0].read_bytes()[:-500])
    assert main(arguments) == 2
    one_line(capsys.readouterr().err, str(stored), "damaged", "delete it")
    stored.write_bytes(checkpoint[0].read_bytes())
    assert main([*arguments, "--seed", "4"]) == 2
    one_line(capsys.readouterr().err, str(stored), "other parameters", "delete it")
    assert not (tmp_path / "r").exists() and stored.exists()
    stored.unlink()
    assert main([*arguments, "--seed", "4"]) == 0


def test_leftovers_of_a_kill_are_not_published(tmp_path: Path) -> None:
    work = tmp_path / ".r.partial"
    (work / "figures").mkdir(parents=True)
    for name in (
        ".checkpoint.npz-abc",
        ".records.nc-abc",
        "figures/.rates.png.12.partial",
        "figures/old.png",
    ):
        (work / name).write_text("half")
    run(short(), tmp_path / "r", baselines=False, figures=False)
    expected = {"SHA256SUMS", "config.toml", "model.txt", "metrics.json", "records.nc"}
    assert {path.name for path in (tmp_path / "r").iterdir()} == expected
    assert not work.exists()


def test_two_runs_into_one_folder_do_not_mix(tmp_path: Path) -> None:
    for name in ("work", "taken"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    with pytest.raises(InputError, match="choose another folder"):
        publish_folder(tmp_path / "work", tmp_path / "taken", ["a"])
    assert (tmp_path / "taken" / "a").read_text() == "taken"


@pytest.mark.parametrize(
    ("kept", "words"), [(True, "the same call continues"), (False, "the same call begins anew")]
)
def test_an_interrupted_cell_of_a_notebook_says_how_to_go_on(tmp_path: Path, kept: bool, words: str) -> None:
    folder = RunFolder(tmp_path / "run", kept=("checkpoint.npz",))
    folder.require_writable()
    if kept:
        (folder.work / "checkpoint.npz").touch()
    with pytest.raises(KeyboardInterrupt) as stopped, folder.writing():
        raise KeyboardInterrupt
    assert stopped.value.__notes__ == [f"homeonet: {tmp_path / 'run'} is not complete; {words}"]
    assert folder.work.exists() == kept


def test_a_bar_counts_what_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("training", 4.0) as advance:
        advance(1.0)
        advance(3.0)
    assert "training 100%" in capsys.readouterr().err
