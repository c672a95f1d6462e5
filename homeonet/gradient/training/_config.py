"""What a training run is made of: validated, unchanging, in and out of TOML."""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from homeonet.config.parameters import ReadOnly, Table, dotted, explain, read_toml
from homeonet.data import EVENTS, SERIES
from homeonet.errors import InputError, one_line
from homeonet.machine.html import table
from homeonet.machine.text import is_number, plain, shown

__all__ = ["TrainConfig", "load_train_config", "train_config"]

_LONGEST_WORD = 200
_NUMBERS = (
    *("size", "train", "val", "test", "steps", "epochs", "batch", "seed"),
    *("lr", "weight_decay", "momentum", "label_smoothing", "clip"),
)


_HOMEOSTASIS = ("ahsar", "mp_init", "sleep", "threshold_adaptation")
#: A dotted name with the dotted name of a class in it: table, class, parameter.
_OF_CLASS = re.compile(r"(homeostasis|sources)\.([\w.]+:\w+)(?:\.(.+))?")


def _plain(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, (list, tuple)) and all(type(item) in (int, float) for item in value):
        for item in value:
            _in_range(item)
        return tuple(value)
    if not isinstance(value, (bool, int, float, str)):
        raise ValueError("give a number, a word, true or false, or a list of numbers")
    if isinstance(value, str) and (len(value) > _LONGEST_WORD or not value.isprintable()):
        raise ValueError(f"give a printable word of at most {_LONGEST_WORD} characters")
    if isinstance(value, (int, float)):
        _in_range(value)
    return value


def _in_range(value: float) -> None:
    """No NaN, nothing infinite, and no whole number that a file could not hold."""
    if not (math.isfinite(value) if isinstance(value, float) else -(2**63) <= value < 2**63):
        raise ValueError("give a finite number, a whole one of at most 64 bits")


def _name(name: str) -> str:
    if not name.isidentifier() or len(name) > _LONGEST_WORD:
        raise ValueError("give the name of an option, letters, digits and underscores")
    return name


#: What an option of a neuron, a network or homeostasis may be; the part itself checks its range.
Option = Annotated[Any, AfterValidator(_plain)]
Options = Annotated[dict[Annotated[str, AfterValidator(_name)], Option], AfterValidator(ReadOnly)]
Word = Annotated[str, Field(max_length=_LONGEST_WORD)]


def _known_mechanism(name: str) -> str:
    if name not in _HOMEOSTASIS and ":" not in name:
        raise ValueError(
            f"{shown(name)} is unknown; choose from {', '.join(_HOMEOSTASIS)}, or name a class, 'module:class'"
        )
    return name


_Mechanism = Annotated[str, AfterValidator(_known_mechanism)]


