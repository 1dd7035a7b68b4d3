"""How many calls a look takes, with lists that page as those of the service do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from airflow_sm_pipelines.aws import Resource, describe, last_change
from airflow_sm_pipelines.definition.resources import (
    ENDPOINT,
    INFERENCE_COMPONENT,
    MODEL_PACKAGE,
    PROCESSING,
    TRAINING,
    TRANSFORM,
    Job,
)
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import AccessDeniedError, JobLostError
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.looks import Looks, cheapest
from airflow_sm_pipelines.watches import Watch
from tests.answered import Account, FakeAws, refusal
from tests.fakes import training_job, until
from tests.local import scripted

POLL_SECONDS = 10.0
GRACE_SECONDS = 120.0
LIST, DESCRIBE = "ListTransformJobs", "DescribeTransformJob"


@pytest.fixture
def account() -> Account:
    return Account()


class Time:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def looks(time: Time) -> Looks:
    return Looks(poll_seconds=POLL_SECONDS, grace_seconds=GRACE_SECONDS, clock=time)


def waiting(*names: str) -> list[Watch]:
    return [Watch(resource=Resource(TRANSFORM, name), since=0) for name in names]


def test_hundreds_of_jobs_take_a_call_for_each_hundred(
    looks: Looks, time: Time, account: Account
) -> None:
    watches = waiting(*account.start(250))
    for time.now in (0, 10, 20):
        account.forget()
        looks.look(account.client, watches)
        assert account.calls == [LIST] * 3
        assert {watch.looked for watch in watches} == {time.now}


def test_a_list_begins_with_the_oldest_job_and_is_not_filtered_after_paging(
    looks: Looks, account: Account
) -> None:
    account.start(5)
    watches = waiting(*account.start(3))
    looks.look(account.client, watches)
    oldest = min(watch.created for watch in watches if watch.created)
    looks.look(account.client, watches)
    first, second = account.requests
    assert first == {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 100}
    assert second.pop("CreationTimeAfter") == (oldest - timedelta(seconds=1)).timestamp()
    assert second == first


def test_one_job_is_described(looks: Looks, account: Account) -> None:
    looks.look(account.client, waiting(*account.start(1)))
    assert account.calls == [DESCRIBE]


def test_a_list_is_followed_no_further_than_to_the_last_job(looks: Looks, account: Account) -> None:
    account.start(150)
    looks.look(account.client, waiting(*account.start(20)))
    assert account.calls == [LIST]


def test_every_end_is_noticed_in_one_look_and_none_is_described(
    looks: Looks, account: Account
) -> None:
    watches = waiting(*account.start(120))
    for watch in watches[::2]:
        account.end(watch.resource.identifier)
    account.forget()
    looks.look(account.client, watches)
    assert account.calls == [LIST] * 2
    assert [watch.ended.result() for watch in watches[::2]] == ["Stopped"] * 60
    assert not any(watch.ended.done() for watch in watches[1::2])


def test_a_straggler_is_described_and_the_rest_is_listed(looks: Looks, account: Account) -> None:
    (straggler,) = waiting(*account.start(1))
    account.start(250)
    watches = [straggler, *waiting(*account.start(20))]
    looks.look(account.client, watches)
    assert account.calls == [LIST] * 3  # to learn how far down the straggler is
    account.forget()
    looks.look(account.client, watches)
    assert account.calls == [LIST, DESCRIBE]
    account.end(straggler.resource.identifier)
    looks.look(account.client, watches)
    assert straggler.ended.result() == "Stopped"


def test_listing_that_costs_more_than_it_saves_is_given_up(looks: Looks, account: Account) -> None:
    watches = waiting(*account.start(2))
    account.start(250)
    looks.look(account.client, watches)
    assert account.calls == [LIST, LIST, DESCRIBE, DESCRIBE]
    account.forget()
    looks.look(account.client, watches)
    assert account.calls == [DESCRIBE, DESCRIBE]


def test_further_jobs_make_listing_worth_while_again(looks: Looks, account: Account) -> None:
    watches = waiting(*account.start(2))
    account.start(250)
    looks.look(account.client, watches)
    watches += waiting(*account.start(5))
    looks.look(account.client, watches)
    account.forget()
    looks.look(account.client, watches)
    assert account.calls == [LIST, DESCRIBE, DESCRIBE]


@pytest.mark.parametrize(
    ("depths", "listed"),
    [
        ([], 0),
        ([0], 0),
        ([0, 0], 2),
        ([1, 101], 0),
        ([1, 2, 101], 2),
        ([1, 2, 100], 3),
        ([50, 60, 70, 900], 3),
        ([490] * 5, 0),
        ([490] * 6, 6),
        ([*range(1, 1001)], 1000),
        ([1, 20_000], 0),
        ([*range(1, 301), *[10_001] * 300], 300),
    ],
)
def test_so_many_of_the_newest_are_listed_that_a_look_takes_the_fewest_calls(
    depths: list[int], listed: int
) -> None:
    assert cheapest(depths, [1.0] * len(depths)) == listed


# Where there is no listing


def test_a_list_that_is_denied_is_replaced_by_descriptions_and_told_of_once(
    looks: Looks, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    watches = waiting(*account.start(3))
    message = "User: x is not authorized to perform: sagemaker:ListTransformJobs on resource: *"
    account.refused[LIST] = refusal("AccessDeniedException", message)
    looks.look(account.client, watches)
    looks.look(account.client, watches)
    assert account.calls == [LIST, *[DESCRIBE] * 6]
    (record,) = caplog.records
    assert "sagemaker:ListTransformJobs on *: access denied" in record.getMessage()


def test_a_list_that_is_throttled_is_no_reason_to_describe(looks: Looks, account: Account) -> None:
    watches = waiting(*account.start(3))
    account.refused[LIST] = refusal("ServiceUnavailable", status=503)
    with pytest.raises(Exception, match="ServiceUnavailable"):
        looks.look(account.client, watches)
    assert account.calls == [LIST]
    account.refused.clear()
    looks.look(account.client, watches)
    assert account.calls == [LIST, LIST]


def test_no_look_describes_more_than_a_hundred_jobs_and_none_is_forgotten(
    looks: Looks, time: Time, account: Account
) -> None:
    watches = waiting(*account.start(250))
    account.refused[LIST] = refusal("AccessDeniedException")
    for time.now in (0, 10, 20):
        looks.look(account.client, watches)
        assert account.calls.count(DESCRIBE) <= 100
        account.forget()
    looked = sorted(watch.looked for watch in watches if watch.looked is not None)
    assert looked == [0] * 50 + [10] * 100 + [20] * 100


@pytest.mark.parametrize(
    ("age", "looks_at"),
    [
        (timedelta(minutes=10), [0, 10, 20, 30, 40, 50, 60]),
        (timedelta(minutes=50), [0, 30, 60]),
        (timedelta(days=5), [0, 60]),
    ],
)
def test_many_stragglers_are_described_the_less_often_the_longer_they_take(
    looks: Looks, time: Time, age: timedelta, looks_at: list[float]
) -> None:
    fake = FakeAws()
    watches = [Watch(resource=Resource(TRAINING, f"job-{i}"), since=0) for i in range(11)]
    fake.refuses("AccessDeniedException")
    described: list[float] = []
    created = datetime.now(UTC) - age
    for time.now in range(0, 70, 10):
        before = len(fake.asked)
        fake.answers += [(200, training_job(CreationTime=created))] * 11
        looks.look(fake.client, watches)
        fake.answers.clear()
        if len(fake.asked) > before:
            described.append(time.now)
    assert described == looks_at


# What AWS does not know, or not yet


def test_a_job_that_is_not_listed_yet_is_described_and_listed_again(
    looks: Looks, time: Time
) -> None:
    fake = FakeAws()
    watches = [Watch(resource=Resource(TRAINING, name), since=0) for name in "ab"]
    fake.lists(training_job(TrainingJobName="a"))
    fake.says("InProgress")
    looks.look(fake.client, watches)
    assert fake.asked == ["ListTrainingJobs", "b"]
    fake.lists(*[training_job("Completed", TrainingJobName=name) for name in "ba"])
    looks.look(fake.client, watches)
    assert [watch.ended.result() for watch in watches] == ["Completed", "Completed"]


def test_a_job_that_is_never_listed_is_described_alone(looks: Looks, time: Time) -> None:
    fake = FakeAws()
    watches = [Watch(resource=Resource(TRAINING, name), since=0) for name in "abc"]
    for time.now in (0, GRACE_SECONDS, GRACE_SECONDS + 10):
        fake.lists(*[training_job(TrainingJobName=name) for name in "ca"])
        fake.says("InProgress")
        looks.look(fake.client, watches)
    assert [watch.is_listed for watch in watches] == [True, False, True]
    assert fake.answers == []


@pytest.mark.parametrize(("seconds", "lost"), [(GRACE_SECONDS - 1, False), (GRACE_SECONDS, True)])
def test_a_job_is_lost_only_after_the_time_that_aws_may_take_to_know_it(
    looks: Looks, time: Time, account: Account, seconds: float, lost: bool
) -> None:
    watch = Watch(resource=Resource(TRANSFORM, "never-created"), since=0)
    time.now = seconds
    looks.look(account.client, [watch])
    assert watch.ended.done() is lost
    if lost:
        assert isinstance(watch.ended.exception(), JobLostError)


def test_a_job_that_may_not_be_described_ends_its_wait_alone(
    looks: Looks, account: Account
) -> None:
    account.refused["DescribeProcessingJob"] = refusal("AccessDeniedException")
    watch = Watch(resource=Resource(PROCESSING, "job"), since=0)
    looks.look(account.client, [watch])
    assert isinstance(watch.ended.exception(), AccessDeniedError)


def test_two_waits_for_the_same_job_end_with_it(looks: Looks, account: Account) -> None:
    (watch,) = waiting(*account.start(1))
    twin = Watch(resource=watch.resource, since=0)
    account.end(watch.resource.identifier)
    looks.look(account.client, [watch, twin])
    assert (watch.ended.result(), twin.ended.result()) == ("Stopped", "Stopped")


# Every kind, at the local AWS


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a local AWS whose jobs do not end by themselves."""
    moments = [{"Status": "InProgress", "Seconds": 3600}, {"Status": "Completed"}]
    session = boto3.Session("key", "secret", region_name="us-east-1")
    with LocalAWS(tmp_path_factory.mktemp("aws")) as server:
        for kind in scripted.KINDS:
            server.scripts.add({"Kind": kind.noun, "Moments": moments})
        yield session.client("sagemaker", endpoint_url=server.endpoint_url)


