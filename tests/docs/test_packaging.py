"""Dockerfile and environment.yml install what setup.cfg asks for, by the commands of the documentation."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "Dockerfile").is_file():
    pytest.skip("the tests lie apart from the source tree", allow_module_level=True)

SETUP = configparser.ConfigParser(comment_prefixes="#", delimiters="=", interpolation=None)
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONDA = [name for name in ENVIRONMENT["dependencies"] if isinstance(name, str)]
PYTHON = next(name.partition("=")[2] for name in CONDA if name.startswith("python="))


def requirements(text: str, python: str) -> dict[str, SpecifierSet]:
    """What lines of requirements ask of one Python on Linux."""
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.strip().startswith("#"):
            continue
        asked = Requirement(line)
        place = {**default_environment(), "python_version": python, "platform_system": "Linux"}
        if asked.marker is None or asked.marker.evaluate(place):
            found[asked.name] = asked.specifier
    return found


def stages() -> dict[str, str]:
    """The instructions of each stage of the Dockerfile, a line each."""
    parts = re.split(r"^FROM .* AS (\w+)$", DOCKERFILE.replace("\\\n", ""), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_conda_has_what_the_package_asks_for() -> None:
    asked = requirements(SETUP["options"]["install_requires"], PYTHON)
    offered = {re.split(r"[<>=!]", name)[0]: name for name in CONDA}
    assert set(offered) - set(asked) == {"python", "pip", "gxx"}
    assert {name: Requirement(offered[name]).specifier for name in asked} == asked
    assert ENVIRONMENT["dependencies"][-1] == {"pip": ["-e ."]}


def test_conda_may_have_the_versions_that_were_tested() -> None:
    tested = requirements((ROOT / "constraints.txt").read_text(encoding="utf-8"), PYTHON)
    for line in CONDA:
        name = re.split(r"[<>=!]", line)[0]
        if name in tested:
            (version,) = (spec.version for spec in tested[name])
            assert Requirement(line).specifier.contains(version), line


def test_the_pythons_are_supported_ones() -> None:
    image = re.search(r"^ARG PYTHON=(\S+)$", DOCKERFILE, re.MULTILINE)[1]
    supported = re.findall(r"Python :: (3\.\d+)", SETUP["metadata"]["classifiers"])
    assert image in supported and PYTHON in supported


def test_the_image_is_built_by_the_commands_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = stages()
    assert list(found) == ["base", "cuda", "cpu"]  # the last is what is built unless another is named
    assert (
        re.search(r"apt install (\S+)`", readme)[1]
        in re.search(r"^RUN apt-get .*$", found["base"], re.MULTILINE)[0].split()
    )
    for stage, extras in (("cuda", {"cuda", "gradient"}), ("cpu", {"gradient"})):
        (line,) = re.findall(r"^RUN (pip .*)$", found[stage], re.MULTILINE)
        words = shlex.split(line)
        assert " ".join(words[:2] + words[3:5]) == "pip install -c constraints.txt" and words[-2] == "-e"
        assert "pip install -c constraints.txt -e ." in readme
        assert (
            set(re.search(r"\[(.*)\]", words[-1])[1].split(","))
            == extras
            <= set(SETUP["options.extras_require"])
        )


def test_the_image_gets_the_source_that_an_installation_needs() -> None:
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    needed = ("setup.cfg", "setup.py", "README.md", "LICENSE", "constraints.txt", "homeonet", "studies")
    assert not any(Path(name).match(pattern) for name in needed for pattern in left_out)
    given = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").split()
    assert {"Dockerfile", "environment.yml"} <= set(given)
