"""The two processes that the tests of a session share: the local AWS, and Airflow."""

import os
from pathlib import Path
from typing import Any, Self

from airflow_sm_pipelines.testing.child import Child, Message
from airflow_sm_pipelines.testing.space import SmLocal

_PACKAGE = "airflow_sm_pipelines.testing"
_START_SECONDS = 60.0

# What a user has set for an AWS or an Airflow of his own, and for warnings of his own code.
_NOT_PASSED_ON = ("AIRFLOW", "AWS_", "PYTHONWARNINGS")


class Session:
    """Serves one local AWS after another; Airflow is started with the first pipeline."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._host: Child | None = None
        self._runner: Child | None = None
        self._endpoint_url = ""

    def begin(self, root: Path) -> SmLocal:
        """A local AWS in `root`, with nothing in it."""
        if self._host is None or not self._host.alive:
            self._host = self._started("host")
        told = self._host.ask({"Root": str(root)}, timeout_seconds=_START_SECONDS)
        if told["EndpointUrl"] != self._endpoint_url:
            self._endpoint_url = told["EndpointUrl"]
            self._end_runner()  # it keeps clients of the other one
        return SmLocal(
            endpoint_url=told["EndpointUrl"],
            environment=told["Environment"],
            account_id=told["AccountId"],
            region=told["Region"],
            role_arn=told["RoleArn"],
            bucket=told["Bucket"],
            root=root,
            run=self._run,
        )

    def end(self) -> None:
        """End the local AWS and its jobs."""
        if self._host is not None and self._host.alive:
            self._host.ask({}, timeout_seconds=_START_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_runner()
        if self._host is not None:
            self._host.stop()

    def _run(self, question: Message, timeout_seconds: float) -> dict[str, Any]:
        """What the runner answers; it is started where there is none."""
        if self._runner is None or not self._runner.alive:
            home = self._folder / "airflow"
            home.mkdir(exist_ok=True)
            self._runner = self._started("runner", str(home))
        return self._runner.ask(question, timeout_seconds=timeout_seconds)

    def _end_runner(self) -> None:
        if self._runner is not None:
            self._runner.stop()
            self._runner = None

    def _started(self, module: str, *arguments: str) -> Child:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)
        }
        log = self._folder / f"{module}.log"
        return Child(f"{_PACKAGE}.{module}", *arguments, log=log, environment=environment)
