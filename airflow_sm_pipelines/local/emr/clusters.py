"""EMR's clusters and their steps, which really run, one after the other.

A cluster has no machines: a step is a process of this one. States and times are as EMR has them.
"""

import gzip
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import kept
from airflow_sm_pipelines.local.account import ACCOUNT_ID, now
from airflow_sm_pipelines.local.emr import spark
from airflow_sm_pipelines.local.emr.bench import Bench
from airflow_sm_pipelines.local.emr.steps import Fields, Step, code
from airflow_sm_pipelines.local.errors import AwsError, JobError

logger = logging.getLogger(__name__)

MakeBench = Callable[[str, Path], Bench]
"""A bench for a release label and a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where clusters are: a region, a folder, and what makes the bench of a step."""

    region: str
    folder: Path
    bench: MakeBench


class Cluster:
    """A cluster: it starts, runs its steps, and waits for more or ends.

    It is written to a file of its folder with every change.
    """

    def __init__(self, identifier: str, request: Fields, site: Site) -> None:
        self.id = identifier
        self.request = request
        self.folder = site.folder / identifier
        self.steps: list[Step] = []
        self.state = "STARTING"
        self.reason: dict[str, str] = {}
        self.times: dict[str, datetime] = {"CreationDateTime": now()}
        instances = request.get("Instances") or {}
        self.keeps_alive = bool(instances.get("KeepJobFlowAliveWhenNoSteps"))
        self.protected = bool(instances.get("TerminationProtected"))
        self._site = site
        self._closing = False
        self._lock = threading.RLock()
        self._threads: list[threading.Thread] = []

    @classmethod
    def start(cls, request: Fields, site: Site) -> "Cluster":
        """A new cluster, which starts."""
        cluster = cls(f"j-{code(13)}", request, site)
        cluster.add(request.get("Steps") or (), role=request.get("StepExecutionRoleArn"))
        cluster._in_thread(cluster._open)
        return cluster

    @classmethod
    def read(cls, value: Fields, site: Site) -> "Cluster":
        """The cluster that an earlier server has kept; raises LookupError where it is none.

        What was in progress when that server died has ended.
        """
        cluster = cls(value["Id"], value["Request"], site)
        cluster.steps = [Step.read(each, cluster.folder) for each in value["Steps"]]
        cluster.state, cluster.reason = value["State"], value["Reason"]
        cluster.times, cluster.protected = value["Times"], value["Protected"]
        if cluster.times.get("EndDateTime") is None:
            cluster._lose()
        return cluster

    @property
    def ended(self) -> bool:
        """Whether it takes no more steps."""
        return self.state in {"TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS"}

    def add(self, configs: Sequence[Fields], *, role: str | None) -> list[str]:
        """Add steps; their ids."""
        with self._changing():
            if self._closing:
                raise AwsError("ServiceUnavailable", STOPPED, 503)
            if self.ended:
                raise AwsError("ValidationException", SHUT_DOWN)
            if sum(step.active for step in self.steps) + len(configs) > MOST_ACTIVE:
                raise AwsError("ValidationException", TOO_MANY)
            added = [Step(config, role=role, folder=self.folder) for config in configs]
            self.steps += added
            self._advance()
        return [step.id for step in added]

    def step(self, identifier: str) -> Step:
        """The step of an id."""
        for step in self.steps:
            if step.id == identifier:
                return step
        raise AwsError("InvalidRequestException", f"Step id '{identifier}' is not valid.")

    def cancel(self, identifier: str, *, grace_seconds: float) -> dict[str, str]:
        """Cancel a step that has not ended; what CancelSteps answers of it."""
        with self._changing():
            step = next((each for each in self.steps if each.id == identifier), None)
            if step is None or not step.active:
                state = step.state if step else "unknown"
                reason = f"Step is in state {state}; it can not be cancelled."
                return {"StepId": identifier, "Status": "FAILED", "Reason": reason}
            step.cancelled = BY_USER
            if step.state == "PENDING":
                step.end("CANCELLED", reason=BY_USER)
                self._settle()
            else:
                step.command.terminate(grace_seconds=grace_seconds)
        return {"StepId": identifier, "Status": "SUBMITTED", "Reason": ""}

    def terminate(self, *, code: str, message: str, grace_seconds: float) -> None:
        """End the cluster and all of its steps."""
        with self._changing():
            if self.ended:
                return
            self.state = "TERMINATING"
            self.reason = {"Code": code, "Message": message}
            self._cancel_all(TERMINATED, grace_seconds=grace_seconds)
            self._settle()

    def protect(self, protected: bool) -> None:
        """Let it be terminated, or not."""
        with self._changing():
            self.protected = protected

    def close(self, *, grace_seconds: float) -> None:
        """End its processes as the server ends: one that stays without steps is there again."""
        with self._changing():
            self._closing = True
            self._cancel_all(STOPPED, grace_seconds=grace_seconds)
            self._settle()

    def described(self) -> dict[str, Any]:
        """What DescribeCluster answers."""
        echoed = ("LogUri", "ReleaseLabel", "Applications", "Tags", "ServiceRole")
        instances = self.request.get("Instances") or {}
        return {
            **self.summary(),
            **{key: self.request[key] for key in echoed if self.request.get(key)},
            "AutoTerminate": not self.keeps_alive,
            "TerminationProtected": self.protected,
            "VisibleToAllUsers": True,
            "StepConcurrencyLevel": self._at_once,
            "Ec2InstanceAttributes": {
                key: instances[key] for key in ("Ec2KeyName", "Ec2SubnetId") if instances.get(key)
            },
            "BootstrapActions": [],
        }

    def summary(self) -> dict[str, Any]:
        """What ListClusters answers of it."""
        return {
            "Id": self.id,
            "ClusterArn": self.arn,
            "Name": self.request["Name"],
            "Status": {
                "State": self.state,
                "StateChangeReason": self.reason,
                "Timeline": {key: moment.timestamp() for key, moment in self.times.items()},
            },
            "NormalizedInstanceHours": 0,
        }

    def join(self) -> None:
        """Return when its last process has ended."""
        for thread in list(self._threads):
            thread.join()

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:elasticmapreduce:{self._site.region}:{ACCOUNT_ID}:cluster/{self.id}"

    @property
    def _at_once(self) -> int:
        return int(self.request.get("StepConcurrencyLevel") or 1)

    def _open(self) -> None:
        """From STARTING to taking steps, at once: there are no machines to wait for."""
        with self._changing():
            if self.ended:
                return
            self.times["ReadyDateTime"] = now()
            self.state = "WAITING"
            self._settle()

    def _cancel_all(self, why: str, *, grace_seconds: float) -> None:
        for step in self.steps:
            if step.state == "PENDING":
                step.end("CANCELLED", reason=why)
            elif step.active:
                step.cancelled = why
                step.command.terminate(grace_seconds=grace_seconds)

    def _lose(self) -> None:
        """End what an earlier server has left in progress; steps that waited are not run."""
        with self._changing():
            for step in self.steps:
                if step.state == "PENDING":
                    step.end("CANCELLED", reason=DIED)
                elif step.active:
                    step.end("FAILED", failure={"Reason": "Unknown Error.", "Message": DIED})
                    self._act_on_failure(step)
            if not (self.keeps_alive or self.ended):
                self.terminate(code="INTERNAL_ERROR", message=DIED, grace_seconds=0)
            elif not self.ended:
                self.state = "WAITING"
            self._settle()

    def _settle(self) -> None:
        """Go on after something has ended: the next steps, or the cluster's own end."""
        active = [step for step in self.steps if step.active]
        if self.state == "TERMINATING":
            if not active:
                self.times["EndDateTime"] = now()
                errors = self.reason["Code"] in {"STEP_FAILURE", "INTERNAL_ERROR"}
                self.state = "TERMINATED_WITH_ERRORS" if errors else "TERMINATED"
            return
        if not active and not self.keeps_alive and self.state != "STARTING":
            end = ("INTERNAL_ERROR", STOPPED) if self._closing else DONE
            self.terminate(code=end[0], message=end[1], grace_seconds=0)
            return
        self._advance()

    def _advance(self) -> None:
        """Start as many pending steps as may run at once."""
        if self.state not in {"WAITING", "RUNNING"}:
            return
        running = sum(step.active and step.state != "PENDING" for step in self.steps)
        pending = [step for step in self.steps if step.state == "PENDING"]
        for step in pending[: max(0, self._at_once - running)]:
            step.state = "RUNNING"
            step.times["StartDateTime"] = now()
            self._in_thread(self._run, step)
        self.state = "RUNNING" if any(step.active for step in self.steps) else "WAITING"

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change it, which nobody else does meanwhile; what comes of it is kept."""
        with self._lock:
            yield
            self.folder.mkdir(parents=True, exist_ok=True)
            kept.write(self.folder / RECORD, {"Cluster": self._kept()})

    def _kept(self) -> dict[str, Any]:
        return {
            "Id": self.id,
            "Region": self._site.region,
            "Request": self.request,
            "State": self.state,
            "Reason": self.reason,
            "Times": self.times,
            "Protected": self.protected,
            "Steps": [step.kept() for step in self.steps],
        }

    def _in_thread(self, function: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(
            target=function, args=arguments, name=f"EMR {self.id}", daemon=True
        )
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _run(self, step: Step) -> None:
        """A step from its start to its end; never left RUNNING, whatever happens."""
        failure: dict[str, str] = {}
        try:
            code = self._carried_out(step)
            if code:
                failure = {"Reason": "Unknown Error.", "Message": step.told(code)}
        except (JobError, OSError) as error:
            failure = {"Reason": "Not executed by the local AWS.", "Message": str(error)}
        except Exception as error:
            logger.exception("step %s: the local AWS failed", step.id)
            failure = {"Reason": "Internal error", "Message": f"{type(error).__name__}: {error}"}
        if location := self._ship(step):
            failure = failure and {**failure, "LogFile": location}
        with self._changing():
            self._end(step, failure)

    def _carried_out(self, step: Step) -> int:
        """The exit code of the step's command."""
        work = step.folder / "work"
        work.mkdir(parents=True)
        bench = self._site.bench(str(self.request.get("ReleaseLabel") or ""), work)
        jar = step.config["HadoopJarStep"]
        ready = spark.of_jar(bench, jar["Jar"], jar.get("Args") or ())
        environment = bench.commands.environment(
            **ready.variables, EMR_CLUSTER_ID=self.id, EMR_STEP_ID=step.id
        )
        return step.command.run(ready.argv, environment=environment, folder=work, log=step.log)

    def _end(self, step: Step, failure: Fields) -> None:
        if step.cancelled:
            step.end("CANCELLED", reason=step.cancelled)
        elif failure:
            step.end("FAILED", failure=failure)
            self._act_on_failure(step)
        else:
            step.end("COMPLETED")
        self._settle()

    def _act_on_failure(self, step: Step) -> None:
        if step.on_failure in {"TERMINATE_CLUSTER", "TERMINATE_JOB_FLOW"} and not self.protected:
            self.terminate(code="STEP_FAILURE", message="Shut down as step failed", grace_seconds=0)
        elif step.on_failure == "CANCEL_AND_WAIT":
            for other in self.steps:
                if other.state == "PENDING":
                    other.end("CANCELLED", reason="Cancelled as a step before has failed")

    def _ship(self, step: Step) -> str:
        """Put the step's log where LogUri says; its URI, or ""."""
        uri = self.request.get("LogUri")
        if not uri or not step.log.exists():
            return ""
        packed = step.folder / "stdout.gz"
        packed.write_bytes(gzip.compress(step.log.read_bytes()))
        location = f"{str(uri).rstrip('/')}/{self.id}/steps/{step.id}/stdout.gz"
        location = location.replace("s3n://", "s3://").replace("s3a://", "s3://")
        try:
            self._site.bench("", step.folder).objects.upload(packed, location)
        except JobError as error:
            logger.warning("%s: %s", step.id, error)
            return ""
        return location


MOST_ACTIVE = 256

RECORD = "cluster.json"

BY_USER = "Step was cancelled by user"
TERMINATED = "Job terminated"
STOPPED = "The local AWS was stopped"
DIED = "The local AWS ended while the step was in progress"
DONE = ("ALL_STEPS_COMPLETED", "Steps completed")

SHUT_DOWN = "A job flow that is shutting down, terminated, or finished may not be modified."
TOO_MANY = (
    "Maximum number of active steps(State = 'Running', 'Pending' or 'Cancel_Pending') "
    "for cluster exceeded."
)
