"""The program for a GPU, without one: run by the C++ compiler, its blocks and threads in turn. Same bits as C++.

Blocks and threads take turns forwards and backwards: where the order made a difference, threads would race.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from homeonet import load_network, run
from homeonet.cli.main import main
from homeonet.config import PATHWAYS, preset_names
from homeonet.errors import HomeonetError, InputError, RunawayError
from homeonet.machine import cuda as _cuda
from homeonet.machine.cuda import CUDA_ARCH_VARIABLE
from homeonet.machine.optional import install_command
from homeonet.plastic import Network, Structure, Training, gpus, program_for, read_features
from homeonet.plastic.engine._compiled import CompiledEngine, _failure
from homeonet.plastic.program._toolchain import cuda_toolchain
from homeonet.plastic.program._toolchains import toolchain_for
from homeonet.runs.together import groups_of, run_together
from homeonet.sweep._checks import check_device
from tests.support.gpu_runs import MECHANISMS, assert_same, small, trained
from tests.support.short_runs import TIMING, short


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).random((20, 36)) ** 3


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_mechanism_gives_the_bits_of_cpp(images: np.ndarray, mechanism: str, monkeypatch) -> None:
    monkeypatch.setenv("HOMEONET_EMULATED_THREADS", "-7")
    configs = [
        small(**MECHANISMS[mechanism], seed=seed, sleep__ratio=ratio) for seed, ratio in ((1, 0.3), (2, 0.1))
    ]
    first, second = (trained(configs, images, device, 1.3) for device in ("cpp", "emulated"))
    assert first[0].step > first[0].total_wake_steps  # it slept
    assert sum(len(result.spikes["exc"][0]) for result in first[1]) > 100
    assert_same(first, second)


@pytest.mark.smoke
@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_gives_the_bits_of_cpp(images: np.ndarray, preset: str) -> None:
    assert_same(*(trained([small(preset)], images, device) for device in ("cpp", "emulated")))


@pytest.mark.parametrize("threads", ["1", "3", "64", "-1", "-64"])
def test_no_result_depends_on_the_order_of_threads(images: np.ndarray, threads: str, monkeypatch) -> None:
    monkeypatch.setenv("HOMEONET_EMULATED_THREADS", threads)
    configs = [small(seed=1), small(seed=2, sleep__ratio=0.1)]
    assert_same(*(trained(configs, images, device) for device in ("cpp", "emulated")))


def test_replicas_with_images_of_their_own_are_the_runs_alone() -> None:
    rng = np.random.default_rng(1)
    shown = [rng.random((12, 36)) ** 3 for _ in range(3)]
    configs = [small(seed=k, sleep__ratio=0.1 * k, noise__sigma=f"{2 * k} mV") for k in range(3)]
    together = trained(configs, shown, "emulated", 0.9)[0]
    for replica, (config, own) in enumerate(zip(configs, shown, strict=True)):
        alone = trained([config], own, "cpp")[0].finished[0]
        for name in PATHWAYS:
            np.testing.assert_array_equal(alone.weights[name], together.finished[replica].weights[name])


def test_replicas_need_as_many_images_each() -> None:
    with pytest.raises(InputError, match=r"2 replicas have \[3, 4\] images"):
        Training([small(seed=1), small(seed=2)], [np.ones((3, 36)), np.ones((4, 36))])


@pytest.mark.parametrize("during", ["sleep", "always"])
def test_features_side_by_side_are_those_one_after_the_other(during: str, monkeypatch) -> None:
    from homeonet.plastic.engine import _features

    monkeypatch.setattr(_features, "EVALUATION_CHUNK", 7)
    shown = np.random.default_rng(2).random((24, 36)) ** 3
    network = Network.untrained(small(noise__during=during, evaluation__presentation="0.1 s"))
    expected, found = (read_features(network, shown, device=device) for device in ("cpp", "emulated"))
    assert expected.sum() > 100
    np.testing.assert_array_equal(expected, found)


def test_runs_together_are_runs_alone(tmp_path: Path) -> None:
    configs = [short(seed=1), short(seed=2, sleep__ratio=0.0), short(seed=1, noise__sigma="3 mV")]
    assert groups_of(configs, 8) == [configs]
    ended = {}
    run_together(configs, [tmp_path / f"{k}" for k in range(3)], device="emulated", ended=ended.__setitem__)
    assert ended == {0: None, 1: None, 2: None}
    for k, config in enumerate(configs):
        alone = tmp_path / f"alone{k}"
        run(config, alone, device="cpp", figures=False, baselines=False)
        ours, theirs = (json.loads((f / "metrics.json").read_text()) for f in (tmp_path / f"{k}", alone))
        assert ours.pop("device") == "emulated" and theirs.pop("device") == "cpp"
        assert {k: v for k, v in ours.items() if k not in TIMING} == {
            k: v for k, v in theirs.items() if k not in TIMING
        }
        ours, theirs = (
            xr.load_dataset(f / "records.nc", engine="h5netcdf") for f in (tmp_path / f"{k}", alone)
        )
        # weights at the ends of segments, and the stretch of spikes kept, are taken where segments end
        differ = {"weight_sd", "weight_quantile", "snapshot_time", "raster_time", "raster_unit"}
        for name in set(theirs.variables) - differ:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=str(name))
    assert load_network(tmp_path / "0").weights.keys() == PATHWAYS.keys()


def test_one_that_runs_away_leaves_the_others_alone(tmp_path: Path) -> None:
    configs = [short(seed=1), short(seed=1, guard__max_rate="0.5 Hz"), short(seed=2)]
    ended = {}
    run_together(configs, [tmp_path / f"{k}" for k in range(3)], ended=ended.__setitem__)
    assert ended[0] is None and ended[2] is None
    assert isinstance(ended[1], RunawayError) and ended[1].replica == 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["0", "2"]
    run(configs[0], tmp_path / "alone", figures=False, baselines=False)
    ours, alone = (load_network(tmp_path / name) for name in ("0", "alone"))
    np.testing.assert_array_equal(ours.weights["exc_exc"], alone.weights["exc_exc"])


def test_one_that_cannot_be_read_out_leaves_the_others_alone(tmp_path: Path, monkeypatch) -> None:
    from homeonet.runs import plastic

    evaluate = plastic.evaluate

    def broken(network: Network, *given: object, **options: object) -> object:
        if network.config.seed == 1:
            raise ValueError("no readout")
        return evaluate(network, *given, **options)

    monkeypatch.setattr(plastic, "evaluate", broken)
    ended = {}
    run_together([short(seed=1), short(seed=2)], [tmp_path / "a", tmp_path / "b"], ended=ended.__setitem__)
    assert str(ended[0]) == "no readout" and ended[1] is None
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["b"]


def test_what_cannot_be_one_network_is_in_groups_of_its_own() -> None:
    same = [small(seed=1), small(seed=2, sleep__ratio=0.0, exc_exc__eta=0.002, noise__during="always")]
    others = [small(exc__n=31), small(exc__tau_m="25 ms"), small(train=7), small(sleep__every="2 ms")]
    assert groups_of([*same, *others], 8) == [same, *([other] for other in others)]
    assert groups_of([small(seed=k) for k in range(5)], 2) == [
        [small(seed=0), small(seed=1)], [small(seed=2), small(seed=3)], [small(seed=4)]
    ]  # fmt: skip


def test_the_program_of_each_preset_has_its_phases_in_order() -> None:
    """The structure of the code: every phase once and in Brian2's order, sums on their slow clock."""
    for preset in preset_names():
        source = (program_for(Structure.of(small(preset)), "emulated").folder / "program.cpp").read_text()
        step = source[source.index("static void all_phases") :].partition("}  // namespace")[0]
        order = re.findall(r"RUN_PHASE\(phase_(\w+?)(?:_codeobject)?, step\)", step)
        assert len(set(order)) == len(order)
        assert sorted(order) == sorted(
            re.findall(r"HOMEONET_PHASE phase_(\w+?)(?:_codeobject)?\(const", source)
        )
        first = [
            order.index(name) for name in ("controller_step", "exc_stateupdater", "exc_spike_thresholder")
        ]
        then = [order.index(name) for name in ("input_exc_pre", "exc_exc_tally", "exc_spike_resetter")]
        assert [*first, *then] == sorted([*first, *then])
        slow = re.findall(
            r"if \(step.number % on_device::every_(\w+) == 0\) \{ \w+\(phase_(\w+), step\)", step
        )
        assert {clock for clock, _ in slow} == {"totals_clock", "samples_clock", "weight_samples_clock"}
        assert all("_total_" in phase for clock, phase in slow if clock == "totals_clock")
        assert "atomicAdd(&_ptr" not in source  # sums have one order


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cuda, "gpus", lambda: ())
    monkeypatch.delenv(CUDA_ARCH_VARIABLE, raising=False)


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_the_error_says_so_and_nothing_else_runs(images: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nvidia-smi shows none; use --device cpp"):
        Training([small()], images, "cuda")
    with pytest.raises(InputError, match="nvidia-smi shows none"):
        run(short(), tmp_path / "out", device="cuda")
    assert list(tmp_path.iterdir()) == [] or not (tmp_path / "out").exists()


def test_without_nvcc_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(InputError, match=re.escape(install_command("cuda"))):
        _cuda.find_nvcc()


@pytest.mark.parametrize("wanted", ["hopper", "9", "sm_", "9.0.1"])
def test_an_architecture_that_is_none_is_named(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CUDA_ARCH_VARIABLE, wanted)
    with pytest.raises(
        InputError, match=rf"HOMEONET_CUDA_ARCH \(--cuda-arch\) = '{wanted}' is no compute capability"
    ):
        _cuda.architecture()


@pytest.mark.parametrize(("wanted", "named"), [("9.0", "sm_90"), ("sm_120", "sm_120"), ("sm_90a", "sm_90a")])
def test_architectures_are_named_as_nvcc_does(
    wanted: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CUDA_ARCH_VARIABLE, wanted)
    assert _cuda.architecture() == named


def test_the_driver_is_asked_for_its_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\n"
        "echo 'NVIDIA H200, 9.0, 143771, 580.65.06, 0, GPU-1f'\n"
        "echo 'NVIDIA GB10, 12.1, [N/A], 580.65.06, 1, GPU-2e'\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv(CUDA_ARCH_VARIABLE, raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    large, small = (
        _cuda.GPU("NVIDIA H200", "9.0", 143771, "580.65.06"),
        _cuda.GPU("NVIDIA GB10", "12.1", None, "580.65.06"),
    )
    try:
        for visible, expected in ((None, (large, small)), ("1", (small,)), ("GPU-2, 0", (small, large))):
            if visible is not None:
                monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
            gpus.cache_clear()
            assert gpus() == expected
            assert _cuda.architecture() == ("sm_90" if expected[0] == large else "sm_121")
        assert str(large) == "NVIDIA H200, 143,771 MiB, driver 580.65.06"
        assert str(small) == "NVIDIA GB10, driver 580.65.06"
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        gpus.cache_clear()
        with pytest.raises(InputError, match="nvidia-smi shows none among CUDA_VISIBLE_DEVICES"):
            _cuda.require_gpu()
    finally:
        gpus.cache_clear()


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("out of GPU memory", r"run fewer replicas at once \(--replicas\)"),
        ("CUDA driver version is insufficient for CUDA runtime version", "update the GPU's driver"),
        ("no kernel image is available for execution on the device", "give --cuda-arch"),
    ],
)
def test_what_a_gpu_refuses_comes_with_a_remedy(said: str, remedy: str) -> None:
    with pytest.raises(HomeonetError, match=f"the compiled network stopped: homeonet: .*{said}; {remedy}"):
        raise _failure(f"homeonet: the GPU failed to start the network: {said}\n", 4)


