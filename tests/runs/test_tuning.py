"""A tuning step whose training jobs really run, and what the steps after it read."""

from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from airflow_sm_pipelines.local.objects import split

from .conftest import RunPipeline
from .steps import ROLE

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

DEFINITION = Path(__file__).parents[1] / "pipelines" / "tuning.json"
ROWS = "\n".join(f"{2 * x},{x},{x % 3}" for x in range(40))


@pytest.fixture(autouse=True)
def _role(monkeypatch: pytest.MonkeyPatch) -> None:
    """A role for the training jobs, whose definition gives none."""
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__ROLE_ARN", ROLE)


def test_the_best_models_of_a_search_are_those_that_the_next_steps_get(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS"
) -> None:
    s3 = boto3.client("s3", endpoint_url=aws_environment.endpoint_url)
    s3.create_bucket(Bucket="bucket")
    for channel in ("train", "validation"):
        s3.put_object(Bucket="bucket", Key=f"{channel}/data.csv", Body=ROWS.encode())
    run = run_pipeline(DEFINITION, name="tuned", Jobs=2)
    assert run.state == "success"
    search = run.outputs["Search"]
    assert search["TrainingJobStatusCounters"]["Completed"] == 2
    ranked = search["TrainingJobSummaries"]
    assert ranked[0]["TrainingJobName"] == search["BestTrainingJob"]["TrainingJobName"]
    values = [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in ranked]
    assert values == sorted(values)
    for step, row in zip(("Best", "Second"), ranked, strict=True):
        url = run.outputs[f"{step}-CreateModel"]["PrimaryContainer"]["ModelDataUrl"]
        assert row["TrainingJobName"] in url
        bucket, key = split(url)
        assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
