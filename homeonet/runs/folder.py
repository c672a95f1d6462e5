"""The folder of a run, grown or trained by gradients: written by one process at a time, and there when it is complete.

Until then ``.NAME.partial`` beside it holds what there is, and ``.NAME.lock`` is locked by the process that writes it.
Files from which the same call continues keep the partial folder when that process ends; without any it goes too.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from homeonet import store
from homeonet._version import __version__
from homeonet.config.parameters import read_toml
from homeonet.errors import InputError
from homeonet.store.checksums import read_verified, verify

__all__ = ["RunFolder", "stored_kind", "stored_metrics"]


class RunFolder:
    """Where a run is written.

    Parameters
    ----------
    final : path
        The folder's name once the run is complete.
    kept : sequence of str
        Files of the partial folder from which the same call continues.

    Attributes
    ----------
    work : Path
        The partial folder.
    """

    def __init__(self, final: str | Path, kept: Sequence[str] = ()) -> None:
        self.final = Path(final)
        self.work = self.final.parent / f".{self.final.name}.partial"
        self._kept = tuple(kept)

    def exists(self) -> bool:
        """Whether there is something under the final name."""
        with store.disk_errors(self.final):
            return self.final.exists()

    def require_writable(self) -> None:
        """Make the partial folder, and raise InputError if files cannot be written there."""
        store.require_writable(self.work)

    def locked(self, *, wait: bool = False) -> contextlib.AbstractContextManager[None]:
        """Keep other processes from writing this run; raises BusyError if one does, unless `wait`."""
        return store.locked(self.final.parent / f".{self.final.name}.lock", wait=wait)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """A block after which the partial folder is gone, published or not, unless the same call could continue.

        An interruption says which of the two it is, below its traceback.
        """
        try:
            yield
        except KeyboardInterrupt as interruption:
            what = "continues" if self._could_continue() else "begins anew"
            interruption.add_note(f"homeonet: {self.final} is not complete; the same call {what}")
            raise
        finally:
            if not self._could_continue():
                shutil.rmtree(self.work, ignore_errors=True)

    def _could_continue(self) -> bool:
        return any((self.work / name).exists() for name in self._kept)

    def empty(self) -> None:
        """Make the partial folder anew, without what another call left there."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.require_writable()

    def write_text(self, name: str, text: str) -> None:
        """Write a file of text, such as the configuration of the run."""
        store.write_text(self.work / name, text)

    def publish(self, parts: Sequence[str]) -> None:
        """Give the folder its name; it keeps `parts`, and their checksums."""
        store.publish_folder(self.work, self.final, parts)

    def require_finished(self) -> None:
        """Raise InputError if what is under the final name is no finished run of this version."""
        if not self.final.is_dir():
            raise InputError(f"out = {str(self.final)!r} is a file; choose the name of a new folder")
        if not (self.final / "metrics.json").exists():
            raise InputError(
                f"out = {str(self.final)!r} exists and holds no finished run; choose the name of a new folder"
            )
        version = stored_metrics(self.final)["homeonet_version"]
        if version != __version__:
            raise InputError(
                f"out = {str(self.final)!r} holds a run of homeonet {version} and this is {__version__}; choose "
                "another folder, or delete it to run again"
            )

    def require_same(self, there: str, wanted: str) -> None:
        """Raise InputError if the run that is there has not the `run_id` that is wanted."""
        if there != wanted:
            raise InputError(
                f"out = {str(self.final)!r} holds a run with other parameters (run {there}); choose another folder or "
                "delete it"
            )


def stored_metrics(folder: Path) -> dict[str, Any]:
    """What `metrics.json` of a finished run holds; InputError if there is none, or it is not what was written."""
    try:
        metrics = json.loads(read_verified(folder / "metrics.json"))
        metrics["homeonet_version"], metrics["run_id"]
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = "it holds no metrics.json" if isinstance(error, FileNotFoundError) else error
        raise InputError(
            f"{folder} is not the folder of a finished run ({reason}); give one that `homeonet run` or "
            "`homeonet train` has written"
        ) from None
    return metrics


def stored_kind(folder: Path) -> str:
    """What a finished run is, "plastic" or "gradient": configurations of the first alone have a preset."""
    stored_metrics(folder)
    path = folder / "config.toml"
    verify(path)
    config = read_toml(path)
    if "preset" in config:
        return "plastic"
    if "neuron" not in config:
        raise InputError(f"{path} is not the configuration of a run; run it again")
    return "gradient"
