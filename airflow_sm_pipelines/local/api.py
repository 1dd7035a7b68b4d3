"""SageMaker's API: which operation is answered by what.

To add an operation: a row in one of the tables that `Api` puts together. A handler gets a request
that has been checked against the service model; what it returns is cut to what the operation
answers with.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from airflow_sm_pipelines.local import contradictions, listing, shapes
from airflow_sm_pipelines.local.callbacks import LISTED, Callbacks
from airflow_sm_pipelines.local.calls import reads
from airflow_sm_pipelines.local.components import Components
from airflow_sm_pipelines.local.control.faults import Faults
from airflow_sm_pipelines.local.errors import AwsError, invalid
from airflow_sm_pipelines.local.executions.service import Executions
from airflow_sm_pipelines.local.experiments import Experiments
from airflow_sm_pipelines.local.hosting import Hosting
from airflow_sm_pipelines.local.job import Fields, JobKind
from airflow_sm_pipelines.local.jobs import Jobs, unknown
from airflow_sm_pipelines.local.packages import Packages, Replayed
from airflow_sm_pipelines.local.registry import (
    COMPONENT,
    ENDPOINT,
    ENDPOINT_CONFIG,
    EXPERIMENT,
    KINDS,
    MODEL,
    PACKAGE,
    TRIAL,
    TRIAL_COMPONENT,
    Kind,
    Registry,
)
from airflow_sm_pipelines.local.search import Rows, search

Handler = Callable[[Fields], Fields | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The JSON answer to a request; whether it had an effect, and the ARN of what it created."""

    content: bytes
    effect: bool
    created: str = ""


_WITHOUT_AIRFLOW = (
    " without Airflow; `airflow-sm local` has it, and `airflow-sm run pipeline:NAME --connection "
    "aws_default` runs a pipeline of any local AWS"
)
_INSTEAD = dict.fromkeys(("StartPipelineExecution", "RetryPipelineExecution"), _WITHOUT_AIRFLOW)

_NEVER_PASSED_ON = re.compile(r"Job|Model|Endpoint|Inference|PipelineExecution|^Search$")


class Api:
    """The SageMaker operations that the local AWS answers itself."""

    def __init__(
        self,
        jobs: Jobs,
        registry: Registry,
        *,
        kinds: tuple[JobKind, ...],
        faults: Faults,
        executions: Executions | None = None,
    ) -> None:
        self._faults = faults
        self._jobs = jobs
        self.registry = registry
        self._tags = registry.tags
        self._experiments = Experiments(registry)
        notes = registry.notes("Callback")
        self.callbacks = executions.callbacks if executions else Callbacks(notes)
        # Kind of resource, as ARNs have it -> what raises where there is none of an ARN.
        self._finders: dict[str, Callable[[str], object]] = {
            **{kind.slug: partial(jobs.find, kind) for kind in kinds},
            **{kind.slug: partial(registry.get, kind) for kind in KINDS.values()},
        }
        self._operations: dict[str, Handler] = {
            **self._tag_operations(),
            **_recorded_operations(registry),
            **_package_operations(Packages(registry)),
            **_experiment_operations(self._experiments),
            "SendPipelineExecutionStepSuccess": self.callbacks.succeed,
            "SendPipelineExecutionStepFailure": self.callbacks.fail,
            LISTED: self.callbacks.steps,
            **(executions.operations() if executions else {}),
        }
        rows: dict[str, Rows] = {
            **{kind.noun: partial(jobs.descriptions, kind) for kind in kinds},
            **{kind.noun: partial(registry.descriptions, kind) for kind in KINDS.values()},
        }
        self._operations["Search"] = lambda request: search(request, rows, registry.tags.get)
        for kind in kinds:
            self._operations |= self._job_operations(kind)
        for recorded in KINDS.values():
            self._operations |= self._read_operations(recorded)

    def answers(self, operation: str, body: bytes) -> bool:
        """Whether this request is answered here; the others are moto's."""
        if operation in self._tag_operations():
            return _kind(str(_parsed(body).get("ResourceArn"))) in self._finders
        return (
            operation in self._operations
            or shapes.operation(operation) is None
            or _NEVER_PASSED_ON.search(operation) is not None
        )

    def check(self, operation: str, body: bytes) -> None:
        """Raise `AwsError` where a request of moto's part is not as the service model says."""
        shapes.check(operation, _parsed(body))

    def answer(self, operation: str, body: bytes) -> Told:
        """What is answered to a request; raises `AwsError`."""
        if shapes.operation(operation) is None:
            raise AwsError("UnknownOperationException", f"SageMaker has no operation {operation!r}")
        if operation not in self._operations:
            instead = _INSTEAD.get(operation, "")
            raise invalid(f"{operation} is not there in the local AWS{instead}")
        parsed = _parsed(body)
        shapes.check(operation, parsed)
        request = {key: value for key, value in parsed.items() if value is not None}
        if operation in contradictions.RULES:
            contradictions.check(operation, request)
        answer = self._operations[operation](request) or {}
        effect = not (reads(operation) or isinstance(answer, Replayed))
        created = next(iter(answer.values())) if effect and operation.startswith("Create") else ""
        if created and "Tags" in request:
            self._tags.add(created, request["Tags"])
        content = json.dumps(shapes.answered(operation, answer), default=_wire).encode()
        return Told(content=content, effect=effect, created=created)

    def _job_operations(self, kind: JobKind) -> dict[str, Handler]:
        def create(request: Fields) -> Fields:
            self._experiments.check(request)
            job = self._jobs.create(kind, request)
            self._experiments.join(job)
            return {f"{kind.noun}Arn": job.arn}

        def describe(request: Fields) -> Fields:
            job = self._jobs.get(kind, request)
            if self._faults.hides(job.arn):
                raise unknown(kind, job.name)
            return job.describe()

        def stop(request: Fields) -> None:
            self._jobs.stop(kind, request)

        def delete(request: Fields) -> None:
            self._tags.forget(self._jobs.delete(kind, request))

        def read(answer: Callable[[Fields, Fields], Fields], request: Fields) -> Fields:
            return answer(describe(request), request)

        name = f"List{kind.noun}s"
        return {
            **{each: partial(read, answer) for each, answer in kind.reads.items()},
            **({f"Delete{kind.noun}": delete} if kind.deletes else {}),
            f"Create{kind.noun}": create,
            f"Describe{kind.noun}": describe,
            f"Stop{kind.noun}": stop,
            name: lambda request: self._page(name, request, self._jobs.descriptions(kind)),
        }

    def _read_operations(self, kind: Kind) -> dict[str, Handler]:
        def describe(request: Fields) -> Fields:
            described = self.registry.get(kind, request[kind.name_key])
            arn = described[kind.arn_key]
            if self._faults.hides(arn):
                raise kind.unknown(arn)
            return described

        name = f"List{kind.noun}s"
        return {
            f"Describe{kind.noun}": describe,
            name: lambda request: self._page(name, request, self.registry.descriptions(kind)),
        }

    def _page(self, name: str, request: Fields, rows: Iterable[Fields]) -> Fields:
        """A page of the rows that can be seen."""
        arn = f"{listing.LISTINGS[name].noun}Arn"
        return listing.page(name, request, self._faults.seen(rows, arn=arn))

    def _tag_operations(self) -> dict[str, Handler]:
        def tagged(request: Fields) -> str:
            """The ARN of the request as SageMaker writes it; raises where nothing has it."""
            arn: str = request["ResourceArn"].lower()
            self._finders[_kind(arn)](arn)
            return arn

        return {
            "AddTags": lambda request: self._tags.add(tagged(request), request["Tags"]),
            "ListTags": lambda request: self._tags.get(tagged(request)),
            "DeleteTags": lambda request: self._tags.remove(tagged(request), request["TagKeys"]),
        }


