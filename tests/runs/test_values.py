"""What arrives at the job is what the definition says."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

import boto3
import pytest
from airflow.providers.common.compat.sdk import ParamValidationError

from .conftest import RunPipeline
from .steps import as_text, get, pipeline, processing

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

    from airflow_sm_pipelines.local import LocalAWS

PRINTS = "import os, sys; sys.stdout.write(os.environ['TEXT'])"


@pytest.mark.parametrize(
    "text", ["{{ 1/0 }}", "{% raw %}", "{{ params.x }}", "{# gone #}", "${A} $(B) %s"]
)
def test_template_syntax_arrives_unchanged(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS", text: str
) -> None:
    step = processing("Say", PRINTS)
    step["Arguments"]["Environment"] = {"TEXT": text}
    step["Description"] = text
    run = run_pipeline(pipeline(step), name="braces")
    assert run.state == "success"
    said = run.outputs["Say"]
    assert said["Environment"] == {"TEXT": text}
    log = aws_environment.root / "jobs" / said["ProcessingJobName"] / "log.txt"
    assert text in log.read_text()


def test_parameters_keep_their_types(run_pipeline: RunPipeline) -> None:
    step = processing("Typed")
    step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = get(
        "Parameters.Count"
    )
    step["Arguments"]["Environment"] = {
        "ALL": as_text(
            get("Parameters.Count"), "|", get("Parameters.Share"), "|", get("Parameters.On")
        )
    }
    parameters = [
        {"Name": "Count", "Type": "Integer", "DefaultValue": 2},
        {"Name": "Share", "Type": "Float", "DefaultValue": 0.5},
        {"Name": "On", "Type": "Boolean", "DefaultValue": True},
    ]
    run = run_pipeline(pipeline(step, Parameters=parameters), name="typed", Count=1, On=False)
    assert run.state == "success"
    assert run.outputs["Typed"]["Environment"] == {"ALL": "1|0.5|false"}
    cluster = run.outputs["Typed"]["ProcessingResources"]["ClusterConfig"]
    assert cluster["InstanceCount"] == 1


def test_steps_have_their_turn_one_by_one(run_pipeline: RunPipeline) -> None:
    definition = {
        "PipelineName": "limited",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 1},
        "PipelineDefinition": json.dumps(pipeline(processing("A"), processing("B"))),
    }
    run = run_pipeline(definition, name="limited")
    assert run.state == "success"
    ended, started = (
        datetime.fromisoformat(run.outputs[step][moment])
        for step, moment in (("A", "ProcessingEndTime"), ("B", "CreationTime"))
    )
    assert (
        ended <= started
        or run.outputs["B"]["ProcessingEndTime"] <= run.outputs["A"]["CreationTime"]
    )


@pytest.mark.parametrize(
    "given",
    [{"Unknown": 1}, {"Count": "two"}, {"Count": True}, {"Mode": "medium"}, {}],
    ids=["unknown", "text for an integer", "boolean for an integer", "outside enum", "missing"],
)
def test_wrong_parameters_are_refused_before_a_job_starts(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS", given: dict[str, object]
) -> None:
    values = given if not given else {"Count": 1, **given}
    parameters = [
        {"Name": "Count", "Type": "Integer"},
        {"Name": "Mode", "Type": "String", "DefaultValue": "low", "EnumValues": ["low", "high"]},
    ]
    sagemaker = boto3.client("sagemaker", endpoint_url=aws_environment.endpoint_url)
    before = newest(sagemaker)
    try:
        state = run_pipeline(
            pipeline(processing("A"), Parameters=parameters), name="refused", **values
        ).state
    except (ValueError, ParamValidationError) as error:  # Airflow's own, before there is a run
        state = f"refused: {error}"
    assert state != "success"
    assert newest(sagemaker) == before


def newest(sagemaker: "SageMakerClient") -> list[str]:
    """The names of the newest processing jobs, as many as a page holds."""
    page = sagemaker.list_processing_jobs(MaxResults=100, SortOrder="Descending")
    return [job["ProcessingJobName"] for job in page["ProcessingJobSummaries"]]
