"""What one TrainingJobDefinition of a tuning job says, and the training jobs that it makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_sm_pipelines.local.job import Fields
from airflow_sm_pipelines.local.tuning import ranges
from airflow_sm_pipelines.local.tuning.ranges import Range

OBJECTIVE_KEY = "_tuning_objective_metric"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The metric that is to be small or large."""

    metric: str
    kind: str

    def score(self, value: float) -> float:
        """What is larger the better the value is."""
        return value if self.kind == "Maximize" else -value


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One of the definitions of a tuning job: an algorithm, its objective and its ranges."""

    name: str
    objective: Objective
    ranges: tuple[Range, ...]
    static: Mapping[str, str]
    fields: Fields

    def request(self, name: str, values: Mapping[str, str], *, tuning_arn: str) -> Fields:
        """The CreateTrainingJob request of a training job with these values."""
        passed_on = {key: value for key, value in self.fields.items() if key not in _TUNERS_OWN}
        resources = self.fields.get("HyperParameterTuningResourceConfig")
        return {
            **passed_on,
            **({"ResourceConfig": resources_of(resources)} if resources else {}),
            "TrainingJobName": name,
            "HyperParameters": {
                **self.static,
                **values,
                OBJECTIVE_KEY: self.objective.metric,
            },
            # No member of the request; Describe answers it of the jobs of a tuning job.
            "TuningJobArn": tuning_arn,
        }


def definitions(request: Fields) -> tuple[Definition, ...]:
    """The definitions of a CreateHyperParameterTuningJob request in which nothing is wrong."""
    config = request["HyperParameterTuningJobConfig"]
    return tuple(
        Definition(
            name=fields.get("DefinitionName", ""),
            objective=_objective(objective_of(fields, config)),
            ranges=ranges.parsed(ranges_of(fields, config)),
            static=static_of(fields),
            fields=fields,
        )
        for _, fields in definitions_of(request)
    )


def definitions_of(request: Fields) -> list[tuple[str, Fields]]:
    """The definitions of a request as they are there, each with where it is."""
    several = request.get("TrainingJobDefinitions") or ()
    if several:
        return [(f"TrainingJobDefinitions[{n}]", each) for n, each in enumerate(several)]
    return [("TrainingJobDefinition", request["TrainingJobDefinition"])]


def objective_of(fields: Fields, config: Fields) -> Fields:
    """The objective of a definition: its own, or that of the whole job."""
    return fields.get("TuningObjective") or config.get("HyperParameterTuningJobObjective") or {}


def ranges_of(fields: Fields, config: Fields) -> Fields:
    """The ParameterRanges of a definition: its own, or those of the whole job."""
    return fields.get("HyperParameterRanges") or config.get("ParameterRanges") or {}


def static_of(fields: Fields) -> dict[str, str]:
    """The static hyperparameters of a definition, without what a description adds to them."""
    given = fields.get("StaticHyperParameters") or {}
    return {name: value for name, value in given.items() if name != OBJECTIVE_KEY}


def _objective(given: Fields) -> Objective:
    return Objective(metric=given["MetricName"], kind=given["Type"])


def resources_of(given: Fields) -> dict[str, Any]:
    """The ResourceConfig of a training job: of several instance types, the first one."""
    wanted: Fields = {**given, **next(iter(given.get("InstanceConfigs") or ()), {})}
    return {key: wanted[key] for key in _RESOURCES if key in wanted}


_RESOURCES = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")

_TUNERS_OWN = frozenset(
    {
        "DefinitionName",
        "HyperParameterRanges",
        "HyperParameterTuningResourceConfig",
        "StaticHyperParameters",
        "TuningObjective",
    }
)
