import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.stub import Stubber

from airflow_sm_pipelines import aws, jobs
from airflow_sm_pipelines.definition.resources import MODEL, MODEL_PACKAGE, TRAINING
from airflow_sm_pipelines.errors import JobError, UnseenError
from airflow_sm_pipelines.jobs import KEY, Life, Record
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.naming import Attempt
from airflow_sm_pipelines.requests import Request
from tests.fakes import FakeStore

LONG_AGO = (datetime.now(UTC) - timedelta(days=1)).isoformat()
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"

MODEL_REQUEST: Request = {
    "ExecutionRoleArn": ROLE,
    "PrimaryContainer": {"Image": "python:3", "ModelDataUrl": "s3://bucket/model.tar.gz"},
}
TRAINING_REQUEST: Request = {
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingImage": "python:3", "TrainingInputMode": "File"},
    "HyperParameters": {"a": "1"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "Tags": [{"Key": "a", "Value": "b"}],
}


class WorkerDiedError(BaseException):
    """What no code of ours gets to handle."""


@pytest.fixture(scope="module")
def client(local_aws: LocalAWS) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in local_aws.environment.items():
            patch.setenv(variable, value)
        return aws.Connection("aws_default").client("sagemaker")


@pytest.fixture
def name() -> str:
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def models(name: str) -> Callable[[Attempt], Request]:
    return lambda attempt: {**MODEL_REQUEST, "ModelName": f"{name}-{attempt}"}


def trainings(name: str) -> Callable[[Attempt], Request]:
    return lambda attempt: {**TRAINING_REQUEST, "TrainingJobName": f"{name}-{attempt}"}


def existing(client: Any, name: str) -> list[str]:
    pages = client.get_paginator("list_models").paginate(
        NameContains=name, SortBy="Name", SortOrder="Ascending"
    )
    return [model["ModelName"] for page in pages for model in page["Models"]]


def create(client: Any, name: str, store: FakeStore | None, *, max_tries: int = 0) -> str:
    return jobs.create_or_attach(
        client,
        MODEL,
        record=jobs.begin(store, Life(max_tries=max_tries)),
        request_for=models(name),
        store=store,
    ).identifier


# The record


def test_the_first_try_of_a_step_begins_with_the_first_name(store: FakeStore) -> None:
    before = datetime.now(UTC)
    record = jobs.begin(store, Life(max_tries=2))
    assert (record.attempt, record.max_tries, record.name, record.ended) == (1, 2, "", False)
    assert record.began is not None
    assert before <= record.began <= datetime.now(UTC)


def test_nothing_is_stored_before_the_name_is_known(store: FakeStore) -> None:
    jobs.begin(store, Life(max_tries=0))
    assert store == {}


STORED = Record(attempt=3, max_tries=2, stored_at=LONG_AGO, name="job-2-3")


def test_a_retry_goes_on_with_the_job_of_the_try_before(store: FakeStore) -> None:
    store.set(KEY, asdict(STORED))
    assert jobs.begin(store, Life(max_tries=2)) == STORED


def test_a_clear_begins_an_epoch(store: FakeStore) -> None:
    store.set(KEY, asdict(STORED))
    record = jobs.begin(store, Life(max_tries=4))
    assert (record.attempt, record.max_tries, record.name) == (1, 4, "")
    assert record.stored_at > LONG_AGO


def test_a_clear_after_retries_was_edited_takes_the_next_attempt(store: FakeStore) -> None:
    store.set(KEY, asdict(replace(STORED, retries=2)))
    # Try 1 of 3, then `retries` 1, then the clear: 1 + 1 is 2 as before.
    record = jobs.begin(store, Life(max_tries=2, try_number=2, retries=1, clears=1))
    assert (record.attempt, record.name) == (4, "")


def test_a_retry_after_retries_was_edited_goes_on(store: FakeStore) -> None:
    store.set(KEY, asdict(replace(STORED, retries=2)))
    assert jobs.begin(store, Life(max_tries=2, try_number=2, retries=1)).name == "job-2-3"


def test_a_retry_goes_on_though_another_task_of_the_run_was_cleared(store: FakeStore) -> None:
    store.set(KEY, asdict(STORED))
    record = jobs.begin(store, Life(max_tries=2, try_number=2, clears=1))
    assert record == replace(STORED, cleared=True)


def test_a_retry_after_the_job_has_failed_takes_the_next_attempt(store: FakeStore) -> None:
    store.set(KEY, asdict(STORED))
    jobs.note_failure(store)
    record = jobs.begin(store, Life(max_tries=2))
    assert (record.attempt, record.ended) == (4, False)
    assert record.stored_at > LONG_AGO


def test_a_lost_record_begins_again(store: FakeStore) -> None:
    assert jobs.begin(store, Life(max_tries=2)).attempt == 1


def test_an_airflow_that_cannot_store_begins_again(store: FakeStore) -> None:
    assert jobs.begin(None, Life(max_tries=2)) == Record(attempt=1, max_tries=2)
    assert jobs.begin(None, Life(max_tries=2)).began is None


@pytest.mark.parametrize("nothing", [None, FakeStore()])
def test_a_failure_without_a_record_is_not_noted(nothing: FakeStore | None) -> None:
    jobs.note_failure(nothing)
    assert not nothing


# Creating


def test_the_name_is_stored_before_the_job_is_created(
    client: Any, name: str, store: FakeStore
) -> None:
    class DyingStore(FakeStore):
        def set(self, key: str, value: Any) -> None:
            super().set(key, value)
            raise WorkerDiedError

    dying = DyingStore()
    with pytest.raises(WorkerDiedError):
        create(client, name, dying)
    assert dying[KEY]["name"] == f"{name}-0-1"
    assert existing(client, name) == []
    assert create(client, name, FakeStore(dying)) == f"{name}-0-1"
    assert existing(client, name) == [f"{name}-0-1"]


def test_a_record_is_json(client: Any, name: str, store: FakeStore) -> None:
    create(client, name, store)
    assert json.loads(json.dumps(store)) == store


def test_a_try_whose_worker_died_after_the_create_attaches(
    client: Any, name: str, store: FakeStore, caplog: Any
) -> None:
    create(client, name, store)
    with caplog.at_level("INFO"):
        assert create(client, name, store) == f"{name}-0-1"
    assert existing(client, name) == [f"{name}-0-1"]
    assert f"Model {name}-0-1 is there already: attached to it" in caplog.text


def test_a_clear_creates_another(client: Any, name: str, store: FakeStore) -> None:
    create(client, name, store)
    assert create(client, name, store, max_tries=1) == f"{name}-1-1"
    assert existing(client, name) == [f"{name}-0-1", f"{name}-1-1"]


def test_a_job_older_than_its_stored_name_is_not_ours(
    client: Any, name: str, store: FakeStore, caplog: Any
) -> None:
    create(client, name, store)
    later = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
    store[KEY]["stored_at"] = later
    assert create(client, name, store) == f"{name}-0-2"
    assert (store[KEY]["attempt"], store[KEY]["name"]) == (2, f"{name}-0-2")
    assert f"Model {name}-0-1 is there but is not this try's: next name" in caplog.text


def test_the_clocks_of_aws_and_the_worker_may_differ(
    client: Any, name: str, store: FakeStore
) -> None:
    create(client, name, store)
    store[KEY]["stored_at"] = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    assert create(client, name, store) == f"{name}-0-1"


def test_a_foreign_job_of_that_name_is_not_ours(client: Any, name: str, store: FakeStore) -> None:
    foreign = {**MODEL_REQUEST, "ModelName": f"{name}-0-1", "EnableNetworkIsolation": True}
    aws.create(client, MODEL, {**foreign, "PrimaryContainer": {"Image": "other:1"}})
    assert create(client, name, store) == f"{name}-0-2"


def described_training(**changes: Any) -> dict[str, Any]:
    """What AWS describes of our request: with defaults, without tags."""
    asked = {key: value for key, value in TRAINING_REQUEST.items() if key != "Tags"}
    return {
        "TrainingJobName": "job-0-1",
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-0-1",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/models/job-0-1"},
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Training",
        "EnableNetworkIsolation": False,
        "CreationTime": datetime.now(UTC),
        **asked,
        **changes,
    }


