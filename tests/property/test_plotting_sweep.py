"""Figures of sweeps: every seed is drawn, means are means, missing cells stay white."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from homeonet import InputError, plotting


@pytest.fixture
def ax():
    with plotting.use_style():
        yield plotting.new_figure()[1][0, 0]


def series(values) -> xr.DataArray:
    values = np.array(values, dtype=float)
    return xr.DataArray(values, {"ratio": [0.0, 0.1, 0.3], "seed": range(values.shape[1])}, ("ratio", "seed"))


def test_means_intervals_and_every_seed_are_drawn(ax) -> None:
    a = series([[0.6, 0.7], [0.8, 0.9], [0.5, np.nan]])
    artists = plotting.plot_against({"a": a, "b": a - 0.1}, ax, "ratio", baselines={"raw": 0.65}, scale=100)
    line, band, dots = artists["a"]
    np.testing.assert_allclose(line.get_ydata(), [65, 85, 50])
    np.testing.assert_allclose(line.get_xdata(), [0, 0.1, 0.3])
    ends = band.get_paths()[0].vertices
    half = stats.t.ppf(0.975, 1) * 100 * np.std([0.6, 0.7], ddof=1) / np.sqrt(2)
    at_zero = ends[ends[:, 0] == 0, 1]
    np.testing.assert_allclose([at_zero.min(), at_zero.max()], [65 - half, 65 + half])
    drawn = np.ma.filled(dots.get_offsets(), np.nan)
    finite = drawn[np.isfinite(drawn).all(axis=1)]
    np.testing.assert_allclose(finite, [[0, 60], [0, 70], [0.1, 80], [0.1, 90], [0.3, 50]])
    assert line.get_color() == plotting.SERIES[0] and artists["b"][0].get_color() == plotting.SERIES[1]
    np.testing.assert_allclose(artists["raw"][0].get_ydata(), [65, 65])


def test_a_line_is_of_the_seeds_that_were_run_all_along_it(ax) -> None:
    a = series([[0.6, 0.7, 0.9, 0.9], [np.nan] * 4, [0.5, 0.6, np.nan, np.nan]])
    line, _, dots = plotting.plot_against({"a": a}, ax, "ratio")["a"]
    np.testing.assert_allclose(line.get_ydata(), [0.65, np.nan, 0.55])
    assert np.isfinite(np.ma.filled(dots.get_offsets(), np.nan)).all(axis=1).sum() == 4


def test_a_map_of_differences_has_its_centre_in_the_middle_of_the_colours(ax) -> None:
    gains = xr.DataArray([[-1.0, 0.5], [3.0, 0.0]], {"y": [1, 2], "x": [1, 2]}, ("y", "x"))
    image = plotting.plot_heat_map(gains, ax, x="x", y="y", label="", centre=0.0)
    assert image.norm(0.0) == 0.5 and image.norm(3.0) == 1.0 and image.norm(-3.0) == 0.0
    image = plotting.plot_heat_map(gains, ax, x="x", y="y", label="", centre=1.0, reach=4.0)
    assert image.norm(1.0) == 0.5 and image.norm(5.0) == 1.0


def test_too_many_or_no_series_are_refused(ax) -> None:
    a = series([[0.6], [0.7], [0.8]])
    for count in (0, 11):
        with pytest.raises(InputError, match=f"{count} series"):
            plotting.plot_against({str(k): a for k in range(count)}, ax, "ratio")


def test_differences_are_rows_with_their_interval_every_seed_and_what_would_not_matter(ax) -> None:
    values = [[1.0, 2.0, 4.5], [-1.0, np.nan, np.nan], [np.nan] * 3]
    gains = xr.DataArray(values, {"case": ["a", "b", "c"], "seed": [1, 2, 3]}, ("case", "seed"))
    bars = plotting.plot_differences(gains, ax, "case", margin=0.5, colours=["red", "blue", "green"])
    assert len(bars) == 1  # one value has no interval, none has no row
    ((low, high),) = bars[0].lines[2][0].get_segments()
    sample = np.array(values[0])
    half = stats.t.ppf(0.975, 2) * sample.std(ddof=1) / np.sqrt(3)
    np.testing.assert_allclose([low, high], [[2.5 - half, 0], [2.5 + half, 0]])
    dots = {line.get_color(): line.get_xdata().tolist() for line in ax.lines if line.get_marker() == "o"}
    assert dots == {"red": values[0], "blue": [-1.0], "green": []}
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b", "c"]
    assert ax.get_ylim() == (2.5, -0.5)  # the first on top
    (shaded,) = ax.patches
    assert (shaded.get_x(), shaded.get_width()) == (-0.5, 1.0)


def test_differences_without_a_dimension_or_with_too_few_colours_are_refused(ax) -> None:
    gains = xr.DataArray([[1.0, 2.0]], {"case": ["a"], "seed": [1, 2]}, ("case", "seed"))
    with pytest.raises(InputError, match="no dimension 'rule'; it has case, seed"):
        plotting.plot_differences(gains, ax, "rule")
    with pytest.raises(InputError, match="colours has 2 entries; give one for each of the 1 rows"):
        plotting.plot_differences(gains, ax, "case", colours=["red", "blue"])


def test_the_map_shows_means_and_leaves_failures_white(ax) -> None:
    values = xr.DataArray(
        np.array([[[0.5, 0.7], [0.9, 0.9]], [[0.4, np.nan], [np.nan, np.nan]]]),
        {"sigma": [0.0, 3.0], "ratio": [0.1, 0.3], "seed": [1, 2]},
        ("sigma", "ratio", "seed"),
    )
    image = plotting.plot_heat_map(values, ax, x="ratio", y="sigma", label="%", scale=100)
    np.testing.assert_allclose(np.ma.filled(image.get_array(), np.nan), [[60, 90], [40, np.nan]])
    assert sorted(text.get_text() for text in ax.texts) == ["40.0", "60.0", "90.0"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.1", "0.3"]
    assert image.colorbar.ax.get_ylabel() == "%"
