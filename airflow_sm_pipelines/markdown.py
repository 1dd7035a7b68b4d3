"""What the Airflow UI shows of a pipeline and its steps, as Markdown."""

import json
from collections.abc import Iterable
from dataclasses import replace

from airflow_sm_pipelines.definition import Pipeline, Step
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.masks import masked


def pipeline_page(pipeline: Pipeline) -> str:
    """The DAG's page: description, parameters, steps."""
    parameters = _table(
        ("Parameter", "Type", "Default", "Values", "Description"),
        (
            (
                p.name,
                p.type,
                "required" if p.required else json.dumps(p.default),
                ", ".join(p.enum),
                p.description or "",
            )
            for p in pipeline.parameters
        ),
    )
    steps = _table(
        ("Step", "Type", "Description"),
        ((s.name, s.type, s.description or s.display_name or "") for s in pipeline.walk()),
    )
    return "\n\n".join(
        part
        for part in (
            f"SageMaker pipeline **{_cell(pipeline.name)}**",
            pipeline.description or "",
            parameters,
            steps,
        )
        if part
    )


def step_page(step: Step) -> str:
    """A task's page: the step's JSON with secrets masked, 4 KB at most."""
    text = _laid_out(_shown(step)).replace("```", "` ` `")
    head = f"{_shortened(step.description, LONGEST_HEAD)}\n\n" if step.description else ""
    return f"{head}```json\n{_shortened(text, LONGEST_JSON)}\n```"


def problem_page(message: str) -> str:
    """The page of a DAG that stands for a definition which could not become one."""
    return (
        "This definition could not become a DAG:\n\n"
        f"```\n{_shortened(message.replace('```', '` ` `'), LONGEST_JSON)}\n```"
    )


def _shown(step: Step) -> dict[str, Json]:
    """The step's JSON; of the steps in its branches, which have pages of their own, the names."""
    if step.branches is None:
        return masked(step.to_json(), keeps=_is_reference)
    return {
        **replace(step, branches=None).to_json(),
        "Arguments": {
            "Conditions": [condition.to_json() for condition in step.branches.conditions],
            "IfSteps": [child.name for child in step.branches.if_steps],
            "ElseSteps": [child.name for child in step.branches.else_steps],
        },
    }


def _laid_out(members: dict[str, Json]) -> str:
    """JSON with a line for each member, and for each of Arguments.

    json.dumps with an indent would take half of the time that building a DAG takes: it is written
    in Python, the encoder without one is not.
    """
    lines = []
    for key, value in members.items():
        if key == "Arguments" and isinstance(value, dict):
            inner = ",\n".join(f"  {_compact(name)}: {_compact(v)}" for name, v in value.items())
            lines.append(f' "{key}": {{\n{inner}\n }}')
        else:
            lines.append(f' "{key}": {_compact(value)}')
    return "{\n" + ",\n".join(lines) + "\n}"


def _is_reference(value: Json) -> bool:
    """Whether a value is `{"Get": ...}`, which says where the value is and not what it is."""
    return isinstance(value, dict) and value.keys() == {"Get"} and isinstance(value["Get"], str)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *lines])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _shortened(text: str, most: int) -> str:
    """`text` in at most `most` bytes of UTF-8, or a few more for the mark that it was cut."""
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    return encoded[:most].decode(errors="ignore") + "\n... (shortened)"


_compact = json.JSONEncoder(ensure_ascii=False).encode

LONGEST_JSON = 3_000
LONGEST_HEAD = 900
