"""The command ``homeonet claims``: options and what is printed. All judging is in ``homeonet.claims``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeonet.errors import HomeonetError, InputError
from homeonet.study.source import source_folder
from homeonet.study.tables import markdown_table

if TYPE_CHECKING:
    from homeonet.claims import ClaimRow

__all__ = ["add_claims", "claims_markdown"]

_EPILOG = """verdicts:
  holds              every case meets the rule with its whole 95 % interval (Student's t, over seeds)
  partly             some cases do, or none is decided: "partly (undecided)"
  does not hold      no case does, and at least one violates it with its whole interval
  not measured       no result is there yet
  not testable here  the data or the machines for it are missing

examples:
  homeonet claims
  homeonet claims hdlif-online-accuracy            (its cases, rule and reason)
  homeonet claims --json > claims.json
  homeonet claims --markdown > studies/claims.md
  homeonet claims --from results                   (what your own runs of the studies measured)
  homeonet claims dsn-exact --run --quick          (run its study again, then judge what it measured)

`--run` looks for the studies in the source tree, or in the folder $HOMEONET_STUDIES.
"""
_STYLES = {"holds": "green", "partly": "yellow", "does not hold": "red"}
_SHOWN_CASES = 4


def add_claims(commands: Any) -> None:
    """Add ``claims`` to the subcommands."""
    claims = commands.add_parser(
        "claims",
        help="what the five papers claim, what was measured of it, and the verdicts",
        description="Prints every claim beside the paper's figure, what the studies measured here with its 95 % "
        "interval, and a verdict by a rule that is older than the result.",
        epilog=_EPILOG,
    )
    claims.add_argument("id", nargs="?", metavar="ID", help="show all of this claim")
    form = claims.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a list of objects")
    form.add_argument("--markdown", action="store_true", help="Markdown tables")
    claims.add_argument(
        "--from", dest="folder", metavar="DIR", help="judge the claims.json files in and below this folder"
    )
    claims.add_argument("--run", action="store_true", help="run the claim's study first")
    claims.add_argument("--quick", action="store_true", help="with --run: small, to see that it works")
    claims.add_argument(
        "--out", metavar="DIR", help="with --run: where the study writes; default: results/ and its name"
    )
    claims.set_defaults(call=_claims)


def _claims(options: argparse.Namespace) -> None:
    from homeonet.claims import claim_rows, find_measured, load_registry

    registry = load_registry()
    if options.id is not None:
        registry[options.id]  # an unknown id is said before anything runs
    for given, name in ((options.quick, "--quick"), (options.out, "--out")):
        if given and not options.run:
            raise InputError(f"{name} belongs to --run; add it, or leave {name} out")
    found = None if options.folder is None else find_measured(options.folder)
    if options.run:
        if options.id is None:
            raise InputError("--run needs a claim; give for example `homeonet claims dsn-exact --run`")
        if options.folder is not None:
            raise InputError("--from and --run exclude one another: --run judges what it has measured")
        found = find_measured(_run_study(options.id, options.quick, options.out))
    rows = [row for row in claim_rows(found) if options.id in (None, row.id)]
    if options.json:
        print(json.dumps([row.to_dict() for row in rows], indent=1, ensure_ascii=False))
    elif options.markdown:
        print(claims_markdown(rows), end="")
    elif options.id is not None:
        _print_one(rows[0])
    else:
        _print_all(rows)


def _run_study(name: str, quick: bool, out: str | None) -> Path:
    """Run the study of a claim; returns its folder."""
    from homeonet.claims import load_registry

    claim = load_registry()[name]
    if claim.study is None:
        raise InputError(f"{name} has no study to run: {claim.untestable}")
    script = source_folder("studies") / claim.study / "study.py"
    if not script.is_file():
        raise InputError(f"{script}, the study of {name}, is not there; take the studies of this version")
    folder = Path(out) if out else Path("results", claim.study + "_quick" * quick)
    words = [sys.executable, str(script), "--quick" if quick else "--full", "--out", str(folder)]
    code = subprocess.run(words, check=False).returncode
    if code:
        raise HomeonetError(f"the study {script} failed with exit code {code}; its message is above")
    return folder / "claims.json"


def _print_all(rows: Sequence[ClaimRow]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from homeonet.claims._table import summary

    console = Console()
    console = Console(width=min(max(console.width, 100), 160))
    for title, these in _by_source(rows).items():
        table = Table(
            title=title,
            title_justify="left",
            title_style="bold",
            box=box.HORIZONTALS,
            show_lines=True,
            expand=True,
        )
        table.add_column("claim", ratio=5, overflow="fold")
        table.add_column("paper", ratio=4, overflow="fold")
        table.add_column("measured here [95 % interval]", ratio=5, overflow="fold")
        table.add_column("n", justify="right", no_wrap=True, min_width=3)
        table.add_column("verdict", no_wrap=True, min_width=17)
        for row in these:
            verdict = Text(str(row.verdict), style=_STYLES.get(row.verdict.verdict, "dim"))
            claim = Text.assemble((row.id, "bold"), f"\n{row.claim.claim}")
            table.add_row(claim, Text(row.claim.paper), Text(_measured_text(row)), _counts(row), verdict)
        console.print(table)
    console.print(f"{summary(rows)}.", highlight=False)
    console.print("`homeonet claims ID` shows the cases, rule, reason and command of one.", highlight=False)


def _print_one(row: ClaimRow) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from homeonet.claims import load_registry
    from homeonet.claims._table import value_text

    registry, claim = load_registry(), row.claim
    source = registry.source(claim)
    console = Console()
    console = Console(width=min(max(console.width, 100), 160))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    lines = {
        "claim": claim.claim,
        "source": f"{source.authors}: {source.title}. {source.reference}; {claim.place}",
        "paper": claim.paper,
        "quantity": claim.quantity,
        "rule": claim.rule and f"{claim.rule}, with the whole 95 % interval",
        "scale": row.scale,
    }
    table.add_row("id", Text(row.id))
    for title, text in lines.items():
        if text:
            table.add_row(title, Text(text))
    for k, (case, found) in enumerate(zip(row.cases, row.verdict.outcomes, strict=True)):
        words = f"{case.case}: {value_text(case)}, n = {case.n}: {found}"
        table.add_row("measured" if k == 0 else "", Text(words))
    table.add_row("verdict", Text(str(row.verdict), style=_STYLES.get(row.verdict.verdict, "dim")))
    table.add_row("reason", Text(row.verdict.reason))
    if row.command:
        table.add_row("command", Text(row.command))
    console.print(table)


def claims_markdown(rows: Sequence[ClaimRow]) -> str:
    """Markdown tables, one per paper, with the rule and the command of each claim."""
    from homeonet.claims._table import summary, value_text

    parts = ["# Claims of five papers, measured here", "", f"{summary(rows)}.", ""]
    parts += [
        "A case meets its rule with its whole 95 % interval over n seeds (Student's t), or violates it so, or is "
        "undecided. *Holds*: all cases meet it; *does not hold*: none does and at least one violates it; "
        "*partly*: all else, undecided where no case is decided.",
        "",
    ]
    for title, these in _by_source(rows).items():
        table = [["claim", "paper", "measured here [95 %], n", "rule", "verdict", "command"]]
        for row in these:
            cases = "<br>".join(
                f"{case.case}: {value_text(case)}, {case.n} ({found})"
                for case, found in zip(row.cases, row.verdict.outcomes, strict=True)
            )
            claim = f"`{row.id}`<br>{row.claim.claim}"
            quantity = f"{row.claim.quantity}: {row.claim.rule}" if row.claim.rule else ""
            verdict = f"**{row.verdict}**"
            if not row.cases:
                verdict += f"<br>{row.verdict.reason}"
            command = f"`{row.command}`" if row.command else ""
            line = [claim, row.claim.paper, cases, quantity, verdict, command]
            table.append([cell.replace("|", "\\|") for cell in line])
        parts += [f"## {title}", "", markdown_table(table)]
    scales = {row.claim.study: row.scale for row in rows if row.scale}
    if scales:
        parts += ["## Scale", "", *(f"- `{study}`: {scale}" for study, scale in scales.items()), ""]
    return "\n".join(parts)


def _by_source(rows: Sequence[ClaimRow]) -> dict[str, list[ClaimRow]]:
    from homeonet.claims import load_registry

    grouped: dict[str, list[ClaimRow]] = {}
    for row in rows:
        source = load_registry().source(row.claim)
        grouped.setdefault(f"{source.authors}. {source.title}. {source.reference}", []).append(row)
    return grouped


def _measured_text(row: ClaimRow) -> str:
    from homeonet.claims._table import value_text

    if not row.cases:
        return row.claim.untestable or ""
    if len(row.cases) == 1:
        return value_text(row.cases[0])
    lines = [f"{case.case}: {value_text(case)}" for case in row.cases[:_SHOWN_CASES]]
    left = len(row.cases) - len(lines)
    return "\n".join([*lines, *([f"… and {left} more"] if left else [])])


def _counts(row: ClaimRow) -> str:
    counts = sorted({case.n for case in row.cases})
    return "" if not counts else f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
