import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pkgutil import resolve_name
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from airflow_sm_pipelines import aws, clients
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.poller import poller
from airflow_sm_pipelines.triggers import JobTrigger
from tests import cancelling
from tests.answered import refusal
from tests.fakes import until

POLL_SECONDS = 0.05


@pytest.fixture
def name() -> str:
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def client(aws_environment: LocalAWS) -> Iterator[Any]:
    """A client; jobs that are still in progress when the test ends are stopped."""
    made: Any = aws.Connection("aws_default").client("sagemaker")
    yield made
    left = made.list_processing_jobs(
        StatusEquals="InProgress", MaxResults=100, SortOrder="Descending"
    )
    for job in left["ProcessingJobSummaries"]:
        made.stop_processing_job(ProcessingJobName=job["ProcessingJobName"])


def start(client: Any, name: str, script: str) -> str:
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    client.create_processing_job(
        ProcessingJobName=name,
        RoleArn="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        ProcessingResources={"ClusterConfig": cluster},
        AppSpecification={
            "ImageUri": "python:3",
            "ContainerEntrypoint": ["python3", "-c", script],
        },
    )
    return name


def status(client: Any, name: str) -> str:
    described = client.describe_processing_job(ProcessingJobName=name)
    return str(described["ProcessingJobStatus"])


def trigger(identifier: str, **changes: Any) -> JobTrigger:
    given = {"step_type": "Processing", "aws_conn_id": "aws_default", "poll_seconds": POLL_SECONDS}
    return JobTrigger(identifier=identifier, **{**given, **changes})


def fire(made: JobTrigger) -> Any:
    return asyncio.run(anext(made.run())).payload  # type: ignore[arg-type]


def test_a_trigger_survives_serialization() -> None:
    made = JobTrigger(
        step_type="Training",
        identifier="job",
        aws_conn_id=None,
        region_name="eu-central-1",
        poll_seconds=0,
        told_apart={"JobCategory": "AgentRFT"},
        unchanged_since="2026-01-02T03:04:05+00:00",
        owned=False,
    )
    path, kwargs = made.serialize()
    assert path == "airflow_sm_pipelines.triggers.JobTrigger"  # stored in Airflow's database
    assert json.loads(json.dumps(kwargs)) == kwargs
    assert resolve_name(path)(**kwargs).serialize() == (path, kwargs)


def test_a_trigger_that_an_earlier_version_has_stored_can_be_made() -> None:
    stored: dict[str, Any] = {
        "step_type": "Training",
        "identifier": "job",
        "aws_conn_id": None,
        "region_name": None,
        "poll_seconds": 0,
        "first_look_seconds": 5.0,
    }
    assert JobTrigger(**stored).serialize()[1] == {
        **stored,
        "told_apart": {},
        "unchanged_since": "",
        "owned": True,
    }


def test_a_job_of_a_category_is_waited_for_and_stopped(
    client: Any, name: str, aws_environment: LocalAWS
) -> None:
    going = {"Status": "InProgress", "Seconds": 60}
    script = {"Kind": "Job", "Name": name, "Moments": [going, {"Status": "Completed"}]}
    aws_environment.scripts.add(script)
    client.create_job(
        JobName=name,
        JobCategory="AgentRFT",
        RoleArn="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        JobConfigSchemaVersion="1.0.0",
        JobConfigDocument="{}",
    )
    made = trigger(name, step_type="Job", told_apart={"JobCategory": "AgentRFT"})
    asyncio.run(made.on_kill())
    told_apart = {"JobCategory": "AgentRFT"}
    assert fire(made) == {"identifier": name, "status": "Stopped", "told_apart": told_apart}


@pytest.mark.parametrize(("script", "final"), [("pass", "Completed"), ("1/0", "Failed")])
def test_a_trigger_fires_on_the_final_status(
    client: Any, name: str, script: str, final: str
) -> None:
    start(client, name, script)
    assert fire(trigger(name)) == {"identifier": name, "status": final}


def test_a_trigger_fires_once(client: Any, name: str) -> None:
    start(client, name, "pass")

    async def events() -> list[Any]:
        return [event async for event in trigger(name).run()]

    assert len(asyncio.run(events())) == 1


def test_a_vanished_job_fires_without_a_status(client: Any) -> None:
    # The process's poller of this connection and interval, without patience.
    poller(aws.Connection("aws_default"), client, poll_seconds=0.06, grace_seconds=0)
    made = trigger("never-created", poll_seconds=0.06)
    assert fire(made) == {"identifier": "never-created", "status": None}


def test_what_becomes_of_a_job_is_told_in_the_log_of_its_task(client: Any, name: str) -> None:
    """Airflow's triggerer tells by context variables which task a line of the log belongs to."""
    task: ContextVar[str] = ContextVar("task")
    noted: list[tuple[str, str]] = []

    class Noting(JobTrigger):
        @property
        def log(self) -> Any:
            return SimpleNamespace(
                info=lambda text, *given: noted.append((task.get("none"), text % given))
            )

    async def waited(each: str) -> None:
        task.set(f"task of {each}")
        made = Noting(
            step_type="Processing", identifier=each, aws_conn_id="aws_default", poll_seconds=0.05
        )
        await anext(made.run())

    async def both() -> None:
        await asyncio.gather(*map(waited, names))

    script = "import time; time.sleep(1)"
    names = [start(client, f"{name}-{number}", script) for number in range(2)]
    asyncio.run(both())
    for each in names:
        assert [text for owner, text in noted if owner == f"task of {each}"] == [
            f"ProcessingJob {each}: InProgress",
            f"ProcessingJob {each}: Completed",
        ]