def test_a_sweep_without_nvcc_stops_before_any_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cuda, "gpus", lambda: (_cuda.GPU("NVIDIA H200", "9.0", 1, "580"),))
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(InputError, match="needs nvcc"):
        check_device("plastic", "cuda", 1)


def test_an_architecture_that_nvcc_does_not_know_is_told(tmp_path: Path, monkeypatch) -> None:
    fake = tmp_path / "nvcc"
    fake.write_text("#!/bin/sh\necho \"nvcc fatal   : Unsupported gpu architecture 'sm_20'\" >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("CUDACXX", str(fake))
    monkeypatch.setenv(CUDA_ARCH_VARIABLE, "2.0")
    with pytest.raises(
        HomeonetError, match=r"'sm_20'; give --cuda-arch one that `nvcc --list-gpu-arch` names"
    ):
        toolchain_for("cuda").compile(tmp_path)


def test_a_gpu_without_memory_left_says_what_to_do(
    images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training([small()], images, "emulated")
    fake = Path(training.engine._folder, "main")
    elsewhere = fake.with_name("main-without-memory")
    elsewhere.write_text("#!/bin/sh\necho 'homeonet: out of GPU memory' >&2\nexit 3\n")
    elsewhere.chmod(0o755)
    monkeypatch.setattr(CompiledEngine, "program_name", elsewhere.name)
    try:
        with pytest.raises(
            HomeonetError, match=r"out of GPU memory; run fewer replicas at once \(--replicas\)"
        ):
            training.advance()
    finally:
        elsewhere.unlink()


def test_the_toolchain_of_a_gpu_is_never_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """No silent fallback: what is asked for is what is called."""
    monkeypatch.setattr("homeonet.plastic.program._toolchain.find_nvcc", lambda: "/opt/nvcc")
    monkeypatch.setattr("homeonet.plastic.program._toolchain.nvcc_version", lambda _: "release 13.0")
    monkeypatch.setenv(CUDA_ARCH_VARIABLE, "9.0")
    found = toolchain_for("cuda")
    assert found == cuda_toolchain() and found.command == ("/opt/nvcc",) and "-arch=sm_90" in found.flags
    assert "-std=c++17" in found.flags and "--fmad=false" in found.flags


@pytest.mark.parametrize(
    "command", [["run", "massey2026"], ["evaluate", "nowhere"], ["sweep", "nowhere.toml"]]
)
def test_commands_build_for_the_card_that_is_named(
    command: list[str], tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv(CUDA_ARCH_VARIABLE, "9.0")  # and put back after the test
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_cuda, "gpus", lambda: [])
    out = [] if command[0] == "evaluate" else ["--out", "o"]
    assert main([*command, *out, "--device", "cuda", "--cuda-arch", "8.6"]) == 2
    assert capsys.readouterr().err.startswith("homeonet: error: ")  # no GPU, or no such file
    assert _cuda.architecture() == "sm_86"


@pytest.mark.slow
def test_nvcc_builds_the_program_to_machine_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nvcc is, though no GPU: HOMEONET_TEST_NVCC=1 asks for it, since it takes most of a minute."""
    import os
    import subprocess

    triton = pytest.importorskip("triton")
    if not os.environ.get("HOMEONET_TEST_NVCC"):
        pytest.skip("set HOMEONET_TEST_NVCC=1 to build with nvcc")
    monkeypatch.setenv("HOMEONET_CACHE", str(tmp_path))
    monkeypatch.setenv(CUDA_ARCH_VARIABLE, "9.0")
    dump = shutil.which("cuobjdump") or next(Path(triton.__file__).parent.rglob("cuobjdump"))
    in_double = {}
    for precision in ("float64", "float32"):
        config = small(**MECHANISMS["no decay, rules off asleep, ahsar"], simulation__precision=precision)
        main = program_for(Structure.of(config, 3), "cuda").folder / "main"
        sass = subprocess.run([dump, "-sass", main], capture_output=True, text=True, check=True).stdout
        assert "sm_90" in sass and "run_steps" in sass and "BAR.SYNC" in sass
        # a load past the caches' coherence would miss what another thread of the block wrote in the phase before
        loads = [line for line in sass.splitlines() if " LDG" in line]
        assert loads and not [line for line in loads if "CONSTANT" in line]
        in_double[precision] = len(re.findall(r"\b(?:DADD|DMUL|DFMA|DSETP)\b", sass))
    assert in_double["float32"] < 0.7 * in_double["float64"]
