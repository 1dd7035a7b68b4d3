"""When a search ends: criteria that are met, jobs that do not improve it."""

from typing import TYPE_CHECKING, Any

import pytest

from airflow_sm_pipelines.local.tuning import completion
from tests.local.scripted import SERVICE

from .conftest import Tune, categorical, limits, trials

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# Tried in this order, their losses are 36, 25, 1, 4, 0, 9.
ORDER = categorical("9", "8", "4", "5", "3", "6")
GRID = {
    "Strategy": "Grid",
    "ParameterRanges": ORDER,
    "ResourceLimits": limits(None, parallel=1),
}


def test_a_search_ends_when_its_objective_has_reached_the_target(
    sagemaker: "SageMakerClient", tuned: Tune, name: str
) -> None:
    job = tuned(**GRID, TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 2.0})
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "4"}
    assert len(trials(sagemaker, name)) == 3


def test_a_search_ends_when_so_many_jobs_have_not_improved_it(
    sagemaker: "SageMakerClient", tuned: Tune, name: str
) -> None:
    worse = categorical("4", "9", "8", "7", "3")
    allowed = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    job = tuned(**{**GRID, "ParameterRanges": worse}, TuningJobCompletionCriteria=allowed)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TuningJobCompletionDetails"]["NumberOfTrainingJobsObjectiveNotImproving"] == 3
    assert len(trials(sagemaker, name)) == 4


@pytest.mark.parametrize(
    ("scores", "count"),
    [
        ([], 0),
        ([1.0], 0),
        ([1.0, 1.02], 0),
        ([1.0, 1.005], 1),
        ([-1.0, -0.995, -0.98], 0),  # the loss of a minimum
        ([3.0, 1.0, 2.0], 2),
        ([0.0, 0.0], 1),
        ([0.0, 0.001], 0),
    ],
)
def test_jobs_do_not_improve_the_search_that_are_better_by_less_than_a_hundredth(
    scores: list[float], count: int
) -> None:
    assert completion.not_improving(scores) == count


@pytest.mark.parametrize("member", ["TrainingJobStatusCounters", "ObjectiveStatusCounters"])
def test_there_is_a_counter_for_each_that_the_service_has(member: str) -> None:
    shape: Any = SERVICE.shape_for(member)
    assert set(completion.COUNTERS[member]) == set(shape.members)
