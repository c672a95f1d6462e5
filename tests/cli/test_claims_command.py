"""`homeonet claims` prints verdicts in each of its forms and reruns studies; `homeonet figure` draws the gallery."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from homeonet.claims import Check, Measured, load_registry, write_measured
from homeonet.cli.main import main
from homeonet.store import write_records
from tests.support.commands import refused

FIGURES = Path(__file__).parents[2] / "figures"
FAKE = """
import argparse
from pathlib import Path
from homeonet.claims import Measured, write_measured
parser = argparse.ArgumentParser()
parser.add_argument("--quick", action="store_true")
parser.add_argument("--full", action="store_true")
parser.add_argument("--out", type=Path)
options = parser.parse_args()
value = 1e-7 if options.quick else 1.0
measured = {"dsn-exact": [Measured("T = 4", value, value, value)]}
print("what a study prints")
write_measured(options.out, study="dsn_speed", scale="tiny", measured=measured)
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of two studies."""
    folder = tmp_path / "results"
    exact = [Measured("T = 4096", 1e-6, 1e-6, 1e-6)]
    cases = [
        Measured("Fashion", 2.0, 1.0, 3.0, 3, "points"),
        Measured("MNIST", 0.6, -0.2, 1.4, 3, "points"),
    ]
    write_measured(folder / "dsn_speed", study="dsn_speed", scale="small", measured={"dsn-exact": exact})
    write_measured(folder / "hd_lif", study="hd_lif", scale="wide", measured={"hdlif-online-accuracy": cases})
    return folder


@pytest.fixture
def studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of studies with one tiny one."""
    folder = tmp_path / "studies"
    for name in ("dsn", "dsn_speed"):
        (folder / name).mkdir(parents=True)
        (folder / name / "study.py").write_text(FAKE)
    monkeypatch.setenv("HOMEONET_STUDIES", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_table_has_every_claim_under_its_paper(results, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    assert main(["claims", "--from", str(results)]) == 0
    printed = capsys.readouterr().out
    registry = load_registry()
    assert all(name in printed for name in registry.claims)
    flat = " ".join(printed.split())
    assert all(source.reference in flat for source in registry.sources.values())
    assert max(map(len, printed.splitlines())) <= 110
    assert "+2.0 [+1.0, +3.0]" in printed and "1e-06" in printed
    assert f"{len(registry.claims)} claims: 1 holds, 1 undecided" in printed.replace("\n", " ")


def test_one_claim_is_shown_with_cases_rule_reason_and_command(results, capsys) -> None:
    assert main(["claims", "hdlif-online-accuracy", "--from", str(results)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for part in (
        "Fashion: +2.0 [+1.0, +3.0], n = 3: passes",
        "MNIST: +0.6 [-0.2, +1.4], n = 3: undecided",
    ):
        assert part in printed
    assert "rule above 0; fails below 1" in printed and "scale wide" in printed
    assert "kind superiority: the whole 95 % interval, at 3, 5, 10, 20 or 40 seeds" in printed
    assert "verdict undecided (needs n" in printed and "command python studies/" in printed


def test_a_void_case_shows_the_check_that_failed(tmp_path, capsys) -> None:
    checks = (Check("rate of I, Hz", 0.2, at_least=1.0), Check("accuracy, %", 60.0, at_least=20.0))
    cases = [
        Measured("Fashion", 2.0, 1.0, 3.0, 3, "points", checks=checks),
        Measured("MNIST", 2.0, 1.0, 3.0, 3, "points"),
    ]
    write_measured(tmp_path, study="ahsar", scale="small", measured={"ahsar-gain": cases})
    assert main(["claims", "ahsar-gain", "--from", str(tmp_path)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert (
        "Fashion: +2.0 [+1.0, +3.0], n = 3: void failed: rate of I, Hz: 0.2, has to be at least 1" in printed
    )
    assert "passed: accuracy, %: 60, has to be at least 20" in printed
    caveat = "the equations are this project's own: the paper's are not public"
    assert f"verdict holds (1 of 2 cases void) ({caveat})" in printed


def test_json_is_a_list_of_objects(results, capsys) -> None:
    assert main(["claims", "--json", "--from", str(results)]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in rows] == list(load_registry().claims)
    assert main(["claims", "dsn-exact", "--json", "--from", str(results)]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["measured"], row["ci"], row["n"], row["verdict"]) == (1e-6, [1e-6, 1e-6], 1, "holds")


def test_markdown_has_one_line_a_claim(results, capsys) -> None:
    assert main(["claims", "--markdown", "--from", str(results)]) == 0
    printed = capsys.readouterr().out
    rows = [line for line in printed.splitlines() if line.startswith("| `")]
    assert len(rows) == len(load_registry().claims)
    assert all(line.replace("\\|", "").count("|") == 7 for line in rows)
    assert "**holds**" in printed and "- `dsn_speed`: small" in printed


@pytest.mark.parametrize(("scale", "verdict"), [(["--quick"], "holds"), ([], "does not hold")])
def test_a_study_is_run_again_and_judged_by_what_it_measured(
    scale, verdict, studies, tmp_path, capsys
) -> None:
    folder = tmp_path / "here" if scale else tmp_path / "results" / "dsn_speed"
    out = ["--out", str(folder)] if scale else []
    assert main(["claims", "dsn-exact", "--run", *scale, *out, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["verdict"] == verdict and row["scale"] == "tiny"
    assert row["command"] == f"python studies/dsn_speed/study.py {'--quick' if scale else '--full'}"
    assert (folder / "claims.json").is_file()


def test_what_cannot_be_run_is_said_with_a_remedy(studies, monkeypatch, capsys) -> None:
    assert "did you mean dsn-exact" in refused(["claims", "dsn-exat", "--run"], capsys)
    assert "has no study to run" in refused(["claims", "hdlif-imagenet", "--run"], capsys)
    assert "needs a claim" in refused(["claims", "--run"], capsys)
    assert "--quick belongs to --run" in refused(["claims", "dsn-exact", "--quick"], capsys)
    assert "study.py, the study of hdlif-fold, is not there" in refused(
        ["claims", "hdlif-fold", "--run"], capsys
    )
    (studies / "dsn_speed" / "study.py").write_text("raise SystemExit(3)")
    assert "failed with exit code 3" in refused(["claims", "dsn-exact", "--run"], capsys, 1)
    monkeypatch.setenv("HOMEONET_STUDIES", str(studies / "absent"))
    assert "correct $HOMEONET_STUDIES" in refused(["claims", "dsn-exact", "--run"], capsys)


def test_an_installation_without_studies_says_how_to_get_them(studies, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.delenv("HOMEONET_STUDIES")
    monkeypatch.setattr(
        "homeonet.study.source.__file__", str(tmp_path / "site-packages" / "homeonet" / "study" / "x.py")
    )
    assert "clone the source" in refused(["claims", "dsn-exact", "--run"], capsys)


def test_folders_without_results_are_refused(tmp_path, capsys) -> None:
    assert "holds no claims.json" in refused(["claims", "--from", str(tmp_path)], capsys)


@pytest.fixture
def gradient_data(tmp_path: Path) -> Path:
    """What the study sleep_gradient leaves for its figure."""
    values = np.random.default_rng(0).normal(85, 2, (1, 3, 3))
    coords = {"data": ["digits"], "case": ["one: none", "one: sleep", "one: dropout"], "seed": [1, 2, 3]}
    data = xr.Dataset(
        {"accuracy": (tuple(coords), values)}, coords, {"study": "sleep_gradient", "scale": "small"}
    )
    folder = tmp_path / "mine" / "sleep_gradient"
    folder.mkdir(parents=True)
    write_records(folder / "figure.nc", data)
    return folder.parent


@pytest.fixture
def gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of two of the figures' scripts."""
    folder = tmp_path / "figures"
    folder.mkdir()
    for name in ("sleep_gradient", "dsn", "_axes", "_names"):
        shutil.copy(FIGURES / f"{name}.py", folder)
    monkeypatch.setenv("HOMEONET_FIGURES", str(folder))
    return folder


def test_the_gallery_draws_what_is_there_and_lists_what_is_missing(
    gallery, gradient_data, capsys, tmp_path
) -> None:
    out = tmp_path / "drawn"
    assert main(["figure", "all", "--from", str(gradient_data), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert (out / "sleep_gradient.png").read_bytes().startswith(b"\x89PNG")
    assert not (out / "dsn.png").exists()
    assert "not drawn: dsn: no data of the study dsn" in printed and "python studies/dsn/study.py" in printed
    page = (out / "README.md").read_text(encoding="utf-8")
    assert "![Sleep and other treatments in networks trained by gradients](sleep_gradient.png)" in page
    assert "mean over seeds with its 95 % interval" in " ".join(page.split())
    assert "Not drawn yet: no data of the study dsn" in page


def test_one_figure_is_drawn_in_any_format_from_the_data_of_the_source(
    gallery, gradient_data, capsys, tmp_path
) -> None:
    (gallery / "data").mkdir()
    shutil.copy(gradient_data / "sleep_gradient" / "figure.nc", gallery / "data" / "sleep_gradient.nc")
    assert main(["figure", "sleep_gradient", "--format", "svg", "--out", str(tmp_path / "one")]) == 0
    assert os.listdir(tmp_path / "one") == ["sleep_gradient.svg"]
    capsys.readouterr()
    assert "run `python studies/dsn/study.py`" in refused(["figure", "dsn"], capsys)
    assert "did you mean sleep_gradient" in refused(["figure", "sleep_gradien"], capsys)


def test_every_script_of_the_gallery_has_a_caption_and_a_study() -> None:
    from homeonet.study.gallery import figure_scripts, load_figure

    scripts = figure_scripts(FIGURES)
    assert len(scripts) >= 11
    for path in scripts.values():
        script = load_figure(path)
        title, _, caption = script.__doc__.partition("\n")
        assert title.endswith(".") and len(caption.split()) > 20 and callable(script.main)
        assert script.STUDY == "claims" or (FIGURES.parent / "studies" / script.STUDY / "study.py").is_file()


def test_the_whole_gallery_is_drawn_from_what_the_source_holds(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOMEONET_FIGURES", str(FIGURES))
    assert main(["figure", "all", "--out", str(tmp_path / "all")]) == 0
    assert "not drawn" not in capsys.readouterr().out
    assert {path.stem for path in (tmp_path / "all").glob("*.png")} == {
        path.stem for path in FIGURES.glob("*.png")
    }


GROWING = """
import argparse
from pathlib import Path
import numpy as np
from homeonet.claims import measured_over_seeds, write_measured
parser = argparse.ArgumentParser()
parser.add_argument("--quick", action="store_true")
parser.add_argument("--full", action="store_true")
parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
parser.add_argument("--out", type=Path)
options = parser.parse_args()
noise = np.random.default_rng(0).normal(0, 1, 100)[: len(options.seeds)]
measured = {"dsn-decay": [measured_over_seeds("clear", 30 + noise, "points"),
                          measured_over_seeds("less clear", 1.8 + noise, "points")],
            "dsn-length": [measured_over_seeds("on the bound", 0.05 + 9 * noise, "bits")]}
scale = "seeds " + " ".join(map(str, options.seeds))
write_measured(options.out, study="dsn", scale=scale, measured=measured)
"""


@pytest.fixture
def growing(studies: Path) -> Path:
    """A study that takes seeds and measures what some of them decide."""
    (studies / "dsn" / "study.py").write_text(GROWING)
    return studies


def test_seeds_are_added_until_every_case_is_decided(growing, tmp_path, capsys) -> None:
    assert main(["claims", "dsn-decay", "--run", "--decide", "--json"]) == 0
    printed = capsys.readouterr()
    (row,) = json.loads(printed.out)
    assert row["verdict"] == "holds" and row["n"] in ({"clear": n, "less clear": n} for n in (5, 10, 20))
    looks = [line for line in printed.err.splitlines() if line.startswith("dsn-decay, ")]
    assert "dsn-decay, 3 seeds: undecided" in looks[0] and "1 of 2 cases decided" in looks[0]
    assert "holds; every case is decided" in looks[-1]
    # what is there is the first look of the next call
    assert main(["claims", "dsn-decay", "--run", "--decide", "--json"]) == 0
    again = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dsn-decay, ")]
    assert again == looks[-1:]


def test_futile_seeds_and_hours_that_are_over_are_not_spent(growing, capsys) -> None:
    assert main(["claims", "dsn-length", "--run", "--decide", "--max-seeds", "10"]) == 0
    printed = capsys.readouterr()
    assert "futile: 10 seeds would decide none of the others" in printed.err
    assert "undecided (needs n" in printed.out
    assert main(["claims", "dsn-length", "--run", "--decide", "--hours", "1e-9", "--out", "short"]) == 0
    assert "would take more than the 1e-09 hours given" in capsys.readouterr().err


def test_committed_seeds_are_counted_and_not_run_again(growing, tmp_path, capsys, monkeypatch) -> None:
    from homeonet.claims import claim_rows

    (there,) = (len(row.cases[0].values) for row in claim_rows() if row.id == "dsn-decay")
    figures = tmp_path / "figures"
    (figures / "data").mkdir(parents=True)
    (figures / "data" / "dsn.nc").write_text("what was measured before")
    monkeypatch.setenv("HOMEONET_FIGURES", str(figures))
    run = ["claims", "dsn-decay", "--run", "--decide", "--add", "--max-seeds"]
    assert "leave --add out" in refused([*run, "10"], capsys)  # the study takes no earlier seeds
    script = growing / "dsn" / "study.py"
    added = GROWING.replace("options =", 'parser.add_argument("--earlier", type=Path)\noptions =')
    added = added.replace(
        ": len(options.seeds)]",
        f": {there} + len(options.seeds)]\nassert options.earlier.read_text().startswith('what was measured')\n"
        f"assert options.seeds[0] == {there} + 1",
    )
    script.write_text(added)
    assert main([*run, "20"]) == 0
    looks = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dsn-decay, ")]
    assert f"dsn-decay, {min(n for n in (5, 10, 20) if n > there)} seeds" in looks[0]
    assert "every case is decided" in looks[-1]
    assert f"{there} seeds are there already" in refused([*run, str(there)], capsys)


def test_what_cannot_be_decided_so_is_said(growing, capsys) -> None:
    assert "--decide belongs to --run" in refused(["claims", "dsn-decay", "--decide"], capsys)
    assert "--hours belongs to --decide" in refused(["claims", "dsn-decay", "--run", "--hours", "0"], capsys)
    run = ["claims", "dsn-decay", "--run", "--decide"]
    assert "the first look is at 3 seeds" in refused([*run, "--max-seeds", "2"], capsys)
    assert "--hours -1: give a number above 0" in refused([*run, "--hours", "-1"], capsys)
    planned = ["claims", "dsn-short", "--run", "--decide"]
    assert "looked at once, at the 10 values that were planned" in refused(planned, capsys)
