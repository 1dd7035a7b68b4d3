"""The SageMaker SDK v2 against `airflow-sm local`, in its own environment."""

import pytest

from tests.clients.conftest import Served, blocks, environment, run_blocks


@pytest.fixture(scope="module")
def said(served: Served) -> dict[str, str]:
    """What came of each block of the page."""
    return run_blocks(served, environment("sdk") / "python", "v2")


@pytest.mark.parametrize("block", blocks("v2"))
def test_the_programs_of_the_page_go_through(said: dict[str, str], block: str) -> None:
    assert said[block] == ""


def test_run_and_fit_are_jobs_that_left_their_outputs(said: dict[str, str], served: Served) -> None:
    s3 = served.client("s3")
    bucket = "sagemaker-us-east-1-123456789012"
    rows = s3.get_object(Bucket=bucket, Key="rows/train/train.csv")["Body"].read()
    assert rows.startswith(b"0,1\n1,4\n")
    jobs = served.client("sagemaker").list_training_jobs(NameContains="sagemaker-scikit-learn")
    assert {each["TrainingJobStatus"] for each in jobs["TrainingJobSummaries"]} == {"Completed"}


def test_transform_has_written_what_the_model_predicts(
    said: dict[str, str], served: Served
) -> None:
    assert said["transform"] == ""
    bucket = "sagemaker-us-east-1-123456789012"
    predicted = served.client("s3").get_object(Bucket=bucket, Key="predicted/test.csv.out")
    assert [float(line) for line in predicted["Body"].read().split()] == [
        3 * x + 1 for x in range(30, 40)
    ]


def test_tune_has_run_two_jobs_and_knows_the_better_one(
    said: dict[str, str], served: Served
) -> None:
    assert said["tune"] == ""
    sagemaker = served.client("sagemaker")
    (summary,) = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    name = summary["HyperParameterTuningJobName"]
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert job["TrainingJobStatusCounters"]["Completed"] == 2
    assert "scale" in job["BestTrainingJob"]["TunedHyperParameters"]


def test_upsert_stores_the_definition(said: dict[str, str], served: Served) -> None:
    stored = served.client("sagemaker").describe_pipeline(PipelineName="Rows")
    assert '"Name": "Prepare"' in stored["PipelineDefinition"]


def test_start_has_run_the_steps(said: dict[str, str], served: Served) -> None:
    assert said["execution"] == ""
    sagemaker = served.client("sagemaker")
    listed = sagemaker.list_pipeline_executions(PipelineName="Rows")
    (execution,) = listed["PipelineExecutionSummaries"]
    assert execution["PipelineExecutionDisplayName"] == "first"
    arn = execution["PipelineExecutionArn"]
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)[
        "PipelineExecutionSteps"
    ]
    job = step["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert job.startswith(f"pipelines-{arn.rpartition('/')[2]}-prepare-")
    described = sagemaker.describe_processing_job(ProcessingJobName=job)
    assert described["ProcessingJobStatus"] == "Completed"


# Two executions at once, of which one is to fail, twice, and one to be stopped.
ENDS = """
import time

from botocore.exceptions import WaiterError
from sagemaker.processing import Processor
from sagemaker.workflow.parameters import ParameterInteger
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import ProcessingStep

seconds, code = ParameterInteger("Seconds", 0), ParameterInteger("Code", 0)
program = "import os, sys, time; time.sleep(int(os.environ['S'])); sys.exit(int(os.environ['C']))"


def step(name, seconds, code, **keys):
    processor = Processor(
        "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        image_uri="python:3",
        instance_count=1,
        instance_type="ml.m5.large",
        entrypoint=["python3", "-c", program],
        env={"S": seconds, "C": code},
        sagemaker_session=PipelineSession(),
    )
    return ProcessingStep(name=name, step_args=processor.run(), **keys)


steps = [
    step("First", seconds.to_string(), "0"),
    step("Second", "0", code.to_string(), depends_on=["First"]),
]
pipeline = Pipeline("Ends", parameters=[seconds, code], steps=steps)
pipeline.upsert(role_arn="arn:aws:iam::123456789012:role/OfThePipeline")
fails, stops = pipeline.start({"Code": 7}), pipeline.start({"Seconds": 600})


def fail():
    try:
        fails.wait(delay=1, max_attempts=600)
    except WaiterError as error:
        assert "terminal failure state" in str(error), error
    else:
        raise AssertionError("it has not failed")
    second, first = fails.list_steps()
    assert (first["StepName"], first["StepStatus"]) == ("First", "Succeeded"), first
    assert (second["StepName"], second["StepStatus"]) == ("Second", "Failed"), second
    assert "exit code: 7" in second["FailureReason"], second
    return first, second["Metadata"]["ProcessingJob"]["Arn"][-4:]


before = fail()
described = fails.describe()
assert described["PipelineExecutionStatus"] == "Failed", described
assert described["FailureReason"] == "Step failure: One or multiple steps failed.", described
values = fails.list_parameters()["PipelineParameters"]
assert values == [{"Name": "Seconds", "Value": "0"}, {"Name": "Code", "Value": "7"}], values

sagemaker = pipeline.sagemaker_session.sagemaker_client
sagemaker.retry_pipeline_execution(PipelineExecutionArn=fails.arn)
while not any(step["Metadata"] for step in stops.list_steps()):
    time.sleep(0.2)
(step,) = stops.list_steps()
assert step["StepStatus"] == "Executing", step
job = step["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
described = sagemaker.describe_processing_job(ProcessingJobName=job)
assert described["RoleArn"].endswith("role/SageMakerExecutionRole"), described
stops.stop()
assert stops.describe()["PipelineExecutionStatus"] in ("Stopping", "Stopped")
while (status := stops.describe()["PipelineExecutionStatus"]) == "Stopping":
    time.sleep(0.2)
assert status == "Stopped", status
(step,) = stops.list_steps()
assert step["StepStatus"] == "Stopped", step
status = sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"]
assert status == "Stopped", status

again = fail()
assert again[0] == before[0], again  # it was not run again
assert (before[1], again[1]) == ("-3-1", "-4-1"), (before, again)
"""


def test_an_execution_that_fails_and_is_retried_and_one_that_is_stopped(served: Served) -> None:
    done = served.run([environment("sdk") / "python", "-c", ENDS])
    assert done.returncode == 0, done.stderr
