"""Turns a structure into C++: Brian2's code generation, then one translation unit with our run loop.

Brian2 writes about fifty source files and its own run loop; compiling them one by one takes twenty seconds.
Here they become one file. Brian2's network loop and spike queue are replaced by those in ``cpp/`` (no delays, no
system call per step), two of its templates by those in ``templates/`` (loops that vectorise), and two pieces of code
are inserted, by Brian2's own hook, that read all arrays from one file and write them to another. The manifest says
which arrays, in which order.

For a GPU the same program gets other templates and another run loop (``_codegen_cuda.py``).

Brian2's device is global to a process, so ``_writer.py`` runs in one of its own.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2.core.variables import ArrayVariable, DynamicArrayVariable
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice

from homeonet.plastic.network._connectivity import Connections
from homeonet.plastic.network._network import build_network, sampled_variables
from homeonet.plastic.network._structure import Structure
from homeonet.plastic.program._codegen_cuda import TEMPLATE_GLOBALS, write_device_code

__all__ = [
    "any_connections",
    "describe",
    "exchanged_variables",
    "generate",
    "join",
    "quiet",
    "replica_of_each",
    "sources_of",
]

_SOURCES = Path(__file__).parent
_INTERNAL = {"i", "j", "N", "t", "dt", "lastspike", "not_refractory", "delay", "_indices"}
_TARGET = re.compile(r"(const int32_t _postsynaptic_idx = )(\w+)\[_idx\];")
_STATIC_ARRAY = re.compile(r"ifstream f(\w+);\s*f\1\.open\(\"static_arrays/.*?\belse\s*\{.*?\}", re.DOTALL)
# What runs once per segment is most of the text: left unoptimised, it compiles in a third of the time.
_UNOPTIMISED = """#pragma GCC push_options
#pragma GCC optimize("O0")
{}
#pragma GCC pop_options"""


def exchanged_variables(network: brian2.Network, structure: Structure) -> dict[str, ArrayVariable]:
    """All arrays that a segment is given: state, parameters and weights, as "group.variable"."""
    found: dict[str, ArrayVariable] = {}
    for name in ("controller", "totals", *structure.population, *structure.pathway, "ahsar"):
        if name not in network:
            continue
        group = network[name]
        for key, variable in sorted(group.variables.items()):
            own = isinstance(variable, ArrayVariable) and getattr(variable.owner, "name", None) == name
            internal = key in _INTERNAL or key.startswith("_") or key.startswith("N_") or "space" in key
            if own and not internal and not variable.read_only:
                found[f"{name}.{key}"] = variable
    return found


def generate(structure: Structure, folder: Path, target: str = "cpp") -> None:
    """Write ``program.cpp`` (with the headers it includes) and ``manifest.json`` into `folder`.

    Parameters
    ----------
    target : {"cpp", "cuda"}
        For "cuda" the program is one for nvcc.
    """
    on_gpu = target == "cuda"
    helpers = {"target_array": _target_array, "onto_consecutive_targets": _onto_consecutive_targets}
    CPPStandaloneCodeObject.templater = CPPStandaloneCodeObject.templater.derive(
        "homeonet.plastic.program",
        env_globals=TEMPLATE_GLOBALS if on_gpu else helpers,
        templates_dir="templates_cuda" if on_gpu else "templates",
    )
    brian2.set_device("cpp_standalone", directory=str(folder), build_on_run=False)
    device = brian2.get_device()
    brian2.defaultclock.dt = 1 * brian2.ms  # data, not code: every segment brings its own
    network = build_network(structure, any_connections(structure))
    manifest = describe(device, network, exchanged_variables(network, structure), structure)
    brian2.prefs.codegen.cpp.headers = ['"exchange.h"']
    for slot, lines in _exchange_code(manifest).items():
        device.insert_code(slot, "\n".join(lines))
    with quiet():
        network.run(0 * brian2.second)
        device.build(directory=str(folder), compile=False, run=False)
    handed_over = {item["symbol"] for item in manifest["connections"]} | {"stimulus_values"}
    own = {
        name: _made_in_place(name, values)
        for name, values in device.static_arrays.items()
        if name not in handed_over
    }
    shutil.copy(_SOURCES / target / "synapses_classes.h", folder)
    run_loop = (_SOURCES / target / "network.cpp").read_text(encoding="utf-8")
    if on_gpu:
        write_device_code(folder, structure, device, network, manifest, run_loop)
    else:
        (folder / "network.cpp").write_text(run_loop, encoding="utf-8")
    (folder / "program.cpp").write_text(
        _one_translation_unit(folder, own, unoptimised=not on_gpu), encoding="utf-8"
    )
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _target_array(lines: list[str]) -> str:
    """The array of target indices that a pathway's code reads, or ""; for ``templates/synapses.cpp``."""
    found = _TARGET.search("\n".join(lines))
    return found.group(2) if found else ""


