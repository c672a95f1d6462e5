"""brian2cuda takes the same networks: a second opinion that nothing in them is peculiar to this package's programs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from homeonet.config import preset_names

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("brian2cuda") is None, reason="needs the extra `brian2cuda`"
)

_GENERATE = """
import sys
import brian2
import brian2cuda
import numpy as np
from homeonet.config import PATHWAYS, load_config
from homeonet.plastic import Structure, connect
from homeonet.plastic._network import build_network

config = load_config(sys.argv[1], {"input.side": 6, "exc.n": 30, "inh.n": 10, "ahsar.enabled": True})
structure = Structure.of(config, 2)
backend = "devices.cuda_standalone.cuda_backend."
for name, value in (("detect_gpus", False), ("gpu_id", 0), ("compute_capability", 9.0), ("cuda_runtime_version", 13.0)):
    brian2.prefs[backend + name] = value
brian2.prefs[backend + "cuda_path"] = sys.argv[2]
brian2.set_device("cuda_standalone", directory=sys.argv[2], build_on_run=False)
brian2.defaultclock.dt = 1 * brian2.ms
network = build_network(structure, connect(structure, [config] * 2))
network.run(0 * brian2.second)
brian2.get_device().build(directory=sys.argv[2], compile=False, run=False)
"""


@pytest.mark.parametrize("preset", preset_names())
def test_brian2cuda_generates_every_preset(preset: str, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()  # nothing is compiled, but a compiler is looked for
    (tmp_path / "bin" / "nvcc").touch()
    done = subprocess.run(
        [sys.executable, "-c", _GENERATE, preset, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]
    main = (tmp_path / "main.cu").read_text()
    for name in ("controller_step", "exc_stateupdater", "input_exc_pre", "exc_exc_tally", "ahsar_step"):
        assert f"_run_{name}_codeobject);" in main
    kernel = (tmp_path / "code_objects" / "exc_exc_pre_codeobject.cu").read_text()
    assert "__global__ void" in kernel and "_ptr_array_exc_exc_w" in kernel
