"""The model that a ClarifyCheck step asks, in the analysis configuration of its job.

The SDK takes `predictor.model_name` out of the file that it uploads and makes it the step's
ModelName, which may be an expression. CreateProcessingJob has no member for it, and Clarify reads
it in the file alone, so the job is given a copy of the file that has the name. The copy lies beside
the file, under a name that its content makes: whoever makes it again writes the same object.
"""

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_sm_pipelines import aws, objects
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.values import resolve
from airflow_sm_pipelines.errors import DefinitionError, Problem
from airflow_sm_pipelines.members import member
from airflow_sm_pipelines.scope import RunScope

if TYPE_CHECKING:
    from botocore.client import BaseClient

# The developer guide: "The InputName parameter ... must be analysis_config".
INPUT = "analysis_config"


def with_model(step: Step, scope: RunScope, s3: "BaseClient", model: str) -> Step:
    """The step whose job asks that model; the file that says so is in S3 then."""
    inputs: Any = resolve(step.arguments.get("ProcessingInputs"), scope) or []
    where = f"{step.where}.Arguments.ProcessingInputs"
    numbers = [n for n, each in enumerate(inputs) if each.get("InputName") == INPUT]
    if not numbers:
        cure = f"no input {INPUT!r}; the step has a ModelName, which belongs into that file"
        raise DefinitionError([Problem(where, cure)])
    (number, *_) = numbers
    given = inputs[number]
    source = str(member(given, "S3Input.S3Uri"))
    copy = _copy_with_model(s3, source, model, where=f"{where}[{number}].S3Input.S3Uri")
    changed = {**given, "S3Input": {**given["S3Input"], "S3Uri": copy}}
    arguments = {
        **step.arguments,
        "ProcessingInputs": [*inputs[:number], changed, *inputs[number + 1 :]],
    }
    return replace(step, arguments=arguments)


def _copy_with_model(s3: "BaseClient", source: str, model: str, *, where: str) -> str:
    """The URI of a copy of an analysis configuration that names a model."""
    bucket, key = objects.split(source)
    found = objects.get(s3, source)
    if found is None:
        cure = f"no object {source}; it would be the file analysis_config.json itself"
        raise DefinitionError([Problem(where, cure)])
    content = _content(found["Body"], where=where)
    predictor: Any = content.get("predictor") or {}
    body = json.dumps({**content, "predictor": {**predictor, "model_name": model}}).encode()
    folder, _, name = key.rpartition("/")
    digest = hashlib.sha256(body).hexdigest()[:16]
    copied = "/".join(filter(None, (folder, f"{COPIES}{digest}", name)))
    request: dict[str, Any] = {"Bucket": bucket, "Key": copied, "Body": body}
    # What is encrypted with a key of the user's stays so.
    kept = {member: found[member] for member in ENCRYPTION if found.get(member)}
    aws.call(s3, "PutObject", request | kept)
    return f"s3://{bucket}/{copied}"


def _content(body: bytes, *, where: str) -> dict[str, Json]:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise DefinitionError([Problem(where, f"no JSON there: {error}")]) from error
    if not isinstance(content, dict):
        raise DefinitionError([Problem(where, "no analysis configuration; a JSON object is one")])
    return content


COPIES = "with-model-"
ENCRYPTION = ("ServerSideEncryption", "SSEKMSKeyId")
