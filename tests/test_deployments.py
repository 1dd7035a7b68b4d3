"""Endpoints on the local AWS: created or updated, by existence, once for each change."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines import aws, deployments, jobs
from airflow_sm_pipelines.definition.resources import ENDPOINT, INFERENCE_COMPONENT
from airflow_sm_pipelines.errors import JobError
from airflow_sm_pipelines.jobs import KEY, Life
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.requests import Request
from tests.fakes import FakeStore, until

IMAGE = {"Image": "python:3", "ModelDataUrl": "s3://bucket/model.tar.gz"}
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"

# Nothing is served in these tests, and the models have no artifacts.
IN_SERVICE = [
    {
        "Kind": "Endpoint",
        "On": operation,
        "Moments": [{"Status": status, "Seconds": 0.2}, {"Status": "InService"}],
    }
    for operation, status in (("Create", "Creating"), ("Update", "Updating"))
]


class Calls:
    """The operations that change something, as they arrive at AWS."""

    def __init__(self, client: Any) -> None:
        self.made: list[str] = []
        client.meta.events.register("before-call.sagemaker", self._note)

    def _note(self, model: Any, **_: Any) -> None:
        if model.name.startswith(("Create", "Update")):
            self.made.append(model.name)


@pytest.fixture
def client(aws_environment: LocalAWS) -> Iterator[Any]:
    """A client; endpoints come into service by scripts, which are gone when the test ends."""
    aws_environment.scripts.add(*IN_SERVICE)
    yield aws.Connection("aws_default").client("sagemaker")
    aws_environment.scripts.replace()


@pytest.fixture
def name() -> str:
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def configs(client: Any, name: str) -> tuple[str, str]:
    """The names of two configurations."""
    client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=IMAGE)
    variant = {"VariantName": "V", "ModelName": name, "InstanceType": "ml.m5.large"}
    names = (f"{name}-a", f"{name}-b")
    for each in names:
        client.create_endpoint_config(
            EndpointConfigName=each, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
    return names


def endpoint(name: str, config: str) -> Request:
    tags: Any = [{"Key": "a", "Value": "b"}]
    return {"EndpointName": name, "EndpointConfigName": config, "Tags": tags}


def deploy(
    client: Any, request: Request, store: FakeStore | None, *, max_tries: int = 0, job: Any = None
) -> aws.Resource:
    def settle(resource: aws.Resource) -> None:
        until(lambda: aws.describe(client, resource)["EndpointStatus"] == "InService")

    return deployments.create_or_update(
        client,
        job or ENDPOINT,
        record=jobs.begin(store, Life(max_tries=max_tries)),
        request=request,
        store=store,
        settle=settle,
    )


def at_rest(client: Any, resource: aws.Resource) -> dict[str, Any]:
    status = str(resource.job.status)
    until(lambda: resource.final_status(aws.describe(client, resource)))
    described = aws.describe(client, resource)
    assert described[status] == "InService"
    return described


def test_an_endpoint_that_is_not_there_is_created(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore
) -> None:
    calls = Calls(client)
    made = deploy(client, endpoint(name, configs[0]), store)
    assert made == aws.Resource(ENDPOINT, name)
    assert store[KEY]["name"] == name
    assert at_rest(client, made)["EndpointConfigName"] == configs[0]
    assert calls.made == ["CreateEndpoint"]


def test_an_endpoint_that_is_there_is_updated(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore
) -> None:
    before = at_rest(client, deploy(client, endpoint(name, configs[0]), None))
    calls = Calls(client)
    made = deploy(client, endpoint(name, configs[1]), store)
    assert made.unchanged_since == aws.last_change(before) == store[KEY]["unchanged_since"]
    assert at_rest(client, made)["EndpointConfigName"] == configs[1]
    assert calls.made == ["UpdateEndpoint"]


def test_a_retry_attaches_to_the_endpoint_that_the_try_before_has_asked_for(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore
) -> None:
    calls = Calls(client)
    first = deploy(client, endpoint(name, configs[0]), store)
    assert deploy(client, endpoint(name, configs[0]), store) == first
    assert calls.made == ["CreateEndpoint"]


@pytest.mark.parametrize("rested", [True, False])
def test_a_retry_attaches_to_the_update_of_the_try_before(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore, rested: bool
) -> None:
    at_rest(client, deploy(client, endpoint(name, configs[0]), None))
    calls = Calls(client)
    first = deploy(client, endpoint(name, configs[1]), store)
    if rested:
        at_rest(client, first)
    assert deploy(client, endpoint(name, configs[1]), store) == first
    assert calls.made == ["UpdateEndpoint"]


def test_a_retry_updates_where_the_update_of_the_try_before_never_arrived(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore
) -> None:
    before = at_rest(client, deploy(client, endpoint(name, configs[0]), None))
    record = jobs.begin(store, Life(max_tries=0))
    jobs.note(store, replace(record, name=name, unchanged_since=aws.last_change(before)))
    calls = Calls(client)
    made = deploy(client, endpoint(name, configs[1]), store)
    assert calls.made == ["UpdateEndpoint"]
    assert at_rest(client, made)["EndpointConfigName"] == configs[1]


def test_a_retry_after_a_failure_updates_again(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore, aws_environment: LocalAWS
) -> None:
    at_rest(client, deploy(client, endpoint(name, configs[0]), None))
    rolled_back = {
        "Kind": "Endpoint",
        "Name": name,
        "On": "Update",
        "Times": 1,
        "Moments": [
            {"Status": "RollingBack", "Seconds": 0.1},
            {"Status": "InService", "FailureReason": "no"},
        ],
    }
    aws_environment.scripts.add(rolled_back)
    request = endpoint(name, configs[1])
    described = at_rest(client, deploy(client, request, store))
    wanted = deployments.asked(ENDPOINT, request)
    assert deployments.difference(described, wanted) == (
        f"EndpointConfigName is {configs[0]!r} and not {configs[1]!r}"
    )
    jobs.note_failure(store)
    described = at_rest(client, deploy(client, request, store))
    assert deployments.difference(described, wanted) == ""


def test_what_is_as_asked_for_already_is_left_alone(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore
) -> None:
    at_rest(client, deploy(client, endpoint(name, configs[0]), None))
    calls = Calls(client)
    made = deploy(client, endpoint(name, configs[0]), store)
    assert made.unchanged_since == ""
    assert made.final_status(aws.describe(client, made)) == "InService"
    assert calls.made == []


def test_an_update_waits_until_another_has_ended(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore
) -> None:
    at_rest(client, deploy(client, endpoint(name, configs[0]), None))
    client.update_endpoint(EndpointName=name, EndpointConfigName=configs[1])
    calls = Calls(client)
    made = deploy(client, endpoint(name, configs[0]), store)
    assert calls.made == ["UpdateEndpoint"]
    assert at_rest(client, made)["EndpointConfigName"] == configs[0]


def test_a_refused_update_rises_and_is_no_taken_name(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore
) -> None:
    at_rest(client, deploy(client, endpoint(name, configs[0]), None))
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        deploy(client, endpoint(name, "nowhere"), store)


def test_a_create_that_another_was_quicker_with_is_waited_for(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore
) -> None:
    def make_it_first(**_: Any) -> None:
        client.meta.events.unregister("before-call.sagemaker.CreateEndpoint", make_it_first)
        client.create_endpoint(EndpointName=name, EndpointConfigName=configs[1])

    client.meta.events.register("before-call.sagemaker.CreateEndpoint", make_it_first)
    request = endpoint(name, configs[0])
    made = deploy(client, request, store)
    described = at_rest(client, made)
    assert deployments.difference(described, deployments.asked(ENDPOINT, request))


# Inference components


def component(name: str, model: str, **changes: Any) -> Request:
    return {
        "InferenceComponentName": f"c-{name}",
        "EndpointName": name,
        "VariantName": "V",
        "Specification": {"ModelName": model},
        "RuntimeConfig": {"CopyCount": 1},
        **changes,
    }


@pytest.fixture
def placed(client: Any, name: str, configs: tuple[str, str]) -> Request:
    """The request of a component that is in service."""
    at_rest(client, deploy(client, endpoint(name, configs[0]), None))
    request = component(name, name)
    at_rest(client, deploy(client, request, None, job=INFERENCE_COMPONENT))
    return request


def test_a_component_is_updated_with_what_an_update_takes(
    client: Any, name: str, placed: Request, store: FakeStore
) -> None:
    client.create_model(ModelName=f"{name}-2", ExecutionRoleArn=ROLE, PrimaryContainer=IMAGE)
    request = component(name, f"{name}-2", Tags=[{"Key": "a", "Value": "b"}])
    made = deploy(client, request, store, job=INFERENCE_COMPONENT)
    described = at_rest(client, made)
    assert described["Specification"]["ModelName"] == f"{name}-2"


def test_a_component_is_updated_where_only_the_number_of_its_copies_changes(
    client: Any, name: str, placed: Request, store: FakeStore
) -> None:
    request = component(name, name, RuntimeConfig={"CopyCount": 2})
    described: Any = at_rest(client, deploy(client, request, store, job=INFERENCE_COMPONENT))
    assert described["RuntimeConfig"]["DesiredCopyCount"] == 2


def test_a_component_cannot_move_to_another_endpoint(
    client: Any, name: str, placed: Request, store: FakeStore
) -> None:
    request = component(name, name, EndpointName="other")
    with pytest.raises(JobError) as raised:
        deploy(client, request, store, job=INFERENCE_COMPONENT)
    assert str(raised.value) == (
        f"InferenceComponent c-{name} exists with the EndpointName {name!r}, which no update "
        "changes to 'other'; delete it or give another name"
    )


def test_the_image_that_was_asked_for_is_compared_with_the_one_that_is_deployed() -> None:
    wanted = deployments.asked(
        INFERENCE_COMPONENT, {"Specification": {"Container": {"Image": "image:2"}}}
    )
    image = {"SpecifiedImage": "image:1", "ResolvedImage": "image@sha256:1"}
    described: Any = {"Specification": {"Container": {"DeployedImage": image}}}
    assert deployments.difference(described, wanted) == (
        "Specification.Container.DeployedImage.SpecifiedImage is 'image:1' and not 'image:2'"
    )
    image["SpecifiedImage"] = "image:2"
    assert deployments.difference(described, wanted) == ""


def test_what_describe_does_not_tell_is_no_difference() -> None:
    assert deployments.difference({}, {"EndpointConfigName": "a"}) == ""
