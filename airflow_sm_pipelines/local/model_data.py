"""Whether the data of a model is there, which CreateModel asks as AWS does.

AWS's words are from https://github.com/aws/amazon-sagemaker-examples/issues/4479 (a prefix) and
https://github.com/aws/aws-step-functions-data-science-sdk-python/issues/61 (an object).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_sm_pipelines.local.errors import JobError, invalid
from airflow_sm_pipelines.local.jobs import Jobs
from airflow_sm_pipelines.local.objects import Objects

Fields = Mapping[str, Any]


class ModelData:
    """The data of models: objects, or what a job is said to have made.

    A job that plays a script writes nothing: what a job that has Completed names is taken for
    there, as is what has the name of a training job that a tuning job tells of.
    """

    def __init__(self, objects: Objects, jobs: Jobs) -> None:
        self._objects = objects
        self._jobs = jobs

    def check(self, request: Fields) -> None:
        """Refuse a CreateModel whose data is not there."""
        for container in request.get("Containers") or [request["PrimaryContainer"]]:
            for uri, is_prefix in _places(container):
                if not (self._is_there(uri, is_prefix) or self._is_told(uri)):
                    raise invalid(f"Could not find model data at {uri}.")

    def _is_there(self, uri: str, is_prefix: bool) -> bool:
        try:
            return self._objects.exist(uri) if is_prefix else self._objects.has(uri)
        except JobError:  # it is no address of S3, and nobody looks for it here
            return True

    def _is_told(self, uri: str) -> bool:
        parts = {*uri.split("/")}
        told = self._jobs.completed()
        return any(uri in _texts(each) or parts & {*_trained(each)} for each in told)


def _places(container: Fields) -> Iterator[tuple[str, bool]]:
    """Where a container has its data, and whether that is a prefix.

    Of a multi-model container the data may come later. Whether AWS looks for additional data, and
    for that of a model package, is not known.
    """
    if container.get("Mode") == "MultiModel":
        return
    if uri := container.get("ModelDataUrl"):
        yield uri, False
    located = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    if located and not located.get("HubAccessConfig"):
        yield located["S3Uri"], located["S3DataType"] == "S3Prefix"


def _trained(description: Fields) -> Iterator[str]:
    """The training jobs that a tuning job tells of."""
    best = description.get("BestTrainingJob") or {}
    for each in (best, *(description.get("TrainingJobSummaries") or ())):
        if name := each.get("TrainingJobName"):
            yield name


def _texts(value: object) -> Iterator[str]:
    """Every text in a description."""
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)
