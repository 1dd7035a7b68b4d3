"""DAGs drawn as text, to be compared with `tests/golden/` and read beside their definitions.

`python -m tests.drawing` draws every definition again.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import DAG

TESTS = Path(__file__).parent
GOLDEN = TESTS / "golden"
DEFINITIONS = {
    **{path.stem: path for path in sorted((TESTS / "pipelines").glob("*.json"))},
    "abalone": TESTS.parent / "dags/pipelines/abalone/definition.json",
}


def draw(dag: "DAG") -> str:
    """What a user sees of a DAG, a line for each thing."""
    return "\n".join([*_head(dag), "", *_params(dag), *map(_task, dag.tasks), ""])


def _head(dag: "DAG") -> Iterator[str]:
    yield f"dag {dag.dag_id}{_named(dag.dag_display_name, dag.dag_id)}"
    yield f"    tags: {', '.join(sorted(dag.tags))}"
    if dag.description:
        yield f"    description: {dag.description}"
    yield f"    at once: {dag.max_active_tasks}"


def _params(dag: "DAG") -> Iterator[str]:
    for name in dag.params:
        param: Any = dag.params.get_param(name)
        has_value = isinstance(param.value, str | int | float | bool)
        default = f" = {json.dumps(param.value)}" if has_value else ", required"
        about = f"  # {param.description}" if param.description else ""
        yield f"param {name}{default} {json.dumps(param.schema, sort_keys=True)}{about}"


def _task(task: Any) -> str:
    step = f" of a {task.step.type} step" if hasattr(task, "step") else ""
    waiting = ", waits in the worker" if getattr(task, "waits_in_worker", False) else ""
    groups = " > ".join(_groups(task.task_group))
    inside = f"\n    in: {groups}" if groups else ""
    after = f"\n    after: {', '.join(sorted(task.upstream_task_ids)) or '-'}"
    return (
        f"task {task.task_id}{_named(task.task_display_name, task.task_id)}: "
        f"{type(task).__name__}{step}, {task.trigger_rule.value}{waiting}{inside}{after}"
    )


def _groups(group: Any) -> Iterator[str]:
    if not group.is_root:
        yield from _groups(group.parent_group)
        yield f"{group.group_id} ({group.label})"


def _named(display_name: str | None, name: str) -> str:
    return f" ({display_name})" if display_name and display_name != name else ""


def main() -> None:
    """Write all drawings."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = home
        from airflow_sm_pipelines import load_dag

        for name, path in DEFINITIONS.items():
            (GOLDEN / f"{name}.txt").write_text(draw(load_dag(path)), encoding="utf-8")


if __name__ == "__main__":
    main()
