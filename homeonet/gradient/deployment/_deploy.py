"""From a trained network to what a device would hold: batch norms folded, weights packed, thresholds absorbed."""

from __future__ import annotations

import copy
from collections import Counter
from itertools import chain, pairwise
from typing import Any

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.deployment._deployed import FixedHDLIF, FixedLIF
from homeonet.gradient.deployment._packing import PackedConv1d, PackedConv2d, PackedLinear
from homeonet.gradient.homeostasis._plugin import Homeostasis
from homeonet.gradient.networks._chain import Link, chains, uses
from homeonet.gradient.networks._compression import (
    BinaryConv1d,
    BinaryConv2d,
    BinaryLinear,
    TernaryConv1d,
    TernaryConv2d,
    TernaryLinear,
)
from homeonet.gradient.neurons._hdlif import HDLIF
from homeonet.gradient.neurons._lif import LIF
from homeonet.gradient.neurons._neuron import SpikingNeuron
from homeonet.gradient.neurons._trlif import TrLIF

__all__ = ["deploy", "packed_bytes"]

# Exact types throughout: a subclass may compute something else, and is left as it is.
_PACKED: dict[type[nn.Module], Any] = {
    BinaryConv1d: PackedConv1d,
    TernaryConv1d: PackedConv1d,
    BinaryConv2d: PackedConv2d,
    TernaryConv2d: PackedConv2d,
    BinaryLinear: PackedLinear,
    TernaryLinear: PackedLinear,
}
_FIXED = {LIF: FixedLIF, TrLIF: FixedLIF, HDLIF: FixedHDLIF}
_PLAIN = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
_WEIGHTED = (*_PLAIN, PackedConv1d, PackedConv2d, PackedLinear)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
#: What f(θ S) = θ f(S) holds for, channel by channel, with θ > 0.
_HOMOGENEOUS = (
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
    nn.Flatten,
    nn.Dropout,
    nn.Dropout2d,
    nn.Identity,
)


def deploy(model: nn.Module) -> nn.Module:
    """A copy of `model` for inference, in evaluation mode and without gradients; `model` is left as it is.

    - Batch norm that follows a convolution or linear layer is folded into it.
    - Mem-BN is folded into the membrane's constants.
    - One-bit and ternary weights are packed into bytes, with one float32 scale per output.
    - TrSG's threshold moves into the weights that follow, if nothing but pooling, flattening and dropout lies
      between; the neuron then emits 0 or 1. Else it goes on emitting 0 or θ.
    - What homeostasis multiplied thresholds with is part of them, and plug-ins are gone.

    What follows what is read from ``nn.Sequential``, :class:`PerStep` and modules that declare ``in_order = True``;
    layers in other modules are packed and fixed, but nothing is folded across them, nor into weights that another
    module holds too or that hooks compute. Names in the state stay those of
    `model`.

    Parameters
    ----------
    model : Module

    Returns
    -------
    Module
        Its outputs are those of ``model.eval()`` to float tolerance. To load a saved one, deploy a new model of the
        same architecture and load the state into that.

    Raises
    ------
    InputError
        If a layer's weight is computed by a hook of the older ``weight_norm`` or ``spectral_norm``.

    References
    ----------
    HD-LIF, arXiv 2410.07547 (Mem-BN re-parameterisation); Kook et al. 2025, arXiv 2511.08708 (TrSG).
    """
    _refuse_computed_tensors(model)
    deployed = copy.deepcopy(model).eval().requires_grad_(False)
    for plugin in [m for m in deployed.modules() if isinstance(m, Homeostasis)]:
        plugin.detach(keep=True)
    if type(deployed) in _FIXED or type(deployed) in _PACKED:
        deployed = nn.Sequential(deployed)
    _replace_layers(deployed)
    held, owners = uses(deployed), _owners(deployed)
    for links in chains(deployed):
        for previous, link in pairwise(links):
            alone = held[previous.module] == held[link.module] == 1 and previous.per_step == link.per_step
            if alone and _is_its_own(previous.module, owners) and not _has_hooks(link.module):
                _fold_batch_norm(previous, link)
        for i, link in enumerate(links):
            if isinstance(link.module, FixedLIF) and link.module.scaled and held[link.module] == 1:
                _fold_threshold(link.module, links[i + 1 :], held, owners)
    return deployed


def packed_bytes(deployed: nn.Module) -> int:
    """The bytes of all tensors that `deployed` stores: weights, scales, biases, constants of neurons and norms."""
    return sum(tensor.nbytes for tensor in chain(deployed.parameters(), deployed.buffers()))


def _refuse_computed_tensors(model: nn.Module) -> None:
    """Raise InputError where a layer holds a tensor with a graph behind it, which cannot be copied."""
    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, Tensor) and not value.is_leaf:
                raise InputError(
                    f"deploy: {key!r} of layer {name!r}, a {type(module).__name__}, is computed from other tensors, as "
                    "weight_norm and spectral_norm do by hooks; remove them first (torch.nn.utils.remove_weight_norm)"
                )