class TrainConfig(BaseModel):
    """One training run of a spiking network by gradients.

    It does not change, tables and lists included. Configurations are equal, and have one hash, where all values are.

    Parameters
    ----------
    neuron, neuron_options : str, dict
        The neuron and its parameters, see :class:`Parts`: "lif", "trlif", "hdlif", "dsn", "psn", "slidingpsn",
        "recurrentlif", or a class of one's own, "module:class" (:mod:`homeonet.gradient.neurons._own` says what it
        must do).
    net, net_options : str, dict
        The architecture and its parameters, see :func:`network`: "conv", "sg_snn", "resnet18", …
    weights, attention
        Values of the weights, and whether there is channel attention, see :class:`Parts`.
    data, size, train, val, test : str, int
        The images, their side in pixels, and how many of them; `val` are taken from the training images. One's own:
        "images:FOLDER", "array:FILE.npz". Or "series:FILE" (see :func:`homeonet.data.load`), whose `size` is the
        number of time steps; or "events:nmnist", "events:shd", "events:dvsgesture". The network's
        first layer follows the channels of the data.
    encoding : {"direct", "poisson", "columns", "pixels", "permuted", "series", "events"}
        How an image becomes a sequence: itself at every step, Bernoulli spikes, one column or one pixel per step (the
        latter also in a fixed random order); "series", the default for time series, shows the values of a step,
        and "events", that of recordings, the counts of a bin of time.
    steps : int
        T for "direct" and "poisson", and the bins of time of events (20 by default); the others take it from the image.
    paradigm : {"bptt", "online", "online_random", "parallel"}
        Backpropagation through time; an update at every step with constant memory; at one random step; "parallel" is
        backpropagation for neurons that are computed in parallel in time, and refuses the others.
    epochs, batch, lr, weight_decay, momentum : numbers
        Learning rate at the start; `momentum` (Nesterov) for "sgd" only.
    optimizer : {"adam", "sgd"}
        Adam with decoupled weight decay, or SGD.
    schedule : {"cosine", "constant"}
        How the learning rate changes over all batches.
    label_smoothing : float
        Share of each label that is spread over all classes, in [0, 1).
    augment : list of {"crop", "flip", "cutout"}, or their names with commas
        Random crop after padding by 1/8, horizontal flip, a random square of 1/4 of the side erased.
    clip : float, optional
        Largest norm of the gradient.
    homeostasis : dict of str to dict
        "ahsar", "mp_init", "sleep", "threshold_adaptation" or "module:class" to parameters of the plug-in.
    precision : str
        What Lightning Fabric calls it: "32-true", "bf16-mixed", "16-mixed", "64-true" (it hands the logits to the loss
        in float32 even then).
    seed : int
        Chooses initial weights, order, augmentation and encoding.
    sources : dict of str to str
        Hash of the file of each class of one's own, by its dotted name; a run fills it in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    neuron: Word = "lif"
    neuron_options: Options = Field(default_factory=ReadOnly)
    net: Word = "conv"
    net_options: Options = Field(default_factory=ReadOnly)
    weights: Literal["float", "binary", "ternary", "binary_released", "ternary_released"] = "float"
    attention: bool | Literal["released"] = False
    data: str = Field("mnist5k", max_length=4096)
    size: int = Field(28, ge=4, le=4096)
    train: int = Field(3600, ge=1, le=10**9)
    val: int = Field(400, ge=0, le=10**9)
    test: int = Field(1000, ge=1, le=10**9)
    encoding: Literal["direct", "poisson", "columns", "pixels", "permuted", "series", "events"] = "direct"
    steps: int = Field(4, ge=1, le=10**6)
    paradigm: Literal["bptt", "online", "online_random", "parallel"] = "bptt"
    epochs: int = Field(5, ge=1, le=10**6)
    batch: int = Field(64, ge=1, le=10**9)
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: float = Field(2e-3, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    schedule: Literal["cosine", "constant"] = "cosine"
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    augment: tuple[Literal["crop", "flip", "cutout"], ...] = ()
    clip: float | None = Field(None, gt=0)
    homeostasis: Annotated[dict[_Mechanism, Options], AfterValidator(ReadOnly)] = Field(
        default_factory=ReadOnly
    )
    precision: Literal["32-true", "64-true", "bf16-mixed", "16-mixed"] = "32-true"
    seed: int = Field(1, ge=0, lt=2**32)
    sources: Table[str] = Field(default_factory=ReadOnly)

    def __hash__(self) -> int:
        return hash(self.run_id)

    @field_validator(*_NUMBERS, mode="before")
    @classmethod
    def _plain_numbers(cls, value: Any) -> Any:
        if isinstance(value, (bool, bytes)) or (isinstance(value, str) and not is_number(value.strip())):
            raise ValueError("must be a plain number; write for example 3 or 0.5")
        return value

    @field_validator("data", "neuron", "net", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        if isinstance(value, bytes):
            raise ValueError("must be text; give a str")
        return value

    @field_validator("sources")
    @classmethod
    def _of_what_is_used(cls, sources: dict[str, str], found: ValidationInfo) -> ReadOnly:
        used = {found.data.get("neuron"), *found.data.get("homeostasis", ())}
        return ReadOnly(
            {name: digest for name, digest in sources.items() if name in used}
        )  # not of other cells

    @field_validator("augment", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def _encode(cls, values: Any) -> Any:
        given = values.get("data") if isinstance(values, dict) else None
        data = given if isinstance(given, str) else ""
        if data.startswith(EVENTS):
            known = {"events:nmnist": {"size": 34}, "events:dvsgesture": {"size": 32}}.get(
                data.partition("#")[0], {}
            )
            return {"encoding": "events", "steps": 20} | known | values
        return {"encoding": "series"} | values if data.startswith(SERIES) else values

    @model_validator(mode="after")
    def _series(self) -> Self:
        kind = (
            "series" if self.data.startswith(SERIES) else "events" if self.data.startswith(EVENTS) else None
        )
        series = kind == "series"
        if (self.encoding if self.encoding in ("series", "events") else None) != kind:
            examples = {"series": "series:FILE", "events": "events:shd"}
            other = f'choose another, or data = "{examples.get(self.encoding)}"'
            remedy = f'set encoding = "{kind}"' if kind else other
            raise ValueError(f"encoding = {self.encoding!r} does not go with data = {self.data!r}; {remedy}")
        if kind and self.augment:
            raise ValueError(f"augment changes images; leave it out for {kind}")
        if not series and self.size > 256:
            raise ValueError(f"size = {self.size}: images have at most 256 × 256 pixels; give less")
        return self

    @property
    def sequence_steps(self) -> int:
        """T as the network sees it."""
        of_image = {"columns": self.size, "series": self.size}
        return (of_image | dict.fromkeys(("pixels", "permuted"), self.size**2)).get(self.encoding, self.steps)

    @property
    def step_shape(self) -> tuple[int, ...]:
        """Shape of one step of one example of one channel."""
        return self.step_shape_of((1,))

    def step_shape_of(self, features: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of one step of one example of data with these :attr:`homeonet.data.Dataset.features`."""
        if self.encoding == "columns":
            return *features, self.size
        if self.encoding in ("pixels", "permuted", "series", "events"):
            return features
        return *features, self.size, self.size

    @property
    def run_id(self) -> str:
        """Twelve hexadecimal digits that name this configuration."""
        tables = self.model_dump(mode="json")
        if not self.sources:  # as in all runs that have no classes of their own
            del tables["sources"]
        return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()[:12]

    def _repr_html_(self) -> str:
        usual = {
            name: field.get_default(call_default_factory=True)
            for name, field in type(self).model_fields.items()
        }
        rows = [["parameter", "value", "default"]]
        for name, value in self.model_dump().items():
            changed = value != usual[name]
            rows.append([name, str(value), str(usual[name]) if changed else ""])
        return table(
            rows, f"{self.neuron}, run {self.run_id}", "a default is shown where the value is another one"
        )

    def to_toml(self) -> str:
        """The configuration as text; what is not set (``clip``) is left out."""
        unset = set() if self.sources else {"sources"}
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True, exclude=unset))


def train_config(**values: Any) -> TrainConfig:
    """A configuration from keywords; dotted names reach into the dictionaries.

    Raises
    ------
    InputError
        For an unknown name or a value out of its range.
    """
    tables: dict[str, Any] = {}
    for name, value in ((name, plain(value)) for name, value in values.items()):
        of_class = _OF_CLASS.fullmatch(name)
        *path, last = [part for part in of_class.groups() if part] if of_class else name.split(".")
        table = tables
        for part in path:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise InputError(
                    f"{one_line(name, 200)}: {one_line(part, 100)} is a single value; it has no parameters"
                )
        if value == {} and isinstance(table.get(last), dict):
            continue  # --homeostasis NAME beside parameters of it
        table[last] = value
    try:
        return TrainConfig.model_validate(tables)
    except ValidationError as error:
        raise InputError("; ".join(dict.fromkeys(explain(item) for item in error.errors()))) from None


def load_train_config(path: str | Path, **overrides: Any) -> TrainConfig:
    """A configuration from a TOML file, with dotted names set anew."""
    return train_config(**dotted(read_toml(Path(path))) | overrides)
