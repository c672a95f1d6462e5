"""The gallery: figures that scripts in ``figures/`` draw from what the studies left, with a page of captions.

A script is named after its figure. Its docstring is the caption; ``STUDY`` names the study whose ``figure.nc`` it draws
from, or is ``"claims"``; ``draw`` makes the figure of that dataset, or of the rows of claims.
"""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from homeonet.errors import InputError
from homeonet.store import disk_errors, require_writable

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["draw_gallery", "figure_scripts", "load_figure"]

#: In the order of the page; others follow by name.
_ORDER = ("cross_paradigm", "verdicts", "sleep", "sleep_weights", "noise_grid")


@dataclass(frozen=True)
class _Drawn:
    """A figure's files and what its page says of it."""

    paths: list[Path]
    about: Mapping[str, str]


def figure_scripts(folder: Path) -> dict[str, Path]:
    """The scripts of figures in a folder, by name; those that begin with an underscore are shared parts."""
    found = {path.stem: path for path in sorted(folder.glob("[!_]*.py"))}
    ranks = {name: k for k, name in enumerate(_ORDER)}
    return {name: found[name] for name in sorted(found, key=lambda name: (ranks.get(name, len(ranks)), name))}


def draw_gallery(
    scripts: Mapping[str, Path],
    chosen: Sequence[str],
    source: str | Path | None = None,
    out: str | Path | None = None,
    formats: Sequence[str] = ("png",),
) -> tuple[list[Path], dict[str, str]]:
    """Draw figures of the gallery, and its page where they are all of them.

    Parameters
    ----------
    scripts
        What `figure_scripts` gives.
    chosen
        Names of those to draw.
    source
        Folder of results of the studies; default: the data beside the scripts.
    out
        Where to write; default: beside the scripts.
    formats
        Some of "png", "pdf" and "svg".

    Returns
    -------
    written, missing
        Files; and why the others could not be drawn, by name.

    Raises
    ------
    InputError
        If `source` is not there or `out` cannot be written.
    """
    if source is not None and not Path(source).is_dir():
        raise InputError(
            f"--from {source} is not a folder; give the one that the studies wrote their results to"
        )
    folder = Path(out) if out is not None else next(iter(scripts.values())).parent
    require_writable(folder)
    drawn: dict[str, _Drawn] = {}
    missing: dict[str, str] = {}
    captions = {}
    for name in chosen:
        script = load_figure(scripts[name])
        captions[name] = (script.__doc__ or "").strip()
        try:
            data, about = _data_of(script.STUDY, scripts[name].parent, source)
            drawn[name] = _Drawn(_save(script, data, folder, name, formats), about)
        except InputError as error:
            missing[name] = str(error)
    written = [path for figure in drawn.values() for path in figure.paths]
    if len(chosen) == len(scripts) and "png" in formats and drawn:
        written.append(_write_page(folder, captions, drawn, missing))
    return written, missing


def load_figure(path: Path) -> ModuleType:
    """A script as a module; scripts may import the shared parts beside them."""
    spec = importlib.util.spec_from_file_location(f"homeonet_figure_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is no script of Python's; give the folder of the figures' scripts")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    absent = [name for name in ("STUDY", "draw") if not hasattr(module, name)]
    if absent:
        raise InputError(f"{path} has no {' and no '.join(absent)}; see another script beside it")
    return module


def _data_of(study: str, scripts: Path, source: str | Path | None) -> tuple[Any, dict[str, str]]:
    """What a script draws from, and the scale and command of the study that made it."""
    if study == "claims":
        from homeonet.claims import claim_rows, find_measured

        rows = claim_rows(None if source is None else find_measured(source))
        if not any(row.cases for row in rows):
            raise InputError("no claim is measured yet; run `python studies/claims_all.py --full --keep`")
        return rows, {"command": "python studies/claims_all.py --full --keep"}
    data = _dataset(study, scripts, source)
    return data, {name: str(data.attrs[name]) for name in ("scale", "command") if name in data.attrs}


def _dataset(study: str, scripts: Path, source: str | Path | None) -> xr.Dataset:
    import xarray as xr

    if source is None:
        paths = [path] if (path := scripts / "data" / f"{study}.nc").is_file() else []
    else:
        paths = sorted(Path(source).rglob("figure.nc"), key=lambda path: path.stat().st_mtime)
    newest = None
    for path in paths:
        try:
            data = xr.load_dataset(io.BytesIO(path.read_bytes()), engine="h5netcdf")
        except Exception as error:  # what HDF5 makes of damaged bytes is open-ended
            reason = " ".join(str(error).split())
            raise InputError(f"{path} cannot be read ({reason}); run the study that wrote it again") from None
        if data.attrs.get("study") == study:
            newest = data
    if newest is None:
        where = f"below {source}" if source is not None else f"in {scripts.name}/data"
        raise InputError(
            f"no data of the study {study} {where}; run `python studies/{study}/study.py`, then give --from its folder"
        )
    return newest


def _save(script: ModuleType, data: Any, folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    from homeonet.plotting import use_style
    from homeonet.plotting._write import write_figures

    with use_style():
        figure = script.draw(data)
    with disk_errors(folder):
        return write_figures([(name, figure)], folder, formats)


def _write_page(
    folder: Path, captions: Mapping[str, str], drawn: Mapping[str, _Drawn], missing: Mapping[str, str]
) -> Path:
    """The gallery as a Markdown page; the first line of a caption is its title."""
    parts = ["# Figures", "", "Drawn by `homeonet figure all` from what the studies measured."]
    for name, caption in captions.items():
        title, _, text = caption.partition("\n")
        parts += ["", f"## {title.rstrip('.')}", ""]
        if name in missing:
            parts += [text.strip(), "", f"*Not drawn yet: {missing[name]}.*"]
            continue
        about = drawn[name].about
        notes = [f"Scale: {about['scale']}." if about.get("scale") else ""]
        notes += [
            f"Data: `{about['command']}`; figure: `homeonet figure {name}`." if "command" in about else ""
        ]
        parts += [f"![{title.rstrip('.')}]({name}.png)", "", text.strip(), "", " ".join(filter(None, notes))]
    path = folder / "README.md"
    with disk_errors(path):
        path.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return path
