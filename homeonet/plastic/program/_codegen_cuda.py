"""What the program of a GPU has beside that of a CPU: arrays on the device, and all phases of a step in order.

The host's part of the program is Brian2's C++, as it is: it sets the network up, reads the input file and writes
the output file. Its code objects, written by the templates in ``templates_cuda/``, are functions of a GPU; here
are declared the arrays that they use, and here they are put in the order that Brian2 gives them. ``cuda/`` has
the run loop.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import brian2
from brian2.codegen.generators.cpp_generator import c_data_type
from brian2.core.clocks import Clock
from brian2.core.variables import ArrayVariable, DynamicArrayVariable, Variable
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice

from homeonet.plastic.network._structure import Structure
from homeonet.plastic.program._codegen_single import in_single_precision, is_single

__all__ = ["TEMPLATE_GLOBALS", "write_device_code"]

_MOST_THREADS = 512
#: Bytes that the spikes of one launch may take.
_SPIKE_BYTES = 2**30
_LONGEST_LAUNCH = 2000


def _on_device(lines: list[str]) -> list[str]:
    """Brian2's helper functions and pointers, as they stand in the code of a GPU."""
    found = []
    for line in "\n".join(lines).splitlines():
        if re.match(r"\s*_namespace\w+ = ", line):
            continue  # the values of a TimedArray are found by their name
        if values := re.match(r"\s*static \w+ *\* *(_namespace(\w+_values));", line):
            found.append(f"#define {values.group(1)} on_device::{values.group(2)}")
            continue
        found.append(re.sub(r"\binline\b", "HOMEONET_DEVICE inline", line))
    return found


def _array_name_of(variable: ArrayVariable) -> str:
    return brian2.get_device().get_array_name(variable, access_data=False)


def _slow_clocks(variables: dict[str, Variable]) -> list[str]:
    """A block's own step and time of the slow clocks that a code object asks for."""
    lines = []
    for name in sorted(
        {v.owner.name for v in variables.values() if isinstance(getattr(v, "owner", None), Clock)}
    ):
        if name != "defaultclock":
            lines += [
                f"int64_t _timestep_{name} = _step.number / on_device::every_{name};",
                f"double _time_{name} = _timestep_{name} * _array_{name}_dt[0];",
                f"int64_t* const _array_{name}_timestep = &_timestep_{name};",
                f"double* const _array_{name}_t = &_time_{name};",
            ]
    return lines


#: What the templates call.
TEMPLATE_GLOBALS = {
    "on_device": _on_device,
    "array_name_of": _array_name_of,
    "slow_clocks": _slow_clocks,
}


def write_device_code(
    folder: Path,
    structure: Structure,
    device: CPPStandaloneDevice,
    network: brian2.Network,
    manifest: dict[str, Any],
    run_loop: str,
) -> None:
    """Write ``on_device.h`` and ``network.cpp`` into the generated program in `folder`."""
    phases = list(_phases((folder / "main.cpp").read_text(encoding="utf-8")))
    files = {name: folder / "code_objects" / f"{name}.cpp" for name, _ in phases}
    code = "\n".join(file.read_text(encoding="utf-8") for file in files.values())
    single = structure if structure.precision == "float32" else None
    arrays = list(_arrays(device, code, single))
    if single:
        short = {array.name for array in arrays if array.kind == "float"}
        short |= {name.removeprefix("_dynamic") for name in short}  # pointers to what vectors hold
        for name, file in files.items():
            file.write_text(
                in_single_precision(file.read_text(encoding="utf-8"), name, short, single), encoding="utf-8"
            )
    monitors = manifest["monitors"]
    clocks = sorted({clock for _, clock in phases if clock != "defaultclock"})
    (folder / "on_device.h").write_text(_declarations(structure, arrays, monitors, clocks), encoding="utf-8")
    parts = [_all_phases(phases), run_loop, _on_host(structure, arrays, monitors, clocks, network, manifest)]
    (folder / "network.cpp").write_text("\n".join(parts), encoding="utf-8")


