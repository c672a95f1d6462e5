"""Every figure shows what it was given: data, limits, labels with units, colours with their meaning."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba

from homeonet import analysis, plotting
from tests.support.synthetic import make_records


@pytest.fixture(scope="module")
def records():
    return make_records()


@pytest.fixture
def ax():
    with plotting.use_style():
        yield plotting.new_figure()[1][0, 0]


def _texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def _spans(collection):
    """Start and stop of each shaded span, in data coordinates."""
    boxes = [path.get_extents() for path in collection.get_paths()]
    return np.array([[box.x0, box.x1] for box in boxes])


def _fits(figure):
    """Nothing drawn reaches past the figure's edge, and no axis label lies on another or on a legend."""
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()  # inch
    width, height = figure.get_size_inches()
    boxes = [
        t.get_window_extent() for a in figure.axes for t in (a.xaxis.label, a.yaxis.label) if t.get_text()
    ]
    boxes += [a.get_legend().get_window_extent() for a in figure.axes if a.get_legend()]
    apart = all(not one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    return apart and min(drawn.x0, drawn.y0) > -0.01 and drawn.x1 < width + 0.01 and drawn.y1 < height + 0.01


def test_weight_trajectories_show_means_bands_and_sleep(records, ax):
    artists = plotting.plot_weight_trajectories(records, ax)
    for pathway in analysis.PATHWAYS:
        np.testing.assert_array_equal(
            artists[pathway].get_ydata(), records["pathway_mean"].sel(pathway=pathway)
        )
        assert artists[pathway].get_color() == plotting.COLOURS[pathway]
        corners = artists[f"{pathway} band"].get_paths()[0].vertices[:, 1]
        spread = records["weight_quantile"].sel(pathway=pathway)
        assert corners.min() == pytest.approx(float(spread.sel(quantile=0.05).min()))
        assert corners.max() == pytest.approx(float(spread.sel(quantile=0.95).max()))
    episodes = analysis.sleep_episodes(records)
    np.testing.assert_allclose(
        _spans(artists["sleep"]), np.column_stack([episodes["start"], episodes["stop"]])
    )
    assert ax.get_xlabel() == "simulated time (s)"
    assert ax.get_ylabel() == "weight (dimensionless)"
    assert ax.get_xlim() == (0, 599)
    assert ax.get_ylim()[0] == 0
    assert _texts(ax) == [*(plotting.PATHWAY_NAMES[p] for p in analysis.PATHWAYS), "sleep"]


def test_one_trajectory_names_its_band(records, ax):
    artists = plotting.plot_weight_trajectories(records, ax, pathways=("exc_inh",))
    assert set(artists) == {"exc_inh", "exc_inh band", "sleep"}
    assert _texts(ax) == ["exc. → inh.", "5–95 % of synapses", "sleep"]


def test_total_weight_is_relative_and_shows_both_thresholds(records, ax):
    artists = plotting.plot_total_weight(records, ax)
    relative = artists["total"].get_ydata()
    assert relative[0] == pytest.approx(1)
    np.testing.assert_allclose(relative, records["total_weight"] / records.attrs["w_total_initial"])
    assert set(artists["trigger"].get_ydata()) == {1.5}
    assert set(artists["base"].get_ydata()) == {1.05}
    low, high = ax.get_ylim()
    assert low < 1
    assert high > 1.5
    assert _texts(ax) == ["sleep begins: α = 1.5", "sleep ends: α = 1.05", "sleep"]


def test_total_weight_without_thresholds_or_sleep_draws_the_line_alone(ax):
    records = make_records(sleep=False)
    del records.attrs["alpha_trigger"]
    records.attrs["alpha_base"] = np.nan
    assert set(plotting.plot_total_weight(records, ax)) == {"total"}
    assert ax.get_legend() is None


@pytest.mark.parametrize("pathway", analysis.PATHWAYS)
def test_histograms_count_every_synapse_in_shared_bins(records, ax, pathway):
    artists = plotting.plot_weight_histograms(records, ax, pathway=pathway, bins=20)
    for when, stored in (("before", "initial"), ("after", "final")):
        counts, edges, _ = artists[when].get_data()
        assert counts.sum() == records[f"w_{stored}_{pathway}"].size
        assert edges.size == 21
    assert edges[-1] == pytest.approx(
        max(float(records[f"w_{w}_{pathway}"].max()) for w in ("initial", "final"))
    )
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight (dimensionless)", "synapses")
    assert ax.get_yscale() == "log"


def test_rates_are_in_hertz_and_coloured_by_population(records, ax):
    artists = plotting.plot_rates(records, ax)
    for population in ("exc", "inh"):
        np.testing.assert_array_equal(
            artists[population].get_ydata(), records["rate"].sel(population=population)
        )
        assert artists[population].get_color() == plotting.COLOURS[population]
    assert ax.get_ylabel() == "mean rate (Hz)"
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylim()[1] >= float(records["rate"].max())
    assert _texts(ax) == ["excitatory", "inhibitory", "sleep"]


def test_rates_of_a_long_run_are_means_awake_and_asleep_apart(ax):
    records = make_records(duration=2160)  # 30 cycles of 60 s awake and 12 s asleep
    records["rate"] = 10.0 - 7 * records["asleep"] + 0 * records["rate"]
    artists = plotting.plot_rates(records, ax)
    np.testing.assert_allclose(artists["exc"].get_ydata(), 10)
    np.testing.assert_allclose(artists["inh asleep"].get_ydata(), 3)
    assert artists["exc"].get_xdata().size <= 150
    times = artists["exc asleep"].get_xdata()
    assert np.all((times % 72 >= 60) & (np.diff(times, prepend=-1) > 0))
    assert _texts(ax) == ["excitatory", "inhibitory", "mean while asleep", "sleep"]


def test_averaging_keeps_the_mean_of_a_long_run():
    records = make_records(duration=1500, sleep=False)
    axes = plotting.new_figure()[1][0, 0]
    drawn = plotting.plot_rates(records, axes)["inh"].get_ydata()
    assert drawn.size == 150
    assert drawn.mean() == pytest.approx(float(records["rate"].sel(population="inh").mean()))


def test_raster_has_a_dot_for_each_spike_of_the_window(records, ax):
    artists = plotting.plot_raster(records, ax, start=56, stop=63)
    shown = (records["raster_time"] >= 56) & (records["raster_time"] <= 63)
    exc, inh = (artists[k].get_ydata() for k in ("exc", "inh"))
    assert exc.size + inh.size == int(shown.sum())
    assert exc.max() < 200 <= inh.min()
    assert ax.get_xlim() == (56, 63)
    assert [60.0, 72.0] in _spans(artists["sleep"]).tolist()
    assert [text.get_text() for text in ax.texts] == ["exc.", "inh."]


def test_raster_takes_the_recorded_window_by_default(records, ax):
    plotting.plot_raster(records, ax)
    assert ax.get_xlim() == (54, 66)


def test_sleep_shading_leaves_the_height_of_the_data(records):
    limits = []
    for drawn in (records, records.drop_vars("asleep")):
        axes = plotting.new_figure()[1][0, 0]
        axes.plot(drawn["time"], 40 + 0 * drawn["time"])
        plotting.shade_sleep(drawn, axes)
        limits.append(axes.get_ylim())
    assert limits[0] == limits[1]


def test_no_shading_for_a_run_that_never_slept(ax):
    assert plotting.shade_sleep(make_records(sleep=False), ax) is None


def test_colours_of_one_figure_differ_in_lightness_or_hue():
    for names in (("exc", "inh", "sleep"), analysis.PATHWAYS):
        shades = np.array([to_rgba(plotting.COLOURS[n])[:3] for n in names])
        distance = np.linalg.norm(shades[:, None] - shades[None], axis=2)
        assert distance[np.triu_indices(len(names), 1)].min() > 0.3
    assert len(set(plotting.SERIES)) == len(set(plotting.MARKERS)) == 10


@pytest.mark.parametrize("log", [False, True])
def test_comparison_overlays_runs_and_shades_the_sleeper(records, log):
    awake = make_records(sleep=False, seed=1)
    with plotting.use_style():
        figure, axes = plotting.new_figure(2, 1, height=3.2, sharex=True)
        artists = plotting.plot_sleep_comparison({"no sleep": awake, "20 %": records}, axes[:, 0], log=log)
        assert _fits(figure)
    np.testing.assert_array_equal(
        artists["20 %"]["weight"].get_ydata(), records["pathway_mean"].sel(pathway="exc_exc")
    )
    np.testing.assert_array_equal(
        artists["no sleep"]["rate"].get_ydata(), awake["rate"].sel(population="exc")
    )
    assert "sleep" not in artists["no sleep"]
    assert to_hex(artists["20 %"]["sleep"].get_facecolor()[0]) == to_hex(artists["20 %"]["rate"].get_color())
    assert _texts(axes[0, 0]) == ["no sleep", "20 %", "asleep (in the run's colour)"]
    assert axes[1, 0].get_ylabel() == "mean rate (Hz)"
    assert axes[0, 0].get_yscale() == ("log" if log else "linear")


def test_comparison_of_long_runs_fits():
    runs = {str(k): make_records(duration=1500, sleep=k > 0, seed=k) for k in range(3)}
    with plotting.use_style():
        figure, axes = plotting.new_figure(2, 1, height=3.2, sharex=True)
        artists = plotting.plot_sleep_comparison(runs, axes[:, 0])
        assert _fits(figure)
    assert "rate asleep" not in artists["0"]
    assert artists["2"]["rate asleep"].get_color() == artists["2"]["rate"].get_color()
    assert _texts(axes[0, 0])[-1] == "mean rate while asleep"


def test_two_sleepers_share_the_height(records):
    axes = plotting.new_figure(2, 1)[1][:, 0]
    artists = plotting.plot_sleep_comparison({"a": records, "b": records}, axes)
    heights = [artists[k]["sleep"].get_paths()[0].get_extents().intervaly.tolist() for k in "ab"]
    assert heights == [[0, 0.5], [0.5, 1]]


@pytest.mark.parametrize(
    "draw",
    [
        plotting.plot_total_weight,
        plotting.plot_rates,
        plotting.plot_raster,
        plotting.plot_weight_trajectories,
    ],
)
def test_figures_fit_a_column(records, draw):
    with plotting.use_style():
        figure, axes = plotting.new_figure()
        draw(records, axes[0, 0])
        assert _fits(figure)


def test_style_leaves_no_trace(records):
    before = dict(matplotlib.rcParams)
    with plotting.use_style():
        assert matplotlib.rcParams["font.size"] == 8
    assert dict(matplotlib.rcParams) == before
