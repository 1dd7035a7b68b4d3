"""The operations on executions of pipelines."""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.definition import Pipeline, bind_text, load
from airflow_sm_pipelines.errors import DefinitionError, ParameterError
from airflow_sm_pipelines.local import listing
from airflow_sm_pipelines.local.account import Account, now
from airflow_sm_pipelines.local.callbacks import LISTED, Callbacks
from airflow_sm_pipelines.local.errors import AwsError, KeptError, invalid
from airflow_sm_pipelines.local.executions.engine import DIED, Engine
from airflow_sm_pipelines.local.executions.execution import (
    FINAL,
    RECORD,
    STATUS,
    Execution,
    Fields,
    Find,
    read,
)
from airflow_sm_pipelines.local.executions.runner import ORDER, PIPELINE
from airflow_sm_pipelines.local.executions.selection import Reuse, of_retry, of_selection

logger = logging.getLogger(__name__)


class Executions:
    """The executions of this server's pipelines, in folders below `folder`.

    `stored` gives the request that has made a pipeline. Without an `engine` none can be started.
    """

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        stored: Callable[[str], Fields | None],
        find: Find,
        callbacks: Callbacks,
        engine: Engine | None = None,
    ) -> None:
        self.callbacks = callbacks
        self._account = account
        self._folder = folder
        self._stored = stored
        self._find = find
        self._engine = engine
        self._lock = threading.Lock()
        self._executions = {each.arn: each for each in _earlier(folder, find)}
        self._tokens = {
            each.request["ClientRequestToken"]: each for each in self._executions.values()
        }

    def operations(self) -> dict[str, Callable[[Fields], Fields | None]]:
        """Operation -> what answers it; none starts or retries an execution without an engine."""
        runs = {"StartPipelineExecution": self._start, "RetryPipelineExecution": self._retry}
        return {
            **(runs if self._engine else {}),
            "DescribePipelineExecution": lambda request: self._get(request).describe(),
            "DescribePipelineDefinitionForExecution": self._definition,
            "ListPipelineExecutions": self._list,
            LISTED: self._list_steps,
            "ListPipelineParametersForExecution": self._list_parameters,
            "StopPipelineExecution": self._stop,
            "UpdatePipelineExecution": self._update,
        }

    def forget(self, pipeline: str) -> None:
        """Know the executions of a pipeline no longer, whose folders stay.

        Raises a ConflictException where one is in progress.
        """
        with self._lock:
            found = self._of(pipeline)
            for execution in found:
                if not execution.final:
                    # The code is one of DeletePipeline's; the wording is inferred.
                    raise AwsError(
                        "ConflictException", f"{execution.arn} is in progress; stop it first."
                    )
            for execution in found:
                execution.forget()
                del self._executions[execution.arn]
                del self._tokens[execution.request["ClientRequestToken"]]

    def close(self) -> None:
        """End every execution."""
        if self._engine is not None:
            self._engine.close()

    def _start(self, request: Fields) -> Fields:
        for member, why in _REFUSED.items():
            if member in request:
                raise invalid(f"{member} is not there in the local AWS: {why}")
        stored = self._pipeline(request["PipelineName"])
        pipeline, values = _bound(stored, request)
        reuse = self._reuse(pipeline, request)
        token = request["ClientRequestToken"]
        with self._lock:
            known = self._tokens.get(token)
            if known is None:
                known = self._tokens[token] = self._begin(stored, request, values, reuse)
            elif known.request != request:
                # That it is refused is inferred: the operation is documented as idempotent.
                raise AwsError(
                    "ConflictException", f"token {token!r} has been used for a different request"
                )
        return {"PipelineExecutionArn": known.arn}

    def _pipeline(self, asked: str) -> Fields:
        """The request that has made a pipeline; raises where there is none of the name or ARN."""
        name = asked.rpartition("/")[2]
        stored = self._stored(name)
        if stored is None:
            arn = self._account.arn("pipeline", name)
            raise AwsError("ResourceNotFound", f"Pipeline '{arn}' does not exist.")
        return stored

    def _reuse(self, pipeline: Pipeline, request: Fields) -> Reuse:
        """What an execution takes of another one."""
        config = request.get("SelectiveExecutionConfig")
        if config is None:
            return Reuse()
        arn = config.get("SourcePipelineExecutionArn")
        source = self._get({"PipelineExecutionArn": arn}) if arn else None
        if source and source.pipeline.name != pipeline.name:
            raise invalid(f"Invalid SourcePipelineExecutionArn: {arn} is of another pipeline.")
        return of_selection(pipeline, config, source)

    def _begin(
        self, stored: Fields, request: Fields, values: Mapping[str, Any], reuse: Reuse
    ) -> Execution:
        """A new execution, to be run as soon as there is room."""
        assert self._engine is not None, "without one there is no such operation"
        started = now()
        make_id = self._engine.execution_id
        while (self._folder / (id_ := make_id(stored["PipelineName"], started))).exists():
            started += timedelta(milliseconds=1)
        pipeline = _pipeline(stored, request)
        arn = self._account.arn("pipeline", stored["PipelineName"])
        execution_arn = f"{arn}/execution/{id_}"
        folder = self._folder / id_
        folder.mkdir(parents=True)
        order = {
            "PipelineExecutionArn": execution_arn,
            "StartTime": started.isoformat(),
            "Parameters": values,
            **reuse.order(),
        }
        for name, content in ((PIPELINE, pipeline), (ORDER, order)):
            (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")
        fields = {
            "PipelineExecutionDisplayName": f"execution-{int(started.timestamp() * 1000)}",
            **request,
            "PipelineArn": arn,
            "PipelineExecutionArn": execution_arn,
            STATUS: "Executing",
            "CreationTime": started,
            "LastModifiedTime": started,
            **{key: pipeline[key] for key in _DESCRIBED if key in pipeline},
        }
        execution = Execution(
            folder, request=request, parameters=_texts(values), fields=fields, find=self._find
        )
        execution.write()
        self._executions[execution_arn] = execution
        self._engine.run(execution)
        return execution

    def _retry(self, request: Fields) -> Fields:
        assert self._engine is not None, "without one there is no such operation"
        execution, token = self._get(request), request["ClientRequestToken"]
        changes = {key: request[key] for key in _DESCRIBED if key in request}
        with self._lock:
            if token not in execution.retries:
                reuse = of_retry(execution, times=len(execution.retries) + 1)
                execution.begin_again(reuse.order(), token=token, changes=changes)
                self._engine.run(execution)
        return {"PipelineExecutionArn": execution.arn}

    def _stop(self, request: Fields) -> Fields:
        execution = self._get(request)
        status = execution.describe()[STATUS]
        if status in FINAL or self._engine is None:
            # The code is one of the operation's; the wording is inferred.
            raise AwsError(
                "ConflictException",
                f"{execution.arn} is {status}; only an execution that is Executing can be stopped.",
            )
        self._engine.stop(execution)
        return {"PipelineExecutionArn": execution.arn}

    def _update(self, request: Fields) -> Fields:
        execution = self._get(request)
        if "ParallelismConfiguration" in request:
            raise invalid("ParallelismConfiguration cannot be changed while an execution runs here")
        execution.update(**request)
        return {"PipelineExecutionArn": execution.arn}

    def _get(self, request: Fields) -> Execution:
        arn = request["PipelineExecutionArn"]
        found = self._executions.get(arn)
        if found is None:
            # The code is the only one of these operations; the wording is inferred.
            raise AwsError("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")
        return found

    def _definition(self, request: Fields) -> Fields:
        execution = self._get(request)
        pipeline = json.loads((execution.folder / PIPELINE).read_text(encoding="utf-8"))
        created = execution.describe()["CreationTime"]
        return {"PipelineDefinition": pipeline["PipelineDefinition"], "CreationTime": created}

    def _list(self, request: Fields) -> Fields:
        name = self._pipeline(request["PipelineName"])["PipelineName"]
        rows = [
            {
                "PipelineExecutionName": each.arn,  # others are listed by a name, too
                "StartTime": described["CreationTime"],
                "PipelineExecutionFailureReason": described.get("FailureReason"),
                **described,
            }
            for each in self._of(name)
            for described in (each.describe(),)
        ]
        return listing.page("ListPipelineExecutions", request, rows)

    def _of(self, pipeline: str) -> list[Execution]:
        """The executions of a pipeline."""
        arn = self._account.arn("pipeline", pipeline)
        known = list(self._executions.values())
        return [each for each in known if each.describe()["PipelineArn"] == arn]

    def _list_steps(self, request: Fields) -> Fields:
        execution = self._executions.get(request.get("PipelineExecutionArn", ""))
        if execution is None:  # of an Airflow of the user's: its callbacks are known
            return self.callbacks.steps(request)
        rows = _numbered("PipelineExecutionStep", execution.steps())
        return listing.page(LISTED, request, rows)

    def _list_parameters(self, request: Fields) -> Fields:
        values = self._get(request).parameters
        rows = _numbered("Parameter", ({"Name": key, "Value": values[key]} for key in values))
        return listing.page("ListPipelineParametersForExecution", request, rows)


def _bound(stored: Fields, request: Fields) -> tuple[Pipeline, dict[str, Any]]:
    """A pipeline, and all values of an execution; raises what the service answers."""
    given = {each["Name"]: each.get("Value", "") for each in request.get("PipelineParameters", ())}
    try:
        pipeline = load(stored["PipelineDefinition"], name=stored["PipelineName"])
        return pipeline, bind_text(pipeline, given)
    except ParameterError as error:
        raise invalid(str(error)) from error
    except DefinitionError as error:
        raise invalid(f"Unable to parse pipeline definition. {error}") from error


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


def _pipeline(stored: Fields, request: Fields) -> dict[str, Any]:
    """A pipeline as DescribePipeline answers, with what is given for one execution alone."""
    given = {key: request[key] for key in _DESCRIBED if key in request}
    return {key: stored[key] for key in _PIPELINE if key in stored} | given


def _numbered(noun: str, rows: Iterable[Fields]) -> list[Fields]:
    """Rows with what a list is sorted by, which no answer has: their order."""
    return [
        {"CreationTime": number, f"{noun}Arn": "", f"{noun}Name": str(number), **row}
        for number, row in enumerate(rows, start=1)
    ]


def _earlier(folder: Path, find: Find) -> list[Execution]:
    """The executions of earlier servers, oldest first; none is in progress."""
    found = []
    for file in folder.glob(f"*/{RECORD}"):
        try:
            execution = read(file.parent, find)
            if not execution.final:
                execution.finish("Failed", DIED)
        except (KeptError, LookupError, TypeError, AttributeError, OSError) as error:
            logger.warning("%s: left out: %s", file, error)
            continue
        found.append(execution)
    return sorted(found, key=lambda each: (each.describe()["CreationTime"], each.arn))


_DESCRIBED = ("ParallelismConfiguration", "RoleArn")
_PIPELINE = (
    "PipelineName",
    "PipelineDisplayName",
    "PipelineDescription",
    "PipelineDefinition",
    *_DESCRIBED,
)
"""What DescribePipeline answers of a pipeline, as far as a run of it needs that."""

_REFUSED = {
    "PipelineVersionId": "it keeps a pipeline as it was stored last; leave it out",
    "PipelineVersionAlias": "it keeps a pipeline as it was stored last; leave it out",
    "MlflowExperimentName": "it has no MLflow",
}
"""Members of StartPipelineExecution that would have to change what is run."""
