"""What a step has made, as `Metadata` of ListPipelineExecutionSteps tells it.

To tell of one more type: a row of `METADATA`. The keys are those of the service model,
PipelineExecutionStepMetadata.
"""

from collections.abc import Callable, Mapping
from typing import Any

from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.steps import STEP_TYPES

Fields = Mapping[str, Any]


def metadata(step: Step, response: Fields, *, reason: str = "") -> dict[str, Any]:
    """The metadata of a step that has handed on `response`, or has failed with `reason`."""
    if step.type in ARNS:
        return of_job(step.type, str(response.get(_arn_key(step.type), "")))
    tell = METADATA.get(step.type)
    told = tell(step, {**response, "Reason": reason}) if tell else {}
    return {step.type: told} if told else {}


def of_job(step_type: str, arn: str) -> dict[str, Any]:
    """The metadata of a step whose job has this ARN; empty where there is none, or no such key."""
    if not arn:
        return {}
    if step_type in CHECKS:
        return {step_type: {"CheckJobArn": arn}}
    return {ARNS[step_type]: {"Arn": arn}} if step_type in ARNS else {}


def _arn_key(step_type: str) -> str:
    job = STEP_TYPES[step_type].job
    return job.arn if job else ""


def _condition(step: Step, response: Fields) -> dict[str, Any]:
    return {"Outcome": str(response["Outcome"])} if "Outcome" in response else {}


def _fail(step: Step, response: Fields) -> dict[str, Any]:
    return {"ErrorMessage": response["Reason"]}


def _lambda(step: Step, response: Fields) -> dict[str, Any]:
    if "FunctionArn" not in response:
        return {}
    return {"Arn": response["FunctionArn"], "OutputParameters": outputs(response)}


def _check(step: Step, response: Fields) -> dict[str, Any]:
    if "ProcessingJobArn" not in response:
        return {}
    known = {key: response[key] for key in CHECK_MEMBERS if response.get(key) is not None}
    checked = {"CheckType": str(step.keys["CheckType"])}
    return {**checked, **known, "CheckJobArn": response["ProcessingJobArn"]}


def _emr(step: Step, response: Fields) -> dict[str, Any]:
    named = {"StepId": response.get("Id"), "StepName": response.get("Name")}
    told = {"ClusterId": response.get("ClusterId"), **named}
    return {key: value for key, value in told.items() if value}


def _emr_serverless(step: Step, response: Fields) -> dict[str, Any]:
    run = response.get("jobRun", response)
    told = {
        "ApplicationId": run.get("applicationId"),
        "JobRunId": run.get("jobRunId"),
        "JobRunName": run.get("name"),
    }
    return {key: value for key, value in told.items() if value}


def outputs(response: Fields) -> list[dict[str, str]]:
    """The OutputParameters of a Lambda or Callback step, as the API has them."""
    given = response.get("OutputParameters") or {}
    return [{"Name": name, "Value": _text(value)} for name, value in given.items()]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


ARNS = {
    "AutoML": "AutoMLJob",
    "Endpoint": "Endpoint",
    "EndpointConfig": "EndpointConfig",
    "InferenceComponent": "InferenceComponent",
    "Job": "Job",
    "Model": "Model",
    "Processing": "ProcessingJob",
    "RegisterModel": "RegisterModel",
    "Training": "TrainingJob",
    "Transform": "TransformJob",
    "Tuning": "TuningJob",
}
"""Step type -> the key whose value is the ARN of what the step creates."""

CHECKS = frozenset({"QualityCheck", "ClarifyCheck"})
CHECK_MEMBERS = (
    "BaselineUsedForDriftCheckConstraints",
    "BaselineUsedForDriftCheckStatistics",
    "CalculatedBaselineConstraints",
    "CalculatedBaselineStatistics",
)

METADATA: dict[str, Callable[[Step, Fields], dict[str, Any]]] = {
    "ClarifyCheck": _check,
    "Condition": _condition,
    "EMR": _emr,
    "EMRServerless": _emr_serverless,
    "Fail": _fail,
    "Lambda": _lambda,
    "QualityCheck": _check,
}
"""Step type -> what else than an ARN is told; `Callback` is told by `callbacks.py`."""
