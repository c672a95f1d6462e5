"""What the process does that ``_program.py`` starts to write a program: Brian2's device is global to a process."""

from __future__ import annotations

from pathlib import Path

import brian2

from homeonet.plastic.network._structure import Structure
from homeonet.plastic.program._codegen import generate
from homeonet.plastic.program._codegen_standalone import generate_standalone

__all__ = ["main"]


def main(description: str, folder: str, target: str) -> None:
    """Generate from the file of a structure, with Brian2 as it comes, whatever the user's preferences are."""
    brian2.prefs.reset_to_defaults()
    structure = Structure.from_json(Path(description).read_text(encoding="utf-8"))
    write = generate if target in ("cpp", "cuda") else generate_standalone
    write(structure, Path(folder), target)
