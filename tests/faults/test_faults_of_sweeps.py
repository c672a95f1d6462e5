"""What can happen to a sweep: killed workers, failing cells, full disks, clusters that do not fit."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask
import numpy as np
import psutil
import pytest
import xarray as xr

from homeonet import HomeonetError, InputError, _version, store
from homeonet.cli.main import main
from homeonet.errors import DiskFullError
from homeonet.sweep import Grid, _run, open_sweep, sweep, sweep_status
from homeonet.sweep._state import record, split
from homeonet.sweep._tasks import Outcome, Task, Workplace, perform, tasks_of
from tests.faults.test_broken_places import on_small_disk
from tests.support.commands import one_line
from tests.support.short_runs import PYTHON, assert_same_run

FIXED = {"preset": "massey2026", "data": "geometric", "train": 40, "test": 20}
FIXED |= {"input.presentation": "0.5 s", "evaluation.presentation": "0.2 s"}
GRID = Grid(FIXED, {"noise.sigma": ["1 mV", "2 mV", "3 mV"], "seed": [1, 2]})
#: Cells of GRID, for what does not need all of them.
FEW = Grid(FIXED, {"noise.sigma": ["1 mV"], "seed": [1, 2]})
START = [sys.executable, "-m", "homeonet", "sweep", "grid.toml"]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sweeps") / "quiet"
    assert sweep(GRID, out, workers=2).failed == {}
    return out


def assert_same_sweep(first: Path, second: Path) -> None:
    """The same files with the same contents, but for how long things took; nothing left over."""
    assert (first / "table.parquet").read_bytes() == (second / "table.parquet").read_bytes()
    stored = [xr.load_dataset(f / "results.nc", engine="h5netcdf") for f in (first, second)]
    xr.testing.assert_identical(*stored)
    for part in ("cells", "baselines"):
        names = [sorted(path.name for path in (f / part).iterdir()) for f in (first, second)]
        assert names[0] == names[1]
    for name in (path.name for path in (first / "cells").iterdir()):
        assert_same_run(first / "cells" / name, second / "cells" / name)


def assert_same_cells(some: Path, quiet: Path) -> None:
    """Complete runs and nothing else, the same as those of the larger grid."""
    names = sorted(path.name for path in (some / "cells").iterdir())
    assert names == sorted(cell.id for cell in FEW.cells())
    for name in names:
        assert_same_run(some / "cells" / name, quiet / "cells" / name)


def begun(folder: Path) -> list[Path]:
    return list((folder / "cells").glob(".*.partial"))


def wait_until(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@contextlib.contextmanager
def started(folder: Path, *options: str, whole: bool = True, grid: Grid = GRID) -> Iterator[subprocess.Popen]:
    """A sweep as a command of its own, in `folder`; gone with the block, alone or with its workers."""
    (folder / "grid.toml").write_text(grid.to_toml())
    process = subprocess.Popen(
        [*START, "--out", "out", *options], cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if whole else os.kill)(process.pid, signal.SIGKILL)
        process.wait()


def workers_of(process: subprocess.Popen) -> list[psutil.Process]:
    """The processes that run cells."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [p for p in psutil.Process(process.pid).children() if "spawn_main" in " ".join(p.cmdline())]
    return []


def test_a_worker_killed_in_a_cell_costs_nothing_but_time(quiet: Path, tmp_path: Path) -> None:
    with started(tmp_path, "--workers", "1", grid=FEW) as process:
        wait_until(lambda: begun(tmp_path / "out"))
        workers_of(process)[0].kill()
        assert process.wait(120) == 0
    assert_same_cells(tmp_path / "out", quiet)


