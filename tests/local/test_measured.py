"""The metrics of training jobs are in CloudWatch."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.backend import Moto
from airflow_sm_pipelines.local.measured import VALUES, Measured, keep

from .calls import IMAGE
from .test_resent import client as app_client

ALGORITHM = {
    "TrainingImage": IMAGE,
    "TrainingInputMode": "File",
    "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=([0-9.]+)"}],
}


def measured(folder: Path) -> Any:
    """A client of a CloudWatch that has the metrics of the jobs below a folder."""
    moto = Moto()
    return app_client(Measured(moto, lambda: app_client(moto, "cloudwatch"), folder), "cloudwatch")


def averages(cloudwatch: Any, job_name: str, metric: str = "loss") -> list[float]:
    """As the SDK's TrainingJobAnalytics asks for them."""
    told = cloudwatch.get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName=metric,
        Dimensions=[{"Name": "TrainingJobName", "Value": job_name}],
        StartTime=now() - timedelta(hours=1),
        EndTime=now() + timedelta(hours=1),
        Period=60,
        Statistics=["Average"],
    )
    points = sorted(told["Datapoints"], key=lambda point: point["Timestamp"])
    return [point["Average"] for point in points]


def test_the_values_of_a_training_job_are_in_cloudwatch(
    trained: Callable[..., dict[str, Any]], name: str, client: Callable[[str], Any]
) -> None:
    trained("print('loss=3')\\nprint('loss=1')", AlgorithmSpecification=ALGORITHM)
    values = averages(client("cloudwatch"), name)
    assert sum(values) / len(values) == 2


def test_a_value_is_there_once(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    keep(folder, name, [("loss", 4.0, now() - timedelta(minutes=2))])
    outside = measured(tmp_path)
    assert averages(outside, name) == [4]
    keep(folder, name, [("loss", 2.0, now())])
    assert averages(outside, name) == [4, 2]
    assert averages(outside, name) == [4, 2]


def test_a_damaged_line_is_told_and_left_out(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / VALUES).write_text("{}\n")
    keep(tmp_path / name, name, [("loss", 4.0, now())])
    assert averages(measured(tmp_path), name) == [4]
    assert f"{VALUES}: left out of CloudWatch" in caplog.text
