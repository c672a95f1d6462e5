"""Running the study behind a claim, once or with more and more seeds; for ``homeonet claims --run``."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from homeonet.errors import HomeonetError, InputError
from homeonet.study.source import source_folder

__all__ = ["decide", "run_study"]


def run_study(
    name: str, quick: bool, out: str | None, seeds: Sequence[int] = (), earlier: Path | None = None
) -> Path:
    """Run the study of a claim, by default with the study's own seeds; returns the file of what it measured.

    `earlier` is the ``figure.nc`` of other seeds, which are counted with them.
    """
    from homeonet.claims import load_registry

    claim = load_registry()[name]
    if claim.study is None:
        raise InputError(f"{name} has no study to run: {claim.untestable}")
    script = source_folder("studies") / claim.study / "study.py"
    if not script.is_file():
        raise InputError(f"{script}, the study of {name}, is not there; take the studies of this version")
    folder = _folder(claim.study, quick, out)
    words = [sys.executable, str(script), "--quick" if quick else "--full", "--out", str(folder)]
    if seeds:
        words += ["--seeds", *map(str, seeds)]
    if earlier is not None:
        words += ["--earlier", str(earlier)]
    # standard output is for the verdict alone, which may be JSON: what a study prints goes to standard error
    code = subprocess.run(words, check=False, stdout=2).returncode
    if code:
        raise HomeonetError(f"the study {script} failed with exit code {code}; its message is above")
    return folder / "claims.json"


def decide(
    name: str,
    quick: bool,
    out: str | None,
    *,
    most: int,
    hours: float | None,
    add: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Path:
    """Run the study of a claim with more and more seeds until each of its cases is decided, or it is futile.

    With `add`, the seeds that the source came with are not run again, and count. Each look is said on standard error.
    Returns the file of what was measured.
    """
    from homeonet.analysis import LOOKS
    from homeonet.claims import claim_rows, find_measured, load_registry, next_look

    claim = load_registry()[name]
    if claim.planned is not None:
        raise InputError(
            f"{name} is looked at once, at the {claim.planned} values that were planned; run it without --decide"
        )
    if most < LOOKS[0]:
        raise InputError(f"--max-seeds {most}: the first look is at {LOOKS[0]} seeds; give at least as many")
    start = clock()
    earlier, there = _committed(name) if add else (None, 0)
    seeds: int | None = _first_look(name, _folder(claim.study or "", quick, out), most, there)
    before = there
    while seeds is not None:
        began = clock()
        path = run_study(name, quick, out, range(there + 1, seeds + 1), earlier)
        rows = claim_rows(find_measured(path))
        verdict = next(row.verdict for row in rows if row.id == name)
        step = next_look(claim, verdict, seeds, most)
        _say(f"{name}, {seeds} seeds: {verdict}; {step.why}")
        if step.seeds is not None and hours is not None:
            pace = (clock() - began) / (seeds - before)
            if clock() - start + pace * (step.seeds - seeds) > 3600 * hours:
                _say(
                    f"{step.seeds} seeds would take more than the {hours:g} hours given; the same command goes on"
                )
                break
        before, seeds = seeds, step.seeds
    return path


def _folder(study: str, quick: bool, out: str | None) -> Path:
    return Path(out) if out else Path("results", study + "_quick" * quick)


def _first_look(name: str, folder: Path, most: int, there: int) -> int:
    """The last look that results already in the folder have reached, or the first one beyond so many seeds."""
    from homeonet.analysis import LOOKS, last_look
    from homeonet.claims import load_measured

    path = folder / "claims.json"
    found = load_measured(path).measured.get(name, ()) if path.is_file() else ()
    reached = last_look(min(most, max((len(case.values) for case in found), default=0)))
    later = [look for look in LOOKS if there < look <= most]
    if not later:
        raise InputError(
            f"--max-seeds {most}: {there} seeds are there already; give at least the next look, of {LOOKS}"
        )
    return max(later[0], reached)


def _committed(name: str) -> tuple[Path, int]:
    """The data of the study's figure in the source, and how many seeds of the claim are in them."""
    from homeonet.claims import claim_rows, load_registry

    study = load_registry()[name].study
    path = source_folder("figures") / "data" / f"{study}.nc"
    script = source_folder("studies") / str(study) / "study.py"
    asked = subprocess.run(
        [sys.executable, str(script), "--help"], check=False, capture_output=True, text=True
    )
    row = next(row for row in claim_rows() if row.id == name)
    if not path.is_file() or "--earlier" not in asked.stdout or not row.cases:
        raise InputError(f"--add: the source has no seeds of {name} that could be counted; leave --add out")
    return path, max(len(case.values) for case in row.cases)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
