"""Which jobs of every kind can be adopted at all: how old, how ended, in progress or not."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_sm_pipelines import cache
from airflow_sm_pipelines.definition.durations import parse_duration
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.members import member
from airflow_sm_pipelines.scope import RunScope
from tests.caching.runs import FAILURES, CachedRun, KeptClients
from tests.caching.steps import CACHED
from tests.fakes import context

pytestmark = pytest.mark.parametrize("type_", CACHED)


@pytest.fixture
def start(gated: Any, type_: str) -> Any:
    """A run of one pipeline with a cached step of a type."""
    pipeline, step = uuid4().hex, gated(type_)
    return lambda run_id, **keys: CachedRun(step, pipeline=pipeline, run_id=run_id, **keys)


def identifier(type_: str, described: dict[str, Any]) -> Any:
    """What tells a job from all others."""
    job = STEP_TYPES[type_].job
    return described["Id" if type_ == "EMR" else job.describe_name] if job else None


def wanted(run: CachedRun) -> cache.Wanted:
    """What the run's sensor looks for, however old."""
    tasks: Any = run.dag.task_dict
    task = tasks["S.cache"]
    kept: Any = KeptClients()
    scope = RunScope(pipeline=task.pipeline, context=context(dag=run.dag), connection=kept)
    client = KeptClients().client(task.job.service)
    return cache.Wanted(
        step=task.step,
        job=task.job,
        pipeline=task.pipeline.name,
        requests=tasks["S"].requests(client, scope, None),
        oldest=None,
    )


def test_a_job_is_good_up_to_the_moment_it_expires(start: Any, becomes: Any, type_: str) -> None:
    becomes("Completed")
    first = start("first").go()
    asked = wanted(start("second"))
    created = datetime.fromisoformat(str(member(first, asked.job.created)))
    for late, hits in ((timedelta(0), True), (timedelta(milliseconds=1), False)):
        oldest = cache.oldest(parse_duration("T5H"), now=created + timedelta(hours=5) + late)
        client = KeptClients().client(asked.job.service)
        found = cache.look(client, replace(asked, oldest=oldest), most_pages=50)
        assert (found.hit is not None) == hits


def test_a_job_that_failed_is_never_adopted(start: Any, becomes: Any, type_: str) -> None:
    becomes("Failed")
    with pytest.raises(FAILURES):
        start("first").go()
    becomes("Completed")
    second = start("second")
    assert second.look() is None
    own = second.step()
    assert identifier(type_, start("third").go()) == identifier(type_, own)


def test_of_two_runs_at_once_the_second_waits_if_it_is_to(
    start: Any, becomes: Any, type_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    becomes("InProgress")
    going = start("first").begin()
    assert start("second").look() is None
    assert "does the same and is in progress" in capsys.readouterr().out
    with pytest.raises(TaskDeferred) as raised:
        start("third", wait_for_twin=True).look()
    trigger: Any = raised.value.trigger
    assert (trigger.identifier, trigger.owned) == (going, False)


def test_without_a_twin_two_runs_at_once_have_a_job_each(
    start: Any, becomes: Any, type_: str
) -> None:
    becomes("InProgress")
    assert start("first").begin() != start("second").begin()
