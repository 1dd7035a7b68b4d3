import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, ParamValidationError

from airflow_sm_pipelines.aws import Connection, Resource
from airflow_sm_pipelines.definition.resources import PROCESSING, TRAINING
from airflow_sm_pipelines.errors import AccessDeniedError, JobLostError
from airflow_sm_pipelines.poller import SLOWEST_SECONDS, Poller, poller
from tests.answered import FakeAws
from tests.fakes import training_job, until

ANSWER_SECONDS = 60


@dataclass
class Time:
    """A clock that stands still but for the sleeps, which it notes."""

    now: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


@pytest.fixture
def fake() -> FakeAws:
    return FakeAws()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def watching(fake: FakeAws, time: Time) -> Poller:
    return Poller(
        fake.client, poll_seconds=2, sleep=time.sleep, clock=time.clock, chance=lambda: 0.0
    )


class Pause:
    """A sleep that lasts until it is ended."""

    def __init__(self) -> None:
        self.asleep = threading.Event()
        self.end = threading.Event()

    def __call__(self, seconds: float) -> None:
        self.asleep.set()
        assert self.end.wait(ANSWER_SECONDS)


def ended(future: "Future[str]") -> str:
    return future.result(timeout=ANSWER_SECONDS)


def refused(future: "Future[str]") -> BaseException | None:
    return future.exception(timeout=ANSWER_SECONDS)


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_wait_ends_with_the_first_final_status(
    watching: Poller, fake: FakeAws, time: Time, status: str
) -> None:
    fake.says("InProgress", "Stopping", status)
    assert ended(watching.watch(Resource(TRAINING, "job"))) == status
    assert time.sleeps == [2, 2]


def test_what_is_updated_is_waited_for_until_its_update_has_begun_and_ended(
    watching: Poller, fake: FakeAws, time: Time
) -> None:
    before, after = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    for status, changed in (("Completed", before), ("InProgress", after), ("Completed", after)):
        fake.answers.append((200, training_job(status, LastModifiedTime=changed)))
    updated = Resource(TRAINING, "job", unchanged_since=before.isoformat())
    assert ended(watching.watch(updated)) == "Completed"
    assert time.sleeps == [2, 2]


def test_a_look_begins_poll_seconds_after_the_one_before(
    watching: Poller, fake: FakeAws, time: Time
) -> None:
    def slowly(seconds: float) -> Any:
        time.now += seconds
        return 200, training_job("InProgress")

    fake.answers += [lambda: slowly(0.5), lambda: slowly(60), (200, training_job("Completed"))]
    assert ended(watching.watch(Resource(TRAINING, "job"))) == "Completed"
    assert time.sleeps == [1.5, 1]


def test_each_job_is_looked_at_once_in_a_pass(fake: FakeAws) -> None:
    pause = Pause()
    watching = Poller(fake.client, poll_seconds=0, sleep=pause)
    fake.says("InProgress")
    futures = [watching.watch(Resource(TRAINING, "a"))]
    assert pause.asleep.wait(ANSWER_SECONDS)
    futures += [watching.watch(Resource(TRAINING, name)) for name in ("b", "c")]
    jobs = [training_job("Completed", TrainingJobName=name) for name in "cba"]
    fake.lists(*jobs)
    pause.end.set()
    assert [ended(future) for future in futures] == ["Completed"] * 3
    assert fake.asked == ["a", "ListTrainingJobs"]


def test_each_kind_is_looked_at_for_itself(fake: FakeAws) -> None:
    pause = Pause()
    watching = Poller(fake.client, poll_seconds=0, sleep=pause)
    fake.says("InProgress")
    future = watching.watch(Resource(TRAINING, "job"))
    assert pause.asleep.wait(ANSWER_SECONDS)
    other = watching.watch(Resource(PROCESSING, "other"))
    fake.refuses("ThrottlingException")
    fake.answers.append((200, processing_job("Completed")))
    fake.says("Completed")
    pause.end.set()
    assert (ended(other), ended(future)) == ("Completed", "Completed")


def processing_job(status: str) -> dict[str, Any]:
    return {"ProcessingJobStatus": status, "CreationTime": datetime.now(UTC)}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("RequestLimitExceeded", 400),
        ("InternalFailure", 500),
        ("ServiceUnavailable", 503),
    ],
)
def test_an_aws_that_is_busy_is_asked_again_later(
    watching: Poller, fake: FakeAws, time: Time, code: str, status: int
) -> None:
    for _ in range(3):
        fake.refuses(code, "not now", status=status)
    fake.says("InProgress", "Completed")
    assert ended(watching.watch(Resource(TRAINING, "job"))) == "Completed"
    assert time.sleeps == [4, 8, 16, 2]


def test_an_aws_out_of_reach_is_asked_again_for_days(
    watching: Poller, fake: FakeAws, time: Time
) -> None:
    fake.answers += [EndpointConnectionError(endpoint_url="https://nowhere")] * 2_000
    fake.says("Completed")
    assert ended(watching.watch(Resource(TRAINING, "job"))) == "Completed"
    assert len(time.sleeps) == 2_000
    assert max(time.sleeps) == time.sleeps[-1] == SLOWEST_SECONDS


