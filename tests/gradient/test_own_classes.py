"""A neuron and homeostasis from outside the package: they run like built-in ones, and broken ones are named at once."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from homeonet import InputError
from homeonet.gradient import LIF, cost, deploy
from homeonet.gradient.training import checked_own, train_config
from homeonet.runs.gradient import load_trained, train
from homeonet.sweep import Grid, open_sweep, sweep

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = {
    "net": "sg_snn",
    "net_options.hidden": 12,
    "data": "geometric",
    "size": 8,
    "train": 40,
    "val": 10,
    "test": 20,
}
SMALL |= {"epochs": 1, "batch": 20, "steps": 8, "lr": 0.05}
#: An LIF neuron, in a file of its own.
NEURON = """
import torch
from homeonet.gradient import SpikingNeuron, Triangle, heaviside

class Neuron(SpikingNeuron):
    def __init__(self, channels, decay=0.5):
        super().__init__()
        self.decay = decay
        self.bias = torch.nn.Parameter(torch.zeros(channels))

    def single_step(self, x_t, state):
        u = torch.zeros_like(x_t) if state is None else state
        u = self.decay * (u if self.through_time else u.detach()) + x_t
        spikes = heaviside(u - self.threshold_scale, Triangle())
        return spikes, u - self.threshold_scale * spikes
"""
RULE = """
from homeonet.gradient.homeostasis import Homeostasis

class Rule(Homeostasis):
    kind = "rule"

    def __init__(self, factor=0.5):
        super().__init__()
        self.factor = factor

    def _attached(self, zero):
        self.register_buffer("seen", zero.clone())
        self._handles = [self.model.register_forward_pre_hook(self.before)]

    def before(self, model, args):
        for layer in self._layers:
            layer.neuron.threshold_scale = 1 + self.factor * self.seen

    def after_batch(self):
        super().after_batch()
        self.seen += 1

    def _detached(self, keep):
        for layer in self._layers:
            layer.neuron.threshold_scale = float(1 + self.factor * self.seen) if keep else 1.0
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a module of both classes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(NEURON + RULE)
    yield tmp_path / "mine.py"
    sys.modules.pop("mine", None)


def changed(code: Path, old: str, new: str) -> None:
    text = code.read_text()
    assert old in text
    code.write_text(text.replace(old, new))


def test_a_neuron_and_a_rule_from_outside_train_like_their_own_kind(code: Path) -> None:
    config = train_config(neuron="mine:Neuron", **{"neuron_options.decay": 0.9}, **SMALL)
    ours = train(config, "ours", figures=False)
    lif = train(train_config(neuron="lif", **{"neuron_options.decay": 0.9}, **SMALL), baselines=False)
    assert ours.metrics["accuracy.test"] == lif.metrics["accuracy.test"]
    assert ours.records["train_loss"].item() == pytest.approx(lif.records["train_loss"].item(), rel=1e-6)
    under = train(
        config.model_copy(update={"homeostasis": {"mine:Rule": {"factor": 0.1}}}), "ruled", figures=False
    )
    assert under.model.homeostasis_rule.seen == 2  # two batches
    assert under.metrics["rate.neuron"] < ours.metrics["rate.neuron"]


def test_what_is_opened_again_is_what_was_trained_and_changed_source_is_refused(code: Path) -> None:
    options = {"neuron": "mine:Neuron", "homeostasis.mine:Rule.factor": 0.1, **SMALL}
    first = train(train_config(**options), "run", figures=False, baselines=False)
    x = torch.rand(8, 5, 1, 8, 8)
    again = load_trained("run")
    assert torch.equal(again.model(x), first.model.eval()(x)) and set(again.config.sources) == {
        "mine:Neuron",
        "mine:Rule",
    }
    assert train(train_config(**options), "run").found_complete
    text = code.read_text()
    code.write_text(text + "\n# another file\n")
    for call in (lambda: load_trained("run"), lambda: train(train_config(**options), "run")):
        with pytest.raises(InputError, match=r"^neuron = 'mine:Neuron': its source file has changed"):
            call()
    code.write_text(text)
    assert train(train_config(**options), "run").found_complete


