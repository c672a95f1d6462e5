"""Rate-coded images as Poisson spikes that pause asleep.

Time is counted in *wake steps*, which stand still asleep: no image is lost to sleep, and the spikes that an
image evokes do not depend on when the network slept, so runs with and without sleep see identical inputs.

In each step a pixel fires with probability ``p = rate * dt``; instead of drawing every step, the wake step of
its next spike is drawn from the geometric distribution, at each spike and anew at the onset of each image
(the process has no memory, so this changes nothing). The table `stimulus` holds ``log(1 - p)``, a row per image.
"""

from __future__ import annotations

import math

import numpy as np

from homeonet.plastic.mechanisms._equations import Action, Mechanism, Place
from homeonet.plastic.mechanisms._times import NEVER

__all__ = ["FIRST_STEP", "LAST_STEP", "ROW_TIME", "draw", "log_silence", "poisson_input"]

#: The log-probability that a unit is silent for one step, by what an input shows.
_SILENCE = {
    "input": "stimulus(row_time, i)",
    "images": "log(clip(1 - rate_scale*(1 - exp(stimulus(row_time, i))), 1e-300, 1))",
    "nothing": "silence",
}
_PARAMETERS = {"input": {}, "images": {"rate_scale": "1"}, "nothing": {"silence": "1"}}


def draw(shows: str) -> str:
    """The wake step of a unit's next spike, by what the input shows: statements at a spike, and at an image's onset."""
    # floor is an integer on some targets: a silent pixel's next spike is capped a billion steps away
    return (
        "next_spike = wake_step + 1 + floor(clip(log(uniform_draw(draw_key(input_stream, wake_step), unit))"
        f"/clip({_SILENCE[shows]}, -inf, -1e-14), 0, 1e9))"
    )


#: The row of the stimulus table of the image that is shown, as a time.
ROW_TIME = "row_time = (floor((wake_step - 0.5 - first_wake_step)/image_steps) + 0.5)*second : second"
#: The first step of an image, when the spike drawn for the image before is drawn anew; and the last one.
FIRST_STEP = "asleep < 0.5 and wake_step - 1 - image_steps*floor((wake_step - 0.5)/image_steps) < 0.5"
LAST_STEP = (
    "asleep < 0.5 and wake_step - image_steps*floor((wake_step - 0.5)/image_steps) > image_steps - 0.5"
)


def poisson_input(shows: str = "input") -> Mechanism:
    """An input population; `stimulus(row_time, i)` must be in its namespace.

    Parameters
    ----------
    shows : {"input", "images", "nothing"}
        The images of [input]; the same at another rate; or units that fire at one rate.
    """
    return Mechanism(
        equations=f"next_spike : 1\n{ROW_TIME}",
        linked=("wake_step", "asleep"),
        events={"onset": FIRST_STEP},
        actions=(Action("onset", draw(shows), "after_resets"),),
        constants={"image_steps": "1"},
        parameters={"input_stream": "1", "first_wake_step": "1", **_PARAMETERS[shows]},
        threshold="wake_step >= next_spike and asleep < 0.5",
        reset=draw(shows),
        state={"next_spike": NEVER},
        values=_values,
    )


def _values(place: Place) -> dict[str, float]:
    config, dt, own = place.config, place.dt, place.section
    presentation = (config.evaluation if place.evaluation else config.input).presentation
    purpose = "input" if place.population == "input" else f"input/{place.population}"
    values = {
        "input_stream": place.stream(purpose),
        "image_steps": round(presentation / dt),
        "first_wake_step": 0.0,
    }
    if place.population != "input":
        values["rate_scale"] = own.mean_rate / config.input.mean_rate
        values["silence"] = math.log1p(-min(own.mean_rate * dt, 1 - 1e-12))
    return values


def log_silence(images: np.ndarray, mean_rate: float, dt: float) -> np.ndarray:
    """The stimulus table: log-probability that a pixel is silent for one step.

    Parameters
    ----------
    images : ndarray, shape (n_images, n_pixels)
        Non-negative intensities, of which each image's are scaled to `mean_rate`. A black image stays silent.
    mean_rate : float
        Firing rate in Hz, averaged over the pixels of an image. It is not reached where the brightest pixels
        would fire more than once per step: they fire in every step.
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
