"""Runs every study that measures a claim, one after another, and collects what they measured.

    python studies/claims_all.py --quick                      # small: to see that all of them work
    HOMEONET_DATA=… python studies/claims_all.py --full       # the scale of each study; resumes when interrupted
    HOMEONET_DATA=… python studies/claims_all.py --full --keep --only dsn ahsar

Each study writes into a folder of its own below --out and resumes there; one that is complete takes seconds. Afterwards
`homeonet claims --from DIR` judges them. --keep also copies them into the source.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from homeonet.claims import claim_rows, find_measured
from homeonet.claims._table import summary
from homeonet.cli.terminal import run_main

#: Minutes at full scale on two cores, roughly; what a run took is kept for the next estimate.
MINUTES = {
    "dsn_speed": 10, "dsn": 40, "hd_lif": 60, "mp_init_trsg": 60, "ahsar": 8, "sleep_gradient": 40,
    "cross_paradigm": 45, "sleep": 60, "replay": 12, "forgetting": 15, "sleep_similarity": 10, "weight_explosion": 20,
    "noise_grid": 20, "intrinsic_plasticity": 20, "deeper": 30, "geometric": 5, "sleep_wake": 3,
}  # fmt: skip
SOURCE = Path(__file__).parents[1]


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    scale = parser.add_mutually_exclusive_group(required=True)
    scale.add_argument("--quick", action="store_true", help="small, a minute or a few each")
    scale.add_argument("--full", action="store_true", help="the committed scale")
    parser.add_argument(
        "--only", nargs="+", choices=list(MINUTES), metavar="NAME", help="these studies alone"
    )
    parser.add_argument("--keep", action="store_true", help="copy results into the source")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/claims[_quick]")
    options = parser.parse_args()
    if options.keep and options.quick:
        parser.error("--keep goes with --full: quick results are not worth keeping")
    options.out = options.out or Path("results", f"claims{'_quick' * options.quick}")
    return options


def main() -> int:
    """Run what is missing; say what failed; judge and keep the rest."""
    options = parse()
    times = options.out / "minutes.json"
    known = json.loads(times.read_text(encoding="utf-8")) if times.is_file() else {}
    names, failed = options.only or list(MINUTES), []
    guess = {name: known.get(name, 1 if options.quick else MINUTES[name]) for name in names}
    for k, name in enumerate(names):
        left = timedelta(minutes=round(sum(guess[other] for other in names[k:])))
        print(f"[{k + 1}/{len(names)}] {name}; about {left} left", flush=True)
        script = SOURCE / "studies" / name / "study.py"
        start = time.perf_counter()
        words = [sys.executable, str(script), "--quick" if options.quick else "--full"]
        code = subprocess.run([*words, "--out", str(options.out / name)], check=False).returncode
        minutes = (time.perf_counter() - start) / 60
        print(f"    {'failed' if code else 'done'} after {minutes:.1f} min")
        if code:
            failed.append(name)
            continue
        known[name] = max(minutes, known.get(name, 0.0))  # resumed, it took longer in all
        times.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        if options.keep:
            keep(name, options.out / name)
    print(
        f"{summary(claim_rows(find_measured(options.out)))}; `homeonet claims --from {options.out}` shows them"
    )
    print(f"failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def keep(name: str, folder: Path) -> None:
    """Copy what a study wrote to where the source has it."""
    targets = {
        "claims.json": SOURCE / "homeonet" / "claims" / "measured" / f"{name}.json",
        "table.md": SOURCE / "studies" / name / "table.md",
        "figure.png": SOURCE / "studies" / name / "figure.png",
        "figure.nc": SOURCE / "figures" / "data" / f"{name}.nc",
    }
    for part, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        if (folder / part).is_file():
            shutil.copyfile(folder / part, target)


if __name__ == "__main__":
    sys.exit(run_main(main))
