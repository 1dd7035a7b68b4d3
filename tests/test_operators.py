import asyncio
import copy
import gc
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowTaskTimeout,
    DownstreamTasksSkipped,
    TaskDeferred,
    XCom,
    timeout,
)
from airflow.sdk import DAG, TaskInstanceState
from botocore.stub import Stubber

from airflow_sm_pipelines import aws, build_dag, jobs, load, unrecorded
from airflow_sm_pipelines.definition.resources import PROCESSING
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import (
    JobFailedError,
    JobLostError,
    WaitInterruptedError,
)
from airflow_sm_pipelines.features import HAS_RETRY_POLICIES, TaskDeferralTimeout
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.naming import END_TASK
from airflow_sm_pipelines.scope import OUTCOME
from airflow_sm_pipelines.triggers import SETTLE_SECONDS, JobTrigger
from tests.definition.cases import PIPELINES
from tests.fakes import STARTED, FakeStore, context, until

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
A_MOMENT = "import time; time.sleep(0.3)"
LONG = "import time; time.sleep(60)"

Step = dict[str, Any]


def processing(script: str = "pass", **arguments: Any) -> Step:
    """A step whose job goes on for a moment at least: one that has ended is not waited for."""
    return {
        "Name": "S",
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {"ClusterConfig": CLUSTER},
            "AppSpecification": {
                "ImageUri": "python:3",
                "ContainerEntrypoint": ["python3", "-c", f"{A_MOMENT}; {script}"],
            },
            **arguments,
        },
    }


