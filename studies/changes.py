"""What verdicts were before rules and measurements changed, what they are, and why: a table in Markdown.

    python studies/changes.py            # print it
    python studies/changes.py --write    # put it into README.md beside this file

The earlier verdicts are in `verdicts_before.json`, by the rules of their time; the later ones are those of
`homeonet claims`. Why a claim or its measuring changed is in the registry (`changed`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from homeonet.claims import ClaimRow, claim_rows
from homeonet.claims._table import summary
from homeonet.cli.terminal import run_main
from homeonet.errors import InputError
from homeonet.study.tables import markdown_table

HERE = Path(__file__).parent
BEGIN, END = "<!-- python studies/changes.py --write -->", "<!-- end of what it writes -->"
#: Earlier words for what is said otherwise now.
RENAMED = {"partly (undecided)": "undecided"}
#: Why a verdict is another one by the rules alone, by the earlier and the later verdict.
BY_RULE = {
    ("holds", "undecided"): "intervals that hold at every look are wider, and need more seeds",
    (
        "does not hold",
        "undecided",
    ): "to fail takes all cases, and intervals that hold at every look need more seeds",
    ("does not hold", "holds here in part"): "to fail takes all cases",
    ("partly", "undecided"): "no case is decided against another",
    ("partly", "holds here in part"): "cases are decided and differ",
    ("partly", "does not hold"): "every case is decided against it",
    ("partly", "holds"): "every case is decided for it",
    ("partly (undecided)", "does not hold"): "an effect that is smaller than what counts as one is none",
}


def changes(rows: list[ClaimRow], before: dict[str, str]) -> str:
    """The counts before and after, and a line for each claim whose verdict is another one."""
    counts = Counter(before.values())
    earlier = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    table = [["claim", "before", "now", "why"]]
    renamed = 0
    for row in rows:
        old, new = before.get(row.id, "new"), row.verdict.verdict
        if RENAMED.get(old, old) == new:
            renamed += old != new
            continue
        table.append([f"`{row.id}`", old, str(row.verdict), why(row, old).replace("|", "\\|")])
    gone = [name for name in before if name not in {row.id for row in rows}]
    table += [[f"`{name}`", before[name], "no claim any more", ""] for name in gone]
    return (
        f"Before: {len(before)} claims: {earlier}. Now: {summary(rows)}. Of those undecided, {renamed} were called "
        f"partly true and undecided before; every other verdict that is another one:\n\n{markdown_table(table)}"
    )


def why(row: ClaimRow, old: str) -> str:
    """What changed in the claim, or the rule that makes its verdict another one; and how its cases came out."""
    outcomes = Counter(row.verdict.outcomes)
    words = {"passes": "pass", "fails": "fail"}
    cases = ", ".join(f"{count} {words.get(outcome, outcome)}" for outcome, count in outcomes.items())
    changed = [text.partition(": ")[2] for text in row.claim.changed]
    if not changed and (rule := BY_RULE.get((old, row.verdict.verdict))):
        changed = [rule]
    if row.verdict.verdict == "void":
        changed = [*changed, row.verdict.reason]
    return "; ".join([*changed, *([f"cases: {cases}"] if cases else [])])


def main() -> None:
    """Print the table, or write it where it belongs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="into README.md")
    write = parser.parse_args().write
    before = json.loads((HERE / "verdicts_before.json").read_text(encoding="utf-8"))["verdicts"]
    text = changes(claim_rows(), before)
    if not write:
        print(text)
        return
    page = HERE / "README.md"
    head, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise InputError(f"{page} lacks {BEGIN} or {END}; put both lines where the table belongs")
    page.write_text(f"{head}{begin}\n\n{text}\n{end}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run_main(main))