def answered(client: Any, record: Record, *described: dict[str, Any]) -> str:
    """What becomes of a try that finds its first names taken by those jobs."""
    with Stubber(client) as stubber:
        for each in described:
            stubber.add_client_error("create_training_job", "ResourceInUse", "exists already")
            stubber.add_response("describe_training_job", each)
        if len(described) < 2:
            arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/job"
            stubber.add_response("create_training_job", {"TrainingJobArn": arn})
        return jobs.create_or_attach(
            client, TRAINING, record=record, request_for=trainings("job"), store=FakeStore()
        ).identifier


NEW = Record(attempt=1, max_tries=0, stored_at=datetime.now(UTC).isoformat())
RETRY = replace(NEW, name="job-0-1")


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "Completed", "Failed", "Stopped"])
def test_a_retry_attaches_whatever_has_become_of_its_job(client: Any, status: str) -> None:
    assert answered(client, RETRY, described_training(TrainingJobStatus=status)) == "job-0-1"


@pytest.mark.parametrize("status", ["Stopping", "Stopped"])
def test_a_job_that_a_clear_has_stopped_is_not_attached_to(client: Any, status: str) -> None:
    cleared = replace(RETRY, cleared=True)
    assert answered(client, cleared, described_training(TrainingJobStatus=status)) == "job-0-2"


