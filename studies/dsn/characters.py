"""The language model of `study.py`: trained on short stretches of a text, tested on one far longer.

How hard a text is varies along it, so each character is scored twice by the same model: with all that stands before it,
and with a context no longer than in training. What counts is the difference of the two.
"""

from __future__ import annotations

import gzip
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from homeonet.claims import Measured, measured_over_seeds
from homeonet.gradient import streaming
from homeonet.gradient.networks import CharacterModel, Parts
from homeonet.machine.cores import worker_count
from homeonet.store import write_records
from homeonet.study.intervals import interval_text

__all__ = ["READERS", "TRAINED", "bits_of", "length_claims", "length_rows", "text_name"]

#: Steps of a stretch in training; DSN's decays start spread over as many.
TRAINED = 256
READERS: dict[str, dict[str, Any]] = {
    "DSN": {"neuron": "dsn", "options": {"longest_memory": float(TRAINED)}},
    "sliding PSN": {"neuron": "slidingpsn"},
    "sliding PSN, long window": {"neuron": "slidingpsn", "options": {"kernel": TRAINED}},
    "LIF": {"neuron": "lif", "options": {"decay": 0.9}},
}
_TESTED = (512, 1000, 2000, 5000, 10000, 20000, 30000)
_BATCH, _STREAMS, _WIDTH, _DEPTH, _RATE = 16, 8, 64, 2, 5e-3
_PIECE = 500


@dataclass(frozen=True)
class Reading:
    """One model to be trained and tested."""

    neuron: str
    seed: int
    text: str
    updates: int
    tested: int


def text_name(path: str) -> str:
    """The text in words."""
    return Path(_found(path)).name or "the documentation that comes with Python"


def bits_of(options: Any) -> xr.Dataset:
    """Bits per character of each neuron, seed and length, whole and with a context as in training; resumes."""
    folder = options.out / "characters"
    folder.mkdir(parents=True, exist_ok=True)
    given = {"text": options.text, "updates": options.updates, "tested": options.tested}
    readings = [Reading(name, seed, **given) for name in options.readers for seed in options.seeds]
    spawn = multiprocessing.get_context("spawn")
    workers = min(worker_count(options.workers), len(readings))
    with ProcessPoolExecutor(workers, spawn, torch.set_num_threads, (1,)) as pool:
        found = list(pool.map(_read, readings, [folder] * len(readings)))
    at = {"neuron": options.readers, "seed": options.seeds}
    n = len(options.seeds)
    rows = [xr.concat(found[i : i + n], "seed") for i in range(0, len(found), n)]
    return xr.concat(rows, "neuron").assign_coords(at)


def _read(reading: Reading, folder: Path) -> xr.Dataset:
    """Train and test a model, or read what a run before has found."""
    path = folder / f"{reading.neuron.replace(',', '').replace(' ', '_')}_{reading.seed}.nc"
    about = {name: str(value) for name, value in asdict(reading).items()}
    if path.exists():
        with xr.open_dataset(path, engine="h5netcdf") as kept:
            if {name: kept.attrs.get(name) for name in about} == about:
                return kept.load()
    learnt, held, symbols = _text(reading.text)
    torch.manual_seed(reading.seed)
    chosen = READERS[reading.neuron]
    model = CharacterModel(
        symbols, Parts(chosen["neuron"], TRAINED, chosen.get("options", {})), width=_WIDTH, depth=_DEPTH
    )
    _train(model, learnt, reading)
    found = _test(model.eval(), held, reading.tested).assign_attrs(about)
    write_records(path, found)
    return found


def _found(path: str) -> str:
    default = Path(os.environ.get("HOMEONET_DATA", ""), "text", "jane_austen.txt.gz")
    return path or (str(default) if default.exists() else "")


