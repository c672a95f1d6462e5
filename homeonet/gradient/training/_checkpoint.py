"""Checkpoints and trained weights as safetensors: no pickle is written or read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from homeonet import store
from homeonet._version import __version__
from homeonet.errors import InputError
from homeonet.gradient.homeostasis import Homeostasis
from homeonet.gradient.kernels._surrogate import Surrogate
from homeonet.gradient.neurons._neuron import SpikingNeuron

__all__ = ["load_checkpoint", "load_weights", "save_checkpoint", "save_weights"]

_ENTRY = "homeonet"
_EMITS = re.compile(r"\bscaled=(True|False)")
#: Settings of a neuron that say how it is run, how it learns, or what homeostasis has made of it.
_NOT_ARCHITECTURE = frozenset({"training", "through_time", "threshold_scale", "parallel", "clipped_gradient"})


def save_weights(path: str | Path, model: nn.Module) -> None:
    """Write parameters and buffers of `model`, whole or not at all."""
    _write(Path(path), model.state_dict(), {"homeonet_version": __version__, "layers": _layers(model)})


def load_weights(path: str | Path, model: nn.Module) -> nn.Module:
    """Fill `model` with what :func:`save_weights` wrote.

    Raises
    ------
    InputError
        If the file cannot be read or was written by another architecture: other names or shapes of tensors, kinds of
        layers, or settings of neurons (reset, surrogate, levels, …). `model` is not changed then.

    Notes
    -----
    Thresholds of each unit, which homeostasis has learnt, are taken by a model whose layers have never seen how many
    units they have, and by a deployed one.
    """
    tensors, metadata = _read(Path(path))
    _fill(model, tensors, metadata, Path(path))
    return model


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: dict[str, Any],
    scaler: torch.amp.GradScaler | None = None,
) -> None:
    """Write all that a run needs to go on: weights, optimiser, the scale of gradients in half precision if they have
    one, and `progress`, which JSON can hold.
    """
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in values.items() if value is not None}
    if scaler is not None:
        progress = progress | {"scaler": scaler.state_dict()}
    metadata = {"homeonet_version": __version__, "layers": _layers(model), "progress": json.dumps(progress)}
    _write(path, tensors, metadata)


def load_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    run_id: str,
    scaler: torch.amp.GradScaler | None = None,
    sources: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Take up what :func:`save_checkpoint` wrote with the progress's ``run_id``; returns the progress.

    `sources` are the hashes of the user's classes: if they are why the run is another one, the message says so.

    Raises
    ------
    InputError
        If the file is damaged, of another version of this package, or of another run; nothing is changed then.
    """
    tensors, metadata = _read(path)
    if metadata.get("homeonet_version") != __version__:
        raise InputError(
            f"{path} was written by homeonet {metadata.get('homeonet_version')}, this is {__version__}; delete "
            f"{path.parent} to start the run anew"
        )
    try:
        progress = json.loads(metadata["progress"])
        found = progress["run_id"]
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"{path} is damaged or not a checkpoint; delete {path.parent} to start the run anew"
        ) from None
    changed = [
        name for name, was in progress.get("sources", {}).items() if was != (sources or {}).get(name, was)
    ]
    if found != run_id and changed:
        raise InputError(
            f"{changed[0]}: its source file has changed since the run in {path.parent} began; restore it, or delete "
            "that folder to start the run anew"
        )
    if found != run_id:
        raise InputError(
            f"{path} belongs to a run with other parameters (run {found}); delete {path.parent} or choose another "
            "output folder"
        )
    weights = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    _fill(model, weights, metadata, path)
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".")
            state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    if scaler is not None and progress.get("scaler"):
        scaler.load_state_dict(progress["scaler"])
    return progress


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    # one entry: safetensors writes several in any order, and equal runs are to have equal files
    header = {_ENTRY: json.dumps(metadata)}
    contents = save({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, header)
    store.write_bytes(path, contents)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, "pt") as file:
            metadata = json.loads((file.metadata() or {}).get(_ENTRY, "{}"))
            return {key: file.get_tensor(key) for key in file.keys()}, metadata  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; give the folder of a finished run") from None
    except (OSError, SafetensorError, ValueError) as error:
        raise InputError(
            f"{path} is damaged or not a safetensors file ({error}); delete it and run again"
        ) from None


def _layers(model: nn.Module) -> str:
    """What the layers of `model` are beyond the names and shapes of their tensors: JSON of one line per layer."""
    return json.dumps(
        {
            name: f"{type(module).__name__}({_constants(module)})"
            for name, module in model.named_modules()
            if not isinstance(module, Homeostasis)
        }
    )


def _constants(module: nn.Module) -> str:
    """A neuron's own settings, as what it says of itself is not all of them; else what the layer says of itself."""
    if not isinstance(module, SpikingNeuron):
        return module.extra_repr()
    return ", ".join(
        f"{name}={value!r}"
        for name, value in sorted(vars(module).items())
        if name[0] != "_"
        and name not in _NOT_ARCHITECTURE
        and (value is None or isinstance(value, bool | int | float | str | Surrogate))
    )


def _takes(model: nn.Module, key: str) -> bool:
    """Whether the layer to which an entry of a state belongs gets that entry's shape with it."""
    layer, _, entry = key.rpartition(".")
    takes = getattr(dict(model.named_modules()).get(layer), "takes_shape", None)
    return takes is not None and takes(entry)


def _shape(tensor: Tensor) -> str:
    return f"shape {tuple(tensor.shape)}"


def _check_layers(model: nn.Module, metadata: dict[str, str], path: Path, rescaled: set[str]) -> None:
    """Refuse layers that differ; those `rescaled`, which get one scale per unit, learn with it whether they emit θ."""
    try:
        stored = json.loads(metadata.get("layers", "null"))
    except ValueError:
        stored = None
    if not isinstance(stored, dict):
        return  # the writer said nothing about them
    layers = json.loads(_layers(model))
    for name in rescaled & layers.keys() & stored.keys():
        layers[name], stored[name] = (_EMITS.sub("scaled", side[name]) for side in (layers, stored))
    differing = [name for name in layers | stored if layers.get(name) != stored.get(name)]
    if differing:
        name = differing[0]
        there, here = (side.get(name, "nothing") for side in (stored, layers))
        raise InputError(
            f"{path} is of another architecture: layer {name or 'the model itself'!r} is {there} there and {here} here "
            f"({len(differing)} such); build the network as it was trained"
        )


def _fill(model: nn.Module, tensors: dict[str, Tensor], metadata: dict[str, str], path: Path) -> None:
    wanted = model.state_dict()
    taken = {key for key, tensor in tensors.items() if key not in wanted or wanted[key].shape != tensor.shape}
    taken = {key for key in taken if _takes(model, key)}
    missing = sorted(wanted.keys() - tensors.keys())
    surplus = sorted(tensors.keys() - wanted.keys() - taken)
    shapes = [
        f"{key} ({_shape(tensors[key])} there, {_shape(wanted[key])} here)"
        for key in sorted((wanted.keys() & tensors.keys()) - taken)
        if wanted[key].shape != tensors[key].shape
    ]
    if missing or surplus or shapes:
        parts = [
            f"{what} {', '.join(names[:3])}{' …' if len(names) > 3 else ''}"
            for what, names in (
                ("lacks", missing),
                ("has also", surplus),
                ("has other shapes for", shapes),
            )
            if names
        ]
        raise InputError(
            f"{path} is of another architecture: it {'; '.join(parts)}; build the network as it was trained"
        )
    _check_layers(model, metadata, path, {key.rpartition(".")[0] for key in taken})
    model.load_state_dict(tensors)
