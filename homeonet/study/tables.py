"""Tables of results as Markdown."""

from __future__ import annotations

__all__ = ["markdown_table"]


def markdown_table(rows: list[list[str]]) -> str:
    """The same rows as a Markdown table."""
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines) + "\n"
