"""The site is sound: pages are found, links lead somewhere, commands are taken, names are there and described."""

from __future__ import annotations

import ast
import configparser
import importlib
import importlib.util
import inspect
import re
import shlex
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from homeonet.claims import VERDICTS
from homeonet.cli.main import _parser

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
#: Made when the site is built: see docs/_pages.py.
MADE = ("gallery/", "reference/api/", "reference/commands", "claims", "changelog")
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if "_build" not in path.parts and not path.relative_to(DOCS).as_posix().startswith(MADE)
)
TEXTS = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md"]
spec = importlib.util.spec_from_file_location("site_pages", DOCS / "_pages.py")
site_pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(site_pages)

each_text = pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))


def blocks(text: str, *languages: str) -> list[str]:
    """Contents of the fenced blocks of some languages."""
    return [
        re.sub(r"^:\w+:.*\n", "", body)
        for language, body in re.findall(r"^ *```(.*?)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
        if language.strip() in languages
    ]


def test_every_page_is_reached_from_the_first() -> None:
    reached, todo = set(), ["index"]
    while todo:
        page = todo.pop()
        reached.add(page)
        path = DOCS / f"{page}.md"
        if page.startswith(MADE) and not page.startswith("reference/index"):
            continue
        for block in blocks(path.read_text(encoding="utf-8"), "{toctree}"):
            for line in filter(None, (line.strip() for line in block.splitlines())):
                if not line.startswith(":"):
                    name = re.sub(r".* <(.*)>", r"\1", line)
                    found = (path.parent / name).resolve().relative_to(DOCS).as_posix()
                    todo += [found] if found not in reached else []
    assert {path.relative_to(DOCS).with_suffix("").as_posix() for path in PAGES} <= reached


@each_text
def test_links_within_the_source_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        place = (path.parent / target).resolve()
        made = place.is_relative_to(DOCS) and place.relative_to(DOCS).as_posix().startswith(MADE)
        assert made or place.exists() or place.with_suffix(".md").exists(), target


@each_text
def test_commands_are_taken(path: Path) -> None:
    for block in blocks(path.read_text(encoding="utf-8"), "sh", "{code-cell} python"):
        for line in block.splitlines():
            found = re.match(r"\s*(?:host\d\$ )?(?:\w+=\S+ )*homeonet (.*)", line)
            if found:
                words = shlex.split(re.split(r"2>&1| \|\|? | > ", found[1])[0], comments=True)
                options = _parser().parse_args(words)
                assert hasattr(options, "call"), line


@each_text
def test_blocks_of_python_compile_and_name_what_is_there(path: Path) -> None:
    for block in blocks(path.read_text(encoding="utf-8"), "python", "{code-cell} python"):
        if block.startswith("%%"):
            continue
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("homeonet"):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, name.name) for name in node.names), ast.unparse(node)
            if isinstance(node, ast.Attribute) and re.fullmatch(r"homeonet(\.\w+)+", ast.unparse(node)):
                value: object = importlib.import_module("homeonet")
                for name in ast.unparse(node).split(".")[1:]:
                    value = getattr(value, name)


@pytest.mark.parametrize("path", sorted((DOCS / "tutorials").glob("*.md")), ids=lambda path: path.stem)
def test_tutorials_say_what_to_install(path: Path) -> None:
    """Whatever they import beside the package's own requirements stands in a command above."""
    text = path.read_text(encoding="utf-8")
    setup = configparser.ConfigParser(comment_prefixes="#", delimiters="=", interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    names = {"sklearn": "scikit-learn", "PIL": "pillow"}
    given = setup["options"]["install_requires"]
    for command in re.findall(r"`pip install [^`]*`", text):
        given += command
        for extra in re.findall(r"\[([\w,]+)\]", command):
            given += "\n".join(setup["options.extras_require"][name] for name in extra.split(","))
    for block in blocks(text, "{code-cell} python"):
        if block.startswith("%%"):
            assert not block.startswith("%%sh\nhomeonet train") or "torch" in given
            continue
        for node in ast.walk(ast.parse(block)):
            of_node = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            of_node += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in {full.partition(".")[0] for full in of_node} - {"homeonet"} - sys.stdlib_module_names:
                assert re.search(rf"\b{names.get(name, name)}\b", given), name


@pytest.mark.parametrize("package", site_pages.PACKAGES)
def test_every_public_name_is_described(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__doc__
    for name in site_pages.public_names(package):
        value = getattr(module, name)
        if callable(value):
            assert inspect.getdoc(value), f"{package}.{name}"


def test_the_reference_has_every_package_with_public_names() -> None:
    index = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^   (homeonet\S*)$", index, re.MULTILINE)
    assert tuple(listed) == site_pages.PACKAGES
    with_names = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "homeonet").rglob("__init__.py")
        if re.search(r"^__all__ = \[", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert with_names - set(listed) == {"homeonet.store"}  # files, for the package itself


def test_every_environment_variable_is_described() -> None:
    page = (DOCS / "reference" / "environment.md").read_text(encoding="utf-8")
    asked = re.compile(r"""(?:environ\S*?|getenv|setting)[(\[]\s*["'](HOMEONET_[A-Z_]+)["']""")
    named = re.compile(r'= "(HOMEONET_[A-Z_]+)"')
    found = set()
    for folder in ("homeonet", "tests", "studies", "docs"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".cpp", ".h", ".cu") and path != Path(__file__):
                text = path.read_text(encoding="utf-8")
                found |= {*asked.findall(text), *named.findall(text)}
    assert {"HOMEONET_CACHE", "HOMEONET_SUBNORMALS", "HOMEONET_CUDA_ARCH"} <= found
    missing = {name for name in found if f"`{name}`" not in page}
    assert missing <= {"HOMEONET_UNGUARDED"}  # set by a sweep for its own workers


def test_the_readme_of_a_package_index_has_no_link_that_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, str] = {}
    monkeypatch.setattr("setuptools.setup", lambda **options: given.update(options))
    of_setup = importlib.util.spec_from_file_location("homeonet_setup", ROOT / "setup.py")
    module = importlib.util.module_from_spec(of_setup)
    of_setup.loader.exec_module(module)
    assert not re.findall(r"\]\((?![a-z]+:)", given["long_description"])
    text = "[a page](docs/a.md), ![a figure](b.png), [elsewhere](https://example.org/)"
    assert module.away_from_source(text, None) == "a page, , [elsewhere](https://example.org/)"
    assert module.away_from_source(text, "https://example.org/x") == (
        "[a page](https://example.org/x/blob/HEAD/docs/a.md), ![a figure](https://example.org/x/raw/HEAD/b.png), "
        "[elsewhere](https://example.org/)"
    )


@pytest.mark.parametrize("page", ["glossary.md", "explanation/verdicts.md"])
def test_every_verdict_is_explained(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert all(f"\n| {verdict} | " in text for verdict in VERDICTS)
