"""The engine of Brian2's own programs: state in and out as files in a folder of its own, one a segment.

The reference route of the Brian2 world, on a GPU by brian2cuda: slower than this package's own programs, and equal to
them in statistics alone, since brian2cuda adds with atomics, in no fixed order.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from homeonet.errors import HomeonetError
from homeonet.machine.scratch import scratch_folder
from homeonet.plastic.engine._segment import SegmentResult
from homeonet.plastic.network._arrays import Arrays
from homeonet.plastic.network._connectivity import Connections, sums_over_replicas
from homeonet.plastic.network._structure import Structure
from homeonet.plastic.program._program import program_for

__all__ = ["StandaloneEngine"]

#: Where Brian2's programs look for constant arrays, in the folder they are started in.
_STATIC = "static_arrays"


class StandaloneEngine:
    """Runs the program that Brian2 makes of a structure, one process per segment.

    Parameters
    ----------
    structure : Structure
    connections : dict
        What ``connect`` gives.
    device : {"brian2cuda", "brian2"}
    """

    def __init__(self, structure: Structure, connections: Connections, device: str) -> None:
        self.device = device
        program = program_for(structure, device)
        self.compile_seconds = program.compile_seconds
        self._program = program.folder / "main"
        self._replicas = structure.replicas
        self._manifest = json.loads((program.folder / "manifest.json").read_text(encoding="utf-8"))
        self.stimulus_rows: int = self._manifest["stimulus"]["shape"][0]
        self.array_names = tuple(item["name"] for item in self._manifest["arrays"])
        indices = {
            f"{pathway}.{end}": index
            for pathway, pair in {**connections, **sums_over_replicas(structure)}.items()
            for end, index in zip(("sources", "targets"), pair, strict=True)
        }
        self._constants = {
            item["symbol"]: _sized(item["name"], indices[item["name"]], item["dtype"], [item["size"]])
            for item in self._manifest["connections"]
        }
        for name, (n, each, dtype) in self._manifest["replicas_of"].items():
            self._constants[name] = (np.arange(n) // each).astype(dtype)

    def run(
        self, arrays: Arrays, stimulus: np.ndarray, *, first_step: int, n_steps: int, dt: float
    ) -> SegmentResult:
        """See :class:`homeonet.plastic.Engine`."""
        with scratch_folder() as folder:
            try:
                given = self._write(folder, arrays, stimulus)
            except OSError as error:
                raise HomeonetError(
                    f"the temporary folder {tempfile.gettempdir()} cannot be written ({error.strerror or error}); "
                    "free space or set TMPDIR"
                ) from None
            segment = [str(first_step), str(n_steps), repr(float(dt))]
            done = subprocess.run(
                [str(self._program), "--results_dir", "results/", *segment, *given],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                start_new_session=True,  # Ctrl-C is for us: a segment ends by itself
            )
            said = (done.stderr + done.stdout).strip()
            # these programs go on after a file that they could not read or write
            if done.returncode or "error" in said.lower() or "could not" in said.lower():
                reason = (said.splitlines() or [f"exit status {done.returncode}"])[0]
                raise HomeonetError(
                    f"the program of {self.device} stopped: {reason}; run `homeonet doctor`, or use the project's own "
                    "program (--device cuda, --device cpp)"
                )
            return self._read(folder / "results", first_step, dt)

    def _write(self, folder: Path, arrays: Arrays, stimulus: np.ndarray) -> list[str]:
        """Write all files of a segment; returns the arguments that name them."""
        for name in (_STATIC, "results", "given"):
            (folder / name).mkdir()
        for symbol, values in self._constants.items():
            values.tofile(folder / _STATIC / symbol)
        shape = self._manifest["stimulus"]["shape"]
        _sized("stimulus", stimulus, "float64", shape).tofile(folder / _STATIC / "stimulus_values")
        arguments = []
        for number, item in enumerate(self._manifest["arrays"]):
            # Brian2 turns names of files to lower case, and takes one that begins with a digit for a value
            file = f"given/a{number}"
            _sized(item["name"], arrays[item["name"]], item["dtype"], [item["size"]]).tofile(folder / file)
            arguments.append(f"{item['name']}={file}")
        return arguments

    def _read(self, folder: Path, first_step: int, dt: float) -> SegmentResult:
        def read(name: str, dtype: str) -> np.ndarray:
            return np.fromfile(folder / name, dtype)

        arrays = {item["name"]: read(item["file"], item["dtype"]) for item in self._manifest["arrays"]}
        for item in self._manifest["arrays"]:
            _sized(item["name"], arrays[item["name"]], item["dtype"], [item["size"]])
        spikes, samples, sample_step = {}, {}, np.array([], dtype=np.int64)
        for monitor, recorded in self._manifest["monitors"].items():
            files = self._manifest["monitor_files"][monitor]
            step = np.rint(read(files["t"], "float64") / dt).astype(np.int64)
            if monitor.startswith("spikes"):
                unit = read(files["i"], "int32")
                order = np.lexsort((unit, step))  # within a step a GPU's spikes come in any order
                spikes[monitor.removeprefix("spikes_")] = (unit[order], step[order])
                continue
            sample_step = step
            for name in recorded:
                samples[name] = read(files[name], "float64").reshape(len(step), self._replicas)
        steps_run = int(read(self._manifest["timestep_file"], "int64")[0]) - first_step
        seconds = float((folder / "last_run_info.txt").read_text(encoding="utf-8").split()[0])
        return SegmentResult(arrays, spikes, sample_step, samples, steps_run, seconds)


def _sized(name: str, values: np.ndarray, dtype: str, shape: list[int]) -> np.ndarray:
    found = np.ascontiguousarray(values, dtype=dtype)
    if list(found.shape) != list(shape):
        raise ValueError(f"{name} has shape {found.shape}, but the network needs {tuple(shape)}")
    return found
