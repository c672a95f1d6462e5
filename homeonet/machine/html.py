"""Tables, figures and pages as HTML, for notebooks and reports: whatever is not markup is escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["escape", "folded", "page", "picture", "table", "text_block"]

#: A page that is read on paper and on a phone; wide tables scroll by themselves.
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
div.table { overflow-x: auto; } table { border-collapse: collapse; margin: 0.5rem 0; }
th, td { padding: 0.15rem 0.8rem 0.15rem 0; text-align: left; border-bottom: 1px solid #ddd; }
caption { text-align: left; font-weight: 600; } pre { overflow-x: auto; font-size: 12px; }
figure { margin: 1rem 0; } img { max-width: 100%; max-height: 30rem; display: block; }
figcaption, p.note { color: #555; }
"""


def table(rows: Sequence[Sequence[object]], title: str = "", note: str = "") -> str:
    """Rows of a table, the first of which is the header; nothing but text in the cells.

    Parameters
    ----------
    rows
        Empty header cells throughout leave the header out.
    title
        Above the table.
    note
        Below it.
    """
    head, *body = [[escape(str(cell)) for cell in row] for row in rows]
    parts = [f"<caption>{escape(title)}</caption>"] if title else []
    if any(head):
        parts.append(f"<thead><tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr></thead>")
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in body)
    parts.append(f"<tbody>{lines}</tbody>")
    below = f'<p class="note">{escape(note)}</p>' if note else ""
    return f'<div class="table"><table>{"".join(parts)}</table></div>{below}'


def picture(png: bytes, text: str) -> str:
    """An image that is part of the page; `text` is what stands for it."""
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<figure><img alt="{escape(text, quote=True)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(text)}</figcaption></figure>"
    )


def folded(title: str, *parts: str) -> str:
    """Parts of a page that are shown when their title is chosen."""
    return f"<details><summary>{escape(title)}</summary>{''.join(parts)}</details>"


def text_block(text: str) -> str:
    """Text as it is, in a fixed width."""
    return f"<pre>{escape(text)}</pre>"


def page(title: str, sections: Iterable[tuple[str, str]]) -> str:
    """A whole page that needs nothing from elsewhere; sections are titles and their HTML."""
    body = "".join(f"<h2>{escape(name)}</h2>{content}" for name, content in sections if content)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>\n"
    )