def _owners(model: nn.Module) -> Counter[int]:
    """How many places of `model` hold each tensor's memory."""
    return Counter(
        tensor.untyped_storage().data_ptr()
        for module in model.modules()
        for tensor in (*module._parameters.values(), *module._buffers.values())
        if tensor is not None and tensor.numel()
    )


def _has_hooks(module: nn.Module) -> bool:
    """Whether more happens when `module` is called than its class says."""
    return bool(module._forward_pre_hooks or module._forward_hooks)


def _is_its_own(layer: nn.Module, owners: Counter[int]) -> bool:
    """Whether weight and bias of `layer` are plain tensors that nothing else holds and no hook makes anew."""
    held = layer._parameters | layer._buffers
    return (
        not _has_hooks(layer)
        and "weight" not in vars(layer)
        and all(owners[t.untyped_storage().data_ptr()] <= 1 for t in held.values() if t is not None)
    )


def _replace_layers(model: nn.Module) -> None:
    """Put fixed neurons and packed layers where trained ones are; one held in several places stays one."""
    replaced: dict[nn.Module, nn.Module] = {}
    for parent in list(model.modules()):
        for key, child in parent._modules.items():
            hooked = type(child) in _PACKED and _has_hooks(child)
            if (type(child) in _FIXED or type(child) in _PACKED) and not hooked:
                if child not in replaced:
                    make = _FIXED.get(type(child)) or _PACKED[type(child)].of
                    replaced[child] = make(child).eval()
                parent._modules[key] = replaced[child]
    for neuron in model.modules():
        if isinstance(neuron, SpikingNeuron) and "threshold_scale" in neuron.__dict__:
            neuron._forward_hooks.clear()
            neuron._forward_pre_hooks.clear()
            scale = neuron.threshold_scale
            plain = isinstance(scale, float) and scale == 1
            if not (plain and isinstance(neuron, FixedLIF | FixedHDLIF)):
                neuron.store_scale(scale)


def _fold_batch_norm(layer_link: Link, norm_link: Link) -> None:
    layer, norm = layer_link.module, norm_link.module
    if type(layer) not in _WEIGHTED or type(norm) not in _NORMS or norm.running_mean is None:
        return
    if norm.num_features != layer.weight.shape[0]:
        return  # a linear layer on more axes than one, whose channels are elsewhere
    factor = torch.rsqrt(norm.running_var + norm.eps)
    shift = -norm.running_mean * factor
    if norm.affine:
        factor, shift = factor * norm.weight, shift * norm.weight + norm.bias
    bias = shift if layer.bias is None else shift + layer.bias * factor
    if isinstance(layer, PackedConv2d | PackedLinear):
        layer.scale, layer.bias = (layer.scale * factor).float(), bias.float()
    else:
        layer.weight.mul_(factor.view(-1, *[1] * (layer.weight.dim() - 1)))
        layer.bias = nn.Parameter(bias, requires_grad=False)
    norm_link.replace(nn.Identity())


def _fold_threshold(
    neuron: FixedLIF, following: list[Link], held: dict[nn.Module, int], owners: Counter[int]
) -> None:
    flattened = False
    for link in following:
        if type(link.module) in _WEIGHTED:
            break
        if type(link.module) not in _HOMOGENEOUS or _has_hooks(link.module):
            return
        flattened |= isinstance(link.module, nn.Flatten)
    else:
        return
    if held[link.module] != 1 or "threshold_scale" in neuron._buffers:
        return
    if not _is_its_own(link.module, owners):
        return
    if _scale_inputs(link.module, neuron.threshold, flattened):
        neuron.scaled = False


def _scale_inputs(layer: nn.Module, threshold: Tensor, flattened: bool) -> bool:
    """Multiply the weights with the threshold of the channel they read; False where they cannot take it up."""
    packed = isinstance(layer, PackedConv2d | PackedLinear)
    if threshold.dim() == 0:
        if packed:
            layer.scale = (layer.scale * threshold).float()
        else:
            layer.weight.mul_(threshold)
        return True
    if packed:
        return False  # their scales belong to outputs
    weight = layer.weight
    if isinstance(layer, nn.Linear):
        a_channel, rest = divmod(weight.shape[1], len(threshold))
        if rest or (a_channel > 1 and not flattened):
            return False
        weight.mul_(threshold.repeat_interleave(a_channel))
        return True
    if layer.in_channels != len(threshold):
        return False
    by_group = weight.view(layer.groups, -1, *weight.shape[1:])
    by_group.mul_(threshold.view(layer.groups, 1, -1, *[1] * (weight.dim() - 2)))
    return True
