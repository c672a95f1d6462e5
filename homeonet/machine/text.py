"""What others gave, on its way in and back out: numbers by a grammar, plain values, and messages of one short line.

Evaluates nothing; no function takes longer, or says more, because it was given more.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable
from typing import Any

from homeonet.errors import one_line

__all__ = ["NUMBER", "close_matches", "is_number", "plain", "shown"]

#: A plain decimal number in ASCII: no thousands separators, no NaN, no other script's digits.
NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = re.compile(NUMBER)
_LONGEST_NUMBER = 400
_LONGEST_SHOWN = 100
_LONGEST_NAME = 100


def is_number(text: str) -> bool:
    """Whether text is a plain number, and no longer than one can be."""
    return len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None


def plain(value: Any) -> Any:
    """NumPy's numbers and arrays as those of Python, also inside lists; anything else as it is."""
    if isinstance(value, (list, tuple)):
        return type(value)(item.tolist() if hasattr(item, "tolist") else item for item in value)
    return value.tolist() if hasattr(value, "tolist") else value


def shown(value: Any) -> str:
    """A value as a message names it: one line of bounded length, control characters escaped."""
    writer = reprlib.Repr()
    writer.maxlevel, writer.maxlist, writer.maxtuple, writer.maxdict = 3, 6, 6, 4
    writer.maxstring = writer.maxother = writer.maxlong = _LONGEST_SHOWN
    try:
        text = writer.repr(value)
    except Exception:  # whatever a stranger's __repr__ raises; whole numbers of thousands of digits too
        text = f"<{type(value).__name__}>"
    return one_line(text, 3 * _LONGEST_SHOWN)


def close_matches(name: Any, known: Iterable[str], n: int = 3) -> list[str]:
    """Known names that may have been meant; none for a text too long to be a name."""
    text = str(name) if isinstance(name, str) else ""
    return difflib.get_close_matches(text, list(known), n=n, cutoff=0.5) if len(text) <= _LONGEST_NAME else []
