"""A definition and the values for its parameters, as a user names them on the command line."""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sm_pipelines.cli.errors import FAILED, CommandError
from airflow_sm_pipelines.errors import (
    AccessDeniedError,
    DefinitionError,
    ParameterError,
    SourceError,
)
from airflow_sm_pipelines.sources import Source, fetch, is_remote

if TYPE_CHECKING:
    from airflow_sm_pipelines.definition import Pipeline
    from airflow_sm_pipelines.definition.node import Json

STANDARD_INPUT = "-"


def read(
    reference: str | Path, *, connection: str | None = None, region: str | None = None
) -> "Pipeline":
    """The pipeline of a definition, see `find`; all of its problems at once."""
    return pipeline(find(reference, connection=connection, region=region))


def find(
    reference: str | Path, *, connection: str | None = None, region: str | None = None
) -> Source:
    """The definition that a path, `s3://...`, `pipeline:NAME` or `-`, standard input, leads to.

    `connection` is the Airflow connection by which AWS is asked, without it boto3's own
    credentials are taken. A CommandError says why there is nothing to read.
    """
    place = str(reference)
    if place == STANDARD_INPUT:
        return Source(text=sys.stdin.buffer.read(), name="pipeline", where=STANDARD_INPUT)
    if not is_remote(place):
        return _fetch(place, connection, region)
    # Airflow, which knows the connection, reads its settings while it is imported; those of this
    # process are not made yet. So it is imported in a process that ends with the answer.
    apart = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=apart, initializer=_be_quiet) as process:
        return process.submit(_fetch, place, connection, region).result()


def pipeline(source: Source) -> "Pipeline":
    """The pipeline of a definition's text; a CommandError has all of its problems."""
    from airflow_sm_pipelines import definition

    try:
        return definition.load(source.text, name=source.name)
    except DefinitionError as error:
        lines = (f"{source.where}: {problem}" for problem in error.problems)
        raise CommandError.of(lines, exit_code=FAILED) from error


def on_disk(source: Source, folder: Path) -> Path:
    """The file of a definition, which is what a DAG file reads; written below `folder` if need be.

    Its name leads to the pipeline's, as it does where a user has chosen it.
    """
    if source.path is not None:
        return source.path
    path = folder / "source" / source.name / "definition.json"
    path.parent.mkdir(parents=True)
    text = source.text
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def bind(pipeline: "Pipeline", assignments: Sequence[str]) -> "dict[str, Json]":
    """Every parameter's value in a run with these `Name=Value`; all that is wrong at once."""
    from airflow_sm_pipelines import definition

    problems = [
        f"-p {text}: no name and value; write Name=Value"
        for text in assignments
        if not text.partition("=")[0] or "=" not in text
    ]
    pairs = (text.split("=", 1) for text in assignments if "=" in text)
    given = {name: value for name, value in pairs if name}
    try:
        values = definition.bind_text(pipeline, given)
    except ParameterError as error:
        problems += map(str, error.problems)
    if problems:
        raise CommandError(*problems)
    return values


def _fetch(place: str, connection: str | None, region: str | None) -> Source:
    try:
        return fetch(place, aws_conn_id=connection, region_name=region)
    except SourceError as error:
        raise CommandError(str(error)) from error
    except AccessDeniedError as error:
        raise CommandError(f"{place}: {error}") from error


def _be_quiet() -> None:
    # Airflow tells of every client that it makes; it reads this while it is imported.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
