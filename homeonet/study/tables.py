"""Tables of results as Markdown, beside the rows of runs that studies put into them."""

from __future__ import annotations

from homeonet.runs.rows import readout_rows, run_rows

__all__ = ["markdown_table", "readout_rows", "run_rows"]


def markdown_table(rows: list[list[str]]) -> str:
    """The same rows as a Markdown table."""
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines) + "\n"
