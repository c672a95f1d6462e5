"""Blocks of TOML in the documentation are configurations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homeonet import load_config
from homeonet.plastic import Structure, model_page
from homeonet.sweep import load_grid

ROOT = Path(__file__).resolve().parents[2]
_TOML = re.compile(r"```(?:toml|\{code-cell\} python\n%%writefile \S+\.toml)\n(.*?)```", re.DOTALL)
BLOCKS = [
    (path.relative_to(ROOT).as_posix(), number, block)
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "_build" not in path.parts
    for number, block in enumerate(_TOML.findall(path.read_text(encoding="utf-8")))
]
GRIDS = [block for block in BLOCKS if "[grid]" in block[2]]
MODELS = [block for block in BLOCKS if "[grid]" not in block[2]]


def _names(blocks: list[tuple[str, int, str]]) -> list[str]:
    return [f"{name}-{number}" for name, number, _ in blocks]


@pytest.mark.parametrize(("name", "number", "block"), MODELS, ids=_names(MODELS))
def test_blocks_of_toml_are_configurations(name: str, number: int, block: str, tmp_path: Path) -> None:
    text = block if "preset =" in block else f'preset = "massey2026"\n{block}'
    path = tmp_path / "block.toml"
    path.write_text(text, encoding="utf-8")
    config = load_config(path)
    assert config != load_config(config.preset)
    assert Structure.of(config) and model_page(config)


@pytest.mark.parametrize(("name", "number", "block"), GRIDS, ids=_names(GRIDS))
def test_blocks_with_a_grid_are_sweeps(name: str, number: int, block: str, tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(block, encoding="utf-8")
    assert len(load_grid(path).cells()) > 1