def test_no_two_pollers_that_are_throttled_ask_again_at_the_same_time(
    fake: FakeAws, time: Time
) -> None:
    chances = [0.0, 0.5, 1.0]
    watching = Poller(
        fake.client,
        poll_seconds=2,
        sleep=time.sleep,
        clock=time.clock,
        chance=lambda: chances.pop(0),
    )
    for _ in range(3):
        fake.refuses("ThrottlingException", "Rate exceeded")
    fake.says("Completed")
    assert ended(watching.watch(Resource(TRAINING, "job"))) == "Completed"
    assert time.sleeps == [4, 8 * 0.75, 16 * 0.5]


def test_a_refusal_ends_the_wait(watching: Poller, fake: FakeAws) -> None:
    fake.refuses("AccessDeniedException")
    assert isinstance(refused(watching.watch(Resource(TRAINING, "job"))), AccessDeniedError)


def test_a_job_that_aws_does_not_know_yet_is_waited_for(
    watching: Poller, fake: FakeAws, time: Time
) -> None:
    while len(fake.answers) < 2:
        fake.refuses("ValidationException", "Requested resource not found.")
    fake.says("InProgress", "Completed")
    assert ended(watching.watch(Resource(TRAINING, "job"))) == "Completed"
    assert time.sleeps == [2, 2, 2]


def test_a_job_that_aws_does_not_know_after_two_minutes_is_lost(
    watching: Poller, fake: FakeAws, time: Time
) -> None:
    while len(fake.answers) < 61:
        fake.refuses("ValidationException", "Requested resource not found.")
    assert isinstance(refused(watching.watch(Resource(TRAINING, "job"))), JobLostError)
    assert time.now == 120
    assert fake.answers == []


EXPIRED = (
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "RequestExpired",
    "UnrecognizedClientException",
)