def _onto_consecutive_targets(lines: list[str]) -> str:
    """A pathway's code for synapses whose targets follow one another; for ``templates/synapses.cpp``."""
    return _TARGET.sub(r"\1_to + _k;", "\n".join(lines))


def any_connections(structure: Structure) -> Connections:
    """Right numbers of synapses; the indices come with each segment."""
    sizes = {name: structure.replicas * structure.n_synapses(name) for name in structure.pathway}
    return {name: (np.zeros(n, np.int32), np.zeros(n, np.int32)) for name, n in sizes.items()}


class quiet:  # noqa: N801 - used as a function
    """Silences Brian2's advice, which is not for the users of this package."""

    def __enter__(self) -> None:
        self.level = logging.getLogger("brian2").level
        logging.getLogger("brian2").setLevel(logging.ERROR)

    def __exit__(self, *_: Any) -> None:
        logging.getLogger("brian2").setLevel(self.level)


def describe(
    device: CPPStandaloneDevice,
    network: brian2.Network,
    variables: dict[str, ArrayVariable],
    structure: Structure,
) -> dict[str, Any]:
    """The manifest: which arrays a program is handed and gives back, in which order."""

    def entry(name: str, variable: ArrayVariable) -> dict[str, Any]:
        group = network[name.partition(".")[0]]
        size = len(group) if isinstance(variable, DynamicArrayVariable) else variable.size
        return {
            "name": name,
            "symbol": device.get_array_name(variable, access_data=False),
            "vector": isinstance(variable, DynamicArrayVariable),
            "dtype": np.dtype(variable.dtype).name,
            "size": int(size),
        }

    stimulus = network["input"].namespace["stimulus"]
    connections = []
    for synapses in sorted(item.name for item in network.objects if isinstance(item, brian2.Synapses)):
        for end in ("sources", "targets"):
            symbol = f"_static_array__array_{synapses}_{end}"
            size = len(network[synapses])
            connections.append(
                {"name": f"{synapses}.{end}", "symbol": symbol, "dtype": "int32", "size": size}
            )
    return {
        "arrays": [entry(name, variable) for name, variable in variables.items()],
        "connections": connections,
        "stimulus": {"shape": list(stimulus.values.shape)},
        "monitors": {
            **{f"spikes_{name}": ["i", "t"] for name in structure.neurons},
            **sampled_variables(structure),
            **{f"record_{found.name}": list(found.variables) for found in structure.records},
        },
        "recorded": {f"record_{found.name}": len(found.neurons) for found in structure.records},
    }


def _exchange_code(manifest: dict[str, Any]) -> dict[str, list[str]]:
    first = [
        "const int homeonet_argc = argc;",
        "args.clear();",
        'FILE* homeonet_input = homeonet::open_file(argc, argv, 1, "rb");',
        "double homeonet_dt;",
        "homeonet::read(homeonet_input, &homeonet::first_step, 1);",
        "homeonet::read(homeonet_input, &homeonet::n_steps, 1);",
        "homeonet::read(homeonet_input, &homeonet_dt, 1);",
    ]
    for item in manifest["connections"]:
        first.append(f"homeonet::read(homeonet_input, brian::{item['symbol']}, {item['size']});")
    rows, columns = manifest["stimulus"]["shape"]
    first.append(f"homeonet::read(homeonet_input, brian::stimulus_values, {rows * columns});")

    def pointer(item: dict[str, Any]) -> str:
        return f"{item['symbol']}.data()" if item["vector"] else item["symbol"]

    before = ["_array_defaultclock_dt[0] = homeonet_dt;"]
    before += [
        f"homeonet::read(homeonet_input, {pointer(item)}, {item['size']});" for item in manifest["arrays"]
    ]
    before.append("homeonet::read_end(homeonet_input);")
    after = ['FILE* homeonet_output = homeonet::open_file(homeonet_argc, argv, 2, "wb");']
    after += [
        f"homeonet::write(homeonet_output, {pointer(item)}, {item['size']});" for item in manifest["arrays"]
    ]
    for monitor, names in manifest["monitors"].items():
        if monitor.startswith("spikes"):
            after += [
                f"homeonet::write_counted(homeonet_output, _dynamic_array_{monitor}_{n});" for n in names
            ]
            continue
        after.append(f"homeonet::write_counted(homeonet_output, _dynamic_array_{monitor}_t);")
        after += [f"homeonet::write_rows(homeonet_output, _dynamic_array_{monitor}_{n});" for n in names]
    after.append("homeonet::write_end(homeonet_output, Network::_last_run_time);")
    # Brian2 would go on to write one file per array; everything needed is in the one output file
    after.append("std::_Exit(0);")
    return {"after_start": first, "before_network_run": before, "after_network_run": after}