def _text(path: str) -> tuple[Tensor, Tensor, int]:
    """The first nine tenths of a text, the last tenth, and how many symbols there are."""
    path = _found(path)
    if not path:
        from pydoc_data.topics import topics

        content = "\n".join(topics.values())
    else:
        open_text = gzip.open if path.endswith(".gz") else open
        with open_text(path, "rt", encoding="utf-8", errors="replace") as file:
            content = file.read()
    alphabet, codes = np.unique(np.frombuffer(content.encode("utf-32-le"), np.uint32), return_inverse=True)
    symbols = torch.from_numpy(codes.astype(np.int64))
    cut = len(symbols) * 9 // 10
    return symbols[:cut], symbols[cut:], len(alphabet)


def _train(model: nn.Module, text: Tensor, reading: Reading) -> None:
    """Adam on stretches that begin anywhere in the text, each from rest."""
    generator = torch.Generator().manual_seed(reading.seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, reading.updates)
    for _ in range(reading.updates):
        starts = torch.randint(len(text) - TRAINED - 1, (_BATCH,), generator=generator)
        stretch = text[torch.arange(TRAINED + 1)[:, None] + starts]
        optimizer.zero_grad()
        cross_entropy(model(stretch[:-1]).flatten(0, 1), stretch[1:].flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()


@torch.no_grad()
def _test(model: nn.Module, text: Tensor, tested: int) -> xr.Dataset:
    """Bits per character up to each length, read in one go and with contexts of half to all of the trained length."""
    tested = min(tested, (len(text) - 1) // _STREAMS)
    starts = torch.arange(_STREAMS) * ((len(text) - 1) // _STREAMS)
    streams = text[torch.arange(tested + 1)[:, None] + starts]
    with streaming(model):
        whole = torch.cat([_bits(model, streams[t : t + _PIECE + 1]) for t in range(0, tested, _PIECE)]).mean(
            1
        )
    half, short = TRAINED // 2, torch.full((tested,), torch.nan)
    ends = torch.arange(TRAINED, tested + 1, half)
    for end in ends.split(16):
        window = streams[torch.arange(TRAINED + 1)[:, None] + (end - TRAINED)]  # (step, window, stream)
        scored = _bits(model, window.flatten(1))[half:].view(half, len(end), -1).mean(2)
        short[(end - half)[None] + torch.arange(half)[:, None]] = scored
    whole[short.isnan()] = torch.nan  # both are of the same characters
    lengths = [n for n in _TESTED if n < tested] + [tested]
    spans = list(zip([TRAINED, *lengths[:-1]], lengths, strict=True))
    values = [[float(bits[a:b].nanmean()) for a, b in spans] for bits in (whole, short)]
    return xr.Dataset(
        {"whole": ("steps_tested", values[0]), "short": ("steps_tested", values[1])},
        {"steps_tested": lengths},
    )


def _bits(model: nn.Module, symbols: Tensor) -> Tensor:
    """Bits of each symbol after the first, (T, B)."""
    logits, targets = model(symbols[:-1]), symbols[1:]
    nats = cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return nats.view(targets.shape) / np.log(2)


def length_rows(bits: xr.Dataset) -> list[list[str]]:
    """A line per neuron: bits with a context as in training, and what reading all before adds, by length."""
    lengths = bits["steps_tested"].values
    rows = [["language model", "bits, short context", *(f"up to {n} steps" for n in lengths)]]
    for name in bits["neuron"].values:
        here = bits.sel(neuron=name)
        more = [f"{float(value):+.3f}" for value in (here["whole"] - here["short"]).mean("seed")]
        more[-1] = interval_text((here["whole"] - here["short"]).isel(steps_tested=-1), "+.3f")
        rows.append([str(name), interval_text(here["short"].mean("steps_tested"), ".3f"), *more])
    return rows


def length_claims(bits: xr.Dataset) -> dict[str, Sequence[Measured]]:
    """Bits per character at the greatest length less those with a context as in training.

    A sliding PSN whose window is shorter than the short context sees no more in a long text, and cannot degrade.
    """
    last = (bits["whole"] - bits["short"]).isel(steps_tested=-1)
    n_steps = int(last["steps_tested"])
    return {
        claim: [measured_over_seeds(f"{name}, {n_steps} steps", last.sel(neuron=name).values, "bits")]
        for claim, name in (("dsn-length", "DSN"), ("dsn-length-peers", "sliding PSN, long window"))
    }
