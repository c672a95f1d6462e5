"""The page of a model: what it says is what is compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeonet import load_config
from homeonet.cli.main import main
from homeonet.config import PATHWAYS, preset_names
from homeonet.plastic import Structure, connect, model_page

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples" / "rules").glob("*.toml"))
SMALL = {"input.side": 6, "exc.n": 30, "inh.n": 10, "input_exc.density": 0.4}


def stripped(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if line.strip()}


@pytest.mark.parametrize("source", [*preset_names(), *EXAMPLES], ids=str)
@pytest.mark.parametrize(
    "changes", [{}, {"ahsar.enabled": True, "sleep.plastic": False}], ids=["as it is", "ahsar"]
)
def test_every_statement_that_brian2_gets_stands_on_the_page(source: str | Path, changes: dict) -> None:
    from homeonet.plastic.network._network import build_network

    config = load_config(source, SMALL | changes)
    structure = Structure.of(config)
    page = model_page(config)
    lines = stripped(page)
    connections = connect(structure, [config])
    network = build_network(structure, connections)
    for pathway in PATHWAYS:
        synapses = network[pathway]
        for part in ("pre", "post", "renormalise"):
            if hasattr(synapses, part):
                assert stripped(getattr(synapses, part).code) <= lines
        assert f"{len(connections[pathway][0])} in all" in page
    for name in ("input", "exc", "inh"):
        assert stripped(network[name].event_codes["spike"]) <= lines
        assert network[name].events["spike"] in lines
    assert stripped(network["controller_step"].abstract_code) <= lines
    for name, value in config.to_dict()["sleep"].items():
        assert f"{name} = {value}" in " ".join(page.split())


def test_the_page_of_a_controller_of_one_s_own_has_its_source_its_values_and_its_sensors() -> None:
    text = {
        "source_text": "a paper",
        "falls": "rate_exc > high",
        "wakes": "awake_for > 1",
        "parameters": {"high": 9.0},
    }
    page = model_page(load_config("massey2026", {"controller.busy": text, "sleep.trigger": "busy"}))
    lines = stripped(page)
    assert {"a paper", "parameters of busy: high = 9.0"} <= lines and "sums of weights, rate of exc" in page
    assert "rate_exc = (spikes_exc - last_spikes_exc)*per_spike_exc" in lines
    assert "Massey" not in page.partition("sleep controller")[2]


def test_the_page_has_the_time_constants_of_a_rule_and_needs_no_parameters() -> None:
    rule = {
        "pre_traces": {"x": "16.8 ms"},
        "post_traces": {"y": {"tau": "2 s", "rise": 0.5}},
        "on_pre": "w -= eta*y",
    }
    page = model_page(load_config("massey2026", {"rule.bare": rule, "exc_exc.rule": "bare"}))
    assert "time constants of traces: x = 16.8 ms, y = 2000 ms" in page


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["presets", "massey2026", "--equations"]) == 0
    assert capsys.readouterr().out == model_page(load_config("massey2026"))
    assert main(["run", str(EXAMPLES[0]), "--set", "exc.n=321", "--explain"]) == 0
    assert "321 excitatory" in capsys.readouterr().out and not list(tmp_path.iterdir())
    assert main(["presets", "--equations"]) == 2
    assert "--equations needs the model's name" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["run", "massey2026", "--explain", "--out", "x"])
    assert "not allowed with argument" in capsys.readouterr().err
