"""Which layers of a network follow one another directly: what folding and export can rely on.

Order is read from ``nn.Sequential`` and ``PerStep``, which apply their children in the order in which they hold them,
and from modules that say that they do the same: a class attribute ``in_order = True``. Any other module is a link
whose inside is looked through separately.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from torch import nn

from homeonet.gradient.networks._layers import PerStep

__all__ = ["Link", "chain_of", "chains", "uses"]


@dataclass
class Link:
    """A layer in a chain.

    Parameters
    ----------
    parent : Module
        What holds it, under the name `key`.
    key : str
    module : Module
    name : str
        Its name in ``named_modules()`` of the whole network.
    per_step : bool
        Whether it sees time steps as a batch, (T·B, *).
    """

    parent: nn.Module
    key: str
    module: nn.Module
    name: str
    per_step: bool

    def replace(self, module: nn.Module) -> None:
        """Put `module` where the layer is."""
        self.parent._modules[self.key] = self.module = module


def chain_of(module: nn.Module, name: str = "", *, per_step: bool = False) -> list[Link]:
    """The layers in `module`, an ``nn.Sequential`` or ``PerStep``, in the order in which they are applied."""
    links: list[Link] = []
    per_step = per_step or isinstance(module, PerStep)
    for key, child in module._modules.items():
        child_name = f"{name}.{key}" if name else key
        if is_container(child):
            links += chain_of(child, child_name, per_step=per_step)
        else:
            links.append(Link(module, key, child, child_name, per_step))
    return links


def chains(model: nn.Module, name: str = "") -> list[list[Link]]:
    """All chains in `model` that are not part of a longer one."""
    if is_container(model):
        links = chain_of(model, name)
        return [links] + [chain for link in links for chain in chains(link.module, link.name)]
    return [
        chain
        for key, child in model._modules.items()
        if child is not None
        for chain in chains(child, f"{name}.{key}" if name else key)
    ]


def is_container(module: nn.Module | None) -> bool:
    """Whether `module` applies its children one after the other and does nothing else."""
    known = (nn.Sequential.forward, PerStep.forward)
    return module is not None and (type(module).forward in known or getattr(module, "in_order", False))


def uses(model: nn.Module) -> Counter[nn.Module]:
    """How many times each module is held in `model`; what is held twice must not be changed for one place alone."""
    return Counter(module for _, module in model.named_modules(remove_duplicate=False))
