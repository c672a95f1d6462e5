"""The registry is whole, the rule judges by its truth table, and files of results are read or refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import escape
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeonet import InputError
from homeonet.claims import (
    VERDICTS,
    Check,
    Claim,
    Measured,
    claim_rows,
    find_measured,
    judge,
    judge_case,
    load_registry,
    measured_over_seeds,
    write_measured,
)

COMMON = {
    "source": "a",
    "place": "text",
    "claim": "It helps",
    "paper": "+1",
    "study": "one",
    "quantity": "points",
}


def claim(**rule: object) -> Claim:
    return Claim(**(COMMON | rule))


def case(low: float, high: float, n: int = 3, name: str = "case") -> Measured:
    return Measured(name, (low + high) / 2, low, high, n, "points")


#: Rule, interval, outcome: written out by hand from the definition.
TRUTH = [
    ({"at_least": 0.0}, (0.0, 2.0), "passes"),
    ({"at_least": 0.0}, (-0.1, 2.0), "undecided"),
    ({"at_least": 0.0}, (-2.0, 0.0), "undecided"),
    ({"at_least": 0.0}, (-2.0, -0.1), "fails"),
    ({"above": 0.0}, (0.1, 2.0), "passes"),
    ({"above": 0.0}, (0.0, 2.0), "undecided"),
    ({"above": 0.0}, (-2.0, 0.0), "fails"),
    ({"above": 0.0}, (0.0, 0.0), "fails"),
    ({"at_most": 1.0}, (0.5, 1.0), "passes"),
    ({"at_most": 1.0}, (0.5, 1.1), "undecided"),
    ({"at_most": 1.0}, (1.1, 1.2), "fails"),
    ({"below": 1.0}, (0.5, 0.9), "passes"),
    ({"below": 1.0}, (0.5, 1.0), "undecided"),
    ({"below": 1.0}, (1.0, 1.2), "fails"),
    ({"between": (1.0, 2.0)}, (1.0, 2.0), "passes"),
    ({"between": (1.0, 2.0)}, (0.5, 1.5), "undecided"),
    ({"between": (1.0, 2.0)}, (0.5, 2.5), "undecided"),
    ({"between": (1.0, 2.0)}, (0.1, 0.9), "fails"),
    ({"between": (1.0, 2.0)}, (2.1, 3.0), "fails"),
    ({"equivalent_within": 1.0}, (-1.0, 1.0), "passes"),
    ({"equivalent_within": 1.0}, (-1.1, 0.0), "undecided"),
    ({"equivalent_within": 1.0}, (1.1, 2.0), "fails"),
    ({"not_below": -1.0}, (-1.0, 2.0), "passes"),
    ({"not_below": -1.0}, (-1.1, 2.0), "undecided"),
    ({"not_below": -1.0}, (-3.0, -1.1), "fails"),
    ({"not_above": 1.03}, (0.9, 1.03), "passes"),
    ({"not_above": 1.03}, (1.04, 1.1), "fails"),
    ({"above": 0.0, "negligible": 0.5}, (0.1, 0.4), "passes"),
    ({"above": 0.0, "negligible": 0.5}, (-0.1, 0.4), "fails"),
    ({"above": 0.0, "negligible": 0.5}, (-0.1, 0.5), "undecided"),
    ({"below": 1.0, "negligible": 0.9}, (0.95, 1.1), "fails"),
    ({"below": 1.0, "negligible": 0.9}, (0.85, 1.1), "undecided"),
    ({"at_most": 1.0, "deterministic": True}, (0.9, 1.0), "passes"),
    ({"at_most": 1.0, "deterministic": True}, (0.9, 1.1), "fails"),
]
#: Cases that pass, fail, are undecided or void, and the verdict: written out by hand from the definition.
VERDICT_OF = [
    ("p", "holds"), ("pp", "holds"), ("ppv", "holds"),
    ("f", "does not hold"), ("ff", "does not hold"), ("fv", "does not hold"),
    ("pf", "holds here in part"), ("pfu", "holds here in part"), ("pfuv", "holds here in part"),
    ("u", "undecided"), ("uu", "undecided"), ("pu", "undecided"), ("fu", "undecided"), ("uv", "undecided"),
    ("v", "void"), ("vv", "void"),
]  # fmt: skip
INTERVALS = {"p": (1.0, 2.0), "f": (-2.0, -1.0), "u": (-1.0, 1.0), "v": (1.0, 2.0)}
FAILED = Check("share asleep", 0.01, at_least=0.1)


@pytest.mark.parametrize(("rule", "interval", "expected"), TRUTH)
def test_a_case_is_judged_by_its_whole_interval(rule: dict, interval: tuple, expected: str) -> None:
    assert judge_case(claim(**rule), case(*interval)).outcome == expected


@pytest.mark.parametrize(("kinds", "expected"), VERDICT_OF)
def test_the_verdict_follows_from_the_cases(kinds: str, expected: str) -> None:
    cases = [case(*INTERVALS[kind], name=f"{kind}{k}") for k, kind in enumerate(kinds)]
    cases = [replace(c, checks=(FAILED,)) if c.case[0] == "v" else c for c in cases]
    found = judge(claim(at_least=0.0), cases)
    assert found.verdict == expected and found.verdict in VERDICTS
    assert [o[0] for o in found.outcomes] == list(kinds)
    if len(set(kinds)) > 1:  # every case is named in the reason
        assert all(item.case in found.reason for item in cases), found.reason
    if "v" in kinds:
        assert "share asleep: 0.01, has to be at least 0.1" in found.reason


@given(kinds=st.text("pfu", min_size=1, max_size=6))
def test_the_burden_of_proof_is_equal_in_both_directions(kinds: str) -> None:
    turned = kinds.translate(str.maketrans("pf", "fp"))
    found = [
        judge(claim(above=0.0), [case(*INTERVALS[kind], name=str(k)) for k, kind in enumerate(these)]).verdict
        for these in (kinds, turned)
    ]
    opposite = {"holds": "does not hold", "does not hold": "holds"}
    assert found[1] == opposite.get(found[0], found[0])


def test_nothing_measured_or_not_testable_is_said_as_such() -> None:
    assert judge(claim(above=0.0), []).verdict == "not measured"
    no_rule = {name: None for name in ("study", "quantity")}
    there_is_none = Claim(**(COMMON | no_rule | {"untestable": "no data"}))
    assert judge(there_is_none, None).verdict == "not testable here"
    assert judge(there_is_none, None).reason == "no data"


def test_one_seed_decides_nothing_but_a_deterministic_quantity_does() -> None:
    one = case(2.0, 2.0, n=1)
    assert judge(claim(above=0.0), [one]).verdict == "undecided"
    assert "one value gives no interval" in judge(claim(above=0.0), [one]).reason
    assert judge(claim(above=0.0, deterministic=True), [one]).verdict == "holds"
    several = measured_over_seeds("case", [0.5, 0.9, 1.2])
    found = judge_case(claim(at_most=1.0, deterministic=True), several)
    assert found.outcome == "fails" and (found.at.low, found.at.high) == (0.5, 1.2)


def test_margins_are_judged_by_the_interval_of_90_per_cent() -> None:
    values = [0.0, 0.4, 0.8, 0.2, 0.6]  # mean 0.4, standard deviation 0.316
    one_sided = claim(not_below=-0.2, planned=5)
    found = judge_case(one_sided, measured_over_seeds("case", values))
    # by the t table: 2.132 standard errors on either side, where 95 % are 2.776
    assert found.at.low == pytest.approx(0.4 - 2.131847 * 0.3162278 / 5**0.5, abs=1e-6)
    two_sided = claim(at_least=-0.2, planned=5)
    assert judge_case(two_sided, measured_over_seeds("case", values)).at.low == pytest.approx(
        0.4 - 2.776445 * 0.3162278 / 5**0.5, abs=1e-6
    )
    assert (one_sided.kind, two_sided.kind) == ("non-inferiority", "superiority")
    assert claim(equivalent_within=1.0).kind == claim(between=(0.0, 1.0)).kind == "equivalence"


def test_a_planned_number_is_looked_at_once_and_others_at_looks() -> None:
    seven = measured_over_seeds("case", [1.0, 1.1, 0.9, 1.0, 1.05, -50.0, 80.0])
    by_looks = judge_case(claim(above=0.0), seven)
    assert (by_looks.at.n, by_looks.outcome, by_looks.n) == (5, "passes", "5 of 7")
    planned = judge_case(claim(above=0.0, planned=3), seven)
    assert (planned.at.n, planned.outcome) == (3, "passes")
    assert planned.at.high - planned.at.low < by_looks.at.high - by_looks.at.low + 0.5
    short = judge_case(claim(above=0.0, planned=10), seven)
    assert short.outcome == "undecided" and "10 values were planned and 7 are there" in short.why
    assert short.needed == 10
    two = judge_case(claim(above=0.0), measured_over_seeds("case", [1.0, 1.1]))
    assert two.outcome == "undecided" and "the first look is at 3 seeds and 2 are there" in two.why


def test_an_undecided_claim_says_how_many_values_would_decide_it() -> None:
    values = [1.0, -0.5, 1.5, 0.5, -0.2]  # mean 0.46, standard deviation 0.838
    found = judge(claim(above=0.0), [measured_over_seeds("case", values)])
    assert (found.verdict, found.needed, str(found)) == ("undecided", 40, "undecided (needs n = 40)")
    near = judge(claim(above=0.0), [measured_over_seeds("case", [v - 0.4 for v in values])])
    # (2.64 · 0.838 ÷ 0.06)² by the level of a look at so many values
    assert near.needed == pytest.approx(1230, rel=0.1) and "≈ 12" in str(near)
    decided = judge(
        claim(above=0.0, negligible=2.0), [measured_over_seeds("case", [v - 0.4 for v in values])]
    )
    assert decided.verdict == "does not hold" and decided.needed is None
    on_it = judge(claim(above=0.0), [measured_over_seeds("case", [1.0, -1.0, 0.0])])
    assert on_it.needed is None and "> 10000" in str(on_it)


def test_a_caveat_of_the_source_is_said_with_the_verdict() -> None:
    found = judge(claim(above=0.0), [case(1.0, 2.0)], "the equations are ours")
    assert found.caveat == "the equations are ours" and found.reason.endswith("The equations are ours.")
    registry = load_registry()
    for name, c in registry.claims.items():
        assert bool(registry.source(c).caveat) == name.startswith("ahsar")


def test_a_check_has_a_bound_and_passes_nothing_without_a_value() -> None:
    assert Check("rate", 1.0, at_least=1.0).passed and not Check("rate", 0.9, at_least=1.0).passed
    assert Check("rate", 1.0, at_least=1.0, at_most=2.0).passed
    assert not Check("rate", 2.1, at_least=1.0, at_most=2.0).passed
    assert not Check("rate", float("nan"), at_most=1.0).passed and not Check("rate", None, at_most=1.0).passed
    with pytest.raises(InputError, match="give at_least, at_most or both"):
        Check("rate", 1.0)


def test_checks_are_kept_and_files_without_them_are_read(tmp_path: Path) -> None:
    checked = replace(case(1.0, 2.0), checks=(FAILED, Check("rate of I", None, at_least=1.0)))
    path = write_measured(tmp_path, study="dsn", scale="s", measured={"dsn-rate": [checked]})
    (row,) = (row for row in claim_rows(find_measured(tmp_path)) if row.id == "dsn-rate")
    assert row.cases == (checked,) and row.verdict.verdict == "void"
    assert [check["passed"] for check in row.to_dict()["cases"][0]["checks"]] == [False, False]
    json.dumps(row.to_dict(), allow_nan=False)
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["measured"]["dsn-rate"][0]["checks"], content["measured"]["dsn-rate"][0]["values"]
    old = tmp_path / "elsewhere" / "old.json"
    old.parent.mkdir()
    old.write_text(json.dumps(content), encoding="utf-8")
    (row,) = (row for row in claim_rows(find_measured(old)) if row.id == "dsn-rate")
    assert row.verdict.verdict == "does not hold"


@given(low=st.floats(-10, 10), width=st.floats(0, 5), shift=st.floats(0.001, 5))
def test_a_better_interval_never_has_a_worse_outcome(low: float, width: float, shift: float) -> None:
    order = ["fails", "undecided", "passes"]
    worse, better = case(low, low + width), case(low + shift, low + shift + width)

    def of(rule: dict, given: Measured) -> str:
        return judge_case(claim(**rule), given).outcome

    rising: list[dict] = [
        {"at_least": 0.0},
        {"above": 0.0},
        {"not_below": -1.0},
        {"above": 0.0, "negligible": 1.0},
    ]
    for rule in rising:
        assert order.index(of(rule, worse)) <= order.index(of(rule, better))
    for rule in ({"at_most": 0.0}, {"below": 0.0}):
        assert order.index(of(rule, worse)) >= order.index(of(rule, better))


def test_the_registry_is_whole() -> None:
    registry = load_registry()
    testable = {name: c for name, c in registry.claims.items() if c.untestable is None}
    assert len(testable) >= 25
    assert len(registry.sources) == 5
    assert {c.source for c in testable.values()} == set(registry.sources)
    assert all(c.rule and c.quantity and c.study for c in testable.values())
    studies = Path(__file__).parents[2] / "studies"
    missing = {c.study for c in testable.values() if not (studies / str(c.study) / "study.py").is_file()}
    assert not missing


BROKEN = {
    "two rules": ("above = 0\nat_least = 1", "one has 2 rules|has 2 rules"),
    "no rule": ("", "has 0 rules"),
    "rule and reason": ('above = 0\nuntestable = "no data"', "either `untestable`"),
    "ends swapped": ("between = [2, 1]", "the lower end comes first"),
    "unknown key": ("above = 0\nmargin = 1", "margin is not a parameter"),
    "planned and deterministic": ("above = 0\nplanned = 3\ndeterministic = true", "leave `planned`"),
    "one planned": ("above = 0\nplanned = 1", "planned"),
    "margin of nothing": ("equivalent_within = 0", "equivalent_within"),
    "negligible of a margin": ("not_below = -1\nnegligible = 1", "`negligible` goes with above"),
    "negligible on the wrong side": (
        "above = 0\nnegligible = -0.5",
        "does not lie beyond the bound of above 0",
    ),
    "change without a date": ('above = 0\nchanged = ["new"]', "changed"),
    "no number": ("above = nan", "above"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_entry_that_is_not_whole_is_refused(name: str, tmp_path: Path) -> None:
    rule, said = BROKEN[name]
    path = tmp_path / "registry.toml"
    entries = "\n".join(f'{key} = "{value}"' for key, value in COMMON.items())
    source = '[sources.a]\ntitle = "T"\nauthors = "A"\nreference = "R"\n'
    path.write_text(f"{source}[claims.one]\n{entries}\n{rule}\n", encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        load_registry(path)
    assert "one" in str(caught.value) and "\n" not in str(caught.value)


def test_unknown_sources_and_ids_are_named(tmp_path: Path) -> None:
    path = tmp_path / "registry.toml"
    entries = "\n".join(f'{key} = "{value}"' for key, value in COMMON.items())
    path.write_text(f"[sources]\n[claims.one]\n{entries}\nabove = 0\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"one.source = 'a' is not one of"):
        load_registry(path)
    with pytest.raises(InputError, match="did you mean dsn-exact"):
        load_registry()["dsn-exat"]


def test_rows_have_the_promised_fields_and_summarise_cases(tmp_path: Path) -> None:
    write_measured(
        tmp_path, study="dsn", scale="small", measured={"dsn-exact": [Measured("a", 0.0, 0.0, 0.0)]}
    )
    both = [case(1.0, 2.0, name="x"), case(-2.0, -1.0, name="y")]
    write_measured(tmp_path / "b", study="hd_lif", scale="small", measured={"hdlif-online-accuracy": both})
    rows = {row.id: row.to_dict() for row in claim_rows(find_measured(tmp_path))}
    fields = {
        "id",
        "source",
        "claim",
        "paper",
        "measured",
        "ci",
        "n",
        "verdict",
        "needed",
        "manner",
        "reason",
        "command",
        "scale",
        "cases",
    }
    assert all(fields <= set(row) for row in rows.values())
    assert list(rows) == list(load_registry().claims)
    assert (rows["dsn-exact"]["measured"], rows["dsn-exact"]["ci"], rows["dsn-exact"]["n"]) == (
        0.0,
        [0.0, 0.0],
        1,
    )
    assert rows["dsn-exact"]["verdict"] == "holds"
    several = rows["hdlif-online-accuracy"]
    assert several["measured"] == {"x": 1.5, "y": -1.5} and several["ci"]["y"] == [-2.0, -1.0]
    assert several["n"] == {"x": 3, "y": 3} and several["verdict"] == "holds here in part"
    assert rows["dsn-decay"]["measured"] is None and rows["dsn-decay"]["verdict"] == "not measured"
    assert rows["hdlif-imagenet"]["verdict"] == "not testable here"
    json.dumps(list(rows.values()), allow_nan=False)


def test_results_that_are_no_results_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no claims.json"):
        find_measured(tmp_path)
    (tmp_path / "claims.json").write_text('{"study": "dsn"}')
    with pytest.raises(InputError, match="does not hold the claims of a study"):
        find_measured(tmp_path)
    write_measured(tmp_path, study="dsn", scale="s", measured={"dsn-exat": [case(0, 1)]})
    with pytest.raises(InputError, match=r"'dsn-exat', which is no claim; did you mean dsn-exact"):
        claim_rows(find_measured(tmp_path))
    write_measured(tmp_path, study="dsn", scale="s", measured={"dsn-rate": [case(0, 1), case(1, 2)]})
    with pytest.raises(InputError, match="same name"):
        claim_rows(find_measured(tmp_path))


def test_of_two_results_of_one_claim_the_newer_counts_and_is_named(tmp_path: Path) -> None:
    import os

    for age, name in enumerate(("new", "old")):
        path = write_measured(
            tmp_path / name, study="dsn", scale=name, measured={"dsn-rate": [case(0.1, 0.2)]}
        )
        os.utime(path, (1e9 - age, 1e9 - age))
    with pytest.warns(UserWarning, match=r"new.claims.json is newer"):
        rows = claim_rows(find_measured(tmp_path))
    assert next(row.scale for row in rows if row.id == "dsn-rate") == "new"


def test_what_comes_with_the_package_can_be_read() -> None:
    rows = claim_rows()
    assert {row.verdict.verdict for row in rows} <= set(VERDICTS)
    measured = [name for row in rows if row.cases for name in [row.id]]
    folder = resources.files("homeonet.claims") / "measured"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    shipped = [name for entry in files for name in json.loads(entry.read_text(encoding="utf-8"))["measured"]]
    assert sorted(measured) == sorted(shipped)  # each measured once


def test_a_notebook_shows_each_verdict_with_its_cases_folded() -> None:
    rows = claim_rows()
    page = rows._repr_html_()
    parts = page.split("<details>")[1:]
    assert len(parts) == len(rows)
    for row in rows:
        (part,) = (part for part in parts if f"({row.id})</summary>" in part)
        summary, _, below = part.partition("</summary>")
        assert summary == f"<summary>{escape(f'{row.verdict}: {row.claim.claim} ({row.id})')}"
        below = below.partition("</details>")[0]
        assert all(f"<td>{escape(judged.case.case)}</td>" in below for judged in row.verdict.cases)
        assert len(re.findall(r"<td>(passes|fails|undecided|void)</td></tr>", below)) == len(
            row.verdict.cases
        )
    assert page.count("<b>") == len({row.reference for row in rows})


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ("ppvv", "holds (2 of 4 cases void)"),
        ("fv", "does not hold (1 of 2 cases void)"),
        ("v", "void"),
        ("pp", "holds"),
    ],
)
def test_a_verdict_says_how_many_of_its_cases_are_void(kinds: str, said: str) -> None:
    cases = [case(*INTERVALS[kind], name=f"{kind}{k}") for k, kind in enumerate(kinds)]
    cases = [replace(c, checks=(FAILED,)) if c.case[0] == "v" else c for c in cases]
    assert str(judge(claim(at_least=0.0), cases)) == said
