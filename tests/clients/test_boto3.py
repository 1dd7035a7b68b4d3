"""boto3 against `airflow-sm local`."""

import sys
from pathlib import Path

from tests.clients.conftest import Served, run_blocks


def test_the_program_of_the_page_trains_a_model(served: Served) -> None:
    said = run_blocks(served, Path(sys.executable), "boto3")
    assert said == {"0": ""}
    job = served.client("sagemaker").describe_training_job(TrainingJobName="line")
    assert job["TrainingJobStatus"] == "Completed"
    assert [(each["MetricName"], each["Value"]) for each in job["FinalMetricDataList"]] == [
        ("error", 0.0)
    ]
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://line/")
    assert served.client("s3").head_object(Bucket="line", Key=key)["ContentLength"] > 0
