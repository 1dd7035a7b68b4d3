"""Which values are shown as stars where people look: the one place that says so.

A task's page, the request in its log, its XCom `Request` mask what is here. What a step hands on
(`return_value`) does not: later steps read it.
"""

from collections.abc import Callable, Mapping

from airflow_sm_pipelines.definition.node import Json

STARS = "***"


def masked(
    members: Mapping[str, Json], *, keeps: Callable[[Json], bool] = lambda _: False
) -> dict[str, Json]:
    """`members` with what is in `MASKED` as stars, but for keys and for what `keeps` says."""
    return {
        key: _starred(value, keeps) if key in MASKED else _looked_through(value, keeps)
        for key, value in members.items()
    }


def _looked_through(value: Json, keeps: Callable[[Json], bool]) -> Json:
    match value:
        case dict():
            return masked(value, keeps=keeps)
        case list():
            return [_looked_through(element, keeps) for element in value]
    return value


def _starred(value: Json, keeps: Callable[[Json], bool]) -> Json:
    if keeps(value):
        return value
    match value:
        case dict():
            return {key: _starred(member, keeps) for key, member in value.items()}
        case list():
            return [_starred(element, keeps) for element in value]
    return STARS


MASKED = frozenset(
    {
        "Environment",
        "HyperParameters",
        "StaticHyperParameters",
        # Of clusters, of steps on them and of job runs on EMR.
        "Properties",
        "properties",
    }
)
"""The members whose values may be secrets, wherever in a request they are."""
