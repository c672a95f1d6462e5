"""Corruptions of images against closed forms and Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from homeonet.data import CORRUPTIONS, SEVERITIES, corrupt
from homeonet.errors import InputError

SD = (0.08, 0.12, 0.18, 0.26, 0.38)
BLUR = (0.02, 0.035, 0.05, 0.065, 0.08)
KEPT = (0.4, 0.3, 0.2, 0.1, 0.05)
DEGREES = (8, 16, 24, 32, 40)
SHIFT = (0.04, 0.08, 0.12, 0.16, 0.2)


def blobs(n: int, side: int, width: float = 0.1) -> np.ndarray:
    """Smooth, asymmetric images: two blobs of unlike height within the middle."""
    y, x = np.mgrid[:side, :side] / (side - 1)
    one = np.exp(-((x - 0.4) ** 2 + (y - 0.42) ** 2) / width**2)
    other = 0.5 * np.exp(-((x - 0.62) ** 2 + (y - 0.55) ** 2) / width**2)
    return np.tile(np.clip(one + other, 0, 1).astype(np.float32), (n, 1, 1))


@pytest.mark.parametrize("severity", SEVERITIES)
def test_noise_has_its_standard_deviation(severity):
    grey = np.full((40, 30, 30), 0.5, dtype=np.float32)
    noise = corrupt(grey, "noise", severity, seed=1) - 0.5
    draws = np.random.default_rng(0).normal(0, SD[severity - 1], 200_000)
    expected = np.clip(draws, -0.5, 0.5).std()
    assert noise.std() == pytest.approx(expected, rel=0.02)
    assert abs(noise.mean()) < 4 * SD[severity - 1] / np.sqrt(noise.size)
    neighbours = np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1]
    assert abs(neighbours) < 0.03


@pytest.mark.parametrize("severity", SEVERITIES)
def test_blur_spreads_a_point_as_the_gaussian(severity):
    side = 41
    point = np.zeros((1, side, side), dtype=np.float32)
    point[0, 20, 20] = 1
    found = corrupt(point, "blur", severity, seed=0)[0]
    d = np.arange(side) - 20
    kernel = np.exp(-(d**2) / (2 * (BLUR[severity - 1] * side) ** 2))
    kernel /= kernel.sum()
    np.testing.assert_allclose(found, np.outer(kernel, kernel), atol=2e-4)
    assert found.sum() == pytest.approx(1, abs=1e-4)


@given(severity=st.sampled_from(SEVERITIES), side=st.integers(2, 20), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_contrast_keeps_means_and_shrinks_deviations(severity, side, seed):
    images = np.random.default_rng(seed).random((3, side, side), dtype=np.float32)
    found = corrupt(images, "contrast", severity, seed=seed)
    np.testing.assert_allclose(found.mean((1, 2)), images.mean((1, 2)), atol=1e-5)
    np.testing.assert_allclose(found.std((1, 2)), KEPT[severity - 1] * images.std((1, 2)), atol=1e-5)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_rotation_is_pillows_one_way_or_the_other(severity):
    images = blobs(20, 33)
    found = corrupt(images, "rotation", severity, seed=3)
    source = Image.fromarray(images[0])
    ways = [
        np.array(source.rotate(sign * DEGREES[severity - 1], Image.Resampling.BILINEAR)) for sign in (-1, 1)
    ]
    gaps = np.array([[np.abs(image - way).max() for way in ways] for image in found])
    assert (gaps.min(axis=1) < 1e-3).all()
    assert set(gaps.argmin(axis=1)) == {0, 1}


@pytest.mark.parametrize("severity", SEVERITIES)
def test_translation_moves_the_centre_of_mass_by_its_length(severity):
    side = 50
    images = blobs(30, side, 0.05)
    found = corrupt(images, "translation", severity, seed=3)
    y, x = np.mgrid[:side, :side]
    centres = [
        np.stack([(x * a).sum((1, 2)), (y * a).sum((1, 2))], 1) / a.sum((1, 2))[:, None]
        for a in (images, found)
    ]
    moved = centres[1] - centres[0]
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), SHIFT[severity - 1] * side, atol=0.02)
    assert len(set(np.sign(moved[:, 0]) + 3 * np.sign(moved[:, 1]))) == 4  # into every quadrant


def test_black_comes_in_from_outside():
    white = np.ones((8, 20, 20), dtype=np.float32)
    for kind in ("rotation", "translation"):
        found = corrupt(white, kind, 5, seed=0)
        assert (found.min((1, 2)) == 0).all() and (found[:, 10, 10] > 0.999).all()


@given(
    kind=st.sampled_from(CORRUPTIONS),
    severity=st.sampled_from(SEVERITIES),
    n=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_seeds_decide_and_the_first_images_do_not_depend_on_the_rest(kind, severity, n, seed):
    images = np.random.default_rng(n).random((5, 12, 12), dtype=np.float32)
    before = images.copy()
    found = corrupt(images, kind, severity, seed=seed)
    np.testing.assert_array_equal(images, before)
    assert found.dtype == np.float32 and found.shape == images.shape
    assert found.min() >= 0 and found.max() <= 1
    np.testing.assert_array_equal(corrupt(images, kind, severity, seed=seed), found)
    np.testing.assert_array_equal(corrupt(images[:n], kind, severity, seed=seed), found[:n])
    flat = corrupt(images.reshape(5, 144), kind, severity, seed=seed)
    np.testing.assert_array_equal(flat, found.reshape(5, 144))
    np.testing.assert_array_equal(corrupt(images[:, None], kind, severity, seed=seed)[:, 0], found)
    if kind in ("noise", "translation"):
        assert (corrupt(images, kind, severity, seed=(seed + 1) % 2**32) != found).any()


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_higher_severity_is_further_from_the_image(kind):
    images = blobs(10, 28, 0.08)
    gaps = [np.abs(corrupt(images, kind, severity, seed=0) - images).mean() for severity in SEVERITIES]
    assert (np.diff(gaps) > 0).all()


def test_colours_move_together():
    images = np.repeat(blobs(4, 20)[:, None], 3, axis=1)
    for kind in ("rotation", "translation", "blur", "contrast"):
        found = corrupt(images, kind, 3, seed=5)
        np.testing.assert_array_equal(found[:, 0], found[:, 2])
    noisy = corrupt(np.full_like(images, 0.5), "noise", 1, seed=5)
    assert (noisy[:, 0] != noisy[:, 2]).any()


@pytest.mark.parametrize(
    ("given_", "named"),
    [
        ({"kind": "fog"}, "kind"),
        ({"severity": 0}, "severity"),
        ({"severity": 6}, "severity"),
        ({"seed": -1}, "seed"),
        ({"images": np.zeros((2, 10), np.float32)}, "squares"),
        ({"images": np.zeros(9, np.float32)}, "reshape"),
        ({"images": np.full((1, 9), 255, np.float32)}, r"\[0, 1\]"),
        ({"images": np.full((1, 9), np.nan, np.float32)}, r"\[0, 1\]"),
    ],
)
def test_refusals_name_the_parameter(given_, named):
    arguments = {"images": np.zeros((1, 9), np.float32), "kind": "noise", "severity": 1, "seed": 0} | given_
    with pytest.raises(InputError, match=named):
        corrupt(**arguments)
