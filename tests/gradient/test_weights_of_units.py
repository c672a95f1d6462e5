"""Weights of models whose units have thresholds of their own: loaded where they fit, else the entry and its shapes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from homeonet import InputError
from homeonet.gradient import DSN, HDLIF, LIF, TrLIF, deploy
from homeonet.gradient.homeostasis import ThresholdAdaptation
from homeonet.gradient.training import load_weights, save_weights

NEURONS = {"lif": LIF, "trlif": TrLIF, "hdlif": lambda: HDLIF(6), "dsn": lambda: DSN(10)}


def batch(seed: int) -> torch.Tensor:
    return 3 * torch.rand(6, 5, 12, generator=torch.Generator().manual_seed(seed))


def network(name: str, per: str | None = "unit", *, passes: int = 0) -> nn.Module:
    model = nn.Sequential(nn.Linear(12, 10), NEURONS[name](), nn.Linear(10, 4))
    if per is not None:
        ThresholdAdaptation(rate=0.5, per=per).attach(model)
    for seed in range(passes):
        model(batch(seed))
    return model


@pytest.mark.parametrize("name", NEURONS)
def test_thresholds_of_units_are_taken_by_a_model_that_has_not_run(name: str, tmp_path: Path) -> None:
    trained = network(name, passes=4)
    save_weights(tmp_path / "w.safetensors", trained)
    loaded = load_weights(tmp_path / "w.safetensors", network(name))
    scale = loaded.homeostasis_threshold_adaptation.scale("1")
    assert torch.equal(scale, trained.homeostasis_threshold_adaptation.scale("1")) and scale.shape == (10,)
    assert torch.equal(loaded.eval()(batch(9)), trained.eval()(batch(9)))


@pytest.mark.parametrize("name", NEURONS)
@pytest.mark.parametrize("per", ["unit", None])
def test_a_deployed_model_of_units_is_taken_by_another_deployed_one(
    name: str, per: str | None, tmp_path: Path
) -> None:
    saved = deploy(network(name, passes=4))
    save_weights(tmp_path / "w.safetensors", saved)
    loaded = load_weights(tmp_path / "w.safetensors", deploy(network(name, per)))
    assert torch.equal(loaded(batch(9)), saved(batch(9)))


@pytest.mark.parametrize(
    ("saved", "other", "words"),
    [
        (("lif", "unit"), ("lif", "layer"), r"log_scale_0 \(shape \(10,\) there, shape \(\) here\)"),
        (("lif", "layer"), ("lif", "unit"), r"log_scale_0 \(shape \(\) there, shape \(10,\) here\)"),
        (("lif", "unit"), ("lif", None), r"has also homeostasis_threshold_adaptation\.log_scale_0"),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(
    saved: tuple, other: tuple, words: str, tmp_path: Path
) -> None:
    save_weights(tmp_path / "w.safetensors", network(*saved, passes=3))
    model = network(*other, passes=2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(InputError, match=words) as caught:
        load_weights(tmp_path / "w.safetensors", model)
    assert str(caught.value).isprintable()
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_whether_a_deployed_neuron_emits_its_threshold_is_still_compared(tmp_path: Path) -> None:
    """Where no scale per unit comes with the state, who emits θ and whose weights hold it are two networks."""
    build: Callable[[str], nn.Module] = lambda rule: deploy(  # noqa: E731
        nn.Sequential(nn.Linear(12, 10), TrLIF(threshold_rule=rule), nn.Tanh(), nn.Linear(10, 4))
    )
    save_weights(tmp_path / "w.safetensors", build("trsg"))
    with pytest.raises(InputError, match="another architecture"):
        load_weights(tmp_path / "w.safetensors", build("as"))
