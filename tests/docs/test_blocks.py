"""Blocks of TOML in the documentation are configurations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homeonet import load_config
from homeonet.plastic import Structure, model_page

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = [
    (name, number, block)
    for name in ("README.md", "docs/model.md")
    for number, block in enumerate(
        re.findall(r"```toml\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    )
    if "[grid]" not in block
]


@pytest.mark.parametrize(("name", "number", "block"), BLOCKS, ids=[f"{name}-{k}" for name, k, _ in BLOCKS])
def test_blocks_of_toml_are_configurations(name: str, number: int, block: str, tmp_path: Path) -> None:
    text = block if "preset =" in block else f'preset = "massey2026"\n{block}'
    path = tmp_path / "block.toml"
    path.write_text(text, encoding="utf-8")
    config = load_config(path)
    assert config != load_config(config.preset)
    assert Structure.of(config) and model_page(config)
