"""How layers without a state meet sequences."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["PerStep"]


class PerStep(nn.Module):
    """Applies a layer to every time step at once: ``(T, B, *)`` is seen by it as a batch of T·B.

    Batch normalisation within therefore takes its statistics over time and batch together (tdBN without its
    scale).

    Parameters
    ----------
    layer : Module
        Or several, applied one after the other; none may hold a state over time.
    """

    def __init__(self, *layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer[0] if len(layer) == 1 else nn.Sequential(*layer)

    def forward(self, x: Tensor) -> Tensor:
        out = self.layer(x.flatten(0, 1))
        return out.unflatten(0, x.shape[:2])