def test_triggers_that_start_at_once_share_a_client(client: Any, name: str) -> None:
    made = aws.Connection("aws_default")
    first = clients.recent(made, "sagemaker")
    with ThreadPoolExecutor(max_workers=4) as pool:
        assert {*pool.map(clients.recent, [made] * 20, ["sagemaker"] * 20)} == {first}
    assert clients.recent(made, "emr") != first


def test_credentials_are_renewed_in_the_event_loop_of_the_trigger(client: Any, name: str) -> None:
    start(client, name, "import time; time.sleep(60)")
    connection = aws.Connection("aws_default")
    found = poller(connection, client, poll_seconds=POLL_SECONDS)

    async def waited() -> Any:
        waiting: asyncio.Task[Any] = asyncio.create_task(anext(trigger(name).run()))  # type: ignore[arg-type]
        await asyncio.to_thread(until, lambda: found._watches)
        expired = aws.Connection("aws_default").client("sagemaker")
        expired.meta.events.register("before-call.sagemaker", refuse)
        found.client = expired
        await asyncio.to_thread(until, lambda: found.client is not expired)
        await asyncio.to_thread(client.stop_processing_job, ProcessingJobName=name)
        return (await waiting).payload

    assert asyncio.run(waited()) == {"identifier": name, "status": "Stopped"}


def refuse(**_: Any) -> Any:
    status, parsed = refusal("ExpiredTokenException", "The security token is expired")
    return SimpleNamespace(status_code=status), parsed


def test_a_job_that_aws_refuses_to_describe_fires_without_a_status(client: Any) -> None:
    made = trigger("job", step_type="Job", told_apart={"JobCategory": "Cooking"})  # there is none
    told_apart = {"JobCategory": "Cooking"}
    assert fire(made) == {"identifier": "job", "status": None, "told_apart": told_apart}


def test_a_connection_that_gives_no_client_fires_without_a_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_NOWHERE", '{"conn_type": "aws"}')  # no region, nor by default
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    made = trigger("job", aws_conn_id="nowhere")
    assert fire(made) == {"identifier": "job", "status": None}


def test_triggers_of_several_event_loops_share_a_poller(client: Any, name: str) -> None:
    names = [start(client, f"{name}-{i}", "import time; time.sleep(60)") for i in range(3)]
    found = poller(aws.Connection("aws_default"), client, poll_seconds=POLL_SECONDS)
    with ThreadPoolExecutor(max_workers=3) as pool:
        fired = pool.map(fire, map(trigger, names))
        until(lambda: len(found._watches) == 3)
        assert pollers() == 1
        for each in names:
            client.stop_processing_job(ProcessingJobName=each)
        assert [event["identifier"] for event in fired] == names
    until(lambda: pollers() == 0)


def pollers() -> int:
    return sum(thread.name == "sm-pipelines-poller" for thread in threading.enumerate())


def test_a_killed_trigger_stops_its_job_and_no_other(client: Any, name: str) -> None:
    ours, other = (start(client, f"{name}-{i}", "import time; time.sleep(60)") for i in range(2))
    asyncio.run(trigger(ours).on_kill())
    until(lambda: status(client, ours) == "Stopped")
    assert status(client, other) == "InProgress"


def test_a_killed_trigger_whose_job_has_ended_does_no_harm(client: Any, name: str) -> None:
    start(client, name, "pass")
    until(lambda: status(client, name) == "Completed")
    asyncio.run(trigger(name).on_kill())
    assert status(client, name) == "Completed"


def test_a_cancelled_trigger_leaves_its_job_and_the_poller(client: Any, name: str) -> None:
    start(client, name, "import time; time.sleep(60)")

    async def cancelled() -> None:
        waiting: asyncio.Task[Any] = asyncio.create_task(anext(trigger(name).run()))  # type: ignore[arg-type]
        while pollers() == 0:
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(cancelled())
    until(lambda: pollers() == 0)
    assert status(client, name) == "InProgress"


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.05, 1.0])
def test_a_trigger_that_is_cancelled_at_any_moment_says_why(
    client: Any, name: str, moment: float
) -> None:
    """By the message of a cancellation Airflow tells whether a user has ended the task."""
    made = trigger(start(client, name, "import time; time.sleep(60)"))
    with pytest.raises(asyncio.CancelledError, match="user-action"):
        cancelling.waiting(made, moment)


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.05, 0.3])
def test_a_stop_that_is_cancelled_goes_on(client: Any, name: str, moment: float) -> None:
    """Airflow cancels a trigger each second, also while it stops its job."""
    start(client, name, "import time; time.sleep(60)")
    cancelling.killing(trigger(name), moment)
    assert status(client, name) in {"Stopping", "Stopped"}


def test_a_stop_that_is_refused_is_told(
    client: Any, name: str, aws_environment: LocalAWS, capsys: pytest.CaptureFixture[str]
) -> None:
    start(client, name, "import time; time.sleep(60)")
    aws_environment.faults.add({"Kind": "AccessDenied", "Operations": "StopProcessingJob"})
    try:
        asyncio.run(trigger(name).on_kill())
    finally:
        aws_environment.faults.replace()
    assert f"ProcessingJob {name} could not be stopped and may go on" in capsys.readouterr().out
