"""What is masked, against the service model of all that a step creates."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import get_session

from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.masks import MASKED, masked

CREATES = sorted(
    {
        ("sagemaker", f"Create{row.job.noun}")
        for row in STEP_TYPES.values()
        if row.job and row.job.service == "sagemaker"
    }
    | {
        ("emr", "AddJobFlowSteps"),
        ("emr", "RunJobFlow"),
        ("emr-serverless", "CreateApplication"),
        ("emr-serverless", "StartJobRun"),
    }
)
"""The service and the operation of whatever a step creates."""

SHOWN = {
    "AdditionalInfo": "text for EMR itself",
    "LogTypeUploadPolicy": "which logs go where",
    "LogTypes": "which logs there are",
    "encryptionContext": "what decryption has to name, no secret to KMS either",
    "initialCapacity": "how many workers",
    "logTypes": "which logs there are",
    "tags": "what anybody may read",
    "workerTypeSpecifications": "images",
    "CollectionParameters": "what the debugger saves",
    "CustomerMetadataProperties": "what people are to read in the registry",
    "HookParameters": "what the debugger saves",
    "ProfilingParameters": "what the profiler saves",
    "RuleParameters": "what the debugger looks for",
}
"""Members that hold values by keys of the user's own, and are no place for secrets."""


def maps(shape: Any, seen: tuple[str, ...] = ()) -> Iterator[str]:
    """The names of the members of a request that are maps, at whatever depth."""
    if shape.name in seen:
        return
    for name, member in getattr(shape, "members", {}).items():
        inner = member.member if member.type_name == "list" else member
        if inner.type_name == "map":
            yield name
        yield from maps(inner, (*seen, shape.name))


def request(service: str, operation: str) -> Any:
    model: Any = get_session().get_service_model(service)
    return model.operation_model(operation).input_shape


@pytest.mark.parametrize(("service", "operation"), CREATES)
def test_every_map_of_a_request_is_masked_or_known_to_be_no_secret(
    service: str, operation: str
) -> None:
    assert set(maps(request(service, operation))) <= MASKED | SHOWN.keys()


def test_everything_masked_is_a_member_that_some_request_has() -> None:
    found = {name for each in CREATES for name in maps(request(*each))}
    assert found == MASKED | SHOWN.keys()


def test_values_are_stars_at_whatever_depth_and_keys_stay() -> None:
    request: dict[str, Any] = {
        "HyperParameters": {"Get": "hunter2"},
        "Containers": [{"Image": "i", "Environment": {"PASSWORD": "hunter2", "N": 1}}],
        "TrainingJobDefinitions": [{"StaticHyperParameters": {"key": ["hunter2"]}}],
    }
    assert masked(request) == {
        "HyperParameters": {"Get": "***"},
        "Containers": [{"Image": "i", "Environment": {"PASSWORD": "***", "N": "***"}}],
        "TrainingJobDefinitions": [{"StaticHyperParameters": {"key": ["***"]}}],
    }


def test_what_is_to_be_kept_is_kept() -> None:
    request: dict[str, Any] = {"Environment": {"A": "keep", "B": {"C": "drop"}}}
    shown = masked(request, keeps=lambda value: value == "keep")
    assert shown == {"Environment": {"A": "keep", "B": {"C": "***"}}}


def test_the_request_itself_is_not_changed() -> None:
    request: dict[str, Any] = {"Environment": {"A": "b"}}
    masked(request)
    assert request == {"Environment": {"A": "b"}}
