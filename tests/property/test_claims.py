"""The registry is whole, the rule judges by its truth table, and files of results are read or refused."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeonet import InputError
from homeonet.claims import (
    VERDICTS,
    Claim,
    Measured,
    claim_rows,
    find_measured,
    judge,
    load_registry,
    outcome,
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
]
VERDICT_OF = [
    ("pp", "holds"), ("p", "holds"), ("f", "does not hold"), ("ff", "does not hold"), ("fu", "does not hold"),
    ("pf", "partly"), ("pu", "partly"), ("pfu", "partly"), ("u", "partly"), ("uu", "partly"),
]  # fmt: skip
INTERVALS = {"p": (1.0, 2.0), "f": (-2.0, -1.0), "u": (-1.0, 1.0)}


@pytest.mark.parametrize(("rule", "interval", "expected"), TRUTH)
def test_a_case_is_judged_by_its_whole_interval(rule: dict, interval: tuple, expected: str) -> None:
    assert outcome(claim(**rule), case(*interval)) == expected


@pytest.mark.parametrize(("kinds", "expected"), VERDICT_OF)
def test_the_verdict_follows_from_the_cases(kinds: str, expected: str) -> None:
    cases = [case(*INTERVALS[kind], name=f"{kind}{k}") for k, kind in enumerate(kinds)]
    found = judge(claim(at_least=0.0), cases)
    assert found.verdict == expected and found.verdict in VERDICTS
    assert [o[0] for o in found.outcomes] == list(kinds)
    if len(set(kinds)) > 1:  # every case is named in the reason
        assert all(item.case in found.reason for item in cases), found.reason


def test_nothing_measured_or_not_testable_is_said_as_such() -> None:
    assert judge(claim(above=0.0), []).verdict == "not measured"
    no_rule = {name: None for name in ("study", "quantity")}
    there_is_none = Claim(**(COMMON | no_rule | {"untestable": "no data"}))
    assert judge(there_is_none, None).verdict == "not testable here"
    assert judge(there_is_none, None).reason == "no data"


def test_one_seed_decides_nothing_but_a_deterministic_quantity_does() -> None:
    one = case(2.0, 2.0, n=1)
    assert judge(claim(above=0.0), [one]).verdict == "partly"
    assert "one seed" in judge(claim(above=0.0), [one]).reason
    assert judge(claim(above=0.0, deterministic=True), [one]).verdict == "holds"


@given(low=st.floats(-10, 10), width=st.floats(0, 5), shift=st.floats(0.001, 5))
def test_a_better_interval_never_has_a_worse_outcome(low: float, width: float, shift: float) -> None:
    order = ["fails", "undecided", "passes"]
    worse, better = case(low, low + width), case(low + shift, low + shift + width)
    for rule in ({"at_least": 0.0}, {"above": 0.0}):
        assert order.index(outcome(claim(**rule), worse)) <= order.index(outcome(claim(**rule), better))
    for rule in ({"at_most": 0.0}, {"below": 0.0}):
        assert order.index(outcome(claim(**rule), worse)) >= order.index(outcome(claim(**rule), better))


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
    assert several["n"] == {"x": 3, "y": 3} and several["verdict"] == "partly"
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
