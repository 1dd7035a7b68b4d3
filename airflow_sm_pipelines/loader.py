"""DAGs from a folder of definitions: what a DAG file calls.

globals().update(load_dags(Path(__file__).parent / "pipelines"))
"""

import hashlib
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG, BaseOperator, get_parsing_context

from airflow_sm_pipelines import markdown
from airflow_sm_pipelines.dag import TAG, build_dag
from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.definition.document import read
from airflow_sm_pipelines.errors import DefinitionError, Problem
from airflow_sm_pipelines.files import definition_files, pipeline_name, readable
from airflow_sm_pipelines.sources import require_file

log = logging.getLogger(__name__)


def load_dags(folder: Path, **arguments: Any) -> dict[str, DAG]:
    """DAG id -> DAG, for every `*.json` below `folder`; `arguments` go to `build_dag`.

    A definition that cannot become a DAG becomes one whose page is the error and whose run fails.
    A worker, which runs a task of one DAG, builds that one alone.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: no such folder; give the one that definitions are in")
    wanted = get_parsing_context().dag_id
    return {
        dag_id: _load_or_explain(path, dag_id=dag_id, folder=folder, arguments=arguments)
        for dag_id, path in _dag_ids(folder).items()
        if wanted in {None, dag_id}
    }


def load_dag(path: Path, **arguments: Any) -> DAG:
    """The DAG of one definition; a DefinitionError says what is wrong with the file."""
    require_file(path, Path)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise DefinitionError([Problem("$", f"cannot be read: {error.strerror}")]) from error
    return build_dag(load(text, name=pipeline_name(path)), **arguments)


def _dag_ids(folder: Path) -> dict[str, Path]:
    """DAG id -> definition; of several files with one name the later ones get longer ids."""
    paths: dict[str, Path] = {}
    for path in definition_files(folder):
        dag_id = _dag_id(path)
        if dag_id in paths:
            place = path.relative_to(folder).as_posix()
            dag_id = f"{dag_id}{DUPLICATE}{hashlib.sha256(place.encode()).hexdigest()[:8]}"
        paths[dag_id] = path
    return paths


def _dag_id(path: Path) -> str:
    try:
        text = path.read_bytes()
        # Only what DescribePipeline answers has a name; the others need not be read twice.
        name = read(text).name if b'"PipelineName"' in text else None
    except (OSError, DefinitionError):
        name = None  # told when the DAG is built
    return _ILLEGAL.sub("_", name or pipeline_name(path))[:LONGEST_DAG_ID]


def _load_or_explain(path: Path, *, dag_id: str, folder: Path, arguments: Mapping[str, Any]) -> DAG:
    place = readable(path.relative_to(folder).as_posix())
    if DUPLICATE in dag_id:
        name = dag_id.partition(DUPLICATE)[0]
        return broken_dag(dag_id, f"{place}: another definition is named {name!r}; rename one")
    try:
        return load_dag(path, dag_id=dag_id, **arguments)
    except DefinitionError as error:
        return broken_dag(dag_id, "\n".join(f"{place}: {problem}" for problem in error.problems))
    except Exception as error:  # whatever goes wrong must not take the other definitions down
        log.exception("%s could not become a DAG", path)
        return broken_dag(dag_id, f"{place}: {type(error).__name__}: {error}")


def broken_dag(dag_id: str, message: str) -> DAG:
    """A DAG that says what is wrong with a definition, and fails with that when it is run."""
    dag = DAG(
        dag_id=dag_id,
        schedule=None,
        description="This definition could not become a DAG, see its documentation.",
        doc_md=markdown.problem_page(message),
        tags=[TAG, BROKEN_TAG],
    )
    BrokenDefinitionOperator(task_id="definition", message=message, dag=dag)
    return dag


class BrokenDefinitionOperator(BaseOperator):
    """Fails with what is wrong with a definition."""

    ui_color = "#f8cecc"

    def __init__(self, *, message: str, **kwargs: Any) -> None:
        super().__init__(doc_md=markdown.problem_page(message), **kwargs)
        self.message = message

    def execute(self, context: Any) -> NoReturn:
        """Raise the message; no retry mends it."""
        raise AirflowFailException(self.message)


BROKEN_TAG = "broken-definition"
DUPLICATE = ".duplicate."
LONGEST_DAG_ID = 200

_ILLEGAL = re.compile(r"[^A-Za-z0-9_.-]")
