"""Networks for sequences: images column by column, pixel by pixel, and characters."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.networks._layers import PerStep
from homeonet.gradient.networks._parts import Parts
from homeonet.gradient.networks._residual import Residual
from homeonet.gradient.neurons._neuron import streaming

__all__ = ["CharacterModel", "ColumnNet", "SequenceNet"]


class ColumnNet(nn.Module):
    """The sequential convolutional network of Fang et al.: an image is read column by column.

    Parameters
    ----------
    channels, size, classes : int
        The input is (T, B, channels, size): a column per step, T columns. Output: (T, B, classes).
    parts : Parts
    width : int
        Channels of the convolutions. Default 128.

    References
    ----------
    Fang et al. 2023, arXiv 2304.12760; used in arXiv 2602.01133.
    """

    #: Layers run in the order of registration: deployment and export may treat them as a chain.
    in_order = True

    def __init__(self, channels: int, size: int, classes: int, parts: Parts, *, width: int = 128) -> None:
        super().__init__()
        if size < 4:
            raise InputError(f"size = {size}: columns of at least 4 pixels are needed for two poolings")
        parts.refuse_attention("columns")
        layers: list[nn.Module] = []
        for _ in range(2):
            for _ in range(3):
                layers += [parts.conv(channels, width, axes=1, first=not layers), parts.spiking(width)]
                channels = width
            layers.append(PerStep(nn.AvgPool1d(2)))
            size //= 2
        self.features = nn.Sequential(*layers, nn.Flatten(2))
        self.hidden = nn.Sequential(parts.linear(width * size, 2 * width), parts.spiking(2 * width))
        self.classify = parts.linear(2 * width, classes, last=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.hidden(self.features(x)))


def _block(width: int, parts: Parts, expansion: int) -> Residual:
    """``x + W₂ neuron(W₁ norm(x))``."""
    inner = width * expansion
    norm, expand = nn.LayerNorm(width), parts.linear(width, inner)
    layers = {
        "norm": norm,
        "expand": expand,
        "neuron": parts.spiking(inner),
        "contract": parts.linear(inner, width),
    }
    return Residual(nn.Sequential(OrderedDict(layers)), nn.Identity())


class SequenceNet(nn.Module):
    """Residual blocks of one spiking layer each, for long sequences of few features.

    Parameters
    ----------
    inputs, classes : int
        The input is (T, B, inputs), the output (T, B, classes): a vote at every step.
    parts : Parts
    width, depth, expansion : int
        Residual width, number of blocks, and neurons per block as a multiple of the width. Default 64, 2, 2.
    """

    #: Layers run in the order of registration: deployment and export may treat them as a chain.
    in_order = True

    def __init__(
        self, inputs: int, classes: int, parts: Parts, *, width: int = 64, depth: int = 2, expansion: int = 2
    ) -> None:
        super().__init__()
        parts.refuse_attention("sequence")
        self.flatten = nn.Flatten(2)
        self.encode = parts.linear(inputs, width, first=True)
        self.blocks = nn.Sequential(*(_block(width, parts, expansion) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.classify = parts.linear(width, classes, last=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.norm(self.blocks(self.encode(self.flatten(x)))))


class CharacterModel(nn.Module):
    """A language model over characters: embedding, residual spiking blocks, the next character's logits.

    Parameters
    ----------
    symbols : int
        Size of the alphabet.
    parts : Parts
        With a causal neuron: "dsn", "lif", "trlif", "slidingpsn".
    width, depth, expansion : int
        See :class:`SequenceNet`. Default 128, 3, 2.

    Notes
    -----
    ``forward`` takes symbols (T, B), integers, and gives logits (T, B, symbols) for the symbol after each.
    """

    def __init__(
        self, symbols: int, parts: Parts, *, width: int = 128, depth: int = 3, expansion: int = 2
    ) -> None:
        super().__init__()
        if parts.neuron == "psn":
            raise InputError(
                "neuron = 'psn' sees the future, so it cannot predict it; use 'slidingpsn' or 'dsn'"
            )
        parts.refuse_attention("CharacterModel")
        for name, value in (
            ("symbols", symbols),
            ("width", width),
            ("depth", depth),
            ("expansion", expansion),
        ):
            if value < 1:
                raise InputError(f"CharacterModel: {name} = {value}: it must be at least 1")
        self.symbols = symbols
        self.embed = nn.Embedding(symbols, width)
        self.blocks = nn.Sequential(*(_block(width, parts, expansion) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.predict = parts.linear(width, symbols, last=True)

    def forward(self, symbols: Tensor) -> Tensor:
        if symbols.dim() != 2 or symbols.is_floating_point() or symbols.dtype == torch.bool:
            raise InputError(
                f"symbols: shape {tuple(symbols.shape)} of {symbols.dtype}; integers of shape (T, B) are needed"
            )
        if symbols.numel() and not 0 <= int(symbols.min()) <= int(symbols.max()) < self.symbols:
            raise InputError(
                f"symbols: {int(symbols.min())} to {int(symbols.max())}; they must lie in 0 to {self.symbols - 1}"
            )
        return self.predict(self.norm(self.blocks(self.embed(symbols))))

    @torch.no_grad()
    def generate(self, prompt: Tensor, length: int, *, temperature: float = 1.0, seed: int = 0) -> Tensor:
        """Go on writing after `prompt`, (T, B), one step at a time with a constant state: (length, B).

        Parameters
        ----------
        prompt : Tensor of int, shape (T, B)
        length : int
            Symbols to write, at least 1.
        temperature : float
            Positive; the lower, the likelier are likely symbols. Default 1.
        seed : int
            Chooses the draws. Default 0.
        """
        if length < 1 or length != int(length) or not temperature > 0:
            raise InputError(
                f"length = {length}, temperature = {temperature}: at least one symbol and a positive temperature are "
                "needed"
            )
        generator = torch.Generator().manual_seed(seed)
        written: list[Tensor] = []
        training = self.training
        self.eval()  # writing teaches nothing, not even where membranes start
        try:
            with streaming(self):
                symbols = prompt
                while len(written) < length:
                    probabilities = torch.softmax(self(symbols)[-1].float() / temperature, -1).cpu()
                    drawn = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
                    written.append(drawn.to(prompt.device))
                    symbols = written[-1][None]
        finally:
            self.train(training)
        return torch.stack(written)
