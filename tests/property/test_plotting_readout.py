"""Receptive fields, confusions, embeddings and accuracies are drawn where and as they should be."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from homeonet import analysis, plotting
from tests.support.synthetic import make_records


@pytest.fixture(scope="module")
def records():
    return make_records()


@pytest.fixture
def ax():
    with plotting.use_style():
        yield plotting.new_figure()[1][0, 0]


def test_receptive_fields_are_tiled_in_order(records, ax):
    fields = analysis.receptive_fields(records, absent=np.nan)
    image = plotting.plot_receptive_fields(fields, ax, max_units=7, columns=3, vmax=0.5)
    canvas = image.get_array().filled(np.nan)
    assert canvas.shape == (3 * 16 - 1, 3 * 16 - 1)
    for unit, (top, left) in {0: (0, 0), 2: (0, 32), 4: (16, 16), 6: (32, 0)}.items():
        np.testing.assert_array_equal(canvas[top : top + 15, left : left + 15], fields[unit])
    assert np.all(canvas[15] == -1)
    assert image.get_clim() == (0, 0.5)
    assert to_hex(image.cmap(-0.1)) == "#ffffff"
    assert ax.figure.axes[1].get_ylabel() == "weight (dimensionless)"


def test_confusion_shows_shares_and_counts(ax):
    confusion = analysis.confusion_matrix([0, 0, 0, 1], [0, 0, 1, 1])
    artists = plotting.plot_confusion(confusion, ax)
    np.testing.assert_allclose(artists["image"].get_array(), [[2 / 3, 1 / 3], [0, 1]])
    assert [(t.get_position(), t.get_text()) for t in artists["numbers"]] == [
        ((0, 0), "2"),
        ((1, 0), "1"),
        ((1, 1), "1"),
    ]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")


def test_embedding_gives_ten_classes_ten_looks(records, ax):
    labels = records["labels_test"].to_numpy()
    embedding = analysis.embed(records["features_test"].to_numpy(), labels, method="pca")
    artists = plotting.plot_embedding(embedding, labels, ax, names={3: "three"})
    quality = artists.pop("quality").get_text()
    assert list(artists) == ["0", "1", "2", "three", "4", "5", "6", "7", "8", "9"]
    np.testing.assert_allclose(artists["three"].get_offsets(), embedding.coordinates[labels == 3])
    assert len({to_hex(a.get_facecolor()[0]) for a in artists.values()}) == 10
    assert len({a.get_paths()[0].vertices.tobytes() for a in artists.values()}) == 10
    assert f"trustworthiness {embedding.trustworthiness:.2f}" in quality
    assert f"Φ {embedding.phi:.1f}" in quality


def test_many_classes_have_looks_of_their_own_and_room(ax):
    labels = np.repeat(np.arange(24), 6)
    embedding = analysis.embed(np.random.default_rng(0).random((len(labels), 5)), labels, method="pca")
    artists = plotting.plot_embedding(embedding, labels, ax)
    del artists["quality"]
    looks = {(to_hex(a.get_facecolor()[0]), a.get_paths()[0].vertices.tobytes()) for a in artists.values()}
    assert len(looks) == len(artists) == 24
    axes = plotting.new_figure(1, 2)[1][0]
    legends = [
        ax.get_legend(),
        plotting.plot_embedding(embedding, labels % 10, axes[0])["0"].axes.get_legend(),
    ]
    assert [legend._ncols for legend in legends] == [2, 1]
    plotting.plot_confusion(analysis.confusion_matrix(labels, labels), axes[1])
    assert {t.get_rotation() for t in axes[1].get_xticklabels()} == {90.0}
    assert axes[1].get_xticklabels()[0].get_fontsize() < 5.5


def test_accuracies_have_intervals_and_grey_baselines(ax):
    results = [analysis.ReadoutResult("diehl_cook", 0.6, 0.5, 0.72, 90, np.zeros(90))]
    pixels = analysis.wilson_interval(90, 100, level=0.95)
    artists = plotting.plot_accuracies(
        results, ax, baselines={"raw pixels": pixels, "frozen": 0.4}, chance=0.1
    )
    ends = {}
    for name in ("diehl_cook", "raw pixels", "frozen"):
        point, _, (bar,) = artists[name]
        ends[name] = (point.get_xdata()[0], *bar.get_segments()[0][:, 0])
    assert ends["diehl_cook"] == pytest.approx((60, 50, 72))
    assert ends["raw pixels"] == pytest.approx((90, 100 * pixels.low, 100 * pixels.high))
    assert ends["frozen"] == pytest.approx((40, 40, 40))
    assert artists["frozen"][0].get_color() == plotting.COLOURS["baseline"]
    assert artists["chance"].get_xdata()[0] == 10
    assert ax.get_xlabel() == "test accuracy (%), 95 % interval"
    assert [t.get_text() for t in ax.get_yticklabels()] == ["diehl cook", "raw pixels", "frozen"]
