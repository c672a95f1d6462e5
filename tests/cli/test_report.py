"""One page of a run or a sweep: it needs nothing from elsewhere, says what the files say, and shows in a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import homeonet
from homeonet.claims import claim_rows
from homeonet.cli.main import main
from homeonet.machine import html
from tests.support.short_runs import short

VOID = ("meta", "img", "br", "progress")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Page(HTMLParser):
    """Counts what is open, and keeps text, cells and what is fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.fetched += [value for name, value in attributes if name in ("src", "href") and value is not None]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "a <b> & c"
    homeonet.run(short(sleep__ratio=0.05), folder, figures=False, baselines=False)
    return folder


def test_a_run_is_one_page(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run)]) == 0
    path = run / "report.html"
    assert capsys.readouterr().out == f"{path}\n"
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == [] and "b" not in page.open
    assert len(page.fetched) >= 5 and all(
        place.startswith("data:image/png;base64,") for place in page.fetched
    )
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    text = "".join(page.words)
    assert f"{100 * metrics['accuracy.logistic']:.1f} [" in text and metrics["run_id"] in text
    assert (run / "model.txt").read_text(encoding="utf-8") in text
    assert "changed; massey2026 has 0.15" in text and "[paper]" in text
    assert "a <b> & c" in text
    assert homeonet.load_run(run).metrics == metrics  # the page beside them is no fault of the folder


def test_a_sweep_is_one_page(tmp_path: Path) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text(
        'preset = "massey2026"\ndata = "geometric"\ntrain = 40\ntest = 20\n[set]\n"input.presentation" = "0.5 s"\n'
        '"evaluation.presentation" = "0.2 s"\n[grid]\nseed = [1, 2]\n',
        encoding="utf-8",
    )
    out = tmp_path / "sweep"
    assert main(["sweep", str(grid), "--out", str(out), "--workers", "1", "--no-baselines"]) == 0
    assert main(["report", str(out), "--out", str(tmp_path / "page.html")]) == 0
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    text = "".join(page.words)
    assert page.open == [] and page.fetched == [] and "2 of 2 cells done" in text
    results = homeonet.sweep.open_sweep(out)
    assert all(f"{value:.4g}" in text for value in results["accuracy.logistic"].values)


def test_what_is_no_run_is_refused_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path / "missing")]) == 2
    assert "is not a folder; give one that" in capsys.readouterr().err
    assert main(["report", str(tmp_path)]) == 2
    assert "is not the folder of a finished run" in capsys.readouterr().err


def test_a_browser_shows_it(run: Path, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on this machine")
    assert main(["report", str(run), "--out", str(tmp_path / "page.html")]) == 0
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [browser, *options, "--dump-dom", (tmp_path / "page.html").as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert "<h2>Results</h2>" in done.stdout and done.stdout.count("<img") >= 5


@pytest.mark.parametrize(
    "shown",
    [
        homeonet.load_config("homeonet"),
        homeonet.load_config("massey2026", {"rule.mine": {"on_pre": "w -= eta*(w > 0.1 and w < 1)"}}),
        homeonet.data.load("digits", size=None),
        homeonet.sweep.SweepStatus(2, 1, 3, {"a/log.txt": "1 < 2 & <b>"}),
        claim_rows(),
    ],
    ids=lambda shown: type(shown).__name__,
)
def test_notebooks_show_tables(shown: object) -> None:
    text = shown._repr_html_()
    assert Page(text).open == [] and "<td>" in text


def test_a_run_draws_its_figures_by_name(run: Path) -> None:
    result = homeonet.load_run(run)
    assert {"weight_trajectories", "rates", "accuracy"} <= set(dir(result.plot))
    figure = result.plot.total_weight()
    assert figure._repr_png_().startswith(b"\x89PNG")
    drawn = figure.axes[0].lines[0].get_ydata()
    assert np.array_equal(
        drawn, (result.records["total_weight"] / result.records["total_weight"][0]).squeeze()
    )
    with pytest.raises(AttributeError, match="has no figure 'nothing'; it has weight_trajectories, "):
        result.plot.nothing()


def test_nothing_but_text_gets_into_a_cell() -> None:
    text = html.table([["a", "b"], ["<script>", "1 & 2"]], title="<i>", note="</p>")
    assert set(re.findall(r"<(\w+)", text)) == {
        "div",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "p",
    }
    assert "".join(Page(text).words) == "<i>ab<script>1 & 2</p>"
