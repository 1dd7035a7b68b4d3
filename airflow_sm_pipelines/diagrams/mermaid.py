"""A pipeline as a Mermaid flowchart, which GitHub and many others render.

Ids are numbers behind a letter, so that no name can be a word of Mermaid (`end`) or of its edges
(`A---oB`); names stand in quoted labels alone.
"""

import re
from collections.abc import Iterator

from airflow_sm_pipelines.diagrams.chart import Box, Chart
from airflow_sm_pipelines.diagrams.kinds import GROUPS, KINDS, kind


def mermaid(chart: Chart) -> str:
    """The text of a flowchart, a line for each box and each edge."""
    ids = {box.key: f"b{number}" for number, box in enumerate(chart.walk(), 1)}
    lines = ["---", f"title: {_quoted_title(chart.name)}", "---", "flowchart TD"]
    for box in chart.boxes:
        lines += _box(box, ids, "    ")
    for edge in chart.edges:
        label = f"|{edge.label}|" if edge.label else ""
        lines.append(f"    {ids[edge.source]} -->{label} {ids[edge.target]}")
    return "\n".join([*lines, *_classes(chart, ids), ""])


def _box(box: Box, ids: dict[str, str], indent: str) -> Iterator[str]:
    lines = map(_escaped, box.lines)
    if not box.members:
        label = "<br/>".join(lines)
        left, right = SHAPES.get(kind(box.type), ("(", ")"))
        yield f'{indent}{ids[box.key]}{left}"{label}"{right}'
        return
    # Mermaid leaves room for one line above the members of a group.
    yield f'{indent}subgraph {ids[box.key]}["{" · ".join(lines)}"]'
    for member in box.members:
        yield from _box(member, ids, f"{indent}    ")
    yield f"{indent}end"


def _classes(chart: Chart, ids: dict[str, str]) -> Iterator[str]:
    """Colours: boxes are light with dark text on any page, groups take the page's own."""
    members: dict[str, list[str]] = {}
    for box in chart.walk():
        members.setdefault(kind(box.type), []).append(ids[box.key])
    for name, colours in ((name, each.light) for name, each in KINDS.items() if name in members):
        look = f"fill:{colours.fill},stroke:{colours.line},color:{colours.text}"
        if name in GROUPS:
            look = f"fill:none,stroke:{colours.line}"
        yield f"    classDef {name} {look}"
        yield f"    class {','.join(members[name])} {name}"


def _quoted_title(text: str) -> str:
    """A title for the head, which is YAML."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    """A label's text with what Mermaid, Markdown or HTML would read written as a number."""
    return SPECIAL.sub(_number, text)


def _number(found: re.Match[str]) -> str:
    # Mermaid reads numbers first and then looks for $$formulas$$ and fa:fa-icons: a space of no
    # width takes those apart.
    return f"#{ord(found[0])};" + ("#8203;" if found[0] in "$:" else "")


SPECIAL = re.compile(r"[^\w\s·,-]|^[-\d]|_", re.ASCII)
SHAPES = {"decide": ("{{", "}}"), "fail": ("([", "])")}
