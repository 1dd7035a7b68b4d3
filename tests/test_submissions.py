"""Work on EMR is submitted once, whatever cuts a try short; the local AWS is asked, not a fake."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from airflow_sm_pipelines import aws, jobs, stops, submissions
from airflow_sm_pipelines.definition.resources import EMR_STEP, JOB_RUN
from airflow_sm_pipelines.emr import StepSubmission
from airflow_sm_pipelines.emr_serverless import JobRunSubmission
from airflow_sm_pipelines.jobs import KEY, Life
from airflow_sm_pipelines.naming import Attempt
from tests.fakes import FakeStore, until
from tests.runs.steps import ROLE

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

ORIGIN = {"pipeline": "p", "step": "s", "dag": "d", "run": "r"}
EARLIER = datetime.now(UTC) - timedelta(minutes=5)


class WorkerDiedError(BaseException):
    """What no code of ours gets to handle."""


@dataclass
class Estate:
    """A cluster of the local AWS and a way to submit to it."""

    client: Any
    cluster: str
    name: str = field(default_factory=lambda: f"test-{uuid4().hex[:12]}")
    script: str = "sleep 60"

    def submission(self, attempt: Attempt) -> StepSubmission:
        jar = {"Jar": "command-runner.jar", "Args": ["bash", "-c", self.script]}
        arguments = {"ClusterId": self.cluster, "StepConfig": {"HadoopJarStep": jar}}
        return StepSubmission(
            name=f"{self.name}-{attempt}", arguments=arguments, origin=ORIGIN, since=EARLIER
        )

    def submit(self, store: FakeStore | None, *, max_tries: int = 0, client: Any = None) -> str:
        return submissions.submit_or_attach(
            client or self.client,
            EMR_STEP,
            record=jobs.begin(store, Life(max_tries=max_tries)),
            submission_for=self.submission,
            store=store,
            unseen_seconds=0.0,
        ).identifier

    def steps(self) -> list[dict[str, Any]]:
        """The test's steps, the first one first."""
        found = self.client.list_steps(ClusterId=self.cluster)["Steps"][::-1]
        return [each for each in found if each["Name"].startswith(self.name)]

    def states(self) -> list[str]:
        return [each["Status"]["State"] for each in self.steps()]

    def end(self) -> None:
        """Cancel all steps of the test, and wait for that."""
        ids = [each["Id"] for each in self.steps()]
        if ids:
            self.client.cancel_steps(ClusterId=self.cluster, StepIds=ids)
        until(lambda: not {"RUNNING", "PENDING"} & {*self.states()})


def made(local_aws: "LocalAWS", service: str) -> Any:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    return session.client(service, endpoint_url=local_aws.endpoint_url, config=once)