def test_a_name_that_is_taken_but_not_described_yet_is_asked_for_later(client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error("create_training_job", "ResourceInUse", "exists already")
        stubber.add_client_error(
            "describe_training_job", "ValidationException", "Requested resource not found."
        )
        with pytest.raises(UnseenError) as raised:
            jobs.create_or_attach(
                client, TRAINING, record=NEW, request_for=trainings("job"), store=FakeStore()
            )
    assert aws.passes(raised.value)
    assert str(raised.value) == (
        "TrainingJob job-0-1: its name is taken, but AWS does not know it yet"
    )


def test_a_create_whose_answer_was_lost_attaches(client: Any) -> None:
    assert answered(client, NEW, described_training()) == "job-0-1"


@pytest.mark.parametrize("status", ["Stopping", "Completed", "Failed", "Stopped"])
def test_an_ended_job_is_never_adopted_where_the_record_is_lost(client: Any, status: str) -> None:
    assert answered(client, NEW, described_training(TrainingJobStatus=status)) == "job-0-2"


def test_an_old_job_is_never_adopted_where_the_record_is_lost(client: Any) -> None:
    stored = datetime.fromisoformat(NEW.stored_at)
    old = described_training(CreationTime=stored - timedelta(minutes=6))
    assert answered(client, NEW, old) == "job-0-2"


def test_names_are_probed_until_one_is_ours(client: Any) -> None:
    ended = described_training(TrainingJobStatus="Completed")
    going = described_training(TrainingJobName="job-0-2")
    assert answered(client, NEW, ended, going) == "job-0-2"


def test_defaults_that_aws_adds_do_not_make_a_job_foreign(client: Any) -> None:
    asked: Any = TRAINING_REQUEST["ResourceConfig"]
    resources = {**asked, "KeepAlivePeriodInSeconds": 0}
    assert answered(client, RETRY, described_training(ResourceConfig=resources)) == "job-0-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"RoleArn": "arn:aws:iam::123456789012:role/other"},
        {"HyperParameters": {"a": "2"}},
        {"AlgorithmSpecification": {"TrainingImage": "o", "TrainingInputMode": "File"}},
    ],
)
def test_other_arguments_make_a_job_foreign(client: Any, changes: dict[str, Any]) -> None:
    assert answered(client, RETRY, described_training(**changes)) == "job-0-2"


def test_an_airflow_that_cannot_store_attaches_to_what_goes_on(client: Any) -> None:
    record = jobs.begin(None, Life(max_tries=0))
    assert answered(client, record, described_training()) == "job-0-1"


def test_an_airflow_that_cannot_store_never_adopts_what_has_ended(client: Any) -> None:
    record = jobs.begin(None, Life(max_tries=0))
    failed = described_training(TrainingJobStatus="Failed")
    assert answered(client, record, failed) == "job-0-2"


def test_a_package_is_created_once_for_its_token(client: Any, name: str, store: FakeStore) -> None:
    def request_for(attempt: Attempt) -> Request:
        return {
            "ModelPackageGroupName": name,
            "ClientToken": f"{name}-{attempt}",
            "InferenceSpecification": {
                "Containers": [MODEL_REQUEST["PrimaryContainer"]],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        }

    def created() -> str:
        return jobs.create_or_attach(
            client,
            MODEL_PACKAGE,
            record=jobs.begin(store, Life(max_tries=0)),
            request_for=request_for,
            store=store,
        ).identifier

    assert created() == created()
    assert store[KEY]["name"] == f"{name}-0-1"
    versions = client.list_model_packages(ModelPackageGroupName=name)["ModelPackageSummaryList"]
    assert len(versions) == 1


def test_probing_ends(client: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_NAMES", 2)
    for attempt in (1, 2):
        foreign: Request = {"Image": "other:1"}
        aws.create(
            client, MODEL, {**models(name)(Attempt(0, attempt)), "PrimaryContainer": foreign}
        )
    with pytest.raises(JobError) as raised:
        create(client, name, FakeStore())
    assert str(raised.value) == (
        f"Model: 2 names up to {name}-0-2 are taken; "
        "is [sm_pipelines] deployment the same in two Airflows?"
    )
