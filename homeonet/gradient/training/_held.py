"""How many bytes a training step holds for its backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["held_bytes"]


@contextmanager
def held_bytes(model: nn.Module) -> Iterator[list[int]]:
    """Count what autograd keeps for backward passes within the block.

    ``with held_bytes(model) as sizes: …``; the most that was held is then ``max(sizes)``.

    Parameters
    ----------
    model : Module
        Its parameters are not counted.

    Yields
    ------
    list of int
        The bytes held for backward passes, each tensor once, whenever something is added. What a layer's own
        :class:`torch.autograd.Function` saves is among them; buffers that a kernel needs for a moment are not.
    """
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    held: dict[tuple[int, int], int] = {}
    sizes: list[int] = []

    class Held:
        def __init__(self, tensor: Tensor) -> None:
            self.tensor = tensor.detach()  # an output that knew its node would keep that alive
            self.key = (tensor.data_ptr(), tensor.numel() * tensor.element_size())
            if tensor.untyped_storage().data_ptr() not in own:
                held[self.key] = held.get(self.key, 0) + 1
                sizes.append(sum(size for _, size in held))

        def __del__(self) -> None:
            count = held.pop(self.key, 0)
            if count > 1:
                held[self.key] = count - 1

    with torch.autograd.graph.saved_tensors_hooks(Held, lambda entry: entry.tensor):
        yield sizes
