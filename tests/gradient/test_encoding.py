"""Images as sequences, and their random changes: against indices written out, and laws of chance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from homeonet.data import load
from homeonet.errors import InputError
from homeonet.gradient.training import TrainConfig, augmented, encoded, train_config
from homeonet.runs.gradient import train

SIDE, BATCH = 6, 5
ENCODINGS = ("direct", "poisson", "columns", "pixels", "permuted")
KINDS = [("crop",), ("flip",), ("cutout",), ("crop", "flip", "cutout")]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int = BATCH, side: int = SIDE, dtype: torch.dtype = torch.float32) -> Tensor:
    """Images of positive pixels that are all different."""
    values = torch.randperm(n * side * side, generator=seeded(4)) + 1
    return (values / (n * side * side)).to(dtype).view(n, 1, side, side)


def setting(encoding: str, **values: object) -> TrainConfig:
    return train_config(encoding=encoding, size=SIDE, **values)


# -------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_sequences_have_the_shape_that_the_network_is_built_for(encoding: str, dtype: torch.dtype) -> None:
    config = setting(encoding, steps=7)
    x = encoded(pictures(dtype=dtype), config, seeded())
    assert x.shape == (config.sequence_steps, BATCH, *config.step_shape)
    assert x.dtype == dtype and x.min() >= 0 and x.max() <= 1


def test_direct_is_the_image_at_every_step() -> None:
    images = pictures()
    x = encoded(images, setting("direct", steps=3), seeded())
    assert len(x) == 3 and all((x_t == images).all() for x_t in x)


def test_poisson_s_mean_is_the_intensity() -> None:
    n_steps = 2000
    images = torch.linspace(0, 1, BATCH * SIDE**2, dtype=torch.float64).view(BATCH, 1, SIDE, SIDE)
    spikes = encoded(images, setting("poisson", steps=n_steps), seeded(11))
    assert set(spikes.unique().tolist()) == {0.0, 1.0}
    counts, variance = spikes.sum(0), n_steps * images * (1 - images)
    assert ((counts - n_steps * images).abs() <= 5.5 * variance.sqrt()).all()  # never and always are exact
    uncertain = variance > 0
    chi_squared = ((counts - n_steps * images)[uncertain] ** 2 / variance[uncertain]).sum()
    n = int(uncertain.sum())
    assert abs(chi_squared - n) < 5 * (2 * n) ** 0.5  # neither more nor less regular than chance


def test_poisson_s_steps_are_independent() -> None:
    x = encoded(torch.full((BATCH, 1, SIDE, SIDE), 0.3), setting("poisson", steps=2000), seeded(12)) - 0.3
    products = (x[1:] * x[:-1]).flatten()
    assert abs(products.mean()) < 5 * 0.3 * 0.7 / len(products) ** 0.5


def test_poisson_follows_its_generator() -> None:
    config = setting("poisson", steps=20)
    first, same, other = (encoded(pictures(), config, seeded(seed)) for seed in (1, 1, 2))
    assert (first == same).all() and not (first == other).all()


def test_columns_are_read_from_left_to_right() -> None:
    images = pictures()
    x = encoded(images, setting("columns"), seeded())
    for t in range(SIDE):
        assert (x[t, :, 0] == images[:, 0, :, t]).all()


def test_pixels_are_read_row_by_row() -> None:
    images = pictures()
    x = encoded(images, setting("pixels"), seeded())
    for t in range(SIDE**2):
        assert (x[t, :, 0] == images[:, 0, t // SIDE, t % SIDE]).all()


def test_a_series_is_a_value_a_step() -> None:
    config = train_config(data="series:any.npz", size=12)
    assert (config.encoding, config.sequence_steps, config.step_shape) == ("series", 12, (1,))
    series = torch.arange(36.0).view(3, 1, 1, 12)
    x = encoded(series, config, seeded())
    assert x.shape == (12, 3, 1) and all(x[t, b, 0] == 12 * b + t for t in range(12) for b in range(3))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"encoding": "series"}, "series:FILE"),
        ({"data": "series:x", "encoding": "pixels"}, 'set encoding = "series"'),
        ({"data": "series:x", "augment": "flip"}, "leave it out for series"),
        ({"size": 300}, "at most 256"),
    ],
)
def test_what_does_not_go_with_series_or_images_is_refused(values: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        train_config(**values)


def test_a_network_learns_to_tell_series_apart(tmp_path) -> None:
    y = np.resize([0, 1], 180)
    x = np.random.default_rng(0).normal(scale=0.3, size=(180, 20)) + (2 * y[:, None] - 1)
    np.savez(tmp_path / "levels.npz", x_train=x[:120], y_train=y[:120], x_test=x[120:], y_test=y[120:])
    config = train_config(
        neuron="dsn", net="sequence", data=f"series:{tmp_path / 'levels.npz'}", size=20,
        train=120, val=0, test=60, epochs=2, batch=10, lr=1e-2, **{"net_options.width": 8},
    )  # fmt: skip
    assert train(config, tmp_path / "out").metrics["accuracy.test"] > 0.9


def test_permuted_is_one_order_of_the_pixels_for_all_runs() -> None:
    places = torch.arange(float(SIDE**2)).view(1, 1, SIDE, SIDE)
    order = encoded(places, setting("permuted"), seeded()).flatten().long()
    assert order.sort().values.equal(torch.arange(SIDE**2)) and not order.equal(order.sort().values)
    x = encoded(pictures(), setting("permuted", seed=9), seeded(3))
    undone = torch.empty_like(x)
    undone[order] = x
    assert undone.equal(encoded(pictures(), setting("pixels"), seeded()))


# ----------------------------------------------------------------------------------------------- augmentation


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("side", [4, 7, 16])
@pytest.mark.parametrize("kinds", KINDS)
def test_shape_type_and_range_are_kept(kinds: tuple[str, ...], side: int, dtype: torch.dtype) -> None:
    images = pictures(40, side, dtype)
    before = images.clone()
    changed = augmented(images, kinds, seeded())
    assert changed.shape == images.shape and changed.dtype == dtype
    assert changed.min() >= 0 and changed.max() <= images.max()
    assert images.equal(before) and not changed.equal(before)


@pytest.mark.parametrize("kinds", KINDS)
def test_changes_follow_their_generator(kinds: tuple[str, ...]) -> None:
    first, same, other = (augmented(pictures(20), kinds, seeded(seed)) for seed in (1, 1, 2))
    assert first.equal(same) and not first.equal(other)


def test_without_kinds_nothing_is_changed_or_drawn() -> None:
    generator = seeded(1)
    assert augmented(pictures(), (), generator).equal(pictures())
    assert torch.rand(1, generator=generator).equal(torch.rand(1, generator=seeded(1)))


def test_crops_are_the_windows_of_the_padded_image() -> None:
    n, side, margin = 600, 16, 2
    images = pictures(1, side).expand(n, -1, -1, -1)
    padded = np.pad(images[0, 0].numpy(), margin)
    windows = {
        padded[row : row + side, column : column + side].tobytes(): (row, column)
        for row in range(2 * margin + 1)
        for column in range(2 * margin + 1)
    }
    assert len(windows) == 25
    found = [windows[image.numpy().tobytes()] for image in augmented(images, ("crop",), seeded(5))]
    counts = np.array([found.count(place) for place in windows.values()])
    assert ((counts - n / 25) ** 2 / (n / 25)).sum() < 24 + 5 * 48**0.5  # all places alike


def test_half_of_the_images_are_flipped() -> None:
    n = 1000
    images = pictures(n)
    changed = augmented(images, ("flip",), seeded(6))
    mirrored = torch.from_numpy(images.numpy()[..., ::-1].copy())
    kept, flipped = (
        (changed == which).all(-1).all(-1).flatten().sum().item() for which in (images, mirrored)
    )
    assert kept + flipped == n and abs(flipped - n / 2) < 5 * (n / 4) ** 0.5


def test_cutout_erases_one_square_that_may_lie_across_the_edge() -> None:
    side, hole = 8, 2
    images = pictures(500, side)
    changed = augmented(images, ("cutout",), seeded(7))
    corners = set()
    for before, after in zip(images[:, 0].numpy(), changed[:, 0].numpy(), strict=True):
        rows, columns = np.nonzero(after == 0)
        expected = before.copy()
        top, left, bottom, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
        expected[top:bottom, left:right] = 0
        assert (after == expected).all()
        for start, stop in ((top, bottom), (left, right)):
            assert stop - start == hole or (stop - start < hole and (start == 0 or stop == side))
        corners.add((top if bottom > 1 else -1, left if right > 1 else -1))
    assert len(corners) == (side + hole - 1) ** 2  # from -1 to 7, down and across


def test_a_network_is_scored_on_unchanged_images() -> None:
    config = train_config(
        **{"neuron": "lif", "neuron_options.threshold": 0.1, "net": "sg_snn", "net_options.hidden": 12},
        **{"data": "geometric", "train": 40, "val": 0, "test": 30, "size": 8, "epochs": 1, "batch": 20},
        augment="crop,flip,cutout",
    )
    result = train(config, accelerator="cpu", figures=False, baselines=False)
    dataset = load("geometric", size=8, train=40, val=0, test=30, seed=config.seed)
    images = torch.from_numpy(dataset.x_test).float().view(-1, 1, 8, 8)
    hidden = []
    result.model.eval().neuron.register_forward_hook(lambda _, __, out: hidden.append(out.mean(0)))
    with torch.no_grad():
        votes = result.model(images.expand(config.steps, -1, -1, -1, -1)).mean(0)
    assert hidden[0].any() and len(votes.argmax(1).unique()) > 1
    np.testing.assert_allclose(result.records.hidden_rate_test, hidden[0], atol=1e-6)
    assert result.metrics["accuracy.test"] == (votes.argmax(1).numpy() == dataset.y_test).mean()


# ------------------------------------------------------------------------------------------------------ names


def test_names_may_be_a_list_or_have_commas() -> None:
    assert train_config(augment="crop, flip").augment == train_config(augment=["crop", "flip"]).augment


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"encoding": "morse"}, "encoding"),
        ({"augment": ["rotate"]}, "augment"),
        ({"augment": "crop,rotate"}, "augment"),
        ({"paradigm": "magic"}, "paradigm"),
        ({"schedule": "linear"}, "schedule"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
    ],
)
def test_unknown_names_are_refused(values: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        train_config(**values)


def test_unknown_changes_of_images_are_refused() -> None:
    with pytest.raises(InputError, match="rotate"):
        augmented(torch.zeros(1, 1, 8, 8), ["rotate"], torch.Generator())
