"""Searches that start from earlier ones, and searches over several definitions."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from .conftest import (
    PARABOLA,
    Request,
    Tune,
    categorical,
    continuous,
    definition,
    final,
    integer,
    limits,
    trials,
)

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

IDENTICAL = "IdenticalDataAndAlgorithm"
ONE_TO_THREE = integer(MinValue="1", MaxValue="3")


def warm(name: str, kind: str = IDENTICAL) -> dict[str, Any]:
    parents = [{"HyperParameterTuningJobName": name}]
    return {"ParentHyperParameterTuningJobs": parents, "WarmStartType": kind}


def child(request: dict[str, Any], kind: str = IDENTICAL) -> dict[str, Any]:
    """The request of a search that starts from the one of a request."""
    name = request["HyperParameterTuningJobName"]
    return {
        **request,
        "HyperParameterTuningJobName": f"{name}-child",
        "WarmStartConfig": warm(name, kind),
    }


@pytest.mark.parametrize(
    ("kind", "overall"), [(IDENTICAL, "3"), ("TransferLearning", None)], ids=str
)
def test_a_search_goes_on_where_its_parent_has_ended(
    sagemaker: "SageMakerClient",
    tuned: Tune,
    tuning_request: Request,
    name: str,
    kind: str,
    overall: str | None,
) -> None:
    tuned(ParameterRanges=ONE_TO_THREE, ResourceLimits=limits(3))
    wider = integer(MinValue="1", MaxValue="5")
    request = tuning_request(ParameterRanges=wider, ResourceLimits=limits(2))
    sagemaker.create_hyper_parameter_tuning_job(**child(request, kind))
    job = final(sagemaker, f"{name}-child")
    tried = {row["TunedHyperParameters"]["x"] for row in trials(sagemaker, f"{name}-child")}
    assert tried == {"4", "5"}  # what the parent has not tried
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "4"}
    best = job.get("OverallBestTrainingJob")
    assert (best and best["TunedHyperParameters"]["x"]) == overall
    assert best is None or best["TuningJobName"] == name


def test_bayesian_starts_from_what_was_static_in_its_parent(
    sagemaker: "SageMakerClient", tuned: Tune, tuning_request: Request, name: str
) -> None:
    def with_static(request: dict[str, Any], **static: str) -> dict[str, Any]:
        fields = {**request["TrainingJobDefinition"], "StaticHyperParameters": static}
        return {**request, "TrainingJobDefinition": fields}

    first = tuning_request(ParameterRanges=ONE_TO_THREE, ResourceLimits=limits(1))
    sagemaker.create_hyper_parameter_tuning_job(**with_static(first, y="1"))
    final(sagemaker, name)
    both = {"IntegerParameterRanges": [
        {"Name": each, "MinValue": "0", "MaxValue": "9"} for each in ("x", "y")
    ]}  # fmt: skip
    second = tuning_request(Strategy="Bayesian", ParameterRanges=both, ResourceLimits=limits(1))
    sagemaker.create_hyper_parameter_tuning_job(**child(second))
    assert final(sagemaker, f"{name}-child")["HyperParameterTuningJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("changes", "fields", "problem"),
    [
        (
            {"ParameterRanges": continuous()},
            {},
            "has x in IntegerParameterRanges; its type may not change",
        ),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "other"}},
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "another",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "other", "Regex": "other=(.*)"}],
                }
            },
            "has the objective metric loss; it must be the same, not other",
        ),
        (
            {},
            {"StaticHyperParameters": {"y": "1"}},
            "has 1 hyperparameters, static and tuned; it must be as many here",
        ),
        (
            {},
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "another",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
                }
            },
            f"has the training image example/image:1; {IDENTICAL} needs the same",
        ),
    ],
)
def test_a_parent_that_does_not_fit_is_refused(
    sagemaker: "SageMakerClient",
    tuned: Tune,
    tuning_request: Request,
    name: str,
    changes: dict[str, Any],
    fields: dict[str, Any],
    problem: str,
) -> None:
    tuned(ParameterRanges=ONE_TO_THREE, ResourceLimits=limits(1))
    request = tuning_request(**{"ParameterRanges": ONE_TO_THREE, **changes})
    request["TrainingJobDefinition"] = {**request["TrainingJobDefinition"], **fields}
    with pytest.raises(ClientError, match=problem):
        sagemaker.create_hyper_parameter_tuning_job(**child(request))


def test_a_parent_that_still_runs_or_is_not_there_is_refused(
    sagemaker: "SageMakerClient", tuning_request: Request, name: str
) -> None:
    request = tuning_request("import time; time.sleep(600)")
    with pytest.raises(ClientError, match=f"can't find a tuning job with the name {name}"):
        sagemaker.create_hyper_parameter_tuning_job(**child(request))
    sagemaker.create_hyper_parameter_tuning_job(**request)
    with pytest.raises(ClientError, match="is InProgress; a parent has ended"):
        sagemaker.create_hyper_parameter_tuning_job(**child(request))
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    final(sagemaker, name)


def test_several_definitions_take_turns_and_have_an_objective_each(
    sagemaker: "SageMakerClient", tuning_request: Request, name: str, bucket: str
) -> None:
    request = tuning_request(PARABOLA + "\nprint(f'gain={-x};')", Strategy="Random")
    for member in ("HyperParameterTuningJobObjective", "ParameterRanges"):
        del request["HyperParameterTuningJobConfig"][member]
    request["HyperParameterTuningJobConfig"]["ResourceLimits"] = limits(4)
    del request["TrainingJobDefinition"]
    algorithm = definition(bucket)["AlgorithmSpecification"]
    gain = [*algorithm["MetricDefinitions"], {"Name": "gain", "Regex": "gain=(.*?);"}]
    request["TrainingJobDefinitions"] = [
        definition(
            bucket,
            DefinitionName="one",
            TuningObjective={"Type": "Minimize", "MetricName": "loss"},
            HyperParameterRanges=categorical("1", "2"),
        ),
        definition(
            bucket,
            DefinitionName="two",
            TuningObjective={"Type": "Maximize", "MetricName": "gain"},
            HyperParameterRanges=categorical("3", "5"),
            AlgorithmSpecification={**algorithm, "MetricDefinitions": gain},
            ResourceConfig=None,
            HyperParameterTuningResourceConfig={
                "InstanceConfigs": [
                    {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5}
                ]
            },
        ),
    ]
    del request["TrainingJobDefinitions"][1]["ResourceConfig"]
    sagemaker.create_hyper_parameter_tuning_job(**request)
    job = final(sagemaker, name)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    rows = {
        (row["TrainingJobDefinitionName"], row["TunedHyperParameters"]["x"]): row
        for row in trials(sagemaker, name)
    }
    assert sorted(rows) == [("one", "1"), ("one", "2"), ("two", "3"), ("two", "5")]
    metric = rows["two", "3"]["FinalHyperParameterTuningJobObjectiveMetric"]
    assert metric == {"Type": "Maximize", "MetricName": "gain", "Value": -3.0}
    second = rows["two", "5"]["TrainingJobName"]
    found = sagemaker.describe_training_job(TrainingJobName=second)
    assert found["ResourceConfig"]["InstanceType"] == "ml.m5.xlarge"
