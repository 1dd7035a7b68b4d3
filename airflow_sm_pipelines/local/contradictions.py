"""What is wrong with a Create request each of whose members is right by itself.

SageMaker refuses such a request with a ValidationException. What it refuses is documented, or has
been seen where a source is given; the wording is ours. To add a rule: a generator, and its name in
a row of `RULES`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from airflow_sm_pipelines.local.errors import invalid

Fields = Mapping[str, Any]
Rule = Callable[[Fields], Iterator[str]]

_PROCESSING = "/opt/ml/processing/"


def check(operation: str, request: Fields) -> None:
    """Raise a ValidationException with all that contradicts itself in a request."""
    problems = [problem for rule in RULES[operation] for problem in rule(request)]
    if problems:
        raise invalid("; ".join(problems))


def _inputs(request: Fields) -> Iterator[str]:
    """Inputs have names and folders of their own.

    Folders: https://github.com/aws/sagemaker-python-sdk/issues/4939
    """
    where = "ProcessingInputs"
    inputs = request.get(where) or ()
    sources = [each.get("S3Input") or {} for each in inputs]
    yield from _twice(where, "InputName", (each["InputName"] for each in inputs))
    yield from _twice(where, "LocalPath", filter(None, (each.get("LocalPath") for each in sources)))
    for number, source in enumerate(sources):
        yield from _outside(f"{where}[{number}].S3Input", source)


def _outputs(request: Fields) -> Iterator[str]:
    where = "ProcessingOutputConfig.Outputs"
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    yield from _twice(where, "OutputName", (each["OutputName"] for each in outputs))
    for number, each in enumerate(outputs):
        yield from _outside(f"{where}[{number}].S3Output", each.get("S3Output") or {})


def _outside(where: str, source: Fields) -> Iterator[str]:
    """The guide: the path in the container must begin with /opt/ml/processing/."""
    path = source.get("LocalPath")
    if path is not None and (not path.startswith(_PROCESSING) or ".." in path.split("/")):
        yield f"{where}.LocalPath: {path!r} must begin with {_PROCESSING}"


def _channels(request: Fields) -> Iterator[str]:
    where = "InputDataConfig"
    channels = request.get(where) or ()
    yield from _twice(where, "ChannelName", (each["ChannelName"] for each in channels))
    for number, each in enumerate(channels):
        if not any(source is not None for source in each["DataSource"].values()):
            yield (
                f"{where}[{number}].DataSource: empty; it would be S3DataSource, or another of "
                "the sources"
            )


def _algorithm(request: Fields) -> Iterator[str]:
    algorithm = request.get("AlgorithmSpecification") or {}
    given = [key for key in ("TrainingImage", "AlgorithmName") if algorithm.get(key)]
    if len(given) == 2:
        yield (
            "AlgorithmSpecification: both TrainingImage and AlgorithmName are given; it would be "
            "one of them"
        )


def _instances(request: Fields) -> Iterator[str]:
    resources = request.get("ResourceConfig") or {}
    beside = [key for key in ("InstanceType", "InstanceCount") if resources.get(key)]
    if resources.get("InstanceGroups") and beside:
        yield f"ResourceConfig: {' and '.join(beside)} cannot be given beside InstanceGroups"


def _containers(request: Fields) -> Iterator[str]:
    named = [("PrimaryContainer", request.get("PrimaryContainer") or {})]
    listed = enumerate(request.get("Containers") or ())
    for where, each in [*named, *((f"Containers[{number}]", each) for number, each in listed)]:
        if each and not (each.get("Image") or each.get("ModelPackageName")):
            yield f"{where}: neither Image nor ModelPackageName is given; it would be one of them"


def _variants(request: Fields) -> Iterator[str]:
    where = "ProductionVariants"
    yield from _twice(where, "VariantName", (each["VariantName"] for each in request[where]))


def _twice(where: str, member: str, values: Iterable[str]) -> Iterator[str]:
    for value, count in Counter(values).items():
        if count > 1:
            yield f"{where}: {count} have the {member} {value!r}; each must have its own"


RULES: dict[str, tuple[Rule, ...]] = {
    "CreateProcessingJob": (_inputs, _outputs),
    "CreateTrainingJob": (_algorithm, _channels, _instances),
    "CreateModel": (_containers,),
    "CreateEndpointConfig": (_variants,),
}
