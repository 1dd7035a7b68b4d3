"""Triggers in Airflow's own trigger runner, without a database.

    python benchmarks/triggerer/run.py < workload.json > outcome.json

The runner is a process of its own, as in `airflow triggerer`, and so is what it costs. Its
supervisor is Airflow's too, but is told here what to run and which connections there are, and notes
what has fired instead of storing it. It needs Airflow alone, so that triggers of any environment
can be run.

`connections` are, by their ids, what each look-up finds, one after another; the last stays. Others
are looked for in the environment.
"""

import json
import os
import resource
import signal
import sys
import time
from pkgutil import resolve_name
from types import SimpleNamespace
from typing import Any

# Before Airflow is imported: the arguments of triggers are encrypted on their way to the runner.
os.environ["AIRFLOW__CORE__FERNET_KEY"] = "0" * 43 + "="

from airflow.executors.workloads.trigger import RunTrigger
from airflow.jobs.triggerer_job_runner import TriggerRunnerSupervisor
from airflow.models.trigger import Trigger
from airflow.sdk.api.datamodels._generated import ConnectionResponse
from airflow.sdk.exceptions import ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse


class Supervisor(TriggerRunnerSupervisor):
    """Airflow's supervisor, without what it asks the database."""

    def expect(self, triggers: list[dict[str, Any]], *, seconds: float) -> None:
        """Run these triggers until all have fired, so many seconds at most."""
        self.fired: dict[int, Any] = {}
        self.failed: dict[int, Any] = {}
        self.count = len(triggers)
        self.deadline = time.monotonic() + seconds
        for number, trigger in enumerate(triggers):
            encrypted = Trigger.encrypt_kwargs(trigger["kwargs"])
            self.creating_triggers.append(
                RunTrigger(id=number, classpath=trigger["classpath"], encrypted_kwargs=encrypted)
            )

    def serve(self, connections: dict[str, list[dict[str, Any]]]) -> None:
        """Answer look-ups of connections."""

        def get(conn_id: str) -> ConnectionResponse | ErrorResponse:
            answers = connections.get(conn_id)
            if not answers:
                return ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            return ConnectionResponse(conn_id=conn_id, **found)

        client: Any = SimpleNamespace(connections=SimpleNamespace(get=get))
        self.client = client

    def load_triggers(self) -> None: ...

    def heartbeat(self) -> None: ...

    def clean_unused(self) -> None: ...

    def metric_tags(self) -> dict[str, str]:
        return {"hostname": "localhost"}

    def should_stop(self) -> bool:
        return len(self.fired) + len(self.failed) == self.count or time.monotonic() > self.deadline

    def on_trigger_event(self, trigger_id: int, event: Any) -> None:
        self.fired[trigger_id] = event.payload

    def on_trigger_failure(self, trigger_id: int, exc: list[str] | None) -> None:
        self.failed[trigger_id] = exc


def main() -> None:
    """Run the triggers; write what has fired, and what the runner's process has taken."""
    workload = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what triggers log is not the answer
    for classpath in {trigger["classpath"] for trigger in workload["triggers"]}:
        resolve_name(classpath)  # a triggerer imports it once in its life
    supervisor = Supervisor.start(capacity=len(workload["triggers"]))
    supervisor.serve(workload.get("connections", {}))
    supervisor.expect(workload["triggers"], seconds=workload["seconds"])
    began = time.time()
    supervisor.run()
    took = time.time() - began
    supervisor.kill(signal.SIGTERM, force=True)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcome = {
        "fired": supervisor.fired,
        "failed": supervisor.failed,
        "seconds": took,
        "cpu_seconds": spent.ru_utime + spent.ru_stime,
        "peak_megabytes": spent.ru_maxrss / 1024,
    }
    json.dump(outcome, answers)


if __name__ == "__main__":
    main()
