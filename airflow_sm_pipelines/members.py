"""Looking into requests and descriptions, which are JSON objects inside JSON objects."""

from typing import Any

from airflow_sm_pipelines.definition.node import Json


def member(value: Json, path: str) -> Json:
    """What is at a path such as `TrainingJobDefinition.InputDataConfig`; None where nothing is."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def covers(described: Any, asked: Any) -> bool:
    """Whether all that was asked for is there; AWS adds defaults and leaves some members out."""
    match described, asked:
        case dict(), dict():
            return all(covers(described[key], asked[key]) for key in asked if key in described)
        case list(), list():
            return len(described) == len(asked) and all(map(covers, described, asked))
    return bool(described == asked)


def contains(described: Any, asked: Any) -> bool:
    """As `covers`, but what AWS leaves out is not there."""
    match described, asked:
        case dict(), dict():
            return all(key in described and contains(described[key], asked[key]) for key in asked)
        case list(), list():
            return len(described) == len(asked) and all(map(contains, described, asked))
    return bool(described == asked)