def _recorded_operations(registry: Registry) -> dict[str, Handler]:
    hosting = Hosting(registry)
    components = Components(registry)

    def delete(kind: Kind, request: Fields) -> None:
        registry.delete(kind, request[kind.name_key])

    return {
        "CreateModel": hosting.create_model,
        "DeleteModel": partial(delete, MODEL),
        "CreateEndpointConfig": hosting.create_endpoint_config,
        "DeleteEndpointConfig": partial(delete, ENDPOINT_CONFIG),
        "CreateEndpoint": hosting.create_endpoint,
        "UpdateEndpoint": hosting.update_endpoint,
        "UpdateEndpointWeightsAndCapacities": hosting.update_weights,
        "DeleteEndpoint": partial(delete, ENDPOINT),
        "CreateInferenceComponent": components.create,
        "UpdateInferenceComponent": components.update,
        "DeleteInferenceComponent": partial(delete, COMPONENT),
        "DeleteModelPackage": partial(delete, PACKAGE),
    }


def _package_operations(packages: Packages) -> dict[str, Handler]:
    return {
        "CreateModelPackageGroup": packages.create_group,
        "DeleteModelPackageGroup": packages.delete_group,
        "CreateModelPackage": packages.create,
        "UpdateModelPackage": packages.update,
    }


def _experiment_operations(experiments: Experiments) -> dict[str, Handler]:
    changes: dict[str, Callable[[Kind, Fields], Fields]] = {
        "Update": experiments.update,
        "Delete": experiments.delete,
    }
    return {
        "CreateExperiment": experiments.create_experiment,
        "CreateTrial": experiments.create_trial,
        "CreateTrialComponent": experiments.create_component,
        "AssociateTrialComponent": experiments.associate,
        "DisassociateTrialComponent": experiments.disassociate,
        **{
            f"{verb}{kind.noun}": partial(change, kind)
            for verb, change in changes.items()
            for kind in (EXPERIMENT, TRIAL, TRIAL_COMPONENT)
        },
    }


def _kind(arn: str) -> str:
    """The kind of resource that an ARN of SageMaker names, or ""."""
    found = re.match(r"arn:[\w-]+:sagemaker:[\w-]*:\d*:([\w-]+)/", arn)
    return found[1].lower() if found else ""


def _parsed(body: bytes) -> dict[str, Any]:
    """A request body as the JSON object that it must be."""
    try:
        request = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise AwsError("SerializationException", f"the request is no JSON: {error}") from error
    if not isinstance(request, dict):
        raise AwsError("SerializationException", "the request is no JSON object")
    return request


def _wire(value: object) -> float:
    """A time as the protocol writes it; nothing else in an answer is not JSON already."""
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} cannot be part of an answer")
