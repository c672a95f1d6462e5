"""All that setuptools needs to know is in setup.cfg, but for the README as PyPI shows it: away from the source."""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).resolve().parent


def away_from_source(text: str, address: str | None) -> str:
    """Links into the source tree lead to its address; where it has none they are words, and figures are left out."""

    def link(found: re.Match[str]) -> str:
        mark, words, target = found.groups()
        if re.match(r"[a-z]+:", target):
            return found[0]
        if address is None:
            return "" if mark else words
        return f"{mark}[{words}]({address.rstrip('/')}/{'raw' if mark else 'blob'}/HEAD/{target})"

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)]+)\)", link, text)


def address_of_source() -> str | None:
    """What ``project_urls`` in setup.cfg calls ``Source``."""
    config = ConfigParser(interpolation=None)
    config.read(HERE / "setup.cfg", encoding="utf-8")
    found = re.search(r"^Source *= *(\S+)", config.get("metadata", "project_urls", fallback=""), re.MULTILINE)
    return found[1] if found else None


setup(
    long_description=away_from_source((HERE / "README.md").read_text(encoding="utf-8"), address_of_source()),
    long_description_content_type="text/markdown",
)
