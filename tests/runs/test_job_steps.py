"""Jobs that a script plays: a Job, a transform job; how they end."""

import json
from typing import Any

import pytest

from .conftest import Play, RunPipeline
from .steps import ROLE, as_text, get, pipeline, processing

GOING = {"Status": "InProgress", "Seconds": 0.5}


def customize() -> dict[str, Any]:
    document = as_text('{"run": "', get("Execution.PipelineExecutionId"), '"}')
    return {
        "Name": "Customize",
        "Type": "Job",
        "Arguments": {
            "RoleArn": ROLE,
            "JobCategory": "AgentRFT",
            "JobConfigSchemaVersion": "1.0.0",
            "JobConfigDocument": document,
        },
    }


def test_a_job_is_found_by_its_category_and_its_document_is_read(
    run_pipeline: RunPipeline, play: Play
) -> None:
    play({"Kind": "Job", "Moments": [GOING, {"Status": "Completed"}]})
    reads = processing("Read")
    reads["Arguments"]["Environment"] = {
        "CONFIG": get("Steps.Customize.JobConfigDocument"),
        "RUN": get("Steps.Customize.JobConfigDocument.run"),
    }
    run = run_pipeline(pipeline(customize(), reads), name="job")
    assert run.state == "success"
    job = run.outputs["Customize"]
    assert (job["JobCategory"], job["JobStatus"]) == ("AgentRFT", "Completed")
    environment = run.outputs["Read"]["Environment"]
    assert json.loads(environment["CONFIG"]) == {"run": environment["RUN"]}
    assert environment["RUN"] in job["JobName"]


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_does_not_complete_fails_its_step(
    run_pipeline: RunPipeline, play: Play, status: str
) -> None:
    play({"Kind": "Job", "Moments": [GOING, {"Status": status, "FailureReason": "no reward"}]})
    run = run_pipeline(pipeline(customize()), name="job-fails")
    assert (run.state, run.tasks["Customize"]) == ("failed", "failed")
    assert run.failures["Customize"].endswith(f" is {status}: no reward")


def test_a_transform_job_is_waited_for(run_pipeline: RunPipeline, play: Play) -> None:
    play({"Kind": "TransformJob", "Moments": [GOING, {"Status": "Completed"}]})
    container = {"Image": "python:3", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    arguments = {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    model = {"Name": "M", "Type": "Model", "Arguments": arguments}
    score = {
        "Name": "Score",
        "Type": "Transform",
        "Arguments": {
            "ModelName": get("Steps.M.ModelName"),
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}
            },
            "TransformOutput": {"S3OutputPath": "s3://b/out"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
    }
    run = run_pipeline(pipeline(model, score), name="transform")
    assert run.state == "success"
    assert run.outputs["Score"]["TransformJobStatus"] == "Completed"
    assert run.outputs["Score"]["ModelName"] == run.outputs["M"]["ModelName"]
