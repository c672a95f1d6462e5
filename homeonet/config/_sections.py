"""The sections of a plastic network's configuration: what each parameter means, its unit and its range."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from homeonet.config._units import Hertz, Milliseconds, Millivolts, OwnValue, Seconds
from homeonet.config.parameters import ReadOnly, Table

__all__ = [
    "AHSAR",
    "ISTDP",
    "STDP",
    "EvaluationSettings",
    "Guard",
    "Input",
    "Neurons",
    "Noise",
    "OwnPopulation",
    "Pathway",
    "PoissonPopulation",
    "Population",
    "Recording",
    "Section",
    "Simulation",
    "Sleep",
]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Simulation(Section):
    """How time advances. `method` integrates the membrane: exponential Euler (exact for a constant
    drive) or plain Euler (as the released code of Massey et al. 2026). `precision` is that of neurons,
    traces and weights in training; "float32" needs a GPU, and input spikes are the same in both."""

    dt: Milliseconds = Field(gt=0, le=5e-3)
    method: Literal["exponential_euler", "euler"]
    precision: Literal["float64", "float32"] = "float64"


class Input(Section):
    """Rate-coded images: each is scaled to the mean firing rate `mean_rate` over its pixels and shown
    for `presentation`. A pixel fires at most once per step: an image whose brightest pixels would fire more
    often has a lower mean rate. With `classes_at_a_time` training images come by their classes, the first so many in an
    epoch, then the next, each group a task: what is learnt first can be forgotten. At 0 classes are mixed. With `tasks`
    only so many of these tasks are shown, the first ones; at 0 all: what the network knew before it learnt the rest."""

    side: int = Field(ge=4, le=128)
    mean_rate: Hertz = Field(gt=0, le=1000)
    presentation: Seconds = Field(gt=0, le=100)
    classes_at_a_time: int = Field(0, ge=0, le=1000)
    tasks: int = Field(0, ge=0, le=1000)


class Population(Section):
    """Leaky integrate-and-fire neurons with an adaptive threshold.

    `synapse` is "current" (g in volt drives the membrane) or "conductance" (g relative to the leak).
    Each spike raises the threshold by `theta_plus`, which decays with `tau_theta`; the rise that counts
    is at most `theta_max`.
    """

    neuron: Literal["lif"] = "lif"
    n: int = Field(ge=1, le=1_000_000)
    synapse: Literal["current", "conductance"]
    tau_m: Milliseconds = Field(gt=0)
    e_leak: Millivolts = Field(ge=-1, le=1)
    v_reset: Millivolts = Field(ge=-1, le=1)
    v_threshold: Millivolts = Field(ge=-1, le=1)
    v_floor: Millivolts = Field(ge=-1, le=1)
    refractory: Milliseconds = Field(ge=0)
    tau_g_exc: Milliseconds = Field(gt=0)
    tau_g_inh: Milliseconds = Field(gt=0)
    e_exc: Millivolts = Field(ge=-1, le=1)
    e_inh: Millivolts = Field(ge=-1, le=1)
    theta_plus: Millivolts = Field(ge=0)
    theta_max: Millivolts = Field(ge=0)
    tau_theta: Seconds = Field(gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.v_floor <= self.v_reset < self.v_threshold:
            raise ValueError(
                f"v_floor ({self.v_floor * 1e3:g} mV) <= v_reset ({self.v_reset * 1e3:g} mV) < v_threshold "
                f"({self.v_threshold * 1e3:g} mV) must hold"
            )
        if self.synapse == "conductance" and not self.e_inh < self.e_leak < self.e_exc:
            raise ValueError(
                f"with conductance-based synapses e_inh ({self.e_inh * 1e3:g} mV) < e_leak "
                f"({self.e_leak * 1e3:g} mV) < e_exc ({self.e_exc * 1e3:g} mV) must hold"
            )
        return self


class OwnPopulation(Section):
    """`n` neurons of a [neuron.NAME], with `parameters` that differ from those of its text."""

    neuron: str = Field(max_length=40)
    n: int = Field(ge=1, le=1_000_000)
    parameters: Table[OwnValue] = Field(default_factory=ReadOnly)


class PoissonPopulation(Section):
    """Inputs beside [input]. `shows` is "images", the same ones pixel by pixel, drawn anew at the mean rate
    `mean_rate`, with as many units as pixels; or "nothing": `n` units that fire at `mean_rate` awake."""

    neuron: Literal["poisson"]
    shows: Literal["images", "nothing"]
    n: int = Field(0, ge=0, le=1_000_000)
    mean_rate: Hertz = Field(gt=0, le=1000)

    @model_validator(mode="after")
    def _sized(self) -> Self:
        if self.shows == "images" and self.n:
            raise ValueError('n must be left out where shows = "images": there is a unit for each pixel')
        if self.shows == "nothing" and not self.n:
            raise ValueError('n is missing; shows = "nothing" needs a number of units, for example n = 100')
        return self


def _kind(value: Any) -> str:
    kind = value.get("neuron", "lif") if isinstance(value, dict) else getattr(value, "neuron", "lif")
    return kind if kind in ("lif", "poisson") else "own"


#: What a [population.NAME] may be.
Neurons = Annotated[
    Annotated[Population, Tag("lif")]
    | Annotated[PoissonPopulation, Tag("poisson")]
    | Annotated[OwnPopulation, Tag("own")],
    Discriminator(_kind),
]


class Noise(Section):
    """Membrane noise: each step of 1 ms adds a normal number of standard deviation `sigma` (scaled with
    the square root of the time step), asleep only or always."""

    sigma: Millivolts = Field(ge=0)
    during: Literal["sleep", "always"]


class STDP(Section):
    """The window shared by all pathways with a pair rule. `pairing` is "all" or "nearest" spike."""

    tau_plus: Milliseconds = Field(gt=0)
    tau_minus: Milliseconds = Field(gt=0)
    a_plus: float = Field(ge=0)
    a_minus: float = Field(ge=0)
    x_target: float = Field(ge=0)
    pairing: Literal["all", "nearest"]


class ISTDP(Section):
    """Vogels et al. (2011): trace time constant and target rate of the postsynaptic neurons."""

    tau: Milliseconds = Field(gt=0)
    rho_target: Hertz = Field(ge=0)


class Pathway(Section):
    """One projection from `source` onto `target`, with a fixed in-degree ``round(density * sources)``; or with the
    synapses that `sources` and `targets` list, indices of neurons from 0 on (then density says nothing).

    Weights are magnitudes in [`w_min`, `w_max`]: their sign is in the target variable, so clamping them
    is sign clamping. They start at `w_initial`, spread uniformly by ± `w_spread` * `w_initial`. A spike
    raises g by weight * `gain`. `eta` is the learning rate of `rule`, in weight units: a rule that is built in, or the
    NAME of a [rule.NAME]. `w_target` is the fixed point of the renormalisation asleep, which takes place where the
    pathway is `renormalised` and plastic. The rule is off in sleep unless `plastic_asleep`, of the pathway and of
    [sleep], and the controller's W adds up the pathways that are `watched`. With `avoid_reciprocal` no neuron has a
    synapse onto one that it has a synapse from, by the pathway that leads back.
    """

    source: str = Field(max_length=40)
    target: str = Field(max_length=40)
    sign: Literal["excitatory", "inhibitory"]
    density: float = Field(gt=0, le=1)
    w_initial: float = Field(ge=0)
    w_spread: float = Field(ge=0, le=1)
    w_min: float = Field(ge=0)
    w_max: float = Field(gt=0)
    w_target: float = Field(gt=0)
    gain: Millivolts = Field(gt=0)
    rule: str = Field(max_length=40)
    eta: float = Field(ge=0)
    avoid_reciprocal: bool = False
    renormalised: bool = True
    plastic_asleep: bool = True
    watched: bool = False
    sources: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    targets: tuple[Annotated[int, Field(ge=0)], ...] | None = None

    @model_validator(mode="after")
    def _within(self) -> Self:
        if not self.w_min < self.w_max:
            raise ValueError(f"w_min ({self.w_min:g}) must be below w_max ({self.w_max:g})")
        if not self.w_min <= self.w_initial <= self.w_max:
            raise ValueError(f"w_initial ({self.w_initial:g}) must lie in [w_min, w_max]")
        if (self.sources is None) != (self.targets is None) or len(self.sources or ()) != len(
            self.targets or ()
        ):
            raise ValueError("sources and targets must be lists of equal length, one entry per synapse")
        if self.sources is not None and not self.sources:
            raise ValueError("sources is empty; list a synapse or leave out sources and targets")
        if self.sources is not None and self.avoid_reciprocal:
            raise ValueError("avoid_reciprocal must be false where sources and targets list the synapses")
        return self


class Sleep(Section):
    """When the network sleeps and what sleep does.

    `trigger` is "interval", "threshold", "either" or the NAME of a [controller.NAME].
    Sleep starts after `interval` of wake time, when the total weight W of the watched pathways exceeds `alpha_trigger`
    times its initial value, or at either; it lasts at most ``min(ratio * interval, longest)`` and ends
    early at `alpha_base` times the initial value. `ratio` is the length of a sleep over that of `interval`, not the
    share of time asleep (`sleep_fraction` of the metrics), which is ``ratio / (1 + ratio)`` where `trigger` is
    "interval", `alpha_base` is 0 and `longest` cuts nothing off; 0 means no sleep at all. Asleep, every `every`, the
    weights of plastic pathways follow `renormalisation`, with `decay` (λ) per millisecond.
    """

    ratio: float = Field(ge=0, le=1)
    trigger: str = Field(max_length=40)
    interval: Seconds = Field(gt=0)
    longest: Seconds = Field(gt=0)
    shortest_wake: Seconds = Field(gt=0)
    alpha_trigger: float = Field(gt=0)
    alpha_base: float = Field(ge=0)
    renormalisation: Literal["power_law", "scaling", "normalise", "none"]
    decay: float = Field(gt=0, lt=1)
    every: Milliseconds = Field(gt=0)
    plastic: bool

    @model_validator(mode="after")
    def _base_below_trigger(self) -> Self:
        if not self.alpha_base < self.alpha_trigger:
            raise ValueError(
                f"alpha_base ({self.alpha_base:g}) must be below alpha_trigger ({self.alpha_trigger:g})"
            )
        return self


class AHSAR(Section):
    """Thresholds follow firing rates, if `enabled`: every `window` (to the next 100 ms), in each population

    ``r̄ ← momentum r̄ + (1 - momentum) r``, ``h ← (1 - relaxation) h + strength tanh(r̄/target_rate - 1)
    + diffusion (h' - h)``, and the threshold is ``e_leak + (1 + span tanh(h)) (v_threshold - e_leak)`` plus its
    adaptation; h' is the other population's. Asleep all of this stands still, unless `during` is "always".
    """

    enabled: bool
    target_rate: Hertz = Field(gt=0, le=1000)
    window: Seconds = Field(ge=0.1, le=1000)
    momentum: float = Field(ge=0, lt=1)
    relaxation: float = Field(ge=0, le=1)
    strength: float = Field(ge=0)
    span: float = Field(ge=0, lt=1)
    diffusion: float = Field(ge=0, le=0.5)
    during: Literal["wake", "always"]


class Guard(Section):
    """A run ends with an error when, over `window`, a population fires above `max_rate` or below
    `min_rate` while awake (0 switches the lower bound off)."""

    max_rate: Hertz = Field(gt=0)
    min_rate: Hertz = Field(ge=0)
    window: Seconds = Field(ge=0.1, le=1000)


class EvaluationSettings(Section):
    """How features are read out, with plasticity and sleep off: each image is shown for `presentation`;
    `freeze_threshold` keeps the thresholds as training left them; without `noise` there is none, even if always."""

    presentation: Seconds = Field(gt=0, le=100)
    freeze_threshold: bool
    noise: bool = True


class Recording(Section):
    """What is written to ``recordings.nc`` while the network learns, from `start` to `stop` of simulated time.

    A `population` gives its "spikes", and state `variables` such as "v" each `every`: of all `neurons`, of the first
    so many, or of those listed, counted from 0. A `pathway` gives all of its weights each `every`.
    """

    population: str | None = Field(None, max_length=40)
    pathway: str | None = Field(None, max_length=40)
    variables: tuple[str, ...] = Field((), max_length=20)
    neurons: int | tuple[Annotated[int, Field(ge=0)], ...] | None = None
    every: Milliseconds | None = Field(None, gt=0)
    start: Seconds = Field(0.0, ge=0)
    stop: Seconds | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _of_one_thing(self) -> Self:
        if (self.population is None) == (self.pathway is None):
            raise ValueError('give a population or a pathway, for example population = "exc"')
        if self.pathway is not None and (self.variables or self.neurons is not None):
            raise ValueError(
                "variables and neurons are of a population; leave them out where a pathway is recorded"
            )
        if self.population is not None and not self.variables:
            raise ValueError(
                'variables is empty; name what to record, for example variables = ["spikes", "v"]'
            )
        if self.needs_interval and self.every is None:
            raise ValueError('every is missing; say how often, for example every = "1 ms"')
        if self.stop is not None and self.stop <= self.start:
            raise ValueError(f"stop ({self.stop:g} s) must be after start ({self.start:g} s)")
        if isinstance(self.neurons, tuple) and len(set(self.neurons)) < len(self.neurons):
            raise ValueError("neurons lists one twice; name each once")
        return self

    @property
    def state(self) -> list[str]:
        """The variables but for spikes."""
        return [name for name in self.variables if name != "spikes"]

    @property
    def needs_interval(self) -> bool:
        """Whether something is recorded each `every`."""
        return self.pathway is not None or bool(self.state)

    def indices(self, size: int) -> list[int]:
        """The neurons that are recorded, of a population of `size`."""
        if self.neurons is None:
            return list(range(size))
        return list(range(min(self.neurons, size))) if isinstance(self.neurons, int) else sorted(self.neurons)
