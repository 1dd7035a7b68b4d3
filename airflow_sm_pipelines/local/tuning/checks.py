"""What SageMaker refuses of a CreateHyperParameterTuningJob request, beyond its shape.

Messages in `SageMaker's words` below are known from what users have been told; the others are ours.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator

from airflow_sm_pipelines.local.errors import invalid
from airflow_sm_pipelines.local.job import Fields
from airflow_sm_pipelines.local.tuning import ranges
from airflow_sm_pipelines.local.tuning.definition import (
    definitions_of,
    objective_of,
    ranges_of,
)

BuiltIn = Callable[[str], bool]
"""Whether a training image is a built-in algorithm, whose metrics SageMaker knows."""


def check_definitions(request: Fields) -> None:
    """Refuse a job that does not say, or says twice, what it tunes; the wording is inferred."""
    given = [key for key in _DEFINITIONS if request.get(key)]
    if len(given) != 1:
        raise invalid(f"Exactly one of {' and '.join(_DEFINITIONS)} must be provided.")


def check(request: Fields, *, built_in: BuiltIn) -> None:
    """Raise what SageMaker, or the local AWS, answers to a request that it does not take."""
    found = [*_unsupported(request), *_problems(request, built_in)]
    if not found:
        found = [*_limit_problems(request)]  # they count combinations, of ranges that are right
    if found:
        raise invalid("; ".join(found))


def _unsupported(request: Fields) -> Iterator[str]:
    """What needs SageMaker's own judgement."""
    if request.get("Autotune"):
        yield "Autotune: not there in the local AWS; give Strategy, ParameterRanges and limits"
    config = request["HyperParameterTuningJobConfig"]
    for where, fields in definitions_of(request):
        if ranges_of(fields, config).get("AutoParameters"):
            yield f"{where}: AutoParameters need Autotune, which is not there in the local AWS"


def _problems(request: Fields, built_in: BuiltIn) -> Iterator[str]:
    config = request["HyperParameterTuningJobConfig"]
    several = bool(request.get("TrainingJobDefinitions"))
    for where, fields in definitions_of(request):
        if several and not fields.get("DefinitionName"):
            yield f"{where}.DefinitionName: missing; with several definitions each has one"
        yield from _objective_problems(fields, config, built_in, where)
        place = f"{where}.HyperParameterRanges" if fields.get("HyperParameterRanges") else _SHARED
        given = ranges_of(fields, config)
        yield from ranges.problems(given, place)
        yield from _name_problems(fields, given, place)
    names = Counter(fields.get("DefinitionName") for _, fields in definitions_of(request))
    yield from (
        f"DefinitionName {name} is there twice" for name in names if names[name] > 1 and name
    )
    yield from _strategy_problems(request)


def _objective_problems(
    fields: Fields, config: Fields, built_in: BuiltIn, where: str
) -> Iterator[str]:
    metric = objective_of(fields, config).get("MetricName")
    if metric is None:
        yield f"{where}: no objective; give it TuningObjective, or {_OBJECTIVE} to the job"
        return
    algorithm = fields["AlgorithmSpecification"]
    known = [each["Name"] for each in algorithm.get("MetricDefinitions") or ()]
    scripted = "sagemaker_program" in (fields.get("StaticHyperParameters") or {})
    if metric in known or (not scripted and built_in(algorithm.get("TrainingImage") or "")):
        return
    # SageMaker's words.
    yield (
        "A metric is required for this hyperparameter tuning job objective. "
        "Provide a metric in the metric definitions."
    )


def _name_problems(fields: Fields, given: Fields, where: str) -> Iterator[str]:
    names = [each["Name"] for rows in given.values() for each in rows or ()]
    if not names:
        yield f"{where}: no ranges; a tuning job searches at least one"
    if len(names) > _MOST_RANGES:
        yield f"{where}: {len(names)} ranges; there can be {_MOST_RANGES} of all types together"
    static = fields.get("StaticHyperParameters") or {}
    counted = Counter([*names, *static])
    for name in dict.fromkeys(names):
        if counted[name] > 1:
            yield f"{where}: the hyperparameter {name} is there {counted[name]} times; keep one"


