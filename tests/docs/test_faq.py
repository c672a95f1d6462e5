"""What the FAQ says in code is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import homeonet
from tests.support.short_runs import short

torch = pytest.importorskip("torch")
snntorch = pytest.importorskip("snntorch")

FAQ = (Path(__file__).resolve().parents[2] / "docs" / "faq.md").read_text(encoding="utf-8")


def block(of: str) -> str:
    """The block of Python under the question that holds some words."""
    (section,) = (part for part in FAQ.split("\n## ") if of in part.partition("\n")[0])
    return re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 6)
        self.lif = snntorch.Leaky(beta=0.9, learn_threshold=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mem, total = self.lif.init_leaky(), 0.0
        for _ in range(5):
            spikes, mem = self.lif(self.linear(x), mem)
            total = total + spikes + mem
        return total


def test_a_grid_has_a_cell_for_each_pair() -> None:
    assert len(eval(block("with other parameters"), {"homeonet": homeonet})) == 2 * 3


def test_a_finished_run_is_shown_other_images(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    homeonet.run(short(), "results/first", figures=False, baselines=False)
    code = block("stop a compiled simulation").replace("train=600, test=200", "train=20, test=10")
    assert len(eval(code, {"homeonet": homeonet}).features_test) == 10


def test_thresholds_follow_the_rate_and_their_parameter_keeps_its_gradient() -> None:
    torch.manual_seed(0)
    model = Model()
    adaptation = eval(
        block("homeostasis, for the neurons of snnTorch"), {"homeonet": homeonet, "model": model}
    )
    x = 3 * torch.rand(8, 4)
    model(x).sum().backward()
    assert model.lif.threshold.grad.abs() > 0
    for name, value in adaptation.named_buffers():
        assert not value.requires_grad, name
    for _ in range(20):
        model(x)
    (scale,) = (value for name, value in adaptation.state_dict().items() if name.startswith("log_scale"))
    assert scale.shape == (6,) and scale.min() < scale.max()  # units that fire more have a higher threshold
    assert any("log_scale" in name for name in model.state_dict())
