"""Seeds that a study ran before, from the file that its figure is drawn from, beside those it runs now."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from homeonet.claims import study_command
from homeonet.errors import InputError
from homeonet.study.figure_data import commands_of, gathered, with_earlier, write_figure_data
from homeonet.study.intervals import table_of
from homeonet.study.options import scale_of


def options(seeds: list[int], *, data: list[str] | str, earlier: Path | None = None, train: int = 50):
    return argparse.Namespace(
        name="sleep", earlier=earlier, train=train, test=20, epochs=1, data=data, seeds=seeds
    )


def measured(networks: list[str], data: list[str], seeds: list[int]) -> xr.Dataset:
    """A number that says of what network, data set and seed it is."""
    number = {"paper": 100, "homeonet": 200, "mnist": 10, "fashion": 20}
    values = [[[number[n] + number[d] + s for s in seeds] for d in data] for n in networks]
    coords = {"network": networks, "data": data, "seed": seeds}
    return xr.Dataset({"accuracy": (tuple(coords), np.asarray(values, float))}, coords)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    given = options([1, 2, 3], data=["mnist", "fashion"])
    data = with_earlier(measured(["paper"], ["mnist", "fashion"], [1, 2, 3]), given)
    scale = scale_of(options([1, 2, 3], data=["mnist", "fashion"]))
    return write_figure_data(tmp_path, data, study="sleep", scale=scale)


def test_every_value_is_where_it_belongs_and_what_was_not_run_is_missing(before: Path) -> None:
    given = options([3, 4], data=["mnist"], earlier=before)
    found = with_earlier(measured(["paper", "homeonet"], ["mnist"], [3, 4]), given)
    everything = measured(["paper", "homeonet"], ["mnist", "fashion"], [1, 2, 3, 4])
    there = found["accuracy"].notnull()
    xr.testing.assert_equal(found["accuracy"], everything["accuracy"].where(there))
    assert int(there.sum()) == 6 + 1 + 2  # earlier, the new seed of the same network, the new network
    assert scale_of(given, found) == "mnist, fashion, 50 training and 20 test images, 1 epoch, seeds 1 2 3 4"


def never(_: argparse.Namespace) -> xr.Dataset:
    raise AssertionError("something was run")


def full(seeds: list[int], *, stored: Path | None = None, **more) -> argparse.Namespace:
    given = options(seeds, data=["mnist", "fashion"], **more)
    given.stored, given.networks = stored, ["paper"]
    return given


def test_what_does_not_fit_is_found_before_anything_is_run(before: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="was run with train = 50, not 60"):
        gathered(never, full([4], earlier=before, train=60))
    with pytest.raises(InputError, match="cannot be read"):
        gathered(never, full([4], earlier=tmp_path / "absent.nc"))
    with pytest.raises(InputError, match=r"--networks lacks 'released', which table and figure need"):
        gathered(never, full([4]), whole={"networks": ["paper", "released"]})
    added = gathered(
        lambda _: measured(["paper"], ["mnist"], [4]), full([4], earlier=before), whole={"networks": ["x"]}
    )
    assert added["seed"].values.tolist() == [1, 2, 3, 4]


def test_stored_data_are_read_with_the_options_they_were_run_with(before: Path, tmp_path: Path) -> None:
    given = full([9], stored=before, train=60)
    found = gathered(never, given)
    assert given.train == 50 and found["seed"].values.tolist() == [1, 2, 3]
    again = write_figure_data(tmp_path / "again", found, study="sleep", scale="")
    both = [xr.load_dataset(path, engine="h5netcdf") for path in (before, again)]
    assert commands_of(both[0]) == commands_of(both[1])
    xr.testing.assert_equal(*both)


def test_names_of_pandas_and_of_a_file_are_joined(before: Path) -> None:
    parts = [measured([name], ["mnist"], [4]).isel(network=0, drop=True) for name in ("homeonet", "paper")]
    added = xr.concat(parts, pd.Index(["homeonet", "paper"], name="network"))
    found = with_earlier(added, options([4], data=["mnist"], earlier=before))
    assert found["accuracy"].sel(network="homeonet", data="mnist", seed=4) == 214
    assert found["accuracy"].sel(network="paper", data="mnist").values.tolist() == [111, 112, 113, 114]
    assert found["accuracy"].sel(network="paper", data="fashion").count() == 3


def test_what_a_seed_measures_anew_counts(before: Path) -> None:
    again = measured(["paper"], ["mnist"], [2]) + 0.5
    found = with_earlier(again, options([2], data=["mnist"], earlier=before))
    assert found["accuracy"].sel(network="paper", data="mnist").values.tolist() == [111, 112.5, 113]


def test_without_a_file_it_is_what_was_measured() -> None:
    data = measured(["paper"], ["mnist"], [1])
    assert with_earlier(data, options([1], data=["mnist"])) is data


def test_other_options_other_data_and_other_studies_are_refused(before: Path, tmp_path: Path) -> None:
    data = measured(["paper"], ["mnist"], [4])
    with pytest.raises(InputError, match=r"run with train = 50, not 60; run all seeds alike"):
        with_earlier(data, options([4], data=["mnist"], earlier=before, train=60))
    wider = options([4], data=["mnist"], earlier=before)
    wider.hidden = 1000  # an option of this study alone
    own = write_figure_data(tmp_path / "own", with_earlier(data, wider), study="sleep", scale="")
    with pytest.raises(InputError, match=r"run with hidden = 1000, not None"):
        with_earlier(data, options([5], data=["mnist"], earlier=own))
    one_set = data.isel(data=0, drop=True)  # its data are an option alone
    alone = write_figure_data(
        tmp_path / "one", with_earlier(one_set, options([4], data="mnist")), study="sleep", scale=""
    )
    with pytest.raises(InputError, match=r"run with data = mnist, not notmnist"):
        with_earlier(one_set, options([4], data="notmnist", earlier=alone))
    given = options([4], data=["mnist"], earlier=before)
    given.name = "replay"
    with pytest.raises(InputError, match="of the study sleep; give one of replay"):
        with_earlier(data, given)
    (tmp_path / "text").write_text("no netCDF")
    with pytest.raises(InputError, match="cannot be read"):
        with_earlier(data, options([4], data=["mnist"], earlier=tmp_path / "text"))


def test_a_file_that_does_not_say_how_it_was_run_is_refused(tmp_path: Path) -> None:
    data = measured(["paper"], ["mnist"], [4])
    path = write_figure_data(tmp_path, data, study="sleep", scale="mnist, 50 training and 20 test images")
    with pytest.raises(InputError, match="does not say how it was run"):
        with_earlier(data, options([5], data=["mnist"], earlier=path))


def test_a_command_names_no_folder_of_the_machine(tmp_path: Path) -> None:
    script = tmp_path / "source" / "studies" / "dsn" / "study.py"
    inside, outside = tmp_path / "source" / "figures" / "data" / "dsn.nc", tmp_path / "texts" / "novel.txt"
    words = [
        str(script),
        "--full",
        "--earlier",
        str(inside),
        f"--text={outside}",
        "--out",
        "/x",
        "--seeds",
        "4",
    ]
    found = "python studies/dsn/study.py --full --earlier figures/data/dsn.nc --text=novel.txt --seeds 4"
    assert study_command(words) == found


def test_a_table_counts_the_seeds_of_each_line(before: Path) -> None:
    added = (
        with_earlier(measured(["paper"], ["mnist"], [7]), options([7], data=["mnist"], earlier=before)) / 100
    )
    titles, dims = {"accuracy": "%"}, {"network": "network", "data": "data"}
    plain, counted = (table_of(added, titles, dims, counted=flag) for flag in (False, True))
    assert counted[0] == ["network", "data", "%", "seeds"]
    assert [row[-1] for row in counted[1:]] == ["4", "3"]
    assert "of 4 seeds" not in counted[2][2] and plain[2][2].endswith("(3 of 4 seeds)")
    alone = table_of(
        added.sel(data=["mnist"]), titles, dims, counted=True
    )  # as many columns where none is missing
    assert [len(row) for row in alone] == [4, 4]


def test_a_command_can_be_given_to_a_shell_again(tmp_path: Path) -> None:
    given = ["--networks", "SG-SNN", "recurrent SG-SNN, 2 layers", "--treatments", "sleep 10 %"]
    command = study_command([str(tmp_path / "studies" / "sleep_gradient" / "study.py"), *given])
    assert shlex.split(command) == ["python", "studies/sleep_gradient/study.py", *given]


def test_no_committed_result_names_a_folder_of_a_machine() -> None:
    root = Path(__file__).parents[2]
    texts = {path: path.read_text(encoding="utf-8") for path in root.glob("homeonet/claims/measured/*.json")}
    texts |= {path: path.read_text(encoding="utf-8") for path in root.glob("studies/*/table.md")}
    for path in root.glob("figures/data/*.nc"):
        texts[path] = " ".join(map(str, xr.load_dataset(path, engine="h5netcdf").attrs.values()))
    assert len(texts) > 30
    absolute = re.compile(r"(?<![\w.:/])(/[\w.-]+){2,}|[A-Z]:\\")
    assert {
        path.name: absolute.search(text)[0] for path, text in texts.items() if absolute.search(text)
    } == {}


def test_seeds_of_few_cases_are_named_apart(before: Path) -> None:
    given = options([7, 8], data=["mnist"], earlier=before)
    added = measured(["paper"], ["mnist"], [7, 8]).assign(other=("seed", [1.0, 2.0]))
    earlier = xr.load_dataset(before, engine="h5netcdf")
    many = [earlier.assign({f"x{k}": earlier["accuracy"] for k in range(4)})]
    write_figure_data(before.parent, many[0], study="sleep", scale="as before")
    found = with_earlier(added, given)
    assert scale_of(given, found).endswith("seeds 1 2 3; of some cases also 7 8")
