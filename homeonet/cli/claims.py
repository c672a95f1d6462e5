"""The command ``homeonet claims``: options and what is printed. All judging is in ``homeonet.claims``."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeonet.cli.options import whole_number
from homeonet.errors import InputError
from homeonet.study.tables import markdown_table

if TYPE_CHECKING:
    from homeonet.claims import ClaimRow

__all__ = ["add_claims", "claims_markdown"]

_EPILOG = """verdicts:
  holds               every case meets the rule
  holds here in part  some cases meet it and some violate it
  does not hold       every case violates it
  undecided           else; with the number of values, such as seeds, that would decide it if means and spreads stay
  void                in no case was the treatment applied, or the network fit to be treated: a check failed
  not measured        no result is there yet
  not testable here   the data or the machines for it are missing

A case meets its rule, or violates it, with its whole interval (Student's t over seeds). For most rules that is the
interval of 95 %. A margin ("within ±1 point", "not below −1") is judged by the one of 90 %, which is two one-sided
tests at 5 %, or one. Of a deterministic quantity every value has to meet the rule. A case whose check failed is void
and counts neither way; the verdict says how many are.

Seeds may be added. A claim is looked at with 3, 5, 10, 20 and 40 seeds (what is between counts at the next look), by
intervals that are wider than of a single look, so that those of all looks together hold the mean as often as said:
however long one goes on, and for whatever reason one stops, 5 % of decisions are wrong at most. A claim whose number
of values was planned before the run is looked at once, by the usual interval.

`--run --decide` runs a claim's study with more and more seeds until every case is decided; or until that is futile: no
case would be decided by --max-seeds even if its mean were a standard error further from the bound; or until the next
look would take longer than --hours. Runs that are there are not run again, so a look costs its new seeds alone. With
--add neither are those whose results came with the source: only seeds beyond them are run, at the same scale.

examples:
  homeonet claims
  homeonet claims hdlif-online-accuracy            (its cases, rule and reason)
  homeonet claims --json > claims.json
  homeonet claims --markdown > studies/claims.md
  homeonet claims --from results                   (what your own runs of the studies measured)
  homeonet claims dsn-exact --run --quick          (run its study again, then judge what it measured)
  homeonet claims mp-init-accuracy --run --decide --max-seeds 20 --hours 3
  homeonet claims mp-init-accuracy --run --decide --add

`--run` looks for the studies in the source tree, or in the folder $HOMEONET_STUDIES.
"""
_STYLES = {"holds": "green", "holds here in part": "yellow", "does not hold": "red", "void": "magenta"}
_SHOWN_CASES = 4
_MOST_SEEDS = 20


def add_claims(commands: Any) -> None:
    """Add ``claims`` to the subcommands."""
    claims = commands.add_parser(
        "claims",
        help="what the five papers claim, what was measured of it, and the verdicts",
        description="Prints every claim beside the paper's figure, what the studies measured here with its "
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
    claims.add_argument(
        "--decide",
        action="store_true",
        help="with --run: with more and more seeds until every case is decided",
    )
    claims.add_argument(
        "--add", action="store_true", help="with --decide: the seeds that came with the source count"
    )
    claims.add_argument(
        "--max-seeds", type=whole_number, metavar="N", help=f"with --decide; default: {_MOST_SEEDS}"
    )
    claims.add_argument(
        "--hours", type=float, metavar="H", help="with --decide: begin no look that takes longer"
    )
    claims.set_defaults(call=_claims)


def _claims(options: argparse.Namespace) -> None:
    from homeonet.claims import claim_rows, find_measured, load_registry

    registry = load_registry()
    if options.id is not None:
        registry[options.id]  # an unknown id is said before anything runs
    _refuse_without(options, "run", ("quick", "out", "decide"))
    _refuse_without(options, "decide", ("add", "max_seeds", "hours"))
    found = None if options.folder is None else find_measured(options.folder)
    if options.run:
        if options.id is None:
            raise InputError("--run needs a claim; give for example `homeonet claims dsn-exact --run`")
        if options.folder is not None:
            raise InputError("--from and --run exclude one another: --run judges what it has measured")
        found = find_measured(_measured_anew(options))
    rows = [row for row in claim_rows(found) if options.id in (None, row.id)]
    if options.json:
        print(json.dumps([row.to_dict() for row in rows], indent=1, ensure_ascii=False))
    elif options.markdown:
        print(claims_markdown(rows), end="")
    elif options.id is not None:
        _print_one(rows[0])
    else:
        _print_all(rows)


def _refuse_without(options: argparse.Namespace, needed: str, names: Sequence[str]) -> None:
    """Say which option was given without the one that it belongs to."""
    for name in names:
        given = getattr(options, name)
        if given is not None and given is not False and not getattr(options, needed):
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"{option} belongs to --{needed}; add it, or leave {option} out")


def _measured_anew(options: argparse.Namespace) -> Path:
    from homeonet.cli.claims_run import decide, run_study

    if not options.decide:
        return run_study(options.id, options.quick, options.out)
    if options.hours is not None and not options.hours > 0:
        raise InputError(f"--hours {options.hours:g}: give a number above 0")
    most = _MOST_SEEDS if options.max_seeds is None else options.max_seeds
    return decide(options.id, options.quick, options.out, most=most, hours=options.hours, add=options.add)


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
        table.add_column("measured here [interval]", ratio=5, overflow="fold")
        table.add_column("n", justify="right", no_wrap=True, min_width=3)
        table.add_column("verdict", ratio=3, overflow="fold")
        for row in these:
            verdict = _verdict_text(row, "\n")
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
        "rule": "; ".join(filter(None, (claim.rule, claim.failure))),
        "kind": claim.manner,
        "scale": row.scale,
    }
    table.add_row("id", Text(row.id))
    for title, text in lines.items():
        if text:
            table.add_row(title, Text(text))
    for k, judged in enumerate(row.verdict.cases):
        words = f"{judged.case.case}: {value_text(judged.at)}, n = {judged.n}: {judged.outcome}"
        table.add_row("measured" if k == 0 else "", Text(words))
        for check in judged.case.checks:
            table.add_row("", Text(f"    {'passed' if check.passed else 'failed'}: {check}"))
    table.add_row("verdict", _verdict_text(row, " "))
    table.add_row("reason", Text(row.verdict.reason))
    for change in claim.changed:
        table.add_row("changed", Text(change))
    if row.command:
        table.add_row("command", Text(row.command))
    console.print(table)


def claims_markdown(rows: Sequence[ClaimRow], *, folded: bool = False) -> str:
    """Markdown tables, one per paper, with the rule and the command of each claim.

    `folded` is for a site: the verdict comes second, and cases, rule and command unfold.
    """
    from homeonet.claims._table import summary, value_text

    parts = ["# Claims of five papers, measured here", "", f"{summary(rows)}.", ""]
    parts += [
        "A case meets its rule, or violates it, with its whole interval (Student's t over n seeds), or is undecided; "
        "it is void where a check failed that the treatment was applied. *Holds*: all cases meet it; *does not hold*: "
        "all violate it; *holds here in part*: some meet and some violate it; *undecided*: else, with the n that would "
        "decide it if means and spreads stay. Intervals are of 95 %, for margins of 90 %, and hold at all looks (3, 5, "
        "10, 20 and 40 seeds) together. `homeonet claims --help` has the rules.",
        "",
    ]
    for title, these in _by_source(rows).items():
        table = [
            ["claim", "verdict", "paper", "measured here"]
            if folded
            else ["claim", "paper", "measured here [interval], n", "rule", "verdict", "command"]
        ]
        for row in these:
            cases = "<br>".join(
                f"{judged.case.case}: {value_text(judged.at)}, {judged.n} ({judged.outcome})"
                for judged in row.verdict.cases
            )
            claim = f"`{row.id}`<br>{row.claim.claim}"
            rule = "; ".join(filter(None, (row.claim.rule, row.claim.failure)))
            rule = f"**{rule}**<br>{row.claim.manner}" if rule else ""
            quantity = f"{row.claim.quantity}: {rule}" if rule else ""
            verdict = f"**{row.verdict}**"
            if row.verdict.verdict in ("not measured", "not testable here", "void"):
                verdict += f"<br>{row.verdict.reason}"
            elif row.verdict.caveat:
                verdict += f"<br>{row.verdict.caveat}"
            command = f"`{row.command}`" if row.command else ""
            if folded:
                below = "<br><br>".join(filter(None, (cases, quantity, command)))
                unfolds = f"<details><summary>{_outcomes(row)}</summary>{below}</details>" if below else ""
                line = [claim, verdict, row.claim.paper, unfolds]
            else:
                line = [claim, row.claim.paper, cases, quantity, verdict, command]
            table.append([cell.replace("|", "\\|") for cell in line])
        parts += [f"## {title}", "", markdown_table(table)]
    scales = {row.claim.study: row.scale for row in rows if row.scale}
    if scales:
        parts += ["## Scale", "", *(f"- `{study}`: {scale}" for study, scale in scales.items()), ""]
    return "\n".join(parts)


def _outcomes(row: ClaimRow) -> str:
    """How many cases came out how, in a few words."""
    several = {"passes": "pass", "fails": "fail"}
    found = Counter(row.verdict.outcomes).items()
    words = (f"{count} {several.get(name, name) if count > 1 else name}" for name, count in found)
    return ", ".join(words) or "the rule"


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


def _verdict_text(row: ClaimRow, separator: str) -> Any:
    """The verdict in its colour, and what is to be said with it."""
    from rich.text import Text

    verdict = Text(str(row.verdict), style=_STYLES.get(row.verdict.verdict, "dim"))
    if row.verdict.caveat and row.cases:
        verdict.append(f"{separator}({row.verdict.caveat})", style="dim")
    return verdict


def _counts(row: ClaimRow) -> str:
    counts = sorted({case.n for case in row.cases})
    return "" if not counts else f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