@pytest.mark.parametrize("code", EXPIRED)
def test_credentials_that_have_expired_are_renewed(
    fake: FakeAws, time: Time, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    renewed = FakeAws()
    watching = Poller(
        fake.client,
        poll_seconds=2,
        sleep=time.sleep,
        clock=time.clock,
        renew=lambda: done(renewed.client),
    )
    fake.says("InProgress")
    fake.refuses(code, "The security token included in the request is expired", status=403)
    renewed.says("InProgress", "Completed")
    assert ended(watching.watch(Resource(TRAINING, "job"))) == "Completed"
    assert (fake.answers, renewed.answers) == ([], [])
    assert f"TrainingJob: no answer, trying again: An error occurred ({code})" in caplog.text


def done(client: Any) -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_result(client)
    return future


def test_a_wait_that_brings_its_own_way_to_a_client_is_renewed_by_it(
    watching: Poller, fake: FakeAws
) -> None:
    renewed = FakeAws()
    fake.refuses("ExpiredTokenException")
    renewed.says("Completed")
    future = watching.watch(Resource(TRAINING, "job"), renew=lambda: done(renewed.client))
    assert ended(future) == "Completed"
    assert watching.client is renewed.client


def unreachable() -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_exception(ConnectionError("no answer"))
    return future


def cancelled() -> "Future[Any]":
    future: Future[Any] = Future()
    future.cancel()
    return future


def elsewhere() -> "Future[Any]":
    session = boto3.Session("key", "secret", region_name="eu-central-1")
    return done(session.client("sagemaker"))


@pytest.mark.parametrize("renew", [unreachable, cancelled, elsewhere, None])
def test_a_client_that_cannot_be_had_is_asked_for_again_and_fails_no_wait(
    watching: Poller, fake: FakeAws, time: Time, renew: Any
) -> None:
    for _ in range(3):
        fake.refuses("ExpiredTokenException")
    fake.says("Completed")
    assert ended(watching.watch(Resource(TRAINING, "job"), renew=renew)) == "Completed"
    assert time.sleeps == [4, 8, 16]


def test_what_changes_is_told_once(watching: Poller, fake: FakeAws) -> None:
    for status, secondary in (
        ("InProgress", "Starting"),
        ("InProgress", "Starting"),
        ("InProgress", "Training"),
        ("Stopping", ""),
        ("Stopped", "Stopped"),
    ):
        fake.answers.append((200, training_job(status, SecondaryStatus=secondary)))
    told: list[str] = []
    assert ended(watching.watch(Resource(TRAINING, "job"), told=told.append)) == "Stopped"
    assert told == ["InProgress: Starting", "InProgress: Training", "Stopping", "Stopped"]


def test_one_job_that_cannot_be_described_does_not_hold_up_the_others(fake: FakeAws) -> None:
    pause = Pause()
    watching = Poller(fake.client, poll_seconds=0, sleep=pause)
    fake.says("InProgress")
    first = watching.watch(Resource(TRAINING, "first"))
    assert pause.asleep.wait(ANSWER_SECONDS)
    fake.refuses("AccessDeniedException")  # to list, so that all are described
    fake.says("Completed", "Completed")
    bad = watching.watch(Resource(TRAINING, ""))  # botocore refuses an empty name
    other = watching.watch(Resource(TRAINING, "other"))
    pause.end.set()
    assert isinstance(refused(bad), ParamValidationError)
    assert (ended(first), ended(other)) == ("Completed", "Completed")


def test_a_cancelled_wait_is_dropped(fake: FakeAws) -> None:
    pause = Pause()
    watching = Poller(fake.client, poll_seconds=0, sleep=pause)
    fake.says("InProgress")
    future = watching.watch(Resource(TRAINING, "job"))
    assert pause.asleep.wait(ANSWER_SECONDS)
    future.cancel()
    pause.end.set()
    until(lambda: watching._thread is None)
    assert watching._watches == []


def test_a_wait_cancelled_while_it_is_looked_at_is_dropped(watching: Poller, fake: FakeAws) -> None:
    futures: list[Future[str]] = []
    known = threading.Event()

    def cancel() -> Any:
        assert known.wait(ANSWER_SECONDS)
        futures[0].cancel()
        return 200, training_job("Completed")

    fake.answers.append(cancel)
    futures.append(watching.watch(Resource(TRAINING, "job")))
    known.set()
    until(lambda: watching._thread is None)
    assert futures[0].cancelled()


def test_the_thread_ends_when_there_is_nothing_to_wait_for(watching: Poller, fake: FakeAws) -> None:
    before = threading.active_count()
    fake.says("Completed")
    ended(watching.watch(Resource(TRAINING, "job")))
    until(lambda: threading.active_count() == before)


def test_a_poller_that_was_idle_starts_again(watching: Poller, fake: FakeAws) -> None:
    for _ in range(2):
        fake.says("Completed")
        assert ended(watching.watch(Resource(TRAINING, "job"))) == "Completed"
        until(lambda: watching._thread is None)


class LockWithAWindow:
    """A lock that lets something happen right after it was released for the n-th time."""

    def __init__(self, count: int, happens: Callable[[], object]) -> None:
        self._lock = threading.Lock()
        self._left = count
        self._happens = happens

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        self._left -= 1
        if self._left == 0:
            self._happens()


def test_a_wait_that_begins_while_the_thread_ends_has_a_thread_of_its_own(fake: FakeAws) -> None:
    pause = Pause()
    watching = Poller(fake.client, poll_seconds=0, sleep=pause)
    later: list[Future[str]] = []
    watching._lock = LockWithAWindow(  # type: ignore[assignment]
        3,  # the watch, the first look for something to do, the last
        lambda: later.append(watching.watch(Resource(TRAINING, "later"))),
    )
    fake.says("Completed", "InProgress")
    assert ended(watching.watch(Resource(TRAINING, "first"))) == "Completed"
    assert pause.asleep.wait(ANSWER_SECONDS)
    fake.says("Completed")
    pause.end.set()
    assert ended(later[0]) == "Completed"
    assert fake.asked == ["first", "later", "later"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_no_task_waits_for_ever_for_a_thread_that_has_died(watching: Poller, fake: FakeAws) -> None:
    before = threading.active_count()
    fake.answers.append(MemoryError())
    assert isinstance(refused(watching.watch(Resource(TRAINING, "job"))), MemoryError)
    fake.says("Completed")
    assert ended(watching.watch(Resource(TRAINING, "job"))) == "Completed"
    until(lambda: threading.active_count() == before)


# The process's pollers


@pytest.fixture
def connection(request: pytest.FixtureRequest) -> Connection:
    return Connection(request.node.name)


def test_a_connection_has_one_poller(fake: FakeAws, connection: Connection) -> None:
    same = Connection(connection.conn_id)
    made = poller(connection, fake.client, poll_seconds=1)
    assert poller(same, fake.client, poll_seconds=1) is made


Other = Callable[[Connection], tuple[Connection, float]]


@pytest.mark.parametrize(
    "other",
    [
        lambda connection: (Connection("other"), 1),
        lambda connection: (Connection(connection.conn_id, "eu-central-1"), 1),
        lambda connection: (connection, 2),
    ],
    ids=["connection", "region", "poll_seconds"],
)
def test_what_differs_has_a_poller_of_its_own(
    fake: FakeAws, connection: Connection, other: Other
) -> None:
    made = poller(connection, fake.client, poll_seconds=1)
    another, poll_seconds = other(connection)
    assert poller(another, fake.client, poll_seconds=poll_seconds) is not made


def test_a_poller_goes_on_with_the_newest_credentials(connection: Connection) -> None:
    old, new = (
        boto3.Session(key, "secret", region_name="us-east-1").client("sagemaker")
        for key in ("old", "new")
    )
    made = poller(connection, old, poll_seconds=1)
    poller(connection, new, poll_seconds=1)
    assert made.client is new
