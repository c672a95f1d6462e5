"""Training leaves the caller's random generators and torch's settings as they were."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch

from homeonet.errors import InputError
from homeonet.gradient.training import train_config
from homeonet.gradient.training._checkpoint import load_checkpoint, save_checkpoint
from homeonet.runs.gradient import load_trained, train

CONFIG = train_config(
    **{"data": "geometric", "size": 8, "train": 40, "val": 10, "test": 10, "batch": 20, "epochs": 1},
    **{"neuron": "lif", "net": "sg_snn", "net_options.hidden": 8, "encoding": "poisson"},
)


def state() -> list[object]:
    numpy_state = np.random.get_state()  # noqa: NPY002
    return [
        torch.get_rng_state().tolist(),
        [numpy_state[0], numpy_state[1].tolist(), *numpy_state[2:]],
        random.getstate(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_float32_matmul_precision(),
    ]


@pytest.mark.parametrize("precision", ["32-true", "64-true", "bf16-mixed"])
def test_the_callers_state_is_left_alone(precision: str) -> None:
    torch.manual_seed(11)
    before = state()
    config = CONFIG.model_copy(update={"precision": precision})
    train(config, accelerator="cpu", figures=False, baselines=True)
    assert state() == before


def test_it_is_left_alone_when_training_is_refused() -> None:
    before = state()
    with pytest.raises(InputError):
        train(CONFIG.model_copy(update={"data": "no such data"}), accelerator="cpu")
    assert state() == before


def test_a_checkpoint_holds_the_scale_of_half_precision(tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaler.scale(model(torch.ones(1, 2)).sum()).backward()
    scaler.step(optimizer)
    scaler.update(512.0)
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, model, optimizer, {"run_id": "x"}, scaler)
    fresh = torch.amp.GradScaler("cpu", init_scale=2.0)
    load_checkpoint(path, model, optimizer, "x", fresh)
    assert fresh.state_dict() == scaler.state_dict()
    assert fresh.get_scale() == 512.0


@pytest.mark.parametrize(("asked", "ran"), [("16-mixed", "bf16-mixed"), ("bf16-mixed", "bf16-mixed")])
def test_the_configuration_names_the_precision_that_ran(tmp_path: Path, asked: str, ran: str) -> None:
    config = CONFIG.model_copy(update={"precision": asked})
    given = {"accelerator": "cpu", "figures": False, "baselines": False}
    result = train(config, tmp_path / "run", **given)
    seen = []
    hook = torch.nn.modules.module.register_module_forward_hook(
        lambda module, _, out: seen.append(out.dtype) if isinstance(module, torch.nn.Linear) else None
    )
    try:
        other = train(config, **given)
    finally:
        hook.remove()
    assert seen and set(seen) == {torch.bfloat16}
    assert result.config.precision == other.config.precision == ran
    written = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert written["precision"] == ran
    assert load_trained(tmp_path / "run").metrics["run_id"] == result.config.run_id
    assert train(config, tmp_path / "run", **given).found_complete  # asked for once more
