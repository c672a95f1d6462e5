"""Makes the counter-based random numbers known to Brian2, for its NumPy, C++ and CUDA targets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from brian2.core.functions import Function

from homeonet.plastic.mechanisms._random import draw_key, normal_draw, uniform_draw

__all__ = ["RANDOM_FUNCTIONS"]

_FOLDER = Path(__file__).parents[1] / "program" / "cpp"
_HEADER = {"headers": ['"homeonet_random.h"'], "include_dirs": [str(_FOLDER)]}


def _register(function: Callable, n_arguments: int) -> Function:
    registered = Function(
        function,
        arg_units=[1] * n_arguments,
        arg_types=["any"] * n_arguments,
        return_unit=1,
        return_type="float",
    )
    for target in ("cpp", "cuda"):
        registered.implementations.add_implementation(
            target, "", name=function.__name__, compiler_kwds=_HEADER
        )
    return registered


#: What the equations call, by name; goes into the namespace of every group that draws.
RANDOM_FUNCTIONS = {
    "draw_key": _register(draw_key, 2),
    "uniform_draw": _register(uniform_draw, 2),
    "normal_draw": _register(normal_draw, 3),
}
