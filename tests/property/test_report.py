"""`draw_run` draws what there is, whole files, the same every time, and leaves no trace elsewhere."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from homeonet import plotting
from tests.support.synthetic import make_records


@pytest.fixture(scope="module")
def records():
    return make_records()


FIGURES = [
    "weight_trajectories",
    "total_weight",
    "rates",
    "raster",
    "weight_histograms",
    "receptive_fields",
    "confusion_logistic",
    "confusion_qda",
    "confusion_diehl_cook",
    "accuracy",
    "embedding",
]


def test_draw_run_draws_everything_twice_the_same(records, tmp_path):
    before = dict(matplotlib.rcParams)
    metrics = {"baselines": {"raw pixels": 0.91}}
    paths = plotting.draw_run(records, tmp_path / "new" / "figures", metrics=metrics)
    assert [p.name for p in paths] == [f"{name}.png" for name in FIGURES]
    assert sorted(p.name for p in (tmp_path / "new" / "figures").iterdir()) == sorted(p.name for p in paths)
    assert dict(matplotlib.rcParams) == before
    first = {p.name: p.read_bytes() for p in paths}
    for again in plotting.draw_run(records, tmp_path / "again", metrics=metrics):
        assert first[again.name] == again.read_bytes()
    width = matplotlib.image.imread(paths[1]).shape[1]
    assert width == round(plotting.COLUMN_WIDTH * 300)


def test_draw_run_draws_what_there_is(records, tmp_path):
    kept = records[["rate", "total_weight"]]
    paths = plotting.draw_run(kept, tmp_path, formats=("pdf", "svg"))
    assert [p.name for p in paths] == ["total_weight.pdf", "total_weight.svg", "rates.pdf", "rates.svg"]
    assert paths[0].read_bytes().startswith(b"%PDF")
    assert b"<svg" in paths[1].read_bytes()
    assert b"Date" not in paths[0].read_bytes()
    assert b"<dc:date>" not in paths[1].read_bytes()


def test_draw_run_leaves_out_the_embedding_of_a_silent_population(records, tmp_path):
    silent = records[["features_test", "labels_test", "rate"]]
    excitatory = np.arange(silent.sizes["unit"]) < silent.attrs["n_exc"]
    silent["features_test"] = silent["features_test"] * ~excitatory
    assert [p.name for p in plotting.draw_run(silent, tmp_path)] == ["rates.png"]


def test_records_survive_a_file(records, tmp_path):
    pytest.importorskip("h5py", reason="h5netcdf writes through h5py, which is not installed")
    import xarray as xr

    records.to_netcdf(tmp_path / "records.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "records.nc", engine="h5netcdf") as stored:
        paths = plotting.draw_run(stored.drop_vars(["features_test", "prediction"]), tmp_path)
    assert [p.stem for p in paths] == FIGURES[:6]