MODEL: Step = {
    "Name": "S",
    "Type": "Model",
    "Arguments": {
        "PrimaryContainer": {"Image": "python:3", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    },
}
REGISTER: Step = {
    "Name": "S",
    "Type": "RegisterModel",
    "Arguments": {
        "InferenceSpecification": {
            "Containers": [MODEL["Arguments"]["PrimaryContainer"]],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
    },
}


def dag_of(*steps: Step, parameters: list[Step] | None = None, **keys: Any) -> DAG:
    definition = {"Version": "2020-12-01", "Parameters": parameters or [], "Steps": steps}
    described: dict[str, Any] = {"PipelineDefinition": json.dumps(definition)}
    pipeline = load(json.dumps(described), name=f"p-{uuid4().hex[:8]}")
    return build_dag(pipeline, **{"role_arn": ROLE, "default_args": {"retries": 0}, **keys})


class Run:
    """The task S of a DAG in a run, try after try."""

    def __init__(self, dag: DAG, *, store: FakeStore | None, **keys: Any) -> None:
        self.store = store
        self.task: Any = copy.copy(dag.task_dict["S"])  # each try has a process of its own
        self.context = context(dag=dag, store=store, task_id="S", dag_id=dag.dag_id, **keys)
        self.ti = self.context["ti"]

    def retry(self) -> "Run":
        """The next try, in another process."""
        again = Run(self.task.dag, store=self.store, max_tries=self.ti.max_tries)
        again.context["ti"].xcoms = self.ti.xcoms
        return again

    def clear(self) -> "Run":
        again = self.retry()
        again.ti.max_tries += 1
        return again

    def execute(self) -> Any:
        return self.task.execute(self.context)

    def defer(self) -> JobTrigger:
        with pytest.raises(TaskDeferred) as raised:
            self.execute()
        made = raised.value.trigger
        assert isinstance(made, JobTrigger)
        return made

    def resume(self, identifier: str, status: str | None = "Completed", **known: Any) -> Any:
        event = {"identifier": identifier, "status": status}
        return self.task.resume_execution("resume", {"event": event, **known}, self.context)

    def wait_deferred(self) -> Any:
        """What the task hands on after its trigger has fired."""
        with pytest.raises(TaskDeferred) as raised:
            self.execute()
        deferred: Any = raised.value
        deferred.trigger.first_look_seconds = 0
        known = json.loads(json.dumps(deferred.kwargs))  # as Airflow stores it
        event = asyncio.run(anext(deferred.trigger.run())).payload
        return self.resume(event["identifier"], event["status"], **known)

    def judged(self, ends: Callable[[], Any]) -> Any:
        """What the task's retry policy says of the error that a try ends with."""
        with pytest.raises(BaseException) as raised:  # noqa: PT011
            ends()
        return self.task.retry_policy.evaluate(
            raised.value, self.ti.try_number, self.ti.max_tries, self.context
        )

    def time_out(self) -> Any:
        return self.task.resume_execution("__fail__", {"error": "Trigger timeout"}, self.context)


needs_retry_policies = pytest.mark.skipif(
    not HAS_RETRY_POLICIES, reason="Airflow has no retry policies before 3.3"
)


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "0")


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


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


def status(client: Any, name: str) -> str:
    described = client.describe_processing_job(ProcessingJobName=name)
    return str(described["ProcessingJobStatus"])


def job_names(client: Any, run: Run) -> list[str]:
    """The processing jobs of a run at the endpoint, in the order of their names."""
    execution = run.task.scope(run.context).execution_id
    found = client.list_processing_jobs(MaxResults=100, SortOrder="Descending")[
        "ProcessingJobSummaries"
    ]
    return sorted(
        job["ProcessingJobName"] for job in found if execution in job["ProcessingJobName"]
    )


def finished(client: Any, name: str) -> None:
    until(lambda: status(client, name) not in {"InProgress", "Stopping"})


# Create, wait, hand on


def test_a_job_is_created_and_waited_for_deferred(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(processing(), region_name="us-east-1"), store=store)
    with pytest.raises(TaskDeferred) as raised:
        run.execute()
    assert raised.value.method_name == "resume"
    trigger = raised.value.trigger
    assert isinstance(trigger, JobTrigger)
    assert trigger.serialize()[1] == {
        "step_type": "Processing",
        "identifier": store[jobs.KEY]["name"],
        "aws_conn_id": "aws_default",
        "region_name": "us-east-1",
        "poll_seconds": 0.2,
        "first_look_seconds": SETTLE_SECONDS,
        "told_apart": {},
        "unchanged_since": "",
        "owned": True,
    }
    assert job_names(client, run) == [trigger.identifier]


def test_the_wait_ends_with_the_tasks_execution_timeout(client: Any, store: FakeStore) -> None:
    limit = timedelta(hours=3)
    run = Run(dag_of(processing(), default_args={"execution_timeout": limit}), store=store)
    with pytest.raises(TaskDeferred) as raised:
        run.execute()
    assert raised.value.timeout == limit


def test_a_job_without_a_limit_is_waited_for_without_one(client: Any, store: FakeStore) -> None:
    with pytest.raises(TaskDeferred) as raised:
        Run(dag_of(processing()), store=store).execute()
    assert raised.value.timeout is None


def test_a_completed_job_hands_on_its_description(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(processing()), store=store)
    name = run.defer().identifier
    finished(client, name)
    handed_on = run.resume(name)
    assert handed_on["ProcessingJobName"] == name
    assert handed_on["ProcessingJobStatus"] == "Completed"
    assert json.loads(json.dumps(handed_on)) == handed_on


def test_a_resource_without_a_status_is_handed_on_at_once(client: Any, store: FakeStore) -> None:
    handed_on = Run(dag_of(MODEL), store=store).execute()
    assert handed_on["ModelName"] == store[jobs.KEY]["name"]
    assert handed_on["ExecutionRoleArn"] == ROLE


def test_values_that_look_like_templates_arrive_as_they_are(client: Any, store: FakeStore) -> None:
    values = {"ONE": "{{ 1/0 }}", "TWO": "{% raw %}", "THREE": "${x} $(y) %s"}
    run = Run(dag_of(processing(Environment=values)), store=store)
    run.task.render_template_fields(run.context)
    described = client.describe_processing_job(ProcessingJobName=run.defer().identifier)
    assert described["Environment"] == values


def test_the_current_time_is_the_same_in_all_tries_of_a_job(client: Any, store: FakeStore) -> None:
    now = {"Get": "Execution.CurrentDateTime"}
    run = Run(dag_of(processing(LONG, Environment={"NOW": now})), store=store)
    name = run.defer().identifier
    assert run.retry().defer().identifier == name
    described = client.describe_processing_job(ProcessingJobName=name)
    assert described["Environment"] == {"NOW": store[jobs.KEY]["stored_at"]}


# Failure


def test_a_failed_job_fails_the_task_with_reason_and_log(
    client: Any, store: FakeStore, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "print('one'); raise SystemExit('no luck')"
    run = Run(dag_of(processing(script)), store=store)
    name = run.defer().identifier
    finished(client, name)
    with pytest.raises(JobFailedError) as raised:
        run.resume(name, "Failed")
    error = raised.value
    assert (error.step, error.job_name, error.status) == ("S", name, "Failed")
    assert error.reason.startswith("AlgorithmError: no luck")
    assert {"one", "no luck"} <= set(error.log_tail)
    assert "S | no luck" in capsys.readouterr().out
    assert str(error) == f"S: ProcessingJob {name} is Failed: {error.reason}"


def test_a_stopped_job_fails_the_task(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(processing(LONG)), store=store)
    name = run.defer().identifier
    client.stop_processing_job(ProcessingJobName=name)
    finished(client, name)
    with pytest.raises(
        JobFailedError, match=f"S: ProcessingJob {name} is Stopped: no reason given"
    ):
        run.resume(name, "Stopped")


@needs_retry_policies
def test_a_retry_after_a_failure_takes_the_next_name(client: Any, store: FakeStore) -> None:
    dag = dag_of(processing("1/0"), step_args={"S": {"retries": 1}})
    run = Run(dag, store=store, max_tries=1)
    name = run.defer().identifier
    finished(client, name)
    run.judged(lambda: run.resume(name, "Failed"))
    assert store[jobs.KEY]["ended"]
    second = run.retry().defer().identifier
    assert second == f"{name.removesuffix('-1')}-2"
    assert job_names(client, run) == [name, second]


@needs_retry_policies
def test_a_failed_job_is_not_tried_again_unless_retries_are_asked_for(
    client: Any, store: FakeStore
) -> None:
    run = Run(dag_of(processing("1/0"), default_args={"retries": 7}), store=store)
    assert run.task.retries == 3
    name = run.defer().identifier
    finished(client, name)
    decision = run.judged(lambda: run.resume(name, "Failed"))
    assert decision.action.value == "fail"
    assert decision.reason == "JobFailedError: no retry mends that"


def test_a_failure_that_airflow_has_not_heard_of_leads_to_no_other_job(
    client: Any, store: FakeStore
) -> None:
    run = Run(dag_of(processing("1/0"), step_args={"S": {"retries": 1}}), store=store, max_tries=1)
    name = run.defer().identifier
    finished(client, name)
    with pytest.raises(JobFailedError):
        run.resume(name, "Failed")
    # The scheduler has died in the meantime, and the next one starts the task again.
    with pytest.raises(JobFailedError, match="ZeroDivisionError"):
        run.retry().execute()
    assert job_names(client, run) == [name]


@needs_retry_policies
def test_a_job_that_is_gone_is_told(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(processing()), store=store)
    with pytest.raises(JobLostError, match="ProcessingJob gone: AWS does not know it") as raised:
        run.resume("gone", None)
    assert raised.value.exception_type == ""
    assert run.judged(lambda: run.resume("gone", None)).action.value == "fail"


@needs_retry_policies
def test_a_trigger_that_failed_leaves_the_job_to_the_next_try(
    client: Any, store: FakeStore
) -> None:
    run = Run(dag_of(processing(LONG)), store=store)
    name = run.defer().identifier
    failed = {"error": "Trigger failure", "traceback": ["the triggerer is out of memory"]}
    decision = run.judged(lambda: run.task.resume_execution("__fail__", failed, run.context))
    assert decision.action.value == "retry"
    assert decision.retry_delay is None
    assert status(client, name) == "InProgress"
    assert run.retry().defer().identifier == name


@pytest.mark.parametrize(
    "told",
    [None, "Completed"],
    ids=["the triggerer was refused", "a list is ahead of Describe"],
)
def test_a_worker_waits_itself_where_the_job_goes_on(
    client: Any, store: FakeStore, told: str | None
) -> None:
    run = Run(dag_of(processing("import time; time.sleep(1)")), store=store)
    handed_on = run.resume(run.defer().identifier, told)
    assert handed_on["ProcessingJobStatus"] == "Completed"


# In the worker


def test_a_job_that_ends_soon_is_not_worth_a_deferral(
    client: Any, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "60")
    handed_on = Run(dag_of(processing()), store=store).execute()
    assert handed_on["ProcessingJobStatus"] == "Completed"


def test_a_step_whose_turn_has_not_come_is_deferred_and_creates_nothing(
    client: Any, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "0")
    definition = {"Version": "2020-12-01", "Steps": [processing(), {**processing(), "Name": "T"}]}
    described = {
        "PipelineDefinition": json.dumps(definition),
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 1},
    }
    dag = build_dag(load(json.dumps(described), name=f"p-{uuid4().hex[:8]}"), role_arn=ROLE)
    run = Run(dag, store=store, states={"S": "running", "T": "deferred"})
    other = (END_TASK, "turn:T")
    run.ti.xcoms[other] = {"number": 1}
    monkeypatch.setattr(XCom, "set", partial(xcom_set, run))
    with pytest.raises(TaskDeferred) as deferred:
        run.execute()
    assert deferred.value.method_name == "start"
    assert job_names(client, run) == []
    run.ti.xcoms[other] = {"number": 0}
    with pytest.raises(TaskDeferred) as deferred:
        run.task.start(run.context)
    (name,) = job_names(client, run)
    assert run.ti.xcoms[END_TASK, "turn:S"]["number"] == 2
    finished(client, name)
    run.resume(name)
    assert run.ti.xcoms[END_TASK, "turn:S"]["number"] == 0


def xcom_set(run: Run, key: str, value: Any, *, task_id: str, **_: Any) -> None:
    run.ti.xcoms[task_id, key] = value


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are waited for in the worker."""
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "600")


def waiting(store: FakeStore | None, script: str = LONG, **keys: Any) -> Run:
    return Run(dag_of(processing(script), **keys), store=store)


@pytest.mark.usefixtures("patience")
def test_a_job_can_be_waited_for_in_the_worker(client: Any, store: FakeStore) -> None:
    handed_on = waiting(store, "pass").execute()
    assert handed_on["ProcessingJobStatus"] == "Completed"


@pytest.mark.usefixtures("patience")
def test_a_failure_in_the_worker_is_as_typed(client: Any, store: FakeStore) -> None:
    with pytest.raises(JobFailedError, match="is Failed: AlgorithmError"):
        waiting(store, "1/0").execute()


def kill(client: Any, run: Run, state: str | None) -> tuple[str, str]:
    """Kill a task that waits for its job; the job's name and what the task says."""
    run.ti.state = state
    with ThreadPoolExecutor(max_workers=1) as worker:
        execution = worker.submit(run.execute)
        until(lambda: job_names(client, run))
        (name,) = job_names(client, run)
        run.task.on_kill()
        error = execution.exception(timeout=60)
    assert isinstance(error, WaitInterruptedError)
    return name, str(error)


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("state", ["running", "up_for_retry", "queued", "scheduled", None])
def test_a_worker_that_is_told_to_end_leaves_the_job(
    client: Any, store: FakeStore, state: str | None
) -> None:
    run = waiting(store)
    name, message = kill(client, run, state)
    assert message == f"the worker is told to end; {name} goes on"
    assert status(client, name) == "InProgress"
    again = Run(run.task.dag, store=store)
    assert kill(client, again, state)[0] == name


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("state", ["failed", "success", "skipped", "restarting", "removed"])
def test_a_task_that_a_user_has_ended_stops_its_job(
    client: Any, store: FakeStore, state: str
) -> None:
    name, message = kill(client, waiting(store), TaskInstanceState(state))
    assert message == f"the task was ended by a user; {name} is stopped"
    assert status(client, name) in {"Stopping", "Stopped"}


@pytest.mark.usefixtures("patience")
def test_a_task_that_runs_too_long_stops_its_job(client: Any, store: FakeStore) -> None:
    run = waiting(store)
    # The alarm raises wherever it strikes; hypothesis has a callback in the collector, in which
    # an exception is lost.
    gc.disable()
    try:
        with pytest.raises(AirflowTaskTimeout), timeout(1):  # type: ignore[no-untyped-call]
            run.execute()
    finally:
        gc.enable()
    (name,) = job_names(client, run)
    assert status(client, name) in {"Stopping", "Stopped"}


def test_a_kill_before_the_deferral_is_settled_in_the_worker(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(processing(LONG)), store=store)
    run.task.on_kill()
    with pytest.raises(WaitInterruptedError, match="the worker is told to end"):
        run.execute()


# Deferral timeout


@needs_retry_policies
def test_a_wait_that_takes_too_long_stops_the_job(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(processing(LONG)), store=store)
    name = run.defer().identifier
    with pytest.raises(TaskDeferralTimeout):
        run.time_out()
    assert status(client, name) in {"Stopping", "Stopped"}
    assert run.judged(run.time_out).action.value == "fail"
    finished(client, name)
    with pytest.raises(JobFailedError, match=f"{name} is Stopped"):
        run.retry().execute()  # if that was not heard of


@pytest.mark.parametrize("nothing", [None, FakeStore()])
def test_a_wait_that_takes_too_long_without_a_record_leaves_the_job(
    client: Any, nothing: FakeStore | None
) -> None:
    run = Run(dag_of(processing(LONG)), store=nothing)
    with pytest.raises(TaskDeferralTimeout):
        run.time_out()


# Exactly once


class WorkerDiedError(BaseException):
    """What no code of ours gets to handle."""


class DyingStore(FakeStore):
    def set(self, key: str, value: Any) -> None:
        super().set(key, value)
        raise WorkerDiedError


def test_a_worker_that_dies_before_the_create_leads_to_one_job(client: Any) -> None:
    dying = DyingStore()
    run = Run(dag_of(processing()), store=dying)
    with pytest.raises(WorkerDiedError):
        run.execute()
    assert job_names(client, run) == []
    run.store = FakeStore(dying)
    name = run.retry().defer().identifier
    assert name == dying[jobs.KEY]["name"]
    assert job_names(client, run) == [name]


def test_a_worker_that_dies_after_the_create_leads_to_one_job(
    client: Any, store: FakeStore
) -> None:
    run = Run(dag_of(processing(LONG)), store=store)
    name = run.defer().identifier
    assert run.retry().defer().identifier == name
    assert job_names(client, run) == [name]


def test_a_retry_does_not_wait_for_a_job_that_has_ended(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(processing()), store=store)
    name = run.defer().identifier
    finished(client, name)
    assert run.retry().execute()["ProcessingJobName"] == name
    assert job_names(client, run) == [name]


def test_a_clear_leads_to_another_job(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(processing()), store=store)
    first = run.defer().identifier
    finished(client, first)
    run.resume(first)
    second = run.clear().defer().identifier
    assert job_names(client, run) == [first, second]


def test_a_clear_stops_the_job_that_nobody_has_stopped(
    client: Any, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEFT_SECONDS", 0)
    run = Run(dag_of(processing(LONG)), store=store)
    first = run.defer().identifier
    # The triggerer that was to stop it is gone.
    second = run.clear().defer().identifier
    assert status(client, first) in {"Stopping", "Stopped"}
    assert status(client, second) == "InProgress"


def test_a_clear_stops_no_job_twice(
    client: Any, store: FakeStore, aws_environment: LocalAWS
) -> None:
    run = Run(dag_of(processing(LONG)), store=store)
    first = run.defer().identifier
    client.stop_processing_job(ProcessingJobName=first)
    run.clear().defer()
    stops = [
        each["Name"]
        for each in aws_environment.requests.documents()
        if each["Operation"] == "StopProcessingJob" and each["Name"] == first
    ]
    assert stops == [first]


def test_a_clear_that_may_not_stop_the_job_before_says_so(
    client: Any,
    store: FakeStore,
    aws_environment: LocalAWS,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "LEFT_SECONDS", 0)
    run = Run(dag_of(processing(LONG)), store=store)
    first = run.defer().identifier
    aws_environment.faults.add({"Kind": "AccessDenied", "Operations": "StopProcessingJob"})
    try:
        again = run.clear().defer().identifier
    finally:
        aws_environment.faults.replace()
    assert again != first
    assert f"ProcessingJob {first} was cleared and may go on: " in caplog.text


def test_a_clear_whose_record_is_lost_leads_to_another_job(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(processing()), store=store)
    first = run.defer().identifier
    finished(client, first)
    store.clear()
    second = run.clear().defer().identifier
    assert second != first
    assert job_names(client, run) == [first, second]


def test_a_clear_whose_record_is_lost_while_its_job_goes_on_leads_to_another_job(
    client: Any, store: FakeStore
) -> None:
    run = Run(dag_of(processing(LONG)), store=store)
    first = run.defer().identifier
    store.clear()  # the trigger of the try before has not yet stopped its job
    second = run.clear().defer().identifier
    assert second != first
    for name in (first, second):
        client.stop_processing_job(ProcessingJobName=name)


def test_two_airflows_with_the_same_dag_and_run_share_no_job(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dag = dag_of(processing())
    names = set()
    for deployment in ("dev", "prod"):
        monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEPLOYMENT", deployment)
        names.add(Run(dag, store=FakeStore()).defer().identifier)
    assert len(names) == 2


def test_an_airflow_without_a_store_attaches_to_the_job_in_progress(client: Any) -> None:
    run = Run(dag_of(processing(LONG)), store=None)
    name = run.defer().identifier
    assert run.retry().defer().identifier == name
    client.stop_processing_job(ProcessingJobName=name)
    finished(client, name)
    assert run.retry().defer().identifier != name


def test_an_airflow_without_a_store_attaches_although_the_request_has_changed(client: Any) -> None:
    step = processing(LONG, Environment={"NOW": {"Get": "Execution.CurrentDateTime"}})
    run = Run(dag_of(step), store=None)
    name = run.defer().identifier
    assert run.retry().defer().identifier == name
    assert run.clear().defer().identifier != name
    for job in job_names(client, run):
        client.stop_processing_job(ProcessingJobName=job)


def test_an_airflow_without_a_store_tells_steps_apart_whose_names_are_cut(client: Any) -> None:
    names = [f"A-step-with-a-long-name-{number}" for number in "12"]
    dag = dag_of(*({**processing(LONG), "Name": name} for name in names))
    jobs_of = {}
    for name in names:
        task: Any = copy.copy(dag.task_dict[name])
        with pytest.raises(TaskDeferred) as raised:
            task.execute(context(dag=dag, store=None, task_id=name, dag_id=dag.dag_id))
        jobs_of[name] = raised.value.trigger.identifier
    assert len(set(jobs_of.values())) == 2
    for job in jobs_of.values():
        client.stop_processing_job(ProcessingJobName=job)


def test_an_airflow_without_a_store_goes_on_where_aws_does_not_list(
    client: Any, caplog: Any
) -> None:
    origin = unrecorded.Origin(execution_id="0" * 12, step="S", epoch=0, since=STARTED)
    with Stubber(client) as stubber:
        stubber.add_client_error("list_processing_jobs", "AccessDeniedException", "no")
        found = unrecorded.in_progress(client, PROCESSING, origin=origin, request={})
    assert found is None
    assert "whether a job of this step goes on cannot be told" in caplog.text


@pytest.fixture
def unseen(local_aws: LocalAWS) -> Iterator[None]:
    """What is created is neither described nor listed for two seconds."""
    local_aws.faults.add({"Kind": "Unseen", "Operations": "Create*", "Seconds": 2})
    yield
    local_aws.faults.replace()


@pytest.mark.usefixtures("unseen")
def test_a_model_that_aws_does_not_know_yet_is_waited_for(client: Any, store: FakeStore) -> None:
    made = Run(dag_of(MODEL), store=store).execute()
    assert made["ModelArn"]


@pytest.mark.usefixtures("unseen")
def test_a_retry_attaches_to_a_job_that_aws_does_not_know_yet(
    client: Any, store: FakeStore
) -> None:
    run = Run(dag_of(processing(LONG)), store=store)
    name = run.defer().identifier
    assert run.retry().defer().identifier == name


def test_a_model_is_created_once(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(MODEL), store=store)
    first = run.execute()
    assert run.retry().execute() == first
    assert run.clear().execute()["ModelName"] == f"{str(first['ModelName']).removesuffix('0-1')}1-1"


def test_a_model_package_is_registered_once(client: Any, store: FakeStore) -> None:
    group = f"group-{uuid4().hex[:8]}"
    step = {**REGISTER, "Arguments": {**REGISTER["Arguments"], "ModelPackageGroupName": group}}
    run = Run(dag_of(step), store=store)
    arn = run.defer().identifier
    until(
        lambda: (
            aws.describe(client, aws.Resource(run.task.job, arn))["ModelPackageStatus"]
            == "Completed"
        )
    )
    assert run.resume(arn)["ModelPackageArn"] == arn
    assert run.retry().execute()["ModelPackageArn"] == arn
    listed = client.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [package["ModelPackageArn"] for package in listed] == [arn]


# Endpoints, jobs of a category


@pytest.fixture
def play(aws_environment: LocalAWS) -> Iterator[Any]:
    """What sets scripts; they are gone when the test ends."""
    yield aws_environment.scripts.add
    aws_environment.scripts.replace()


@pytest.fixture
def name() -> str:
    return f"test-{uuid4().hex[:12]}"


# Nothing is served in these tests: the model has no artifact.
IN_SERVICE = [
    {
        "Kind": "Endpoint",
        "On": operation,
        "Moments": [{"Status": status, "Seconds": 0.2}, {"Status": "InService"}],
    }
    for operation, status in (("Create", "Creating"), ("Update", "Updating"))
]


@pytest.fixture
def configs(client: Any, name: str, play: Any) -> tuple[str, str]:
    """The names of two configurations; endpoints come into service by scripts."""
    play(*IN_SERVICE)
    client.create_model(ModelName=name, ExecutionRoleArn=ROLE, **MODEL["Arguments"])
    variant = {"VariantName": "V", "ModelName": name, "InstanceType": "ml.m5.large"}
    for each in "ab":
        client.create_endpoint_config(
            EndpointConfigName=f"{name}-{each}",
            ProductionVariants=[{**variant, "InitialInstanceCount": 1}],
        )
    return f"{name}-a", f"{name}-b"


def endpoint(name: str, config: str, store: FakeStore) -> Run:
    arguments = {"EndpointName": name, "EndpointConfigName": config}
    return Run(dag_of({"Name": "S", "Type": "Endpoint", "Arguments": arguments}), store=store)


def test_an_endpoint_is_created_and_then_updated_deferred(
    client: Any, name: str, configs: tuple[str, str]
) -> None:
    for config in configs:
        made = endpoint(name, config, FakeStore()).wait_deferred()
        assert (made["EndpointName"], made["EndpointConfigName"]) == (name, config)
        assert made["EndpointStatus"] == "InService"


def test_an_update_that_is_rolled_back_fails_the_task(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore, play: Any
) -> None:
    endpoint(name, configs[0], FakeStore()).wait_deferred()
    moments = [
        {"Status": "RollingBack", "Seconds": 0.2},
        {"Status": "InService", "FailureReason": "no ping"},
    ]
    play({"Kind": "Endpoint", "Name": name, "On": "Update", "Moments": moments})
    with pytest.raises(JobFailedError) as raised:
        endpoint(name, configs[1], store).wait_deferred()
    assert raised.value.reason == (
        "it was rolled back, or changed by another: "
        f"EndpointConfigName is {configs[0]!r} and not {configs[1]!r}; no ping"
    )
    assert raised.value.status == "InService"


def test_a_deferral_that_an_earlier_version_has_stored_is_resumed(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore
) -> None:
    run = endpoint(name, configs[0], store)
    run.defer()
    until(lambda: client.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    assert run.resume(name, "InService")["EndpointName"] == name


def test_an_update_waits_in_the_worker_for_another_to_end(
    client: Any, name: str, configs: tuple[str, str], play: Any
) -> None:
    endpoint(name, configs[0], FakeStore()).wait_deferred()
    moments = [{"Status": "Updating", "Seconds": 0.5}, {"Status": "InService"}]
    play({"Kind": "Endpoint", "Name": name, "On": "Update", "Times": 1, "Moments": moments})
    client.update_endpoint(EndpointName=name, EndpointConfigName=configs[1])
    made = endpoint(name, configs[0], FakeStore()).wait_deferred()
    assert made["EndpointConfigName"] == configs[0]


def test_an_endpoint_whose_task_a_user_has_ended_is_left_as_it_is(
    client: Any, name: str, configs: tuple[str, str], store: FakeStore, play: Any, caplog: Any
) -> None:
    moments = [{"Status": "Creating", "Seconds": 60}, {"Status": "InService"}]
    play({"Kind": "Endpoint", "Name": name, "Moments": moments})
    run = endpoint(name, configs[0], store)
    run.ti.state = TaskInstanceState.FAILED
    run.task.on_kill()
    with pytest.raises(WaitInterruptedError, match=f"{name} is left as it is"):
        run.execute()
    assert f"Endpoint {name} cannot be stopped: AWS has no call for it" in caplog.text


def category_job(store: FakeStore) -> Run:
    arguments = {
        "JobCategory": "AgentRFT",
        "JobConfigSchemaVersion": "1.0.0",
        "JobConfigDocument": "{}",
    }
    return Run(dag_of({"Name": "S", "Type": "Job", "Arguments": arguments}), store=store)


def test_a_job_without_its_category_fails_for_good(client: Any, store: FakeStore) -> None:
    dag = dag_of({"Name": "S", "Type": "Job", "Arguments": {"JobConfigDocument": "{}"}})
    with pytest.raises(AirflowFailException, match=r'Missing required .*: "JobCategory"'):
        Run(dag, store=store).execute()


def test_a_job_of_a_category_is_waited_for_deferred(
    client: Any, store: FakeStore, play: Any
) -> None:
    going = {"Status": "InProgress", "Seconds": 0.3}
    play({"Kind": "Job", "Moments": [going, {"Status": "Completed"}]})
    made = category_job(store).wait_deferred()
    assert (made["JobName"], made["JobStatus"]) == (store[jobs.KEY]["name"], "Completed")
    assert store[jobs.KEY]["told_apart"] == {"JobCategory": "AgentRFT"}


def test_a_job_of_a_category_is_stopped_where_its_wait_takes_too_long(
    client: Any, store: FakeStore, play: Any
) -> None:
    going = {"Status": "InProgress", "Seconds": 60}
    play({"Kind": "Job", "Moments": [going, {"Status": "Completed"}]})
    run = category_job(store)
    name = run.defer().identifier
    with pytest.raises(TaskDeferralTimeout):
        run.time_out()
    described = client.describe_job(JobName=name, JobCategory="AgentRFT")
    assert described["JobStatus"] in {"Stopping", "Stopped"}


# What no task can run


UNSUPPORTED = [name for name, row in STEP_TYPES.items() if not row.runs]


@pytest.mark.parametrize("step_type", UNSUPPORTED)
def test_an_unsupported_step_fails_for_good_and_says_what_to_do(step_type: str) -> None:
    pipelines = [load(path.read_bytes(), name="p") for path in PIPELINES.glob("*.json")]
    pipeline, step = next(
        (each, step) for each in pipelines for step in each.steps if step.type == step_type
    )
    task: Any = build_dag(pipeline).task_dict[step.name]
    with pytest.raises(AirflowFailException) as raised:
        task.execute({})
    assert str(raised.value) == (
        f"{step.where}: step {step.name!r} is of type {step_type}, which is not supported at run "
        "time yet; run it in SageMaker Pipelines, or put a task of your own in its place"
    )


# What is wrong for good

PARAMETERS: list[Step] = [
    {"Name": "Mode", "Type": "String", "EnumValues": ["a", "b"]},
    {"Name": "Count", "Type": "Integer"},
]


@pytest.mark.parametrize(
    "step",
    [
        processing(),
        {"Name": "S", "Type": "Fail", "Arguments": {}},
        {"Name": "S", "Type": "Condition", "Arguments": {"Conditions": []}},
    ],
    ids=lambda step: str(step["Type"]),
)
def test_wrong_parameters_fail_every_kind_of_step_for_good(
    client: Any, store: FakeStore, step: Step
) -> None:
    run = Run(dag_of(step, parameters=PARAMETERS), store=store, params={"Mode": "c", "Kount": 1})
    with pytest.raises(AirflowFailException) as raised:
        run.execute()
    assert str(raised.value) == (
        "parameter Kount: unknown; did you mean 'Count'?; the pipeline declares: Mode, Count\n"
        "parameter Mode: 'c' is not among its values; use one of: a, b\n"
        "parameter Count: missing; it has no default, give a value of type Integer"
    )
    assert store == {}


def test_no_role_fails_for_good(client: Any, store: FakeStore) -> None:
    with pytest.raises(AirflowFailException) as raised:
        Run(dag_of(processing(), role_arn=None), store=store).execute()
    assert str(raised.value) == (
        "$.Steps[0].Arguments.RoleArn: no role; "
        "give it here, as build_dag's role_arn or as [sm_pipelines] role_arn"
    )


def test_a_request_that_botocore_refuses_fails_for_good(client: Any, store: FakeStore) -> None:
    run = Run(dag_of(processing(ProcessingResources=None, Wrong=1)), store=store)
    with pytest.raises(AirflowFailException) as raised:
        run.execute()
    message = str(raised.value)
    assert message.startswith(
        "$.Steps[0].Arguments: step 'S' is no request that AWS takes; Parameter validation failed:"
    )
    assert "ProcessingResources" in message
    assert 'Unknown parameter in input: "Wrong"' in message


def test_a_value_that_is_not_there_fails_for_good(client: Any, store: FakeStore) -> None:
    reads = {"Get": "Steps.Other.ProcessingJobArn"}
    other = {**processing(), "Name": "Other"}
    run = Run(dag_of(other, processing(Environment={"A": reads})), store=store)
    run.ti.xcoms["Other", "return_value"] = {"ProcessingJobName": "x"}
    with pytest.raises(AirflowFailException) as raised:
        run.execute()
    assert str(raised.value) == (
        "$.Steps[1].Arguments.Environment.A.Get: step 'Other': 'ProcessingJobArn' is not in the "
        "result; did you mean 'ProcessingJobName'?; there are: ProcessingJobName"
    )


# Condition


def condition(*, holds: bool, if_steps: list[Step], else_steps: list[Step]) -> Step:
    equals = {"Type": "Equals", "LeftValue": 1, "RightValue": 1 if holds else 2}
    arguments = {"Conditions": [equals], "IfSteps": if_steps, "ElseSteps": else_steps}
    return {"Name": "S", "Type": "Condition", "Arguments": arguments}


def named(name: str, **keys: Any) -> Step:
    return {**processing(), "Name": name, **keys}


BRANCHES: dict[str, list[Step]] = {
    "if_steps": [named("A"), named("B", DependsOn=["A"])],
    "else_steps": [named("C", DependsOn=["Outside"])],
}
OUTSIDE = named("Outside", DependsOn=["S"])


@pytest.mark.parametrize(("holds", "skipped"), [(True, ["C"]), (False, ["A", "B"])])
def test_a_condition_skips_the_steps_of_the_other_branch_and_nothing_else(
    store: FakeStore, holds: bool, skipped: list[str]
) -> None:
    run = Run(dag_of(condition(holds=holds, **BRANCHES), OUTSIDE), store=store)
    with pytest.raises(DownstreamTasksSkipped) as raised:
        run.execute()
    assert raised.value.tasks == skipped
    assert run.ti.xcoms["S", OUTCOME] is holds
    assert next(iter(run.ti.xcoms)) == ("S", OUTCOME)


def test_a_condition_without_another_branch_skips_nothing(store: FakeStore) -> None:
    run = Run(dag_of(condition(holds=True, if_steps=[named("A")], else_steps=[])), store=store)
    assert run.execute() is None
    assert run.ti.xcoms == {("S", OUTCOME): True}


def test_a_condition_that_cannot_be_evaluated_fails_for_good(store: FakeStore) -> None:
    step = condition(holds=True, if_steps=[], else_steps=[])
    step["Arguments"]["Conditions"][0]["RightValue"] = "1"
    with pytest.raises(AirflowFailException) as raised:
        Run(dag_of(step), store=store).execute()
    assert str(raised.value) == (
        "$.Steps[0].Arguments.Conditions[0]: Equals cannot compare the number 1 with "
        "the string '1'; compare numbers with numbers and strings with strings"
    )


# Fail


def test_a_fail_step_fails_with_its_message(store: FakeStore) -> None:
    message = {"Std:Join": {"On": " ", "Values": ["Mode", {"Get": "Parameters.Mode"}, "{{ 1/0 }}"]}}
    step = {"Name": "S", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
    run = Run(dag_of(step, parameters=PARAMETERS[:1]), store=store, params={"Mode": "a"})
    with pytest.raises(AirflowFailException, match=r"^Mode a {{ 1/0 }}$"):
        run.execute()


def test_a_fail_step_without_a_message_says_which_it_is(store: FakeStore) -> None:
    step = {"Name": "S", "Type": "Fail", "Arguments": {}}
    with pytest.raises(AirflowFailException, match=r"^step S ends the run as failed$"):
        Run(dag_of(step), store=store).execute()