def test_an_interrupted_run_is_not_continued_with_another_source(code: Path) -> None:
    config = train_config(neuron="mine:Neuron", **SMALL | {"epochs": 3})

    class Stop(BaseException):
        pass

    def meter(label: str, total: float):
        from contextlib import nullcontext

        def advance(n: float) -> None:
            advance.calls += 1
            if advance.calls > 3:
                raise KeyboardInterrupt

        advance.calls = 0
        return nullcontext(advance)

    with pytest.raises(KeyboardInterrupt):
        train(config, "run", progress=meter)
    changed(code, "decay=0.5", "decay=0.4")
    with pytest.raises(
        InputError, match=r"^mine:Neuron: its source file has changed since the run in .*began"
    ):
        train(config, "run")
    changed(code, "decay=0.4", "decay=0.5")
    assert len(train(config, "run", figures=False, baselines=False).records["epoch"]) == 3


def test_a_sweep_takes_them_to_its_workers(code: Path) -> None:
    fixed = {**SMALL, "homeostasis.mine:Rule.factor": 0.1}
    grid = Grid(fixed, {"neuron": ["lif", "mine:Neuron"]})
    found = sweep(grid, "s", workers=1, baselines=False)
    assert not found.failed, found.failed
    code.unlink()  # a finished sweep needs no code
    results = open_sweep("s")
    np.testing.assert_allclose(*results["accuracy.test"].values)


def test_cost_and_deployment_take_them(code: Path) -> None:
    options = {"neuron": "mine:Neuron", "homeostasis.mine:Rule.factor": 0.1, **SMALL}
    model = train(train_config(**options), baselines=False).model.eval()
    lif = train(train_config(**options | {"neuron": "lif"}), baselines=False).model.eval()
    x = torch.rand(8, 5, 1, 8, 8)
    deployed = deploy(model)
    assert torch.allclose(deployed(x), model(x)) and not hasattr(deployed, "homeostasis_rule")
    assert cost(model, x).sops == cost(lif, x).sops and cost(model, x).nops == cost(lif, x).nops


