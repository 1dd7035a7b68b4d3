"""A cached step in runs of its DAG: its sensor, then itself, as Airflow starts them."""

import asyncio
import copy
import functools
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from airflow_sm_pipelines import aws, build_dag, load
from airflow_sm_pipelines.errors import JobFailedError
from airflow_sm_pipelines.hits import HIT, sensor_id
from tests.fakes import STARTED, FakeStore, FakeTaskInstance, context

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
RETRIES = 3
FAILURES = (JobFailedError, AirflowFailException)
"""What a step fails with, the latter where Airflow asks no retry policy: before 3.3."""


@dataclass(frozen=True)
class KeptClients:
    """The connection aws_default, with one client of a service for all tasks: they take long."""

    conn_id: str = "aws_default"
    region_name: str | None = None

    def client(self, service: str, **_: Any) -> Any:
        return _client(service, os.environ["AIRFLOW_CONN_AWS_DEFAULT"])


@functools.cache
def _client(service: str, connection: str) -> Any:
    return aws.Connection("aws_default").client(service)


class CachedRun:
    """The step S of a definition in one run; what Airflow keeps of it is shared by its tries."""

    def __init__(
        self,
        step: dict[str, Any],
        *,
        pipeline: str,
        run_id: str = "run",
        params: dict[str, Any] | None = None,
        **keys: Any,
    ) -> None:
        kept = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
        definition = {"Version": "2020-12-01", "Steps": [{**kept, **step, "Name": "S"}]}
        self.dag = build_dag(load(json.dumps(definition), name=pipeline), role_arn=ROLE, **keys)
        self.params = params or {}
        self.run_id = run_id
        self.run = SimpleNamespace(run_after=STARTED, clear_number=0)
        self.xcoms: dict[tuple[str, str], Any] = {}
        self.store = FakeStore()
        self.max_tries = dict.fromkeys(("S", "S.cache"), RETRIES)

    def go(self) -> Any:
        """What the step hands on after its sensor has looked."""
        self.look()
        return self.step()

    def look(self) -> dict[str, Any] | None:
        """The job that the sensor has found."""
        self._start("S.cache")
        return self.found

    def step(self) -> Any:
        """What the step hands on."""
        return self._start("S")

    def begin(self) -> str:
        """The name of the job that the step has created; the task is waiting for it."""
        self.look()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "0")
            with pytest.raises(TaskDeferred) as raised:
                self.step()
        trigger: Any = raised.value.trigger
        return str(trigger.identifier)

    def time_out(self) -> Any:
        """What the sensor makes of a twin that takes too long."""
        task, running = self._begin("S.cache")
        return task.resume_execution("__fail__", {"error": "Trigger timeout"}, running)

    def wait(self, meanwhile: Callable[[], None] = lambda: None) -> dict[str, Any] | None:
        """The job that the sensor has waited for; what happens `meanwhile` is done by then."""
        task, running = self._begin("S.cache")
        with pytest.raises(TaskDeferred) as raised:
            task.execute(running)
        meanwhile()
        deferred: Any = raised.value
        deferred.trigger.first_look_seconds = 0
        event = asyncio.run(anext(deferred.trigger.run())).payload
        task.resume_execution("resume", {"event": event}, running)
        return self.found

    def clear(self, *tasks: str) -> None:
        """What Airflow does when a user clears these tasks, which have had one more try."""
        self.run.clear_number += 1
        for task in tasks:
            self.max_tries[task] += 1

    @property
    def found(self) -> dict[str, Any] | None:
        """The job that the sensor has handed on."""
        return self.xcoms.get((sensor_id("S"), HIT))

    def _start(self, task_id: str) -> Any:
        task, running = self._begin(task_id)
        return task.execute(running)

    def _begin(self, task_id: str) -> tuple[Any, Any]:
        task: Any = copy.copy(self.dag.task_dict[task_id])
        task.connection = KeptClients()
        running = context(dag=self.dag, params=self.params, run_id=self.run_id, store=self.store)
        running["dag_run"] = self.run
        running["ti"] = FakeTaskInstance(
            task_id=task_id,
            dag_id=self.dag.dag_id,
            run_id=self.run_id,
            max_tries=self.max_tries[task_id],
            xcoms=self.xcoms,
        )
        for key in [key for key in self.xcoms if key[0] == task_id]:
            del self.xcoms[key]  # as Airflow does when a try starts
        return task, running


def told_by(capsys: pytest.CaptureFixture[str], word: str) -> list[str]:
    """What the log has said since it was last read, in lines that begin with `miss: ` or so."""
    return re.findall(rf" {word}: (.*?)\s+\[airflow", capsys.readouterr().out)
