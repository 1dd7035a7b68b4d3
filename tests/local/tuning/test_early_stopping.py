"""Training jobs that are stopped early: by the rule of the median, and by Hyperband."""

from pathlib import Path
from typing import TYPE_CHECKING

from .conftest import Tune, categorical, continuous, limits, trials

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

    from airflow_sm_pipelines.local import LocalAWS

# Two epochs; a job that does badly would take ten minutes for its last one.
EPOCHS = """
import json, time
x = float(json.load(open("/opt/ml/input/config/hyperparameters.json"))["x"])
for epoch in range(2):
    print(f"loss={x - epoch};", flush=True)
if x > 3:
    time.sleep(600)
"""


def test_a_job_that_falls_behind_is_stopped_and_its_objective_counts(
    sagemaker: "SageMakerClient", tuned: Tune, name: str, aws: "LocalAWS"
) -> None:
    job = tuned(
        EPOCHS,
        Strategy="Grid",
        ParameterRanges=categorical("1", "9"),
        ResourceLimits=limits(2, parallel=1),
        TrainingJobEarlyStoppingType="Auto",
    )
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    first, second = sorted(trials(sagemaker, name), key=lambda each: each["CreationTime"])
    assert (first["TrainingJobStatus"], second["TrainingJobStatus"]) == ("Completed", "Stopped")
    assert second["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 8.0
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 2
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "1"}
    assert "falls behind after 2 epochs" in log(aws, name)


def test_hyperband_stops_a_job_beyond_its_largest_resource(
    sagemaker: "SageMakerClient", tuned: Tune, name: str, aws: "LocalAWS"
) -> None:
    job = tuned(
        EPOCHS,
        Strategy="Hyperband",
        StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 1}},
        ParameterRanges=continuous(MinValue="4", MaxValue="5"),
        ResourceLimits=limits(1),
    )
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1
    assert "[local AWS] Hyperband: Optuna chooses the values" in log(aws, name)


def log(aws: "LocalAWS", name: str) -> str:
    return Path(aws.root / "jobs" / name / "log.txt").read_text()
