"""The pair rule in the released code of Massey et al. 2026, step by step as it is there.

In each step that code changes the synapses of all neurons that spiked in the step *before*, by the times since the
last spikes up to *this* step, e_pre and e_post: with ``d = e_post - e_pre`` by ``+eta exp(-d/tau_plus)`` where d ≥ 0
and by ``-eta exp(d/tau_minus)`` where d < 0. So a postsynaptic spike that comes first strengthens (the reversed sign),
two spikes in one step strengthen by ``eta``, and a spike one step after another changes what that one has done.

Here a spike acts in its own step by the times known then, ``f(d)``; a spike in the next step takes that change back and
makes it again, so that the sum is the same. Traces that are set to one at a spike hold the elapsed times, as
``x_plus = exp(-e_post/tau_plus)`` of the target and ``x_minus = exp(-e_pre/tau_minus)`` of the source.

Source: Massey et al. 2026 (arXiv 2601.08447), released code.
"""

from __future__ import annotations

import math

from homeonet.plastic.mechanisms._equations import Mechanism, Place
from homeonet.plastic.mechanisms._rules import Rule

__all__ = ["STDP_ELAPSED"]

# Of the last step: whether a spike acted in it, and by how much. A trace is back by one step times exp(dt/tau).
_LAST_STEP = """
pre_last = int(x_minus_pre > elapsed_one_minus_post)
post_last = int(x_plus_post > elapsed_one_plus_post)
acted = pre_last + post_last - pre_last*post_last
earlier = elapsed_back_plus_post*x_plus_post
later = elapsed_back_minus_post*x_minus_pre
last = pre_last*post_last + pre_last*(1 - post_last)*earlier - (1 - pre_last)*post_last*later
"""

# Alone, the presynaptic spike is paired with the last postsynaptic one.
_PRE = f"""{_LAST_STEP}
w = w + eta*(x_plus_post + acted*(x_plus_post - last))
acted_at = t_in_timesteps
"""

# In the step of a presynaptic spike, which has acted already, what it did is made that of a coincidence.
_POST = f"""{_LAST_STEP}
together = int(abs(acted_at - t_in_timesteps) < 0.5)
alone = -x_minus_pre + acted*(-x_minus_pre - last)
w = w + eta*(together*(1 + acted)*(1 - x_plus_post) + (1 - together)*alone)
"""


def _values(place: Place) -> dict[str, float]:
    steps = {name: place.dt / getattr(place.config.stdp, f"tau_{name}") for name in ("plus", "minus")}
    return {
        **{f"elapsed_one_{name}": math.exp(-1.5 * step) for name, step in steps.items()},
        **{f"elapsed_back_{name}": math.exp(step) for name, step in steps.items()},
    }


STDP_ELAPSED = Rule(
    pre=_PRE,
    post=_POST,
    source_traces=("x_minus",),
    target_traces=("x_plus",),
    source="the released code of Massey et al. 2026, spike by spike",
    names={},
    state=("acted_at",),
    initial={"acted_at": -1.0},
    on_target=Mechanism(
        constants={f"elapsed_{kind}_{name}": "1" for kind in ("one", "back") for name in ("plus", "minus")},
        values=_values,
    ),
)
