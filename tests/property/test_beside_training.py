"""Baselines read beside the training: the same numbers as without a second core, and nothing that outlives the run."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from homeonet import run
from homeonet.runs._meanwhile import Meanwhile
from tests.support.short_runs import TIMING, short


def test_results_do_not_depend_on_the_second_core() -> None:
    alone, beside = (run(short(), workers=workers, figures=False) for workers in (1, 2))
    for name in alone.metrics.keys() - TIMING:
        np.testing.assert_array_equal(alone.metrics[name], beside.metrics[name], name)
    assert alone.metrics["seconds.beside_training"] == 0 < beside.metrics["seconds.beside_training"]
    assert all(result.metrics["seconds.evaluation"] > 0 for result in (alone, beside))


def test_work_whose_block_fails_is_stopped() -> None:
    calls = []

    def work(check) -> None:
        while True:
            check(1)
            calls.append(time.sleep(0.01))

    def fail() -> None:
        with Meanwhile() as meanwhile:
            meanwhile.start(work)
            time.sleep(0.1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    done = len(calls)
    time.sleep(0.1)
    assert done and len(calls) == done
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("homeonet-meanwhile")]


def test_a_failure_beside_the_block_is_not_lost() -> None:
    with Meanwhile() as meanwhile:
        meanwhile.start(lambda check: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            meanwhile.result()
