"""The route of Brian2's own programs: bit for bit this package's results in C++, and compiled whole for a GPU."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from homeonet.config import load_config, preset_names
from homeonet.errors import HomeonetError, InputError
from homeonet.machine.cuda import find_nvcc
from homeonet.plastic import Structure, Training
from homeonet.plastic.engine._choose import engine_for
from homeonet.plastic.engine._standalone import StandaloneEngine
from homeonet.plastic.program._program import _generate
from homeonet.plastic.program._toolchain_standalone import brian2cuda_toolchain, find_curand
from tests.support.gpu_runs import MECHANISMS, assert_same, small, trained

needs_brian2cuda = pytest.mark.skipif(
    importlib.util.find_spec("brian2cuda") is None, reason="needs the extra `brian2cuda`"
)


def has_nvcc() -> bool:
    try:
        find_curand(find_nvcc())
    except InputError:
        return False
    return True


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(1).random((8, 36))


@pytest.fixture(scope="module")
def engine(images: np.ndarray) -> StandaloneEngine:
    return Training([small(), small(seed=2)], images, "brian2").engine


@pytest.mark.parametrize("mechanism", ["massey2026", "no decay, rules off asleep, ahsar"])
def test_brian2_s_own_program_gives_the_bits_of_this_package_s(mechanism: str, images: np.ndarray) -> None:
    """The same files, clocks and early end serve brian2cuda, whose sums have no fixed order to compare."""
    changes = {name.replace(".", "__"): value for name, value in MECHANISMS[mechanism].items()}
    configs = [small(**changes), small(seed=2, **changes)]
    # segments that end between the ticks of slower clocks, and the last of them early
    theirs, ours = (trained(configs, images, device, seconds=0.35) for device in ("brian2", "cpp"))
    assert_same(theirs, ours)
    assert ours[1][-1].n_steps < 350 and sum(len(part.spikes["exc"][0]) for part in ours[1]) > 500


def test_replicas_that_end_at_different_times_end_the_segment_with_the_first(images: np.ndarray) -> None:
    runs = []
    for device in ("brian2", "cpp"):
        training = Training([small(), small(seed=2)], images, device)
        training.arrays["controller.last_wake_step"] = np.array([500.0, 123.0])
        runs.append(
            training.engine.run(
                training.arrays, np.full((256, 72), -1e-3), first_step=0, n_steps=400, dt=1e-3
            )
        )
    assert runs[0].n_steps == runs[1].n_steps == 123


def test_arrays_of_another_length_are_refused(engine: StandaloneEngine, images: np.ndarray) -> None:
    training = Training([small(), small(seed=2)], images, "cpp")
    training.arrays["exc.v"] = np.zeros(7)
    with pytest.raises(ValueError, match=r"exc\.v has shape \(7,\), but the network needs \(60,\)"):
        engine.run(training.arrays, np.zeros((256, 72)), first_step=0, n_steps=1, dt=1e-3)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "echo 'ERROR: cudaSetDevice(0) failed at main.cu:51 : no CUDA-capable device is detected'",
            "no CUDA-capable",
        ),
        ("echo \"Error reading 'given/a3'\" >&2", "Error reading 'given/a3'"),
        ("exit 9", "exit status 9"),
    ],
)
def test_a_program_that_fails_is_one_line(
    script: str, words: str, engine: StandaloneEngine, images: np.ndarray, tmp_path: Path, monkeypatch
) -> None:
    """Brian2's programs go on, and exit with 0, after files that they could not read."""
    fake = tmp_path / "main"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setattr(engine, "_program", fake)
    training = Training([small(), small(seed=2)], images, "cpp")
    with pytest.raises(HomeonetError, match="the program of brian2 stopped: ") as caught:
        engine.run(training.arrays, np.zeros((256, 72)), first_step=0, n_steps=1, dt=1e-3)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_without_the_package_the_device_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from homeonet.machine import cuda as _cuda
    from homeonet.plastic.engine import _choose

    structure = Structure.of(small(), 1)
    monkeypatch.setattr(_cuda, "gpus", lambda: ())
    with pytest.raises(InputError, match="device = 'brian2cuda' needs an NVIDIA GPU"):
        engine_for(structure, {}, "brian2cuda")
    monkeypatch.setattr(_choose, "require_gpu", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"needs the package brian2cuda, .* Python 3\.12: pip install"):
        engine_for(structure, {}, "brian2cuda")


def test_curand_is_looked_for_beside_nvcc_and_among_packages(tmp_path: Path, monkeypatch) -> None:
    import sysconfig

    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"purelib": str(tmp_path / "packages")})
    nvcc = tmp_path / "cuda" / "bin" / "nvcc"
    with pytest.raises(InputError, match="needs cuRAND"):
        find_curand(str(nvcc))
    root = tmp_path / "packages" / "nvidia" / "cu13"
    for part in ("include/curand_kernel.h", "lib/libcurand.so.10"):
        (root / part).parent.mkdir(parents=True)
        (root / part).touch()
    assert find_curand(str(nvcc))[:3] == [f"-I{root}/include", f"-L{root}/lib", "-l:libcurand.so.10"]
    (tmp_path / "cuda" / "include").mkdir(parents=True)
    (tmp_path / "cuda" / "include" / "curand_kernel.h").touch()
    assert find_curand(str(nvcc)) == ["-lcurand"]


@needs_brian2cuda
@pytest.mark.parametrize("preset", preset_names())
def test_brian2cuda_generates_every_preset(preset: str, tmp_path: Path) -> None:
    config = load_config(preset, {"input.side": 6, "exc.n": 30, "inh.n": 10, "ahsar.enabled": True})
    _generate(Structure.of(config, 2), tmp_path, "brian2cuda")
    program = (tmp_path / "program.cpp").read_text()
    for name in ("controller_step", "exc_stateupdater", "input_exc_pre", "exc_exc_tally", "ahsar_step"):
        assert f"_run_{name}_codeobject);" in program
    assert "__global__ void" in program and "_ptr_array_exc_exc_w" in program
    assert program.count("homeonet_at_last_wake_step()") == 2
    assert ".run(homeonet_steps*homeonet_dt, NULL" in program


@needs_brian2cuda
@pytest.mark.skipif(not has_nvcc(), reason="needs nvcc and cuRAND")
def test_nvcc_compiles_and_links_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEONET_CUDA_ARCH", "9.0")
    toolchain = brian2cuda_toolchain()
    assert "-std=c++17" in toolchain.flags and not any("fast" in flag for flag in toolchain.flags)
    _generate(Structure.of(small(ahsar__enabled=True), 2), tmp_path, toolchain.target)
    toolchain.compile(tmp_path)
    assert shutil.which(str(tmp_path / "main"))
