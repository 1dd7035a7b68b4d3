"""`docs/semantics.md`, rendered from the table."""

import textwrap

from airflow_sm_pipelines.fidelity.rows import LEVELS, MEANINGS, Row
from airflow_sm_pipelines.fidelity.table import GROUPS, ROWS

INTRODUCTION = """\
# Semantics

How what a SageMaker pipeline definition may hold is run here, compared with SageMaker Pipelines.
`airflow-sm check` reports the same for a definition of yours. This page is rendered from
`airflow_sm_pipelines/fidelity` by `python -m airflow_sm_pipelines.fidelity`; each row names the
tests that prove it, and a test compares the page with the table.
"""


def page() -> str:
    """The page's Markdown."""
    parts = [INTRODUCTION, _levels()]
    parts += (_group(heading, rows) for heading, rows in GROUPS.items())
    return "\n".join(parts)


def _levels() -> str:
    lines = ["| Level | Rows | Meaning |", "|---|---|---|"]
    for level in LEVELS:
        count = sum(row.level == level for row in ROWS)
        lines.append(f"| *{level}* | {count} | {MEANINGS[level]} |")
    return "\n".join([*lines, ""])


def _group(heading: str, rows: tuple[Row, ...]) -> str:
    lines = [f"## {heading}", "", "| | Level | |", "|---|---|---|"]
    lines += (
        f"| [{row.title}](#{row.anchor}) | *{row.level}* | {_cell(row.reason)} |" for row in rows
    )
    details = (line for row in rows for line in _row(row))
    return "\n".join([*lines, "", *details])


def _row(row: Row) -> tuple[str, ...]:
    proof = ", ".join(f"`{test}`" for test in row.proof)
    return (
        f'### <a id="{row.anchor}"></a>{row.title}',
        "",
        _paragraph(f"*{row.level}*: {row.reason}. {row.text}"),
        "",
        _paragraph(f"<sub>Proof: {proof}</sub>"),
        "",
    )


def _paragraph(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


WIDTH = 100
