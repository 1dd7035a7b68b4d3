import gc
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from airflow.providers.common.compat.sdk import AirflowTaskTimeout, TaskDeferred
from airflow.sdk import TaskInstanceState
from airflow.sdk.execution_time.timeout import timeout
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from airflow_sm_pipelines import aws, jobs, patience
from airflow_sm_pipelines.errors import JobLostError, WaitInterruptedError
from airflow_sm_pipelines.local import LocalAWS
from tests.failures import refusal
from tests.fakes import FakeStore, context, until
from tests.test_operators import LONG, MODEL, REGISTER, Step, dag_of, processing
from tests.turning_away import Away, Front, turns_away

URL = "https://api.sagemaker.us-east-1.amazonaws.com"
BUSY = Away("CreateProcessingJob", "ThrottlingException")
LOST = Away("CreateProcessingJob")


def failing(*errors: BaseException) -> Callable[[], str]:
    """An attempt that ends with these errors in turn, and then succeeds."""
    left = [*errors]

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return attempt


def persist(
    attempt: Callable[[], str],
    *,
    at_most: float = 60,
    meanwhile: Callable[[], object] = lambda: None,
) -> str:
    return patience.persist(attempt, at_most=at_most, meanwhile=meanwhile)


@pytest.mark.parametrize(
    "error",
    [
        refusal("ThrottlingException"),
        refusal("TooManyRequests", 429),
        refusal("InternalFailure", 500),
        refusal("ServiceUnavailable", 503),
        refusal("ExpiredTokenException"),
        ConnectionClosedError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        JobLostError("created a moment ago, and not seen yet"),
    ],
    ids=lambda error: f"{type(error).__name__}-{error}",
)
def test_what_passes_is_asked_again(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    assert persist(failing(error)) == "done"
    assert f"{error}; asking again in " in caplog.text


@pytest.mark.parametrize(
    "error", [refusal("ValidationException"), refusal("ResourceLimitExceeded"), OSError("no disk")]
)
def test_what_does_not_pass_rises_at_once(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        persist(failing(error))
    assert raised.value is error


def test_what_lasts_longer_than_patience_rises() -> None:
    first, second = refusal("ThrottlingException"), refusal("ThrottlingException")
    with pytest.raises(ClientError) as raised:
        persist(failing(first, second), at_most=1.2)
    assert raised.value is second


def test_credentials_that_are_new_and_have_expired_too_are_not_asked_for_again() -> None:
    expired = [refusal("ExpiredTokenException") for _ in "ab"]
    with pytest.raises(ClientError) as raised:
        persist(failing(*expired))
    assert raised.value is expired[1]


def test_the_waits_grow_from_one_second_and_part() -> None:
    waits = patience._waits()
    for longest in (1, 2, 4, 8, 16, 30, 30, 30):
        assert longest / 2 <= next(waits) <= longest
    assert len({next(patience._waits()) for _ in range(20)}) > 1


def test_a_wait_can_be_ended() -> None:
    def meanwhile() -> None:
        raise WaitInterruptedError("told to end")

    with pytest.raises(WaitInterruptedError):
        persist(failing(refusal("ThrottlingException")), meanwhile=meanwhile)


# In a task, against an AWS that turns calls away


class Create:
    """The first try of a step."""

    def __init__(self, step: Step) -> None:
        self.store = FakeStore()
        dag = dag_of(step)
        self.task: Any = dag.task_dict["S"]
        self.context = context(dag=dag, store=self.store, task_id="S", dag_id=dag.dag_id)

    def execute(self) -> Any:
        """What the try hands on, or the trigger that it waits with."""
        try:
            return self.task.execute(self.context)
        except TaskDeferred as deferred:
            return deferred.trigger


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "0")


def creates(front: Front, operation: str = "CreateProcessingJob") -> int:
    return front.asked.count(operation)


@pytest.fixture
def client(aws_environment: LocalAWS) -> Any:
    """A client of the local AWS itself."""
    return aws.Connection("aws_default").client("sagemaker")


def status(made: Any, name: str) -> str:
    return str(made.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"])


def test_a_create_that_is_turned_away_is_asked_again_inside_the_task(
    aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = [BUSY, Away("CreateProcessingJob", "ServiceUnavailable", 503)]
    try_ = Create(processing())
    with turns_away(aws_environment, monkeypatch, *away) as front:
        trigger = try_.execute()
    assert creates(front) == 3
    assert trigger.identifier == try_.store[jobs.KEY]["name"]


def test_a_create_whose_answer_is_lost_leads_to_one_job(
    client: Any, aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_ = Create(processing(LONG))
    with turns_away(aws_environment, monkeypatch, LOST) as front:
        trigger = try_.execute()
    assert creates(front) == 2
    assert trigger.identifier.endswith("-1")
    found = client.list_processing_jobs(MaxResults=100, SortOrder="Descending")[
        "ProcessingJobSummaries"
    ]
    execution = try_.task.scope(try_.context).execution_id
    assert [job["ProcessingJobName"] for job in found if execution in job["ProcessingJobName"]] == [
        trigger.identifier
    ]


def test_a_model_whose_answer_is_lost_is_created_once(
    aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    with turns_away(aws_environment, monkeypatch, Away("CreateModel")) as front:
        made = Create(MODEL).execute()
    assert creates(front, "CreateModel") == 2
    assert made["ModelName"].endswith("-1")


def test_a_model_package_whose_answer_is_lost_is_one_version(
    aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = f"group-{uuid4().hex[:8]}"
    step = {**REGISTER, "Arguments": {**REGISTER["Arguments"], "ModelPackageGroupName": group}}
    with turns_away(aws_environment, monkeypatch, Away("CreateModelPackage")) as front:
        made = Create(step).execute()
    assert creates(front, "CreateModelPackage") == 2
    assert made["ModelPackageArn"].endswith(f"{group}/1")


def test_a_create_that_is_refused_is_not_asked_again(
    aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Away("CreateProcessingJob", "ResourceLimitExceeded")
    with (
        turns_away(aws_environment, monkeypatch, away) as front,
        pytest.raises(ClientError, match="ResourceLimitExceeded"),
    ):
        Create(processing()).execute()
    assert creates(front) == 1


def test_patience_is_as_long_as_configured(
    aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__CREATE_PATIENCE_SECONDS", "0")
    with (
        turns_away(aws_environment, monkeypatch, BUSY) as front,
        pytest.raises(ClientError, match="ThrottlingException"),
    ):
        Create(processing()).execute()
    assert creates(front) == 1


def test_a_task_that_is_told_to_end_does_not_ask_again(
    aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_ = Create(processing())
    try_.task.on_kill()
    with (
        turns_away(aws_environment, monkeypatch, BUSY) as front,
        pytest.raises(WaitInterruptedError, match="the worker is told to end"),
    ):
        try_.execute()
    assert creates(front) == 1


def test_a_user_who_ends_the_task_stops_the_job_whose_answer_was_lost(
    client: Any, aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_ = Create(processing(LONG))
    try_.context["ti"].state = TaskInstanceState.FAILED
    try_.task.on_kill()
    with (
        turns_away(aws_environment, monkeypatch, LOST),
        pytest.raises(WaitInterruptedError, match="ended by a user"),
    ):
        try_.execute()
    assert stopped(client, try_)


def test_a_timeout_stops_the_job_whose_answer_was_lost(
    client: Any, aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_ = Create(processing(LONG))
    gc.disable()  # the alarm raises wherever it strikes; in the collector an exception is lost
    try:
        with (
            turns_away(aws_environment, monkeypatch, *[LOST] * 50),
            pytest.raises(AirflowTaskTimeout),
            timeout(4),  # type: ignore[no-untyped-call]
        ):
            try_.execute()
    finally:
        gc.enable()
    assert stopped(client, try_)


def stopped(client: Any, try_: Create) -> bool:
    """Whether the job of a try is stopped."""
    record = try_.store[jobs.KEY]
    until(lambda: status(client, record["name"]) == "Stopped")
    return True