def _strategy_problems(request: Fields) -> Iterator[str]:
    config = request["HyperParameterTuningJobConfig"]
    strategy = config["Strategy"]
    if strategy != "Hyperband":
        if config.get("StrategyConfig"):
            yield f"StrategyConfig is for the Hyperband strategy, not for {strategy}"
        return
    if config.get("TrainingJobEarlyStoppingType") == "Auto":
        yield "TrainingJobEarlyStoppingType must be Off with the Hyperband strategy"
    try:
        least, most = resources(request)
    except ValueError as error:
        yield str(error)
        return
    if not least <= most <= _MOST_EPOCHS:
        yield (
            f"HyperbandStrategyConfig: MinResource {least} and MaxResource {most}; "
            f"MinResource is not more than MaxResource, and that not more than {_MOST_EPOCHS}"
        )


def resources(request: Fields) -> tuple[int, int]:
    """MinResource and MaxResource of Hyperband; the latter is inferred as SageMaker documents."""
    strategy = request["HyperParameterTuningJobConfig"].get("StrategyConfig") or {}
    given = strategy.get("HyperbandStrategyConfig") or {}
    least, most = given.get("MinResource", 1), given.get("MaxResource")
    statics = [fields.get("StaticHyperParameters") or {} for _, fields in definitions_of(request)]
    inferred = [
        int(str(static[key]).strip(chr(34)))
        for static in statics
        for key in _EPOCHS
        if _whole(static, key)
    ]
    if most is None and not inferred:
        raise ValueError(
            "HyperbandStrategyConfig.MaxResource: missing, and none of the "
            f"StaticHyperParameters {', '.join(_EPOCHS)} is there to infer it from"
        )
    return least, most or max(inferred)


def _whole(static: Fields, key: str) -> bool:
    return str(static.get(key, "")).strip('"').isdecimal()


def _limit_problems(request: Fields) -> Iterator[str]:
    config = request["HyperParameterTuningJobConfig"]
    limits = config["ResourceLimits"]
    most = limits.get("MaxNumberOfTrainingJobs")
    parsed = [ranges.parsed(ranges_of(fields, config)) for _, fields in definitions_of(request)]
    total = sum(math.prod(each.count for each in one) for one in parsed)
    if config["Strategy"] == "Grid":
        yield from _grid_problems(request, most, total)
    elif most is None and "MaxRuntimeInSeconds" not in limits:
        yield "ResourceLimits: MaxNumberOfTrainingJobs is missing; only Grid knows it itself"
    elif most is not None and total < most:
        # SageMaker's words.
        yield (
            "You don't have enough combinations of hyperparameter ranges. The total number of "
            f"hyperparameter combinations for the provided ranges [{float(total)}] must be equal "
            f"or greater than the value of MaxNumberOfJobs, [{most}]. Provide additional ranges."
        )


def _grid_problems(request: Fields, most: int | None, total: float) -> Iterator[str]:
    config = request["HyperParameterTuningJobConfig"]
    for where, fields in definitions_of(request):
        for kind in ("IntegerParameterRanges", "ContinuousParameterRanges"):
            if ranges_of(fields, config).get(kind):
                yield f"{where}: {kind}; the Grid strategy supports categorical parameters only"
    if most is not None and most != total:
        yield (
            f"ResourceLimits.MaxNumberOfTrainingJobs is {most}; with the Grid strategy it equals "
            f"the number of categorical combinations, {total}, or is left out"
        )


_DEFINITIONS = ("TrainingJobDefinition", "TrainingJobDefinitions")
_OBJECTIVE = "HyperParameterTuningJobObjective"
_SHARED = "HyperParameterTuningJobConfig.ParameterRanges"
_MOST_RANGES = 30
_MOST_EPOCHS = 20_000
_EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
