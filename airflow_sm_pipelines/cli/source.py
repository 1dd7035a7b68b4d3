"""A definition file and the values for its parameters, as a user names them on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sm_pipelines.cli.errors import FAILED, CommandError
from airflow_sm_pipelines.errors import DefinitionError, ParameterError
from airflow_sm_pipelines.files import pipeline_name

if TYPE_CHECKING:
    from airflow_sm_pipelines.definition import Pipeline
    from airflow_sm_pipelines.definition.node import Json


def read_text(file: Path) -> bytes:
    """The bytes of a definition file."""
    try:
        return file.read_bytes()
    except IsADirectoryError as error:
        raise CommandError(f"{file}: is a folder; name the definition's JSON file") from error
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}; name the definition's JSON file") from error


def read(file: Path) -> "Pipeline":
    """The pipeline of a definition file; all of its problems at once."""
    from airflow_sm_pipelines import definition

    try:
        return definition.load(read_text(file), name=pipeline_name(file))
    except DefinitionError as error:
        lines = (f"{file}: {problem}" for problem in error.problems)
        raise CommandError.of(lines, exit_code=FAILED) from error


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