@pytest.fixture(scope="module")
def cluster(local_aws: "LocalAWS") -> str:
    instances = {"InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True}
    run = made(local_aws, "emr").run_job_flow(
        Name="shared", Instances=instances, StepConcurrencyLevel=10
    )
    return str(run["JobFlowId"])


@pytest.fixture
def estate(local_aws: "LocalAWS", cluster: str) -> Iterator[Estate]:
    made_estate = Estate(made(local_aws, "emr"), cluster)
    yield made_estate
    made_estate.end()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def dies(client: Any, event: str) -> None:
    """The worker dies at that event of the client's."""

    def die(**_: Any) -> None:
        raise WorkerDiedError

    client.meta.events.register(event, die)


BEFORE, AFTER = "before-call.emr.AddJobFlowSteps", "after-call.emr.AddJobFlowSteps"


@pytest.mark.parametrize("moment", [BEFORE, AFTER, "before-call.emr.ListSteps"])
def test_a_retry_after_the_worker_died_has_the_same_step(
    local_aws: "LocalAWS", estate: Estate, store: FakeStore, moment: str
) -> None:
    dying = made(local_aws, "emr")
    dies(dying, moment)
    with pytest.raises(WorkerDiedError):
        estate.submit(store, client=dying)
    (identifier,) = {estate.submit(store) for _ in range(2)}
    assert [each["Id"] for each in estate.steps()] == [identifier]
    assert store[KEY]["identifier"] == identifier


def test_the_name_is_stored_before_anything_is_submitted(
    local_aws: "LocalAWS", estate: Estate, store: FakeStore
) -> None:
    dying = made(local_aws, "emr")
    dies(dying, BEFORE)
    with pytest.raises(WorkerDiedError):
        estate.submit(store, client=dying)
    assert store[KEY]["name"] == f"{estate.name}-0-1"
    assert estate.steps() == []


def test_what_is_known_is_not_looked_for(
    local_aws: "LocalAWS", estate: Estate, store: FakeStore
) -> None:
    estate.submit(store)
    blind = made(local_aws, "emr")
    dies(blind, "before-call.emr.ListSteps")
    assert estate.submit(store, client=blind) == estate.steps()[0]["Id"]


def test_a_lost_record_leads_to_the_step_that_goes_on(estate: Estate) -> None:
    assert estate.submit(FakeStore()) == estate.submit(FakeStore())
    assert len(estate.steps()) == 1


def test_an_airflow_that_stores_nothing_finds_the_step_that_goes_on(estate: Estate) -> None:
    assert estate.submit(None) == estate.submit(None)
    assert len(estate.steps()) == 1


def test_an_ended_step_is_not_adopted_where_the_record_is_lost(estate: Estate) -> None:
    estate.submit(FakeStore())
    estate.end()
    estate.submit(FakeStore())
    assert [each["Name"] for each in estate.steps()] == [
        f"{estate.name}-0-1",
        f"{estate.name}-0-2",
    ]


def test_a_retry_of_a_step_that_has_ended_meanwhile_goes_on_with_it(
    estate: Estate, store: FakeStore
) -> None:
    estate.script = "true"
    first = estate.submit(store)
    until(lambda: estate.states() == ["COMPLETED"])
    assert estate.submit(store) == first


def test_a_retry_after_a_failure_and_a_clear_submit_another(
    estate: Estate, store: FakeStore
) -> None:
    estate.script = "false"
    estate.submit(store)
    jobs.note_failure(store)
    estate.submit(store)
    estate.submit(store, max_tries=4)
    names = [each["Name"].removeprefix(f"{estate.name}-") for each in estate.steps()]
    assert names == ["0-1", "0-2", "4-1"]


def test_two_processes_that_submit_at_once_go_on_with_one_step(
    local_aws: "LocalAWS", estate: Estate
) -> None:
    together = Barrier(2)

    def wait(**_: Any) -> None:
        together.wait(timeout=30)

    def submit(client: Any) -> str:
        # Both have looked for it, in vain, before either submits it.
        client.meta.events.register(BEFORE, wait)
        return estate.submit(FakeStore(), client=client)

    with ThreadPoolExecutor(2) as pool:
        submitted = {*pool.map(submit, [made(local_aws, "emr") for _ in range(2)])}
    until(lambda: sorted(estate.states()) == ["CANCELLED", "RUNNING"])
    (running,) = (each for each in estate.steps() if each["Status"]["State"] == "RUNNING")
    assert running["Id"] in submitted
    assert running["Id"] == min(estate.steps(), key=order)["Id"]


def order(step: Mapping[str, Any]) -> tuple[datetime, str]:
    return step["Status"]["Timeline"]["CreationDateTime"], step["Id"]


# Stopping


def resource(estate: Estate, store: FakeStore) -> aws.Resource:
    found = submissions.known(estate.client, EMR_STEP, jobs.Record(**store[KEY]))
    assert found is not None
    return found


def test_a_step_is_interrupted_and_what_has_ended_is_no_error(
    estate: Estate, store: FakeStore
) -> None:
    estate.submit(store)
    assert stops.stop(estate.client, resource(estate, store))
    until(lambda: estate.states() == ["CANCELLED"])
    assert not stops.stop(estate.client, resource(estate, store))


def test_a_step_whose_answer_was_lost_is_found_to_be_stopped(
    local_aws: "LocalAWS", estate: Estate, store: FakeStore
) -> None:
    dying = made(local_aws, "emr")
    dies(dying, AFTER)
    with pytest.raises(WorkerDiedError):
        estate.submit(store, client=dying)
    assert store[KEY]["identifier"] == ""
    assert stops.stop(estate.client, resource(estate, store))
    until(lambda: estate.states() == ["CANCELLED"])


def test_the_step_of_the_time_before_a_clear_is_stopped(
    estate: Estate, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEFT_SECONDS", 0.0)
    estate.submit(store)
    jobs.stop_left(
        estate.client,
        EMR_STEP,
        record=jobs.begin(store, Life(max_tries=4)),
        store=store,
        known=lambda before: submissions.known(estate.client, EMR_STEP, before),
    )
    until(lambda: estate.states() == ["CANCELLED"])


def test_a_step_that_emr_does_not_know_is_not_stopped(estate: Estate) -> None:
    gone = aws.Resource(EMR_STEP, "s-GONE", told_apart={"ClusterId": estate.cluster})
    assert not stops.stop(estate.client, gone)


def test_stopping_a_step_on_its_own_cluster_terminates_that(local_aws: "LocalAWS") -> None:
    client = made(local_aws, "emr")
    jar = {"Jar": "command-runner.jar", "Args": ["sleep", "60"]}
    submission = StepSubmission(
        name=f"test-{uuid4().hex}",
        arguments={
            "ClusterConfig": {"Instances": {"InstanceCount": 1}},
            "StepConfig": {"HadoopJarStep": jar},
        },
        origin=ORIGIN,
        since=EARLIER,
    )
    step = submission.submit(client)
    assert stops.stop(client, step)
    described: Callable[[], Any] = lambda: client.describe_cluster(  # noqa: E731
        ClusterId=step.told_apart["ClusterId"]
    )["Cluster"]["Status"]
    until(lambda: described()["State"] == "TERMINATED")
    assert described()["StateChangeReason"]["Code"] == "USER_REQUEST"
    assert step.final_status(aws.describe(client, step)) == "CANCELLED"


# EMR Serverless


@pytest.fixture
def job_run(local_aws: "LocalAWS") -> JobRunSubmission:
    client = made(local_aws, "emr-serverless")
    application = client.create_application(
        releaseLabel="emr-7.0.0", type="SPARK", clientToken=uuid4().hex
    )["applicationId"]
    return JobRunSubmission(
        name=f"test-{uuid4().hex[:12]}",
        arguments={"JobConfig": {"jobDriver": {"sparkSubmit": {"entryPoint": "s3://b/m.py"}}}},
        origin=ORIGIN,
        role=ROLE,
        since=EARLIER,
        application="unused",
        told_apart={"applicationId": application},
    )


def test_a_job_run_is_started_once_also_where_it_is_not_found(
    local_aws: "LocalAWS", job_run: JobRunSubmission
) -> None:
    client = made(local_aws, "emr-serverless")
    assert job_run.submit(client) == job_run.submit(client) == job_run.find(client)[0]
    assert len(job_run.find(client)) == 1


def test_a_job_run_that_has_ended_is_not_cancelled(
    local_aws: "LocalAWS", job_run: JobRunSubmission
) -> None:
    client = made(local_aws, "emr-serverless")
    run = job_run.submit(client)
    until(lambda: run.final_status(aws.describe(client, run)))
    assert run.final_status(aws.describe(client, run)) == "FAILED"
    assert not stops.stop(client, run)


def test_where_a_job_run_has_no_application_yet_none_is_found(local_aws: "LocalAWS") -> None:
    record = jobs.Record(attempt=1, max_tries=0, name="unknown")
    assert submissions.known(made(local_aws, "emr-serverless"), JOB_RUN, record) is None