def _made_in_place(name: str, values: np.ndarray) -> str:
    """Code that makes a constant array: which neurons a monitor records, or the replica of each neuron."""
    if "record_" not in name:
        return _as_loop(name, values)
    listed = ", ".join(str(int(value)) for value in values)
    loop = f"for (int _k = 0; _k < {len(values)}; _k++) {name}[_k] = _values[_k];"
    return f"{{ const int _values[] = {{{listed}}}; {loop} }}"


def replica_of_each(name: str, values: np.ndarray) -> int:
    """Neurons per replica, from a constant array of the replica of each neuron, the only kind that networks have."""
    each = len(values) // (int(values[-1]) + 1)
    assert np.array_equal(values, np.arange(len(values)) // each), f"{name} is no replica of each neuron"
    return each


def _as_loop(name: str, values: np.ndarray) -> str:
    """Code that makes a constant array."""
    return f"for (int _k = 0; _k < {len(values)}; _k++) {name}[_k] = _k / {replica_of_each(name, values)};"


def _one_translation_unit(folder: Path, static_arrays: dict[str, str], *, unoptimised: bool) -> str:
    def edit(source: str, text: str) -> str:
        # a program reads no file but its input: what that does not bring, it makes itself
        return _STATIC_ARRAY.sub(lambda found: static_arrays.get(found[1], ""), text)

    def dress(source: str, body: str) -> str:
        return _UNOPTIMISED.format(body) if unoptimised and not _is_hot(source) else body

    # brianlib/spikequeue.cpp, of Brian2 2.10 and later, is what our SynapticPathway replaces
    sources = [source for source in sources_of(folder) if not source.startswith("brianlib/")]
    return join(folder, sources, edit, dress)


def sources_of(folder: Path) -> list[str]:
    """The files that Brian2's makefile compiles."""
    listed = re.search(r"^SRCS = (.*)$", (folder / "makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed is not None
    return listed.group(1).split()


def join(
    folder: Path,
    sources: list[str],
    edit: Callable[[str, str], str],
    dress: Callable[[str, str], str] = lambda source, body: body,
) -> str:
    """One translation unit of many: compiled in a fraction of the time.

    Parameters
    ----------
    edit : callable
        Given the name and the text of a file, returns what is taken of it.
    dress : callable
        Given the name and what is left without its includes, returns what stands in its place.
    """
    includes: list[str] = []
    bodies: list[str] = []
    for number, source in enumerate(sources):
        lines = edit(source, (folder / source).read_text(encoding="utf-8")).splitlines()
        is_include = [re.match(r"\s*#\s*include", line) is not None for line in lines]
        includes += [line.strip() for line, yes in zip(lines, is_include, strict=True) if yes]
        body = "\n".join(line for line, yes in zip(lines, is_include, strict=True) if not yes)
        # every file has its helpers in an unnamed namespace: side by side they need names
        private = f"private_{number}"
        body, renamed = re.subn(r"^ *namespace \{", f"namespace {private} {{", body, flags=re.MULTILINE)
        if renamed:
            body = re.sub(
                r"using namespace (brian|on_device);",
                rf"using namespace \1; using namespace {private};",
                body,
            )
        bodies.append(f"// ---- {source}\n{dress(source, body)}")
    return "\n".join(dict.fromkeys(includes)) + "\n" + "\n".join(bodies) + "\n"


def _is_hot(source: str) -> bool:
    """Whether a generated file holds code that runs every step."""
    once = ("before_run_", "after_run_", "synapses_create_array")
    in_loop = source.startswith("code_objects/") or source == "network.cpp"
    return in_loop and not any(word in source for word in once)
