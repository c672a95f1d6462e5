"""What can happen to the processes that work for a sweep: all killed, of several threads, never able to start."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeonet import HomeonetError, InputError
from homeonet.sweep import Grid, open_sweep, sweep
from tests.support.commands import one_line

FIXED = {"preset": "massey2026", "data": "geometric", "train": 40, "test": 20}
FIXED |= {"input.presentation": "0.5 s", "evaluation.presentation": "0.2 s"}
GRID = Grid(FIXED, {"seed": [1, 2, 3, 4]})

_CLUSTER = """
import sys, time
from distributed import LocalCluster
if __name__ == "__main__":
    options = {"protocol": "tcp://", "dashboard_address": None}
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **options) as cluster:
        print(cluster.scheduler_address, flush=True)
        time.sleep(600)
"""


@pytest.fixture
def cluster() -> Iterator:
    """A scheduler with one worker of one thread, in this process."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as found:
        yield found


def after_first(action) -> object:
    """A meter that calls `action` once, when the first piece of work has ended."""
    called = []

    def watch(ended: int, **_: int) -> None:
        if ended == 1 and not called:
            called.append(True)
            action()

    return lambda *_: contextlib.nullcontext(watch)


def test_workers_that_are_all_gone_are_waited_for_and_then_named(cluster, tmp_path: Path) -> None:
    address, gone = cluster.scheduler_address, after_first(lambda: cluster.scale(0))
    options = {"scheduler": address, "patience": 1.5, "baselines": False}
    began = time.monotonic()
    with pytest.raises(
        HomeonetError, match=rf"{address} has had no worker for 1\.5 s.*dask worker.*same command"
    ):
        sweep(GRID, tmp_path / "out", progress=gone, **options)
    assert time.monotonic() - began < 60
    cluster.scale(1)
    assert (sweep(GRID, tmp_path / "out", **options).results["state"] == "done").all()


def test_a_sweep_without_workers_goes_on_when_one_joins(cluster, tmp_path: Path) -> None:
    later = threading.Timer(2.0, lambda: cluster.scale(1))

    def leave() -> None:
        cluster.scale(0)
        later.start()

    options = {"scheduler": cluster.scheduler_address, "patience": 120, "baselines": False}
    result = sweep(GRID, tmp_path / "out", progress=after_first(leave), **options)
    assert later.finished.is_set() and (result.results["state"] == "done").all()


def test_a_scheduler_that_is_killed_is_one_line_at_once(tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text(GRID.to_toml())
    (tmp_path / "cluster.py").write_text(_CLUSTER)
    far = subprocess.Popen([sys.executable, "cluster.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        address = far.stdout.readline().strip()
        command = [sys.executable, "-m", "homeonet", "sweep", "grid.toml", "--out", "out", "--no-baselines"]
        process = subprocess.Popen(
            [*command, "--scheduler", address], cwd=tmp_path, stderr=subprocess.PIPE, text=True
        )
        while not list(tmp_path.glob("out/cells/[!.]*/metrics.json")) and process.poll() is None:
            time.sleep(0.02)
        far.kill()
        killed = time.monotonic()
        errors = process.communicate(timeout=60)[1]
    finally:
        far.kill()
        far.communicate()
    assert process.returncode == 1 and time.monotonic() - killed < 15
    dashboard, line = errors.splitlines(keepends=True)
    assert dashboard.startswith("dashboard: ")
    one_line(line, f"the scheduler at {address} is gone", "same command")
    assert (open_sweep(tmp_path / "out")["state"] == "done").any()


def test_workers_of_several_threads_are_refused(tmp_path: Path) -> None:
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=4, processes=False, dashboard_address=None) as threads,
        pytest.raises(InputError, match=r"worker at \S+ has 4 threads.*--nthreads 1"),
    ):
        sweep(GRID, tmp_path / "out", scheduler=threads.scheduler_address)


def test_a_worker_of_several_threads_that_joins_late_stops_the_sweep(cluster, tmp_path: Path) -> None:
    def replace() -> None:
        cluster.scale(0)
        while cluster.scheduler.workers:
            time.sleep(0.02)
        cluster.new_spec["options"]["nthreads"] = 2
        cluster.scale(1)

    with pytest.raises(InputError, match=r"worker at \S+ has 2 threads.*--nthreads 1"):
        sweep(
            GRID,
            tmp_path / "out",
            scheduler=cluster.scheduler_address,
            progress=after_first(replace),
            baselines=False,
        )


def test_a_script_without_a_guard_is_told_so_in_one_line(tmp_path: Path) -> None:
    script = f"from homeonet.sweep import Grid, sweep\nsweep(Grid({FIXED!r}, {{'seed': [1, 2]}}), 'out', workers=2)\n"
    (tmp_path / "mine.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "mine.py"], cwd=tmp_path, stderr=subprocess.PIPE, text=True, check=False
    )
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and 'if __name__ == "__main__":' in last
    assert "distributed" not in done.stderr and done.stderr.count("Traceback") == 1


def test_scratch_of_a_killed_process_is_removed_and_that_of_others_is_not(
    tmp_path: Path, monkeypatch
) -> None:
    """Three folders: of a process that is killed, of one that lives, and one that is no scratch but looks like it."""
    from homeonet.machine import scratch as _scratch

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(_scratch.tempfile, "tempdir", None)
    (tmp_path / "homeonet-0").mkdir()
    (tmp_path / "homeonet-0" / "program").write_text("of the cache")
    script = (
        "import time; from homeonet.machine.scratch import scratch_folder\n"
        "with scratch_folder() as f: (f / 'deep').mkdir(); (f / 'deep/x').touch(); print(f, flush=True); time.sleep(99)"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        killed, living = (Path(process.stdout.readline().strip()) for process in processes)
        processes[0].send_signal(signal.SIGKILL)
        processes[0].wait()
        assert killed.is_dir()
        with _scratch.scratch_folder() as mine:
            assert {path.name for path in tmp_path.iterdir()} == {"homeonet-0", living.name, mine.name}
        assert (living / "deep" / "x").exists() and (tmp_path / "homeonet-0" / "program").exists()
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    with _scratch.scratch_folder():
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["homeonet-0"]
