"""Checkpoints and trained weights as safetensors: no pickle is written or read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from homeonet import store
from homeonet._version import __version__
from homeonet.errors import InputError

__all__ = ["load_checkpoint", "load_weights", "save_checkpoint", "save_weights"]


def save_weights(path: Path, model: nn.Module) -> None:
    """Write parameters and buffers of `model`, whole or not at all."""
    _write(path, model.state_dict(), {"homeonet_version": __version__})


def load_weights(path: str | Path, model: nn.Module) -> nn.Module:
    """Fill `model` with what :func:`save_weights` wrote.

    Raises
    ------
    InputError
        If the file cannot be read or was written by another architecture; `model` is not changed then.
    """
    tensors, _ = _read(Path(path))
    _fill(model, tensors, Path(path))
    return model


def save_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, progress: dict[str, Any]
) -> None:
    """Write all that a run needs to go on: weights, optimiser, and `progress`, which JSON can hold."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in values.items() if value is not None}
    _write(path, tensors, {"homeonet_version": __version__, "progress": json.dumps(progress)})


def load_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, run_id: str
) -> dict[str, Any]:
    """Take up what :func:`save_checkpoint` wrote with the progress's ``run_id``; returns the progress.

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
    if found != run_id:
        raise InputError(
            f"{path} belongs to a run with other parameters (run {found}); delete {path.parent} or choose another "
            "output folder"
        )
    _fill(model, {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}, path)
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".")
            state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    return progress


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    contents = save({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, metadata)
    store.write_atomically(path, lambda file: file.write(contents))


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; give the folder of a finished run") from None
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path} is damaged or not a safetensors file ({error}); delete it and run again"
        ) from None


def _fill(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    wanted = model.state_dict()
    missing, surplus = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    shapes = [k for k in wanted.keys() & tensors.keys() if wanted[k].shape != tensors[k].shape]
    if missing or surplus or shapes:
        parts = [
            f"{what} {', '.join(names[:3])}{' …' if len(names) > 3 else ''}"
            for what, names in (
                ("lacks", missing),
                ("has also", surplus),
                ("has other shapes for", sorted(shapes)),
            )
            if names
        ]
        raise InputError(
            f"{path} is of another architecture: it {'; '.join(parts)}; build the network as it was trained"
        )
    model.load_state_dict(tensors)