@pytest.fixture
def calls(client: Any) -> Iterator[list[str]]:
    """The operations that the client has called, in order."""
    noted: list[str] = []

    def note(model: Any, **_: Any) -> None:
        noted.append(model.name)

    client.meta.events.register("before-call.sagemaker", note)
    yield noted
    client.meta.events.unregister("before-call.sagemaker", note)


def model(client: Any, name: str) -> None:
    client.create_model(
        ModelName=name, PrimaryContainer={"Image": "image"}, ExecutionRoleArn=scripted.ROLE
    )


def job(client: Any, kind: Job, name: str) -> Resource:
    """A job of a kind that is not executed."""
    (found,) = (each for each in scripted.KINDS if each.noun == kind.noun)
    if kind is TRANSFORM:
        model(client, name)
    found.create(client, name)
    return Resource(kind, name, told_apart=found.also)


def endpoint(client: Any, kind: Job, name: str) -> Resource:
    variant = {"VariantName": "all", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return Resource(kind, name)


def component(client: Any, kind: Job, name: str) -> Resource:
    endpoint(client, ENDPOINT, name)
    client.create_inference_component(
        InferenceComponentName=name,
        EndpointName=name,
        VariantName="all",
        Specification={"Container": {"Image": "image"}},
        RuntimeConfig={"CopyCount": 1},
    )
    return Resource(kind, name)


def package(client: Any, kind: Job, name: str) -> Resource:
    client.create_model_package_group(ModelPackageGroupName=name)
    arn = client.create_model_package(ModelPackageGroupName=name)["ModelPackageArn"]
    return Resource(kind, arn)


OTHERS = {"Endpoint": endpoint, "InferenceComponent": component, "ModelPackage": package}
EXECUTED = {"ProcessingJob", "TrainingJob"}
KINDS = {
    row.job.noun: row.job
    for row in STEP_TYPES.values()
    if row.job and row.job.listing and row.job.noun not in EXECUTED
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_list_tells_of_a_resource_what_describe_tells(
    looks: Looks, client: Any, calls: list[str], kind: Job
) -> None:
    make = OTHERS.get(kind.noun, job)
    resources = [make(client, kind, f"look-{uuid4().hex[:12]}") for _ in range(3)]

    def is_told() -> bool:
        """Whether nothing has gone on while the list was looked at."""
        before = [describe(client, resource) for resource in resources]
        watches = [Watch(resource=resource, since=0) for resource in resources]
        calls.clear()
        looks.look(client, watches)
        assert calls == [f"List{kind.noun}s"]
        if before != [describe(client, resource) for resource in resources]:
            return False
        for watch, described in zip(watches, before, strict=True):
            assert watch.created == datetime.fromisoformat(str(described["CreationTime"]))
            assert watch.said == watch.resource.status_text(described)
        return True

    until(is_told)


@pytest.mark.parametrize("kind", [ENDPOINT, INFERENCE_COMPONENT], ids=lambda kind: kind.noun)
def test_what_is_updated_is_described_until_its_update_has_ended(
    looks: Looks, client: Any, calls: list[str], kind: Job
) -> None:
    made = [OTHERS[kind.noun](client, kind, f"look-{uuid4().hex[:12]}") for _ in range(2)]
    watches = []
    for resource in made:
        before = last_change(describe(client, resource))
        updated = Resource(kind, resource.identifier, unchanged_since=before)
        watches.append(Watch(resource=updated, since=0))
    calls.clear()
    looks.look(client, watches)
    assert calls == [f"Describe{kind.noun}"] * 2


def test_a_model_package_without_a_version_is_listed_too(
    looks: Looks, client: Any, calls: list[str]
) -> None:
    name = f"look-{uuid4().hex[:12]}"
    arn = client.create_model_package(ModelPackageName=name)["ModelPackageArn"]
    versioned = package(client, MODEL_PACKAGE, f"{name}-group")
    watches = [Watch(resource=Resource(MODEL_PACKAGE, arn), since=0)]
    watches.append(Watch(resource=versioned, since=0))
    calls.clear()
    looks.look(client, watches)
    assert calls == ["ListModelPackages"]
