"""What a user can get wrong: each is an `InputError` of one line that names the argument and the remedy."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr

from homeonet import analysis, plotting
from homeonet.errors import InputError
from tests.support.synthetic import make_records

X, Y = np.arange(24.0).reshape(12, 2) % 7, np.arange(12) % 3
HOLED = np.where(X[0, 0] == X, np.nan, X)


def _readout(**changes):
    good = {"name": "knn", "x_train": X, "y_train": Y, "x_test": X, "y_test": Y}
    return analysis.evaluate_readout(**(good | changes))


PRE = xr.Dataset({"pre_input_exc": ("synapse_input_exc", [0, 4])})
CASES = {
    "unknown readout": (lambda: _readout(name="svm"), "svm.*logistic, qda, knn, diehl_cook"),
    "NaN in training": (lambda: _readout(x_train=HOLED), "x_train.*NaN"),
    "inf in test": (lambda: _readout(x_test=X / 0 + 1), "x_test.*NaN or inf"),
    "classes missing": (lambda: _readout(y_test=Y + 2), "y_train lacks the classes 3, 4"),
    "different units": (lambda: _readout(x_test=X[:, :1]), "x_train has 2 units and x_test 1"),
    "labels too short": (lambda: _readout(y_train=Y[:5]), "y_train.*12 observations"),
    "labels not finite": (lambda: _readout(y_train=np.where(Y == 1, np.nan, Y)), "y_train.*NaN"),
    "negative counts": (lambda: _readout(x_train=-X), "counts.*negative"),
    "one dimension": (lambda: _readout(x_train=X[:, 0]), r"x_train.*\(12,\)"),
    "no test image": (lambda: _readout(x_test=X[:0], y_test=Y[:0]), "x_test has 0 rows"),
    "text": (lambda: _readout(x_train="counts"), "x_train is str"),
    "strength": (lambda: _readout(name="logistic", strength=0), "strength is 0"),
    "n_exc": (lambda: _readout(name="diehl_cook", n_exc=3), "n_exc is 3.*1 to 2"),
    "knn few": (lambda: _readout(x_train=X[:4], y_train=Y[:4]), "x_train has 4 images"),
    "tune few": (lambda: _readout(name="logistic", x_train=X[:4], y_train=Y[:4], tune=True), "tune=False"),
    "wilson n": (lambda: analysis.wilson_interval(1, 0), "n = 0"),
    "wilson successes": (lambda: analysis.wilson_interval(5, 4), "successes is 5"),
    "level": (lambda: analysis.mean_interval([1, 2], level=95), "level is 95"),
    "one value": (lambda: analysis.mean_interval([1.0]), "values has 1 values"),
    "bootstrap method": (lambda: analysis.bootstrap_interval([1, 2], method="x"), "method is 'x'.*BCa"),
    "bootstrap resamples": (lambda: analysis.bootstrap_interval([1, 2], n_resamples=0), "n_resamples is 0"),
    "pairs": (lambda: analysis.paired_permutation_test([1, 2], [1, 2, 3]), "first has 2.*second 3"),
    "p-value": (lambda: analysis.holm_correction([0.1, 1.2]), "p_values.*1.2"),
    "one class": (lambda: analysis.clustering_score(X, Y * 0), "labels has 1 classes"),
    "variance": (lambda: analysis.clustering_score(X, Y, variance=1.5), "variance is 1.5"),
    "cka rows": (lambda: analysis.linear_cka(X, X[:3]), "first has 12 images and second 3"),
    "ranks": (lambda: analysis.rank_correlation([1, 2], [1, 2, 3]), "first has 2"),
    "embedding method": (lambda: analysis.embed(X, method="umap"), "umap.*tsne"),
    "perplexity": (lambda: analysis.embed(X, perplexity=12), "perplexity is 12.*12 images"),
    "silent code": (lambda: analysis.embed(X * 0), "silent network has no embedding"),
    "duration": (lambda: analysis.unit_rates(X, 0), "duration is 0 s"),
    "negative rate": (lambda: analysis.unit_rates(-X, 1), "counts.*≥ 0"),
    "saturation": (lambda: analysis.activity_summary(X, 1, saturation_rate=0), "saturation_rate is 0 Hz"),
    "no predictions": (lambda: analysis.confusion_matrix([], []), "labels is empty"),
    "drift": (lambda: analysis.drift([1, 2], [1, 2, 3]), "start has 2 values and end 3"),
    "no synapses": (lambda: analysis.synaptic_operations(xr.Dataset(), {}), "no pre_P of any pathway"),
    "no source": (lambda: analysis.synaptic_operations(PRE, {}), "spikes lacks 'input'"),
    "few units": (lambda: analysis.synaptic_operations(PRE, {"input": X}), "has 2 units; input_exc needs 5"),
    "no pathway": (lambda: analysis.weight_summary(xr.Dataset()), "no w_initial_P"),
    "quantile": (lambda: analysis.weight_summary(make_records(), quantiles=[5]), "quantiles is .5."),
    "which": (lambda: analysis.receptive_fields(make_records(), which="last"), "which is 'last'"),
    "no asleep": (lambda: analysis.sleep_episodes(xr.Dataset()), "records has no asleep, time"),
    "overlap": (
        lambda: analysis.field_overlap(xr.DataArray(np.ones((1, 2, 2))), xr.DataArray(np.ones((2, 2, 2)))),
        "equal .unit, row, col",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_named_in_one_line(case):
    call, message = CASES[case]
    with np.errstate(all="ignore"), pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_receptive_fields_need_indices_within_the_image():
    records = make_records()
    records["pre_input_exc"] = records["pre_input_exc"] + 1
    with pytest.raises(InputError, match=r"pre_input_exc spans 1…225; give indices from 0 to 224"):
        analysis.receptive_fields(records)
    del records.attrs["image_width"]
    with pytest.raises(InputError, match="attribute image_width"):
        analysis.receptive_fields(records)


PLOTS = {
    "plot_weight_trajectories": ("pathway_mean", {}),
    "plot_total_weight": ("total_weight", {}),
    "plot_weight_histograms": ("w_final_exc_exc", {"pathway": "exc_exc"}),
    "plot_rates": ("rate", {}),
    "plot_raster": ("raster_unit", {}),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_names_the_variable_it_misses(name):
    variable, options = PLOTS[name]
    _, axes = plotting.new_figure()
    with pytest.raises(InputError, match=f"records has no {variable}"):
        getattr(plotting, name)(make_records().drop_vars(variable), axes[0, 0], **options)


def _axes():
    return plotting.new_figure()[1][0, 0]


DRAWINGS = {
    "pathway": (
        lambda: plotting.plot_weight_trajectories(make_records(), _axes(), pathways=("x",)),
        "names x",
    ),
    "histogram": (lambda: plotting.plot_weight_histograms(make_records(), _axes(), pathway="x"), "'x'"),
    "bins": (
        lambda: plotting.plot_weight_histograms(make_records(), _axes(), pathway="exc_exc", bins=0),
        "bins is 0",
    ),
    "window": (lambda: plotting.plot_raster(make_records(), _axes(), start=3, stop=3), "3 … 3 s"),
    "fields": (lambda: plotting.plot_receptive_fields(xr.DataArray(np.ones((2, 2))), _axes()), r"\(2, 2\)"),
    "accuracy": (lambda: plotting.plot_accuracies({"a": 91.0}, _axes()), "'a' is 91.0"),
    "no accuracy": (lambda: plotting.plot_accuracies({}, _axes()), "results is empty"),
    "one run": (lambda: plotting.plot_sleep_comparison({"a": make_records()}, [_axes()] * 2), "has 1 runs"),
    "size": (lambda: plotting.new_figure(width=0), "0 × 2.2 inch"),
    "format": (lambda: plotting.draw_run(make_records(), "x", formats=["bmp"]), "bmp.*png, svg, pdf"),
    "empty": (lambda: plotting.draw_run(xr.Dataset(), "x"), "nothing to draw"),
}


@pytest.mark.parametrize("case", DRAWINGS)
def test_bad_drawings_are_named(case):
    call, message = DRAWINGS[case]
    with pytest.raises(InputError, match=message):
        call()


def test_a_failed_save_leaves_the_old_figure_and_nothing_else(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    records = make_records()[["total_weight", "asleep"]]
    (path,) = plotting.draw_run(records, tmp_path)
    before = path.read_bytes()

    def half(self, target, **options):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", half)
    with pytest.raises(OSError, match="disk full"):
        plotting.draw_run(records, tmp_path)
    assert os.listdir(tmp_path) == ["total_weight.png"]
    assert path.read_bytes() == before
