"""What a training run records: a row per epoch, and at the end labelled arrays."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from homeonet import store
from homeonet.analysis import dead_and_saturated
from homeonet.gradient.neurons._neuron import SpikingNeuron

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ActivityProbe", "History", "weight_norms"]


class ActivityProbe:
    """Watches the spiking layers of a model while it runs: ``with ActivityProbe(model) as probe: model(x)``.

    A unit's rate is the share of (step, example) pairs in which it emitted anything.

    Attributes
    ----------
    names : list of str
        Names of the layers, in the order of registration.
    """

    def __init__(self, model: nn.Module, *, keep: str | None = None) -> None:
        self._layers = {n: m for n, m in model.named_modules() if isinstance(m, SpikingNeuron)}
        self.names = list(self._layers)
        self._keep = keep
        self._active: dict[str, Tensor] = {}
        self._count: dict[str, int] = {}
        self._kept: list[Tensor] = []

    def __enter__(self) -> ActivityProbe:
        self._handles = [
            layer.register_forward_hook(lambda _, __, out, name=name: self._see(name, out))
            for name, layer in self._layers.items()
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    @torch.no_grad()
    def _see(self, name: str, out: Tensor) -> None:
        active = (out != 0).flatten(2)
        self._active[name] = self._active.get(name, 0) + active.sum((0, 1))
        self._count[name] = self._count.get(name, 0) + active.shape[0] * active.shape[1]
        if name == self._keep:
            self._kept.append(out.detach().flatten(2).float().mean(0).cpu())

    def unit_rates(self, name: str) -> np.ndarray:
        """Rate of each unit of a layer, shape (units,), in emissions per step."""
        return (self._active[name] / self._count[name]).cpu().numpy()

    def summary(self) -> dict[str, dict[str, float]]:
        """Mean rate of each layer, and shares of units that are dead (never active) and saturated (always active)."""
        found = {}
        for name in self.names:
            rates = self.unit_rates(name)
            dead, saturated = dead_and_saturated(rates, 1.0)
            found[name] = {"rate": float(rates.mean()), "dead": dead, "saturated": saturated}
        return found

    def kept(self) -> np.ndarray:
        """Mean output over time of the layer to keep, shape (examples, units)."""
        return torch.cat(self._kept).numpy()


@dataclass
class History:
    """Rows, one per epoch; JSON can hold them.

    Attributes
    ----------
    followers : list of callable
        Called with the history after each epoch.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    followers: list[Callable[[History], Any]] = field(default_factory=list)

    def add(self, row: Mapping[str, Any]) -> None:
        """Append an epoch."""
        self.rows.append(dict(row))
        for follow in self.followers:
            follow(self)

    def write_csv(self, path: Path) -> None:
        """All rows as CSV; nested values are flattened with dots."""
        flat = [_flatten(row) for row in self.rows]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(flat[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat)
        store.write_text(path, text.getvalue())

    def to_dataset(self) -> xr.Dataset:
        """Dimensions epoch, layer, weight; rates in emissions per step, losses in nats."""
        import xarray as xr

        rows = self.rows

        def column(name: str) -> list[float]:
            return [row[name] for row in rows]

        layers, weights = list(rows[0]["layers"]), list(rows[0]["weight_norm"])
        data: dict[str, Any] = {
            name: ("epoch", column(name), {"units": unit})
            for name, unit in (
                ("train_loss", "nat"),
                ("train_accuracy", "1"),
                ("val_accuracy", "1"),
                ("learning_rate", "1"),
                ("seconds", "s"),
            )
        }
        for name in ("rate", "dead", "saturated"):
            values = [[row["layers"][layer][name] for layer in layers] for row in rows]
            data[f"layer_{name}"] = (("epoch", "layer"), np.array(values).reshape(len(rows), len(layers)))
        norms = [[row["weight_norm"][weight] for weight in weights] for row in rows]
        data["weight_norm"] = (("epoch", "weight"), norms, {"long_name": "Euclidean norm"})
        return xr.Dataset(data, {"epoch": column("epoch"), "layer": layers, "weight": weights})


def weight_norms(model: nn.Module) -> dict[str, float]:
    """Euclidean norm of every weight matrix or kernel of `model`, by name."""
    return {
        name: float(p.detach().norm())
        for name, p in model.named_parameters()
        if name.endswith("weight") and p.dim() > 1
    }


def _flatten(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        flat |= (
            _flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
        )
    return flat