def test_the_whole_sweep_killed_at_random_moments(quiet: Path, tmp_path: Path) -> None:
    """Twelve kills, of the command alone or of all its processes; each sweep ends as a quiet one does."""
    rng, out, kills, in_cells = np.random.default_rng(), tmp_path / "out", 0, 0
    # one in each eighth of the time that a sweep takes, in any order
    moments = rng.permutation((np.arange(8) + rng.random(8)) / 2).tolist()
    while True:
        with started(tmp_path, "--workers", "2", whole=kills % 2 == 1) as process:
            if kills < 12 and kills % 3 == 0:  # in a cell, however fast the machine; else at any moment
                wait_until(lambda: process.poll() is not None or begun(out))
                wait = 0
            else:
                wait = moments[kills * 2 // 3] if kills < 12 else 300
            with contextlib.suppress(subprocess.TimeoutExpired):
                assert process.wait(wait) == 0
                assert_same_sweep(quiet, out)
                if kills == 12:
                    assert in_cells > 0
                    return
                shutil.rmtree(out)
                continue
            in_cells += bool(begun(out))
        kills += 1


def test_a_failing_cell_is_reported_and_the_others_go_on(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    grid = Grid(
        FIXED, {"seed": [1]}, {"sound": {}, "explodes": {"guard.max_rate": "0.001 Hz", "guard.window": "1 s"}}
    )
    Path("g.toml").write_text(grid.to_toml())
    assert main(["sweep", "g.toml", "--no-baselines"]) == 1
    printed = capsys.readouterr()
    assert "1 of 2 cells done" in printed.out and "--retry-failed" in printed.err
    log = re.search(r"log: (.*)\)", printed.err)
    text = Path(log[1]).read_text()
    assert "0.001" in text.partition("\n")[0] and 'max_rate = "0.001 Hz"' in text
    results = open_sweep("results/g")
    assert results["state"].to_numpy().ravel().tolist() == ["done", "failed"]
    assert np.isfinite(results["accuracy.qda"].to_numpy()).ravel().tolist() == [True, False]
    written = Path(log[1]).stat().st_mtime_ns
    assert main(["sweep", "g.toml", "--no-baselines"]) == 1  # is not run again, still reported
    assert Path(log[1]).stat().st_mtime_ns == written
    assert main(["sweep", "g.toml", "--no-baselines", "--retry-failed"]) == 1
    assert Path(log[1]).stat().st_mtime_ns > written
    assert main(["sweep", "status", "results/g"]) == 1
    assert "1 failed" in capsys.readouterr().out


def test_a_cell_that_kills_its_worker_every_time_fails_alone(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(_run, "perform", deadly)
    result = sweep(Grid(FIXED, {"seed": [2, 1, 3]}), tmp_path / "out", workers=1, baselines=False)
    assert result.results["state"].to_numpy().tolist() == ["failed", "done", "done"]
    assert ["worker died each time" in reason for reason in result.failed.values()] == [True]


def test_a_batch_whose_worker_dies_is_run_again_cell_by_cell(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(_run, "perform", deadly)
    result = sweep(Grid(FIXED, {"seed": [2, 1]}), tmp_path / "out", workers=1, replicas=2, baselines=False)
    assert result.results["state"].to_numpy().tolist() == ["failed", "done"]


def test_a_worker_that_is_given_up_is_replaced(quiet: Path, tmp_path: Path, monkeypatch) -> None:
    """As one is that dies before its start is noticed: the only worker is gone, and nothing restarts it."""
    import distributed

    clusters, given_up = [], []

    class Kept(distributed.LocalCluster):
        def __init__(self, **options: object) -> None:
            super().__init__(**options)
            clusters.append(self)

    def give_up(ended: int, **_counts: int) -> None:
        if ended == 1 and not given_up:
            given_up.append(clusters[0].sync(clusters[0].workers[0].close))

    monkeypatch.setattr(distributed, "LocalCluster", Kept)
    watch = contextlib.contextmanager(lambda *_: iter([give_up]))
    assert sweep(FEW, tmp_path / "out", workers=1, progress=watch).failed == {}
    assert given_up
    assert_same_cells(tmp_path / "out", quiet)


def deadly(tasks: list[Task], place: Workplace) -> list[Outcome]:
    """Work as it should be, but for one seed."""
    if tasks[0].config.seed == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return perform(tasks, place)


def test_a_full_disk_ends_the_sweep_and_loses_nothing(quiet: Path, tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text(GRID.to_toml())
    disk, saved = tmp_path / "disk", tmp_path / "saved"
    command = f"{PYTHON} -m homeonet sweep {tmp_path}/grid.toml --out {disk}/out --workers 1"
    script = f"""
        {command}; echo "code $?"; ls {disk}/out/failed 2>&1 | head -1
        mount -o remount,size=20m {disk}; {command} > /dev/null; echo "code $?"; cp -r {disk}/out {saved}
    """
    done = on_small_disk(script, "200k", disk)
    lines = done.stderr.splitlines(keepends=True)
    errors = [line for line in lines if not line.startswith(("dashboard: ", "ls: "))]
    one_line("".join(errors), "no space left", "same command")
    assert done.stdout.count("code 2") == 1 and done.stdout.count("code 0") == 1
    assert_same_sweep(quiet, saved)


def test_a_second_sweep_on_the_same_folder_is_refused(tmp_path: Path, capsys) -> None:
    with started(tmp_path, "--workers", "1"):
        wait_until((tmp_path / "out" / "grid.toml").exists)
        assert main(["sweep", str(tmp_path / "grid.toml"), "--out", str(tmp_path / "out")]) == 2
        one_line(capsys.readouterr().err, "held by another process")


def test_ctrl_c_is_one_line_and_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text(GRID.to_toml())
    process = subprocess.Popen(
        [*START, "--out", "out", "--workers", "2"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: begun(tmp_path / "out"))
    descendants = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    dashboard, line = err.strip().splitlines()
    assert dashboard.startswith("dashboard: ") and line.startswith("homeonet: interrupted"), err
    _, alive = psutil.wait_procs(descendants, timeout=20)
    assert alive == []


def test_only_this_machine_is_listened_to(tmp_path: Path) -> None:
    with started(tmp_path, "--workers", "2") as process:
        wait_until(lambda: begun(tmp_path / "out"))
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        places = set()
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                places |= {c.laddr.ip for c in member.net_connections() if c.status == psutil.CONN_LISTEN}
        assert places == {"127.0.0.1"}


# ---------------------------------------------------------------------------------------------- other clusters


@pytest.fixture
def cluster() -> Iterator[str]:
    """The address of a scheduler with two workers."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as found:
        yield found.scheduler_address


def test_any_scheduler_gives_the_same_sweep(quiet: Path, cluster: str, tmp_path: Path) -> None:
    sweep(FEW, tmp_path / "out", scheduler=cluster)
    assert_same_cells(tmp_path / "out", quiet)


def test_workers_that_do_not_see_the_folder_send_their_files(
    quiet: Path, cluster: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(Workplace, "reached", False)
    sweep(GRID, tmp_path / "out", scheduler=cluster)
    assert_same_sweep(quiet, tmp_path / "out")


def test_a_worker_knows_for_itself_whether_it_sees_the_folder(quiet: Path, tmp_path: Path) -> None:
    """A folder of the same name on another host, left from before, is not the sweep's: its files would be lost."""
    task = tasks_of(GRID.cells(), "plastic", baselines=False)[0]
    (tmp_path / "out").mkdir()
    (outcome,) = perform([task], Workplace(tmp_path / "out", ".seen-elsewhere"))
    assert outcome.status == "done" and "metrics.json" in outcome.files
    assert list((tmp_path / "out").iterdir()) == []
    record(tmp_path / "out", outcome)
    assert_same_run(tmp_path / "out" / task.path, quiet / task.path)


def test_a_cell_whose_files_never_came_has_failed(tmp_path: Path) -> None:
    task = tasks_of(GRID.cells(), "plastic", baselines=False)[0]
    found = record(tmp_path, Outcome(task, "done", host="far"))
    assert found.status == "failed" and "a worker on far finished it" in found.reason
    assert split(tmp_path, [task])[1] == [task]


def test_two_sweeps_on_one_scheduler_have_each_their_own_cells(cluster: str, tmp_path: Path) -> None:
    grid = Grid(FIXED, {"seed": [1, 2]})
    with ThreadPoolExecutor() as pool:
        folders = [tmp_path / name for name in ("a", "b")]
        results = list(pool.map(lambda folder: sweep(grid, folder, scheduler=cluster), folders))
    assert all((result.results["state"] == "done").all() for result in results)
    assert_same_sweep(*folders)
    assert dask.config.get("scheduler", None) is None  # what else dask is used for goes on without a cluster


def test_a_worker_that_joins_late_with_another_version_stops_the_sweep(tmp_path: Path) -> None:
    task = tasks_of(GRID.cells(), "plastic", baselines=False)[0]
    (outcome,) = perform([task], Workplace(tmp_path, "", version="0.0.7"))
    assert outcome.status == "stop" and isinstance(outcome.error, InputError) and "0.0.7" in outcome.reason


def test_a_failure_of_a_former_grid_is_nobody_s_business(tmp_path: Path) -> None:
    out, bad = tmp_path / "out", {"guard.max_rate": "0.001 Hz", "guard.window": "1 s"}
    assert sweep(Grid(FIXED | bad, {"seed": [1]}), out, workers=1, baselines=False).failed
    assert sweep(Grid(FIXED, {"seed": [1]}), out, workers=1, baselines=False).failed == {}


def test_workers_of_another_version_are_named(cluster: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(_version, "__version__", "0.0.7")
    with pytest.raises(InputError, match=r"worker at .* has homeonet 0\.0\.7; install"):
        sweep(GRID, tmp_path / "out", scheduler=cluster)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1:99999"])
def test_a_scheduler_that_cannot_be_reached_is_named(address: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("homeonet.sweep._cluster._ANSWER_SECONDS", 1)
    with pytest.raises(InputError, match=r"cannot be reached.*dask scheduler"):
        sweep(GRID, tmp_path / "out", scheduler=address)


def test_a_scheduler_without_workers_is_named(tmp_path: Path) -> None:
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=None) as empty,
        pytest.raises(HomeonetError, match=r"no worker joined.*dask worker"),
    ):
        sweep(GRID, tmp_path / "out", scheduler=empty.scheduler_address, patience=1)


# ---------------------------------------------------------------------------------------------- folders


def test_a_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    store.write_atomically(tmp_path / "version.txt", lambda file: file.write(b"0.0.1\n"))
    (tmp_path / "grid.toml").write_text(GRID.to_toml())
    for call in (lambda: sweep(GRID, tmp_path), lambda: open_sweep(tmp_path), lambda: sweep_status(tmp_path)):
        with pytest.raises(InputError, match=r"homeonet 0\.0\.1 and this is"):
            call()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="holds no sweep"):
        sweep(GRID, tmp_path)
    with pytest.raises(InputError, match="is a file"):
        sweep(GRID, tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_cell_is_named_before_anything_runs(quiet: Path, tmp_path: Path) -> None:
    shutil.copytree(quiet, tmp_path / "out")
    cell = next((tmp_path / "out" / "cells").iterdir())
    (cell / "metrics.json").write_text("{")
    with pytest.raises(InputError, match=f"{cell.name}.*damaged.*delete it"):
        sweep(GRID, tmp_path / "out")


def test_disk_full_is_an_error_of_its_own() -> None:
    import errno

    with pytest.raises(DiskFullError), store.disk_errors(Path("x")):
        raise OSError(errno.ENOSPC, "full")
