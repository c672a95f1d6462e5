"""Where the source tree is, whose studies and figures the commands call."""

from __future__ import annotations

import os
from pathlib import Path

from homeonet.errors import InputError

__all__ = ["source_folder"]


def source_folder(name: str) -> Path:
    """The folder ``studies`` or ``figures`` of the source tree, or the one named in the environment.

    Raises
    ------
    InputError
        If there is none, as where the package was installed without its source.
    """
    variable = f"HOMEONET_{name.upper()}"
    named = os.environ.get(variable)
    folder = Path(named) if named else Path(__file__).parents[2] / name
    if not folder.is_dir():
        remedy = (
            f"correct ${variable}"
            if named
            else f"clone the source and install it with `pip install -e .`, or set ${variable}"
        )
        raise InputError(f"the folder of {name} {folder} is not there; {remedy}")
    return folder