def _phases(main: str) -> Iterator[tuple[str, str]]:
    """Code object and clock of everything that runs every step, in Brian2's order."""
    for clock, function in re.findall(r"network\.add\(&(\w+), _run_(\w+)\);", main):
        if not function.endswith("_push_spikes"):
            yield function, clock


class _Array(NamedTuple):
    """An array that the phases use: its name, type on the device and the host, and number of elements."""

    name: str
    kind: str
    host_kind: str
    is_vector: bool
    size: str


def _arrays(device: CPPStandaloneDevice, code: str, single: Structure | None) -> Iterator[_Array]:
    """The arrays that the code uses; those of `single`'s populations and pathways are short."""
    used = set(re.findall(r"\b(?:_dynamic)?_array_\w+|\b\w+_values\b", code))
    for variable, name in device.arrays.items():
        host_kind = c_data_type(variable.dtype)
        kind = "float" if single and host_kind == "double" and is_single(variable, single) else host_kind
        if isinstance(variable, DynamicArrayVariable):
            vector = device.dynamic_arrays.get(variable)
            # what a monitor records has a place of its own
            if vector in used and not isinstance(variable.owner, (brian2.SpikeMonitor, brian2.StateMonitor)):
                yield _Array(vector, kind, host_kind, True, f"brian::{vector}.size()")
            elif vector in used:
                yield _Array(vector, kind, host_kind, True, "0")
        elif name in used:
            yield _Array(name, kind, host_kind, False, str(variable.size))
    for variable, name in device.timed_arrays.items():
        yield _Array(f"{name}_values", "double", "double", False, str(variable.values.size))


