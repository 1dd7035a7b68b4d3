"""What earlier tuning jobs have found, for one that names them as its parents.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.job import Fields
from airflow_sm_pipelines.local.tuning.completion import better
from airflow_sm_pipelines.local.tuning.definition import (
    Definition,
    definitions_of,
    objective_of,
    ranges_of,
    static_of,
)
from airflow_sm_pipelines.local.tuning.strategies import Found

Describe = Callable[[str], Fields]
"""The description of the tuning job of a name; raises `AwsError` where there is none."""

IDENTICAL = "IdenticalDataAndAlgorithm"


def parents(request: Fields, describe: Describe) -> list[Fields]:
    """The descriptions of the tuning jobs that a request starts from."""
    config = request.get("WarmStartConfig") or {}
    named = config.get("ParentHyperParameterTuningJobs") or ()
    return [describe(each["HyperParameterTuningJobName"]) for each in named]


def found(definition: Definition, ancestors: Iterable[Fields]) -> tuple[Found, ...]:
    """What the parents have found for a definition of theirs of the same name."""
    return tuple(
        Found(
            values={**_static(parent, definition.name), **row["TunedHyperParameters"]},
            objective=_value(row),
        )
        for parent in ancestors
        for row in parent.get("TrainingJobSummaries") or ()
        if row.get("TrainingJobDefinitionName", "") == definition.name
    )


def best(request: Fields, ancestors: Iterable[Fields]) -> Fields | None:
    """The best training job of the parents, where those of the new job are comparable with it."""
    if (request.get("WarmStartConfig") or {}).get("WarmStartType") != IDENTICAL:
        return None
    overall: Fields | None = None
    for parent in ancestors:
        row = parent.get("OverallBestTrainingJob") or parent.get("BestTrainingJob")
        overall = better(overall, row) if row else overall
    return overall


def problems(request: Fields, describe: Describe) -> Iterator[str]:
    """What keeps a request from its parents; SageMaker documents the rules, the words are ours."""
    config = request.get("WarmStartConfig") or {}
    for number, each in enumerate(config.get("ParentHyperParameterTuningJobs") or ()):
        where = f"WarmStartConfig.ParentHyperParameterTuningJobs[{number}]"
        name = each.get("HyperParameterTuningJobName", "")
        try:
            parent = describe(name)
        except AwsError as error:
            yield f"{where}: {error.message}"
            continue
        yield from (f"{where}: {name} {said}" for said in _differences(request, parent))


def _differences(request: Fields, parent: Fields) -> Iterator[str]:
    status = parent["HyperParameterTuningJobStatus"]
    if status in ("InProgress", "Stopping"):
        yield f"is {status}; a parent has ended"
    before = {fields.get("DefinitionName", ""): fields for _, fields in definitions_of(parent)}
    for _, fields in definitions_of(request):
        earlier = before.get(fields.get("DefinitionName", ""))
        if earlier is not None:
            yield from _definition_differences(fields, request, earlier, parent)


def _definition_differences(
    fields: Fields, request: Fields, earlier: Fields, parent: Fields
) -> Iterator[str]:
    config, earlier_config = (each[_CONFIG] for each in (request, parent))
    metrics = [
        objective_of(*each).get("MetricName")
        for each in ((fields, config), (earlier, earlier_config))
    ]
    if metrics[0] != metrics[1]:
        yield f"has the objective metric {metrics[1]}; it must be the same, not {metrics[0]}"
    kinds, earlier_kinds = (
        _kinds(ranges_of(*each)) for each in ((fields, config), (earlier, earlier_config))
    )
    for name in sorted(kinds.keys() & earlier_kinds.keys()):
        if kinds[name] != earlier_kinds[name]:
            yield f"has {name} in {earlier_kinds[name]}; its type may not change"
    ours, theirs = (
        {*kind, *static_of(each)} for kind, each in ((kinds, fields), (earlier_kinds, earlier))
    )
    if len(ours) != len(theirs):
        yield f"has {len(theirs)} hyperparameters, static and tuned; it must be as many here"
    yield from _algorithm_differences(fields, request, earlier)


def _algorithm_differences(fields: Fields, request: Fields, earlier: Fields) -> Iterator[str]:
    if request["WarmStartConfig"]["WarmStartType"] != IDENTICAL:
        return
    images = [each["AlgorithmSpecification"].get("TrainingImage") for each in (fields, earlier)]
    if images[0] != images[1]:
        yield f"has the training image {images[1]}; {IDENTICAL} needs the same"
    if fields.get("InputDataConfig") != earlier.get("InputDataConfig"):
        yield f"has another InputDataConfig; {IDENTICAL} needs the same"


def _kinds(ranges: Fields) -> dict[str, str]:
    """Hyperparameter -> the member that has its range."""
    return {each["Name"]: kind for kind, rows in ranges.items() for each in rows or ()}


def _static(parent: Fields, name: str) -> dict[str, Any]:
    return next(
        (
            static_of(fields)
            for _, fields in definitions_of(parent)
            if fields.get("DefinitionName", "") == name
        ),
        {},
    )


def _value(row: Fields) -> float | None:
    metric = row.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
    value: float | None = metric.get("Value")
    return value


_CONFIG = "HyperParameterTuningJobConfig"
