"""The cache of compiled programs is believed only as it was built, by the user, in a folder of the user's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import homeonet
from homeonet.errors import InputError
from homeonet.machine.cache import cache_root, is_sound, private_folder, seal
from homeonet.machine.compiler import compiler
from homeonet.plastic import Structure, Training, program_for
from homeonet.plastic.program import _program
from tests.support.gpu_runs import small

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
STRUCTURE = Structure.of(small())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with one program, which tests copy."""
    cache = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOMEONET_CACHE", str(cache))
        assert program_for(STRUCTURE).compile_seconds > 0
    return cache


@pytest.fixture
def cached(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a program in a cache of this test's own; building it anew takes no time."""
    cache = tmp_path / "cache"
    shutil.copytree(built, cache)
    monkeypatch.setenv("HOMEONET_CACHE", str(cache))
    (folder,) = (cache / "programs").glob("[!.]*")

    def build(structure: Structure, place: Path, toolchain: object) -> None:
        if os.path.lexists(place):
            _program.remove(place)
        shutil.copytree(built / "programs" / place.name, place)

    monkeypatch.setattr(_program, "_build", build)
    return folder


def garbage(folder: Path) -> None:
    (folder / "main").write_bytes(b"\x00garbage" * 1000)


def one_bit(folder: Path) -> None:
    content = bytearray((folder / "main").read_bytes())
    content[len(content) // 2] ^= 4
    (folder / "main").write_bytes(content)


def a_folder(folder: Path) -> None:
    (folder / "main").unlink()
    (folder / "main").mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "garbage": garbage,
    "one bit": one_bit,
    "empty": lambda folder: (folder / "main").write_bytes(b""),
    "a folder": a_folder,
    "gone": lambda folder: (folder / "main").unlink(),
    "manifest cut": lambda folder: (folder / "manifest.json").write_bytes(b'{"arrays": ['),
    "manifest of another": lambda folder: (folder / "manifest.json").write_bytes(b'{"arrays": []}'),
    "manifest gone": lambda folder: (folder / "manifest.json").unlink(),
    "checksums gone": lambda folder: (folder / "SHA256SUMS").unlink(),
    "checksums not text": lambda folder: (folder / "SHA256SUMS").write_bytes(b"\xff\xfe"),
    "anyone may write": lambda folder: (folder / "main").chmod(0o777),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_program_is_built_anew(damage: str, cached: Path, built: Path) -> None:
    assert program_for(STRUCTURE).compile_seconds == 0
    DAMAGE[damage](cached)
    program = program_for(STRUCTURE)
    assert program.compile_seconds > 0 and program.folder == cached
    for name in ("main", "manifest.json"):
        assert (cached / name).read_bytes() == (built / "programs" / cached.name / name).read_bytes()
    assert program_for(STRUCTURE).compile_seconds == 0
    assert not list(cached.parent.glob(".removed-*"))


def test_a_damaged_program_is_compiled_and_runs(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOMEONET_CACHE", str(tmp_path / "cache"))
    shutil.copytree(built, tmp_path / "cache")
    (folder,) = (tmp_path / "cache" / "programs").glob("[!.]*")
    garbage(folder)
    training = Training([small()], np.full((2, 36), 0.5), "cpp")
    assert training.engine.compile_seconds > 0
    assert len(training.advance().result.spikes["exc"][0]) > 0


@pytest.mark.parametrize("lost", ["the cache", "the program", "not executable"])
def test_a_cache_that_goes_during_a_run_changes_nothing(lost: str, cached: Path) -> None:
    images = np.random.default_rng(0).random((6, 36))
    whole, disturbed = (Training([small()], images, "cpp") for _ in range(2))
    while not whole.done:
        whole.advance(0.2)
    disturbed.advance(0.2)
    if lost == "the cache":
        shutil.rmtree(cached.parents[1])
    elif lost == "the program":
        (cached / "main").unlink()
    else:
        (cached / "main").write_bytes(b"not a program")
        (cached / "main").chmod(0o644)
    while not disturbed.done:
        disturbed.advance(0.2)
    for name, values in whole.arrays.items():
        np.testing.assert_array_equal(values, disturbed.arrays[name])


@AS_ROOT
@pytest.mark.parametrize("part", ["folder", "main"])
def test_a_program_of_another_user_is_built_anew(part: str, cached: Path) -> None:
    os.chown(cached if part == "folder" else cached / part, 12345, 12345)
    assert program_for(STRUCTURE).compile_seconds > 0
    assert (cached / "main").stat().st_uid == 0


@AS_ROOT
def test_a_cache_of_another_user_is_refused(cached: Path) -> None:
    os.chown(cached.parent, 12345, 12345)
    with pytest.raises(InputError, match=r"another user \(number 12345\).*set HOMEONET_CACHE") as refused:
        program_for(STRUCTURE)
    assert str(cached.parent) in str(refused.value)


def test_nobody_else_may_write_to_the_cache(cached: Path, tmp_path: Path) -> None:
    cached.parent.chmod(0o777)
    program_for(STRUCTURE)
    assert cached.parent.stat().st_mode & 0o022 == 0
    private_folder(tmp_path / "new" / "one")
    (tmp_path / "new" / "one" / "file").write_text("x")
    (tmp_path / "new" / "one" / "file").chmod(0o666)
    seal(tmp_path / "new" / "one", ["file"])
    assert is_sound(tmp_path / "new" / "one", ["file"])
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path / "new" / "one", check=False)
    assert sums.returncode == 0


def test_the_current_folder_stays_out_of_compilation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules, another copy of this package and Brian2's preferences lie there; none of them is read."""
    poison = "raise SystemExit('the module of the current folder was imported')"
    for name in ("numpy", "brian2", "sympy", "json", "homeonet_poison"):
        (tmp_path / f"{name}.py").write_text(poison)
    copy = tmp_path / "homeonet"
    shutil.copytree(Path(homeonet.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    network = copy / "plastic" / "program" / "cpp" / "network.cpp"
    network.write_text("#error the copy was compiled\n" + network.read_text())
    with (copy / "plastic" / "program" / "_codegen.py").open("a") as file:
        file.write(poison + "\n")
    (tmp_path / "brian_preferences").write_text("core.default_float_dtype = float32\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("HOMEONET_CACHE", "relative")
    folder = program_for(Structure.of(small(**{"exc.n": 20}))).folder
    assert folder.parents[1] == tmp_path / "relative"
    assert "the copy was compiled" not in (folder / "program.cpp").read_text()
    assert "float *" not in (folder / "program.cpp").read_text()


@pytest.mark.parametrize("prefix", ["env", "env -u NOTHING"])
def test_cxx_may_be_a_command_with_arguments(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", f"{prefix} g++")
    assert compiler() == (*prefix.split(), "g++")


@pytest.mark.parametrize("command", ["no-such-compiler", "no-such-ccache g++", '"unbalanced g++'])
def test_a_compiler_that_is_not_there_is_not_replaced(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", command)
    with pytest.raises(InputError, match=r"CXX = .*unset CXX"):
        compiler()


PROBE = "from homeonet.machine.cache import cache_root; print(cache_root())"


def told(environment: dict[str, str], **options: object) -> str:
    search = str(Path(homeonet.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": search} | environment,
        **options,
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_where_the_cache_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = str(tmp_path)
    assert told({"HOME": home, "HOMEONET_CACHE": "~/mine"}) == f"{home}/mine"
    assert told({"HOME": home, "HOMEONET_CACHE": "here/mine"}, cwd=tmp_path) == f"{home}/here/mine"
    assert told({"HOME": home}) == f"{home}/.cache/homeonet"
    monkeypatch.setenv("HOMEONET_CACHE", "/absolute")
    assert cache_root() == Path("/absolute")


@AS_ROOT
def test_a_user_without_home_and_name() -> None:
    script = """
        import os, tempfile
        from homeonet.errors import InputError
        from homeonet.machine import cache
        os.setuid(12345)
        os.environ.pop("HOME", None)
        print(cache.cache_root() == cache.Path(tempfile.gettempdir(), "homeonet-12345"))
        os.environ["HOMEONET_CACHE"] = "~/mine"
        try:
            cache.cache_root()
        except InputError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
        env={k: v for k, v in os.environ.items() if k != "HOMEONET_CACHE" and not k.startswith("XDG_")},
    )
    first, second = done.stdout.splitlines()
    assert first == "True"
    assert "HOMEONET_CACHE = '~/mine'" in second and "absolute path" in second
