"""Turns a structure into a program of Brian2's own making: brian2cuda's for a GPU, or Brian2's for the CPU.

Nothing is replaced but what a segment needs: where it begins, how long it is and its time step come from the command
line, clocks count from step 0 of the whole run, and the loop ends with the step in which a replica reaches its last
wake step. State goes in through Brian2's run arguments and comes out as its result files; connectivity and the
stimulus are its static arrays, which each run brings. The hundred and more files become one, as for this package's
own programs: one by one brian2cuda's take a core twenty minutes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import brian2

from homeonet.plastic.network._network import build_network
from homeonet.plastic.network._structure import Structure
from homeonet.plastic.program._codegen import (
    any_connections,
    describe,
    exchanged_variables,
    join,
    quiet,
    replica_of_each,
    sources_of,
)

__all__ = ["generate_standalone"]

#: brian2cuda looks for a GPU and a compiler unless it is told all this; the toolchain brings the real ones.
_NO_DETECTION = {"detect_gpus": False, "gpu_id": 0, "compute_capability": 9.0, "cuda_runtime_version": 13.0}
_SUFFIX = {"brian2cuda": "cu", "brian2": "cpp"}
#: Brian2 has taken ``--results_dir`` from the arguments; these three follow it, and Brian2 reads the rest.
_ARGUMENTS = """
if (args.size() < 3) {
  std::cerr << "usage: main --results_dir DIR FIRST_STEP N_STEPS DT NAME=FILE..." << std::endl;
  return 3;
}
const int64_t homeonet_first = std::stoll(args[0]), homeonet_steps = std::stoll(args[1]);
const double homeonet_dt = std::stod(args[2]);
args.erase(args.begin(), args.begin() + 3);
"""


def generate_standalone(structure: Structure, folder: Path, target: str) -> None:
    """Write ``program.cpp`` and ``manifest.json`` into `folder`.

    Parameters
    ----------
    target : {"brian2cuda", "brian2"}
        brian2cuda's CUDA, or Brian2's C++.
    """
    if target == "brian2cuda":
        _choose_brian2cuda(folder)
    else:
        brian2.set_device("cpp_standalone", directory=str(folder), build_on_run=False)
    device = brian2.get_device()
    brian2.defaultclock.dt = 1 * brian2.ms  # data, not code: every segment brings its own
    network = build_network(structure, any_connections(structure))
    variables = exchanged_variables(network, structure)
    manifest = describe(device, network, variables, structure)
    device.insert_code("before_start", _ARGUMENTS)
    device.insert_code("before_network_run", "\n".join(_beginning(device, network)))
    with quiet():
        network.run(0 * brian2.second)
        device.build(directory=str(folder), compile=False, run=False)
    for entry in manifest["arrays"]:
        entry["file"] = device.get_array_filename(variables[entry["name"]])
    manifest["monitor_files"] = {
        name: {key: device.get_array_filename(network[name].variables[key]) for key in (*recorded, "t")}
        for name, recorded in manifest["monitors"].items()
    }
    manifest["timestep_file"] = device.get_array_filename(brian2.defaultclock.variables["timestep"])
    handed_over = {item["symbol"] for item in manifest["connections"]} | {"stimulus_values"}
    manifest["replicas_of"] = {
        name: [len(values), replica_of_each(name, values), values.dtype.name]
        for name, values in device.static_arrays.items()
        if name not in handed_over
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    _patch(folder, target, network.name)
    (folder / "program.cpp").write_text(join(folder, sources_of(folder), _private), encoding="utf-8")


def _private(source: str, text: str) -> str:
    """Put the helpers that some of Brian2's files have outside of any namespace into an unnamed one."""
    if not source.startswith("code_objects/"):
        # these have names of their own, and use their helpers from functions that open no namespace
        return text.replace("namespace {", "inline namespace homeonet_helpers {")
    text = re.sub(
        r"///// Support code /////(.*?)(?=^void )", r"namespace {\1}\n", text, flags=re.MULTILINE | re.DOTALL
    )
    return f"namespace {{}}\n{text}"


def _choose_brian2cuda(folder: Path) -> None:
    import brian2cuda  # noqa: F401 - registers the device

    toolkit = folder / "toolkit"
    (toolkit / "bin").mkdir(parents=True)
    (toolkit / "bin" / "nvcc").touch()
    for name, value in {**_NO_DETECTION, "cuda_path": str(toolkit)}.items():
        brian2.prefs[f"devices.cuda_standalone.cuda_backend.{name}"] = value
    brian2.set_device("cuda_standalone", directory=str(folder), build_on_run=False)


def _beginning(device: Any, network: brian2.Network) -> Iterable[str]:
    """Set every clock to the first step at or after the segment's beginning."""
    yield "const double homeonet_t = homeonet_first * homeonet_dt;"
    yield f"{network.name}.t = homeonet_t;"
    for clock in sorted({item.clock for item in network.sorted_objects}, key=lambda clock: clock.name):
        step, t, dt = (device.arrays[clock.variables[name]] for name in ("timestep", "t", "dt"))
        if clock.name == "defaultclock":
            yield f"{dt}[0] = homeonet_dt;"
        yield f"{step}[0] = (int64_t)std::ceil(homeonet_t/{dt}[0]*(1 - 1e-14));"
        yield f"{t}[0] = {step}[0]*{dt}[0];"


#: A replica needs at least as many steps as it lacks wake steps: until then nothing is looked up.
_LAST_WAKE_STEP = """
#include <algorithm>
#include <cstdint>
#include "objects.h"
static bool homeonet_at_last_wake_step() {{
  static int64_t to_wait = 0;
  if (--to_wait > 0) return false;
{fetch}
  double missing = brian::_array_controller_last_wake_step[0] - brian::_array_controller_wake_step[0];
  for (int r = 1; r < brian::_num__array_controller_wake_step; r++)
    missing = std::min(missing, brian::_array_controller_last_wake_step[r] - brian::_array_controller_wake_step[r]);
  to_wait = (int64_t)missing;
  return missing <= 0;
}}
"""
_FETCH = """  CUDA_SAFE_CALL(cudaMemcpy(
      brian::_array_controller_wake_step, brian::dev_array_controller_wake_step,
      sizeof(double)*brian::_num__array_controller_wake_step, cudaMemcpyDeviceToHost));"""


def _patch(folder: Path, target: str, network: str) -> None:
    suffix = _SUFFIX[target]
    _replace(
        folder / f"main.{suffix}", rf"{network}\.run\(0\.0,", f"{network}.run(homeonet_steps*homeonet_dt,"
    )
    loop = folder / f"network.{suffix}"
    # two clocks that meet count as one time, however long the run
    _replace(loop, r"#define Clock_epsilon 1e-14", "#define Clock_epsilon 1e-9")
    stop = "if (homeonet_at_last_wake_step()) Network::_globally_stopped = true;"
    _replace(loop, r"\(\*i\)->tick\(\);", rf"\g<0>\n        {stop}")
    condition = _LAST_WAKE_STEP.format(fetch=_FETCH if target == "brian2cuda" else "")
    _replace(loop, r"#define Clock_epsilon", rf"{condition}\n\g<0>")


def _replace(path: Path, pattern: str, replacement: str) -> None:
    text, n = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
    if n != 1:
        raise RuntimeError(f"{path.name} has {n} places like {pattern!r}, not one: another release of Brian2")
    path.write_text(text, encoding="utf-8")
