"""The engine of this package's own programs, C++ or a GPU's: one process per segment.

Files between the two processes have no name: a killed run leaves none behind.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from typing import IO

import numpy as np

from homeonet.errors import HomeonetError, InputError
from homeonet.plastic.engine._segment import SegmentResult
from homeonet.plastic.network._arrays import Arrays
from homeonet.plastic.network._connectivity import Connections, sums_over_replicas
from homeonet.plastic.network._structure import Structure
from homeonet.plastic.program._program import program_for

__all__ = ["CompiledEngine"]


class CompiledEngine:
    """Runs the compiled program of a structure, one process per segment.

    Parameters
    ----------
    structure : Structure
    connections : dict
        What ``connect`` gives.
    device : {"cpp", "cuda", "emulated"}
    """

    program_name = "main"

    def __init__(self, structure: Structure, connections: Connections, device: str = "cpp") -> None:
        self.device = device
        program = program_for(structure, device)
        self.compile_seconds = program.compile_seconds
        self._structure, self._folder = structure, program.folder
        self._manifest = json.loads((program.folder / "manifest.json").read_text(encoding="utf-8"))
        self.stimulus_rows: int = self._manifest["stimulus"]["shape"][0]
        self.array_names = tuple(item["name"] for item in self._manifest["arrays"])
        self._connections = {
            f"{pathway}.{end}": index
            for pathway, pair in {**connections, **sums_over_replicas(structure)}.items()
            for end, index in zip(("sources", "targets"), pair, strict=True)
        }
        for item in self._manifest["connections"]:
            if len(self._connections[item["name"]]) != item["size"]:
                raise ValueError(
                    f"{item['name']} has {len(self._connections[item['name']])} entries, not {item['size']}"
                )

    def run(
        self, arrays: Arrays, stimulus: np.ndarray, *, first_step: int, n_steps: int, dt: float
    ) -> SegmentResult:
        """See :class:`homeonet.plastic.Engine`."""
        with _nameless_file() as source, _nameless_file() as result:
            try:
                self._write(source, arrays, stimulus, first_step, n_steps, dt)
            except OSError as error:
                reason = error.strerror or error  # NumPy's own says how much it could not write
                raise HomeonetError(
                    f"the temporary folder {tempfile.gettempdir()} cannot be written ({reason}); free space or set "
                    "TMPDIR"
                ) from None
            done = self._call(source, result)
            if done.returncode:
                raise _failure(done.stderr, done.returncode)
            return self._read(result, dt)

    def _call(self, source: IO[bytes], result: IO[bytes]) -> subprocess.CompletedProcess[str]:
        def call() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [
                    str(self._folder / self.program_name),
                    *(f"/dev/fd/{file.fileno()}" for file in (source, result)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                check=False,
                pass_fds=(source.fileno(), result.fileno()),
                start_new_session=True,  # Ctrl-C is for us: a segment ends by itself
            )

        try:
            return call()
        except OSError:  # somebody has emptied or damaged the cache meanwhile
            self._folder = program_for(self._structure, self.device).folder
        try:
            return call()
        except OSError as error:
            raise InputError(
                f"the program {self._folder / self.program_name} cannot be run ({error.strerror}): its file system "
                "may be mounted noexec; set HOMEONET_CACHE to a folder on another one"
            ) from None

    def _write(
        self,
        file: IO[bytes],
        arrays: Arrays,
        stimulus: np.ndarray,
        first_step: int,
        n_steps: int,
        dt: float,
    ) -> None:
        np.array([first_step, n_steps], dtype=np.int64).tofile(file)
        np.array([dt]).tofile(file)
        for item in self._manifest["connections"]:
            self._connections[item["name"]].tofile(file)
        shape = self._manifest["stimulus"]["shape"]
        np.ascontiguousarray(_checked("stimulus", stimulus, shape)).tofile(file)
        for item in self._manifest["arrays"]:
            values = np.asarray(arrays[item["name"]], dtype=item["dtype"])
            _checked(item["name"], values, [item["size"]]).tofile(file)
        file.seek(0)

    def _read(self, file: IO[bytes], dt: float) -> SegmentResult:
        file.seek(0)
        arrays = {
            item["name"]: np.fromfile(file, item["dtype"], item["size"]) for item in self._manifest["arrays"]
        }

        def counted(dtype: str) -> np.ndarray:
            return np.fromfile(file, dtype, int(np.fromfile(file, np.int64, 1)[0]))

        spikes, samples, recorded, sample_step = {}, {}, {}, np.array([], dtype=np.int64)
        for monitor, names in self._manifest["monitors"].items():
            if n := self._manifest["recorded"].get(monitor):
                steps = np.rint(counted("float64") / dt).astype(np.int64)
                values = {
                    name: np.fromfile(file, np.float64, len(steps) * n).reshape(-1, n) for name in names
                }
                recorded[monitor.removeprefix("record_")] = (steps, values)
                continue
            if monitor.startswith("spikes"):
                unit, when = counted("int32"), counted("float64")
                spikes[monitor.removeprefix("spikes_")] = (unit, np.rint(when / dt).astype(np.int64))
                continue
            sample_step = np.rint(counted("float64") / dt).astype(np.int64)
            replicas = self._manifest["arrays"][0]["size"]
            for name in names:
                flat = np.fromfile(file, np.float64, len(sample_step) * replicas)
                samples[name] = flat.reshape(len(sample_step), replicas)
        n_steps = int(np.fromfile(file, np.int64, 1)[0])
        seconds = float(np.fromfile(file, np.float64, 1)[0])
        return SegmentResult(arrays, spikes, sample_step, samples, n_steps, seconds, recorded)


def _failure(message: str, code: int) -> HomeonetError:
    reason = (message.strip().splitlines() or [f"exit status {code}"])[-1]
    remedy = "run `homeonet doctor`"
    if "file" in reason:
        remedy = f"free space in {tempfile.gettempdir()} or set TMPDIR"
    elif "GPU memory" in reason:
        remedy = "run fewer replicas at once (--replicas)"
    elif "driver version is insufficient" in reason:
        remedy = "update the GPU's driver, or point CUDA_HOME at an older CUDA toolkit"
    elif "no kernel image" in reason or "device kernel image is invalid" in reason:
        remedy = "give --cuda-arch the card's compute capability (`homeonet doctor` shows it)"
    return HomeonetError(f"the compiled network stopped: {reason}; {remedy}")


def _nameless_file() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError as error:
        raise HomeonetError(
            f"no temporary folder can be written ({error.strerror}); free space or set TMPDIR to another one"
        ) from None


def _checked(name: str, values: np.ndarray, shape: list[int]) -> np.ndarray:
    if list(values.shape) != list(shape):
        raise ValueError(f"{name} has shape {values.shape}, but the network needs {tuple(shape)}")
    return values
