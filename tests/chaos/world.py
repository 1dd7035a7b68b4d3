"""An Airflow with pipelines, and a local AWS in a process of its own, which outlives it."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from airflow_sm_pipelines.cli.background import LocalProcess
from airflow_sm_pipelines.local.sessions import neutral_session

from .airflow import Airflow, airflow, start

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

FINAL = frozenset({"success", "failed"})
KNOWN_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run has ended: its state and that of each task."""

    dag: str
    run: str
    state: str
    tasks: Mapping[str, str]


@dataclass(slots=True)
class World:
    """Both, at work."""

    airflow: Airflow
    root: Path
    variables: Mapping[str, str]

    def sagemaker(self) -> "SageMakerClient":
        """A client of the local AWS."""
        return boto3.Session(botocore_session=neutral_session()).client(
            "sagemaker",
            endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            region_name=self.variables["AWS_DEFAULT_REGION"],
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
        )

    def control(self, what: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """Set the scripts or the faults of the local AWS."""
        _control(self.variables["AWS_ENDPOINT_URL"], what, documents)

    def requests(self) -> list[dict[str, Any]]:
        """The requests to SageMaker that the local AWS has been sent."""
        endpoint_url = self.variables["AWS_ENDPOINT_URL"]
        with urllib.request.urlopen(f"{endpoint_url}/_local/requests") as answer:
            written: list[dict[str, Any]] = json.load(answer)["Requests"]
        return written

    def trigger(self, dag: str, run: str, **parameters: Any) -> None:
        """Start a run."""
        body = {"dag_run_id": run, "logical_date": None, "conf": parameters}
        try:
            self.airflow.call("POST", f"/dags/{dag}/dagRuns", body)
        except urllib.error.HTTPError as error:
            if error.code != 409:  # the answer to the first call may have been lost with the server
                raise

    def tasks(self, dag: str, run: str) -> dict[str, str]:
        """Task id -> state, of a run."""
        found = self.airflow.call("GET", f"/dags/{dag}/dagRuns/{run}/taskInstances")
        return {each["task_id"]: str(each["state"]) for each in found["task_instances"]}

    def task(self, dag: str, run: str, task: str) -> dict[str, Any]:
        """What Airflow tells of a task in a run."""
        path = f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}"
        told: dict[str, Any] = self.airflow.call("GET", path)
        return told

    def ended(self, dag: str, run: str) -> Ended | None:
        """How a run has ended; None while it has not."""
        state = self.airflow.call("GET", f"/dags/{dag}/dagRuns/{run}")["state"]
        return Ended(dag, run, state, self.tasks(dag, run)) if state in FINAL else None

    def await_dags(self, names: Iterable[str]) -> None:
        """Return when Airflow knows all these DAGs."""
        wanted = set(names)
        deadline = time.monotonic() + KNOWN_SECONDS
        while time.monotonic() < deadline:
            known = {dag["dag_id"] for dag in self.airflow.call("GET", "/dags?limit=100")["dags"]}
            if known >= wanted:
                return
            time.sleep(0.5)
        raise TimeoutError(f"Airflow does not know {wanted - known} after {KNOWN_SECONDS:.0f} s")


@contextmanager
def world(
    folder: Path,
    *,
    dags: Callable[[Path], Iterable[str]],
    scripts: Iterable[Mapping[str, Any]],
    database: str = "",
    settings: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """Both below `folder`, for as long as the block lasts.

    `dags` writes the DAG files and tells the ids of their DAGs.
    """
    with ExitStack() as stack:
        local = LocalProcess(root=folder / "aws", log=folder / "local-aws.log")
        stack.callback(local.stop)
        local.start()
        dags_folder = folder / "dags"
        dags_folder.mkdir()
        names = dags(dags_folder)
        served = local.wait_until_ready()
        _control(served.endpoint_url, "scripts", scripts)
        server = airflow(
            folder / "airflow",
            dags=dags_folder,
            settings={**served.environment, **(settings or {})},
            database=database,
        )
        stack.callback(server.stop)
        start(server)
        found = World(server, served.root, served.environment)
        found.await_dags(names)
        yield found


def _control(endpoint_url: str, what: str, documents: Iterable[Mapping[str, Any]]) -> None:
    request = urllib.request.Request(
        f"{endpoint_url}/_local/{what}",
        method="PUT",
        data=json.dumps({what.capitalize(): list(documents)}).encode(),
    )
    with urllib.request.urlopen(request):
        pass
