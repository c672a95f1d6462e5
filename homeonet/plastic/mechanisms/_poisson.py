"""Rate-coded images as Poisson spikes that pause asleep.

Time is counted in *wake steps*, which stand still asleep: no image is lost to sleep, and the spikes that an
image evokes do not depend on when the network slept, so runs with and without sleep see identical inputs.

In each step a pixel fires with probability ``p = rate * dt``; instead of drawing every step, the wake step of
its next spike is drawn from the geometric distribution, at each spike and anew at the onset of each image
(the process has no memory, so this changes nothing). The table `stimulus` holds ``log(1 - p)``, a row an image.
"""

from __future__ import annotations

import numpy as np

from homeonet.plastic.mechanisms._equations import Mechanism

__all__ = ["NEVER", "ONSET", "ONSET_CONDITION", "log_silence", "poisson_input"]

#: A wake step that never comes.
NEVER = 1e15

# floor is an integer on some targets: a silent pixel's next spike is capped a billion steps away
_DRAW = (
    "next_spike = wake_step + 1 + floor(clip(log(uniform_draw(draw_key(input_stream, wake_step), unit))"
    "/clip(stimulus(row_time, i), -inf, -1e-14), 0, 1e9))"
)

_EQUATIONS = """
next_spike : 1
wake_step : 1 (linked)
asleep : 1 (linked)
row_time = (floor((wake_step - 0.5 - first_wake_step)/image_steps) + 0.5)*second : second
"""

#: The first step of an image: the spike drawn for the image before is drawn anew.
ONSET_CONDITION = "asleep < 0.5 and wake_step - 1 - image_steps*floor((wake_step - 0.5)/image_steps) < 0.5"
ONSET = _DRAW


def poisson_input() -> Mechanism:
    """The input population; `stimulus(row_time, i)` must be in its namespace."""
    return Mechanism(
        equations=_EQUATIONS,
        constants={"image_steps": "1"},
        parameters={"input_stream": "1", "first_wake_step": "1"},
        threshold="wake_step >= next_spike and asleep < 0.5",
        reset=_DRAW,
    )


def log_silence(images: np.ndarray, mean_rate: float, dt: float) -> np.ndarray:
    """The stimulus table: log-probability that a pixel is silent for one step.

    Parameters
    ----------
    images : ndarray, shape (n_images, n_pixels)
        Non-negative intensities, of which each image's are scaled to `mean_rate`. A black image stays silent.
    mean_rate : float
        Firing rate in Hz, averaged over the pixels of an image. It is not reached where the brightest pixels
        would fire more than once a step: they fire in every step.
    dt : float
        Time step in seconds.

    Returns
    -------
    ndarray, shape (n_images, n_pixels)
        ``log(1 - p)`` with ``p = rate * dt`` clipped to [0, 1].
    """
    mean = images.mean(axis=1, keepdims=True)
    rate = np.divide(images * mean_rate, mean, out=np.zeros(images.shape), where=mean > 0)
    with np.errstate(divide="ignore"):
        return np.maximum(np.log1p(-np.clip(rate * dt, 0.0, 1.0)), -1e12)