def _declarations(
    structure: Structure,
    arrays: list[_Array],
    monitors: dict[str, list[str]],
    clocks: list[str],
) -> str:
    recorded = structure.replicas * structure.n_neurons
    launch = max(1, min(_LONGEST_LAUNCH, _SPIKE_BYTES // (8 * recorded)))
    largest = max(population.n for population in structure.populations)
    threads = min(_MOST_THREADS, -(-largest // 32) * 32)
    lines = [
        "#pragma once",
        '#include "device.h"',
        "namespace homeonet {",
        f"const int REPLICAS = {structure.replicas}, THREADS = {threads};",
        f"const int64_t LONGEST_LAUNCH = {launch};",
        "}",
        "namespace on_device {",
    ]
    for name, kind, _, is_vector, _ in arrays:
        lines.append(f"HOMEONET_CONSTANT {f'homeonet::View<{kind}>' if is_vector else f'{kind}*'} {name};")
    for pathway in structure.pathway:
        lines.append(
            f"HOMEONET_CONSTANT int32_t *row_of_{pathway}, *synapse_of_{pathway}, *source_of_{pathway};"
        )
    for kind, name in _logs(monitors):
        lines.append(f"HOMEONET_CONSTANT homeonet::{kind} {name};")
    lines += [f"HOMEONET_CONSTANT int64_t every_{clock};" for clock in clocks]
    lines += [
        "}",
        "namespace on_host {",
        "extern double* wake_step;",
        "void upload(double dt);",
        "void collect_spikes(int64_t first, int64_t n, double dt);",
        "void download(double dt);",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _logs(monitors: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    for monitor, names in monitors.items():
        if monitor.startswith("spikes"):
            yield "SpikeLog", f"log_of_{monitor}"
        else:
            yield from (("SampleLog", f"samples_of_{monitor}_{name}") for name in names)


def _all_phases(phases: list[tuple[str, str]]) -> str:
    lines = ["namespace homeonet {", "HOMEONET_DEVICE static void all_phases(const Step& step) {"]
    for name, clock in phases:
        due = "" if clock == "defaultclock" else f"if (step.number % on_device::every_{clock} == 0) "
        lines.append(f"  {due}{{ HOMEONET_RUN_PHASE(phase_{name}, step) }}")
    return "\n".join([*lines, "}", "}  // namespace homeonet"])


def _on_host(
    structure: Structure,
    arrays: list[_Array],
    monitors: dict[str, list[str]],
    clocks: list[str],
    network: brian2.Network,
    manifest: dict[str, Any],
) -> str:
    """Functions that bring arrays to the device and results back."""
    exchanged = {item["symbol"] for item in manifest["arrays"]}
    lines = ["namespace on_host {", "using namespace homeonet;", "double* wake_step;"]
    lines += [f"{array.kind}* of_{array.name};" for array in arrays]
    lines += [f"{kind} {name};" for kind, name in _logs(monitors)]
    lines += ["", "void upload(double dt) {"]
    for name, kind, host_kind, is_vector, size in arrays:
        source = f"brian::{name}.data()" if is_vector else f"brian::{name}"
        lines.append(f"  of_{name} = copy_of<{kind}>(({host_kind}*){source}, {size});")
        if is_vector:
            lines.append(
                f"  {{ const View<{kind}> view{{of_{name}, (int64_t){size}}}; HOMEONET_SET(on_device::{name}, view); }}"
            )
        else:
            lines.append(f"  HOMEONET_SET(on_device::{name}, of_{name});")
    lines.append("  wake_step = of__array_controller_wake_step;")
    for pathway, found in structure.pathway.items():
        targets = structure.replicas * structure.size(found.target)
        ends = [f"brian::_dynamic_array_{pathway}__synaptic_{end}" for end in ("pre", "post")]
        lines.append(f"  {{ const Rows rows = rows_of({', '.join(ends)}, {targets});")
        for part, member in (("row", "begin"), ("synapse", "synapse"), ("source", "source")):
            lines.append(
                f"    {{ int32_t* place = copy_of<int32_t>(rows.{member}.data(), rows.{member}.size()); "
                f"HOMEONET_SET(on_device::{part}_of_{pathway}, place); }}"
            )
        lines.append("  }")
    for clock in clocks:
        lines.append(
            f"  const int64_t every_{clock} = every(brian::{clock}.dt[0], dt); "
            f"HOMEONET_SET(on_device::every_{clock}, every_{clock});"
        )
    for monitor, names in monitors.items():
        if monitor.startswith("spikes"):
            room = f"LONGEST_LAUNCH * {structure.size(monitor.removeprefix('spikes_'))}"
            lines.append(
                f"  log_of_{monitor} = {{reserve<Spike>({room} * REPLICAS), reserve<int32_t>(REPLICAS), {room}}};"
            )
            lines.append(f"  clear(log_of_{monitor}.count, REPLICAS);")
        lines += [
            f"  samples_of_{monitor}_{name} = sample_log(every_{network[monitor].clock.name});"
            for name in (() if monitor.startswith("spikes") else names)
        ]
    lines += [f"  HOMEONET_SET(on_device::{name}, {name});" for _, name in _logs(monitors)]
    lines += ["}", "", "void collect_spikes(int64_t first, int64_t n, double dt) {"]
    for monitor in monitors:
        if monitor.startswith("spikes"):
            vectors = [f"brian::_dynamic_array_{monitor}_{end}" for end in "it"]
            lines.append(f"  collect(log_of_{monitor}, first, n, dt, {', '.join(vectors)});")
    lines += ["}", "", "void download(double dt) {"]
    for name, _, _, is_vector, size in arrays:
        if name in exchanged:
            target = f"brian::{name}.data()" if is_vector else f"brian::{name}"
            lines.append(f"  to_host({target}, of_{name}, {size});")
    for monitor, names in monitors.items():
        if not monitor.startswith("spikes"):
            times = f"brian::_dynamic_array_{monitor}_t"
            lines += [
                f"  collect(samples_of_{monitor}_{name}, dt, {times}, brian::_dynamic_array_{monitor}_{name});"
                for name in names
            ]
    return "\n".join([*lines, "}", "}  // namespace on_host"]) + "\n"
