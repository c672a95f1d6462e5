"""Pages that are made and not written: gallery, claims, commands, the changelog, and what a package offers."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["PACKAGES", "contents", "public_names", "write"]

#: What the reference documents, in this order; a name that several offer stands where it comes first.
PACKAGES = (
    "homeonet",
    "homeonet.config",
    "homeonet.data",
    "homeonet.runs",
    "homeonet.plastic",
    "homeonet.gradient",
    "homeonet.gradient.homeostasis",
    "homeonet.gradient.networks",
    "homeonet.gradient.training",
    "homeonet.sweep",
    "homeonet.analysis",
    "homeonet.plotting",
    "homeonet.claims",
)


def public_names(package: str) -> list[str]:
    """The names of a package: its ``__all__``; of homeonet itself also those that need torch."""
    module = importlib.import_module(package)
    names = set(module.__all__) - {"__version__"}
    if package == "homeonet":
        names |= {"TrainConfig", "TrainResult", "load_trained", "train", "train_config"}
    return sorted(names, key=str.lower)


def contents(package: str) -> dict[str, list[Any]]:
    """What the page of a package lists: objects by kind, constants with their text, and names found elsewhere."""
    found: dict[str, list[Any]] = {
        kind: [] for kind in ("functions", "classes", "errors", "constants", "elsewhere")
    }
    before: dict[int, str] = {}
    for name in PACKAGES[: PACKAGES.index(package)]:
        for public in public_names(name):
            value = getattr(importlib.import_module(name), public)
            if callable(value):
                before.setdefault(id(value), f"{name}.{public}")
    module = importlib.import_module(package)
    for name in public_names(package):
        value = getattr(module, name)
        if id(value) in before:
            found["elsewhere"].append(before[id(value)])
        elif inspect.isclass(value):
            found["errors" if issubclass(value, Exception) else "classes"].append(name)
        elif callable(value):
            found["functions"].append(name)
        else:
            found["constants"].append((name, _short(value), _comment(module, name)))
    return found


def _short(value: object) -> str:
    text = (
        ", ".join(map(repr, value)) if isinstance(value, (tuple, list, set, frozenset, dict)) else repr(value)
    )
    return text if len(text) <= 300 else f"{text[:297]}…"


def _comment(module: Any, name: str) -> str:
    """The ``#:`` text of a constant, where it is defined."""
    from sphinx.pycode import ModuleAnalyzer

    below = [module.__name__, *(m for m in importlib.sys.modules if m.startswith(f"{module.__name__}."))]
    for place in below:
        held = importlib.sys.modules[place]
        if getattr(held, name, None) is not getattr(module, name):
            continue
        docs = ModuleAnalyzer.for_module(place).find_attr_docs()
        if ("", name) in docs:
            return " ".join(docs["", name]).strip().replace("*", r"\*")
    return ""


def write(docs: Path) -> None:
    """Write the made pages below the folder of the site; a page that is as it was keeps its time."""
    _gallery(docs, docs.parent / "figures")
    _put(docs / "claims.md", _claims())
    _put(docs / "reference" / "commands.md", _commands())
    _put(docs / "changelog.md", (docs.parent / "CHANGELOG.md").read_text(encoding="utf-8"))


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _gallery(docs: Path, figures: Path) -> None:
    """A page for each figure that is drawn: picture, caption, where its data come from, code; and one of them all."""
    from homeonet.study.gallery import figure_scripts, load_figure

    cards, pages = [], []
    for name, script in figure_scripts(figures).items():
        if not (figures / f"{name}.png").is_file():
            continue
        module = load_figure(script)
        title, _, caption = (module.__doc__ or "").strip().partition("\n")
        title = title.rstrip(".")
        study = (
            "claims_all.py --full --keep" if module.STUDY == "claims" else f"{module.STUDY}/study.py --full"
        )
        _put(
            docs / "gallery" / f"{name}.md",
            f"# {title}\n\n![{title}](../../figures/{name}.png)\n\n{caption.strip()}\n\n"
            f"Drawn again with `homeonet figure {name}`, from what this study measures:\n\n"
            f"```sh\npython studies/{study}\n```\n\n## The code\n\n"
            f"`figures/{name}.py`; what several figures share is `figures/_axes.py`, `figures/_names.py` and "
            "[`homeonet.plotting`](../reference/api/homeonet.plotting).\n\n"
            f"```{{literalinclude}} ../../figures/{name}.py\n:language: python\n```\n",
        )
        pages.append(name)
        cards.append(
            f":::{{grid-item-card}} {title}\n:img-top: ../../figures/{name}.png\n:link: {name}\n:link-type: doc\n:::"
        )
    _put(
        docs / "gallery" / "index.md",
        "# Gallery\n\nEvery figure with the code that draws it, from what the [studies](../how-to/study.md) measured. "
        "`homeonet figure all` draws them again.\n\n"
        "::::{grid} 1 2 2 3\n:gutter: 3\n\n" + "\n\n".join(cards) + "\n\n::::\n\n"
        "```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n",
    )


def _claims() -> str:
    from homeonet.claims import claim_rows
    from homeonet.cli.claims import claims_markdown

    title, _, text = claims_markdown(claim_rows(), folded=True).partition("\n")
    return (
        f"{title}\n\n[What a verdict means](explanation/verdicts.md); [how a claim is added](how-to/claim.md). "
        "What was measured unfolds into cases with interval, n and outcome, the rule and the command. "
        "`homeonet claims ID` shows the reason and the checks of one too, and `--json` every value.\n"
        f"{text}"
    )


def _commands() -> str:
    """What each command's ``--help`` says."""
    from homeonet.cli.main import _parser

    parser = _parser()
    commands: Iterable[tuple[str, Any]] = next(
        action.choices.items() for action in parser._actions if isinstance(action.choices, dict)
    )
    parts = ["# Commands", "", "What `homeonet COMMAND --help` prints.", ""]
    for name, command in commands:
        parts += [f"## homeonet {name}", "", "```text", command.format_help().rstrip(), "```", ""]
    return "\n".join(parts)
