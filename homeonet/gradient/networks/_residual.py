"""The sum at the end of a residual block."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Residual"]


class Residual(nn.Module):
    """A residual connection, ``branch(x) + shortcut(x)``.

    Parameters
    ----------
    branch, shortcut : Module
        The branch is a chain where it can be, so that deployment folds thresholds and norms within it.
    """

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch, self.shortcut = branch, shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.shortcut(x)
