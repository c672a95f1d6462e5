"""The table that :func:`homeonet.gradient.cost` returns: a row per layer, totals, both conventions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["CostTable", "LayerCost"]

#: Energy in mJ: of an addition and a MAC in 32-bit floating point, and of 32 bits from an 8 kB SRAM (45 nm).
_ADDITION, _MAC, _MEMORY = 0.9e-9, 4.6e-9, 5.0e-9
#: What the HD-LIF paper divides by in compressed mode.
_COMPRESSION = 8


@dataclass(frozen=True)
class LayerCost:
    """What one layer costs; operations are a sample's, over all its time steps.

    Attributes
    ----------
    name, layer : str
        Where it is in the model, and its class.
    parameters : int
        Trained parameters.
    billed_bits : int
        Bits of its weights, as the papers count.
    stored_bytes : int
        Bytes of everything that the deployed layer holds.
    rate : float or None
        Share of non-zero outputs, a neuron and time step; None for layers that do not spike.
    outputs : float
        Neuron-steps of a spiking layer.
    sops : float
        Additions by non-zero inputs with non-zero weights.
    paper_sops : float
        The same; 0 for the layers that the papers leave out.
    nops : float
        Operations of its neurons, as the papers count.
    macs, additions : float
        Multiply-accumulates and additions, all of them.
    memory_bits : float
        Bits read and written.
    weights, zero_weights : int
        Its weights, biases left out, and how many of them are 0.
    real_sops : float
        The part of `sops` in time steps whose inputs are not all 0, 1 or -1, to which NeuroBench gives a MAC.
    dense_sops : float
        SOPs if no input and no weight were 0.
    """

    name: str
    layer: str
    parameters: int
    billed_bits: int
    stored_bytes: int
    rate: float | None
    outputs: float
    sops: float
    paper_sops: float
    nops: float
    macs: float
    additions: float
    memory_bits: float
    weights: int
    zero_weights: int
    real_sops: float
    dense_sops: float

    @property
    def compute_mj(self) -> float:
        """Energy of the operations as they are, mJ."""
        return self.macs * _MAC + self.additions * _ADDITION

    @property
    def memory_mj(self) -> float:
        """Energy of reading and writing, mJ."""
        return self.memory_bits / 32 * _MEMORY


@dataclass(frozen=True)
class CostTable:
    """What a network costs per sample; ``print(table)`` shows it.

    Attributes
    ----------
    layers : tuple of LayerCost
    parameters : int
        Trained ones of the whole model.
    stored_bytes : int
        Bytes of everything that the deployed model holds.
    compressed : bool
        Whether the papers' energy is divided by 8.
    """

    layers: tuple[LayerCost, ...]
    parameters: int
    stored_bytes: int
    compressed: bool

    @property
    def rate(self) -> float:
        """Mean firing rate of all neurons, in spikes per time step; each layer counts by its neurons."""
        spiking = [row for row in self.layers if row.rate is not None]
        return sum(row.rate * row.outputs for row in spiking) / sum(row.outputs for row in spiking)

    @property
    def paper_mb(self) -> float:
        """Weights in 10⁶ bytes, as the papers bill them."""
        return sum(row.billed_bits for row in self.layers) / 8e6

    @property
    def stored_mb(self) -> float:
        """Everything stored, in 10⁶ bytes."""
        return self.stored_bytes / 1e6

    @property
    def sops(self) -> float:
        """Additions by non-zero inputs with non-zero weights, of all layers."""
        return sum(row.sops for row in self.layers)

    @property
    def paper_sops(self) -> float:
        """SOPs as the papers count: without those of the first convolution and of the classifier."""
        return sum(row.paper_sops for row in self.layers)

    @property
    def nops(self) -> float:
        """Operations of neurons, as the papers count."""
        return sum(row.nops for row in self.layers)

    @property
    def paper_mj(self) -> float:
        """Energy in mJ, as the papers count."""
        return self.paper_sops * _ADDITION / (_COMPRESSION if self.compressed else 1)

    @property
    def compute_mj(self) -> float:
        """Energy of all operations as they are, mJ."""
        return sum(row.compute_mj for row in self.layers)

    @property
    def memory_mj(self) -> float:
        """Energy of reading weights and of reading and writing membranes, mJ."""
        return sum(row.memory_mj for row in self.layers)

    @property
    def honest_mj(self) -> float:
        """Energy of operations and memory, mJ."""
        return self.compute_mj + self.memory_mj

    def totals(self) -> dict[str, float]:
        """The totals by name, for a table of several networks."""
        names = (
            "parameters",
            "paper_mb",
            "stored_mb",
            "rate",
            "sops",
            "paper_sops",
            "nops",
            "paper_mj",
            "compute_mj",
        )
        return {name: getattr(self, name) for name in (*names, "memory_mj", "honest_mj")}

    def neurobench(self) -> dict[str, Any]:
        """The metrics of NeuroBench, by its names, of the deployed network.

        Returns
        -------
        dict
            ``Footprint`` in bytes, ``ParameterCount``, ``ConnectionSparsity`` and ``ActivationSparsity`` in [0, 1] (the
            first rounded to four decimals; of all outputs of spiking layers), and ``SynapticOperations``: a dict of
            ``Effective_MACs``, ``Effective_ACs`` and ``Dense``, a sample.

        Notes
        -----
        Footprint and weights are those that the network is deployed with: batch norm folded, one-bit and ternary
        weights packed. ParameterCount is of the trained model.

        References
        ----------
        Yik et al. 2025, Nature Communications 16, 1545 (NeuroBench); as release 2.3.0 computes them.
        """
        weights, zeros = (sum(getattr(r, name) for r in self.layers) for name in ("weights", "zero_weights"))
        macs = sum(row.real_sops for row in self.layers)
        return {
            "Footprint": self.stored_bytes,
            "ParameterCount": self.parameters,
            "ConnectionSparsity": round(zeros / weights, 4) if weights else 0.0,
            "ActivationSparsity": 1 - self.rate,
            "SynapticOperations": {
                "Effective_MACs": macs,
                "Effective_ACs": self.sops - macs,
                "Dense": sum(row.dense_sops for row in self.layers),
            },
        }

    def records(self) -> list[dict[str, object]]:
        """The rows as dictionaries, for a CSV file or a data frame."""
        return [asdict(r) | {"compute_mj": r.compute_mj, "memory_mj": r.memory_mj} for r in self.layers]

    def __str__(self) -> str:
        head = f"{'layer':<34}{'':<16}{'parameters':>11}{'bytes':>11}{'rate':>7}"
        head += f"{'SOPs M':>9}{'NOPs M':>9}{'MACs M':>9}{'adds M':>9}{'mJ':>10}"
        lines = [head]
        for row in self.layers:
            if not (row.stored_bytes or row.macs or row.additions):
                continue  # folded into another
            rate = "" if row.rate is None else f"{row.rate:.3f}"
            counts = "".join(f"{n / 1e6:9.3g}" for n in (row.sops, row.nops, row.macs, row.additions))
            lines.append(
                f"{row.name[-33:]:<34}{row.layer:<16}{row.parameters:11d}{row.stored_bytes:11d}{rate:>7}"
                f"{counts}{row.compute_mj + row.memory_mj:10.3g}"
            )
        by_eight = ", energy / 8" if self.compressed else ""
        lines.append(
            f"papers' convention: {self.paper_mb:.4g} MB (weights), {self.paper_sops / 1e6:.5g} M SOPs, "
            f"{self.nops / 1e6:.4g} M NOPs, {self.paper_mj:.3g} mJ{by_eight}"
        )
        lines.append(
            f"honest convention: {self.stored_mb:.4g} MB (everything stored), rate {self.rate:.3f}, "
            f"{self.compute_mj:.3g} mJ of operations + {self.memory_mj:.3g} mJ of memory = {self.honest_mj:.3g} mJ"
        )
        return "\n".join(lines)