@pytest.mark.parametrize("paradigm", ["bptt", "online", "online_random"])
def test_the_examples_train(paradigm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    options = {"neuron": "own_neuron:AdaptiveLIF", "homeostasis.own_plugin:Ratchet.ceiling": 1e-3, **SMALL}
    options["neuron_options.decay"] = 0.9
    result = train(train_config(paradigm=paradigm, **options), baselines=False)
    assert np.isfinite(result.metrics["accuracy.train"])
    if paradigm == "bptt":
        assert result.model.homeostasis_ratchet.scale.item() > 1


def test_the_example_s_neuron_is_lif_where_spikes_add_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    x = 2 * torch.randn(20, 3, 4)
    adaptive = importlib.import_module("own_neuron").AdaptiveLIF
    assert torch.equal(adaptive(jump=0.0)(x), LIF()(x))
    assert adaptive(jump=0.5)(x).sum() < LIF()(x).sum()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere:Neuron", r"no module 'nowhere' in .* nor on Python's path"),
        ("mine:Neurom", "has no 'Neurom'; it has Neuron"),
        ("mine:torch", "it is a module, must be a class"),
        ("mine:Rule", "no subclass of homeonet.gradient.SpikingNeuron"),
        ("mine:", "must be module:class"),
        ("__main__:Neuron", "must be module:class"),
        ("mine.py:Neuron", "no module"),
    ],
)
def test_names_that_mean_nothing(code: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        train(train_config(neuron=name, **SMALL | {"data": "no such data"}))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("import torch", "import not_installed", "mine imports 'not_installed'"),
        ("import torch", "import torch torch", "cannot be imported"),
        ("return spikes, u -", "return spikes[:1], u -", r"gives \(5, 1, 4\) for an input of shape \(5, 3, 4\)"),
        ("heaviside(u - self.threshold_scale, Triangle())", "(u >= 1).float()", "no gradient reaches|backward"),
        ("return spikes, u -", "return spikes, 1 / 0 * u -", "forward fails .*ZeroDivisionError"),
        ("(u if self.through_time else u.detach())", "u", "although through_time is false"),
        ("nn.Parameter(torch.zeros(channels))", "randn(channels)", "its state does not survive"),
        ("def __init__(self, channels, decay=0.5)", "def __init__(self, other)", "cannot be made"),
        (
            "    def single_step",
            "    def sequence(self, x, state):\n        return (x > 1) * x, None\n\n    def single_step",
            "sequence and single_step give different outputs",
        ),
        (
            "    def single_step",
            "    def sequence(self, x, state):\n        return super().sequence(x, None)\n\n    def single_step",
            "in two pieces differs",
        ),
    ],
)  # fmt: skip
def test_neurons_that_break_the_contract(code: Path, old: str, new: str, words: str) -> None:
    changed(code, "= self.decay * (", "= self.bias + self.decay * (")
    changed(code, old, new)
    with pytest.raises(InputError) as error:
        train(train_config(neuron="mine:Neuron", paradigm="online", **SMALL | {"data": "no such data"}))
    assert re.search(words, str(error.value)), error.value
    assert str(error.value).startswith("neuron = 'mine:Neuron'") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "rule"', "pass", 'give the class kind = "…"'),
        ("self.register_buffer(\"seen\", zero.clone())", "self.seen = zero.clone()", "its state does not survive"),
        ("self.seen += 1", "self.seen += undefined", "after_batch or after_epoch fails"),
        ("self._handles = [self.model", "self.others = [self.model", "detach leaves a hook"),
        ("1 + self.factor * self.seen", "1 / 0", "forward pass fails"),
        ("float(1 + self.factor * self.seen) if keep else 1.0", "1.0", "the deployed model computes something else"),
        ("def __init__(self, factor=0.5)", "def __init__(self, other)", "homeostasis = 'mine:Rule'"),
    ],
)  # fmt: skip
def test_rules_that_break_the_contract(code: Path, old: str, new: str, words: str) -> None:
    changed(code, old, new)
    with pytest.raises(InputError) as error:
        train(train_config(**{"homeostasis.mine:Rule": {}}, **SMALL | {"data": "no such data"}))
    assert re.search(words, str(error.value)), error.value
    assert "\n" not in str(error.value)


def test_configurations_survive_toml_and_name_what_they_use(code: Path) -> None:
    (code.parent / "pkg").mkdir()
    (code.parent / "pkg" / "__init__.py").touch()
    (code.parent / "pkg" / "mine2.py").write_text(NEURON + RULE)
    given = train_config(neuron="pkg.mine2:Neuron", **{"homeostasis.pkg.mine2:Rule.factor": 0.2})
    config = checked_own(given)
    assert config.homeostasis == {"pkg.mine2:Rule": {"factor": 0.2}} and len(config.sources) == 2
    from homeonet.gradient.training import load_train_config

    Path("c.toml").write_text(config.to_toml())
    assert load_train_config("c.toml") == config and load_train_config("c.toml").run_id == config.run_id
    assert load_train_config("c.toml", neuron="lif").sources.keys() == {"pkg.mine2:Rule"}
    assert config.run_id != given.run_id
    with pytest.raises(InputError, match="'nothing' is unknown; choose from ahsar"):
        train_config(**{"homeostasis.nothing": {}})


@pytest.mark.parametrize(
    ("net", "encoding"), [("conv", "direct"), ("columns", "columns"), ("sequence", "pixels")]
)
def test_classes_are_tried_on_inputs_of_their_network(code: Path, net: str, encoding: str) -> None:
    axes = {"conv": "-1, 1, 1", "columns": "-1, 1", "sequence": "-1"}[net]
    changed(code, "u = self.decay * (", f"u = self.bias.view({axes}) + self.decay * (")
    options = {"neuron": "mine:Neuron", "homeostasis.mine:Rule": {}, "net": net, "encoding": encoding}
    assert len(checked_own(train_config(**options)).sources) == 2
    other = "sequence" if net != "sequence" else "conv"
    with pytest.raises(InputError, match="neuron = 'mine:Neuron'"):
        checked_own(
            train_config(
                **options | {"net": other, "encoding": "pixels" if other == "sequence" else "direct"}
            )
        )
