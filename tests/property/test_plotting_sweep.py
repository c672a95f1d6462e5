"""Figures of sweeps: every seed is drawn, means are means, missing cells stay white."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

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
    assert band.get_paths()
    drawn = np.ma.filled(dots.get_offsets(), np.nan)
    finite = drawn[np.isfinite(drawn).all(axis=1)]
    np.testing.assert_allclose(finite, [[0, 60], [0, 70], [0.1, 80], [0.1, 90], [0.3, 50]])
    assert line.get_color() == plotting.SERIES[0] and artists["b"][0].get_color() == plotting.SERIES[1]
    np.testing.assert_allclose(artists["raw"][0].get_ydata(), [65, 65])


def test_too_many_or_no_series_are_refused(ax) -> None:
    a = series([[0.6], [0.7], [0.8]])
    for count in (0, 11):
        with pytest.raises(InputError, match=f"{count} series"):
            plotting.plot_against({str(k): a for k in range(count)}, ax, "ratio")


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
