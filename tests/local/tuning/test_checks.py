"""What is refused before there is a tuning job."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.tuning import checks
from tests.local.calls import channel

from .conftest import Request, categorical, config, continuous, definition, integer, limits

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

BUILT_IN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
HYPERBAND: dict[str, Any] = {"Strategy": "Hyperband"}


def request(job: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobConfig": config(**changes),
        "TrainingJobDefinition": definition("bucket"),
        **(job or {}),
    }


def refused(given: dict[str, Any]) -> str:
    """What is answered to a request; "" where it is taken."""
    try:
        checks.check(given, built_in=lambda image: image == BUILT_IN)
    except AwsError as error:
        return error.message
    return ""


def one(**changes: Any) -> dict[str, Any]:
    """A request whose definition has other members."""
    return request({"TrainingJobDefinition": definition("bucket", **changes)})


def hyperband(**resources: int) -> dict[str, Any]:
    return {**HYPERBAND, "StrategyConfig": {"HyperbandStrategyConfig": resources}}


@pytest.mark.parametrize(
    "given",
    [
        request(),
        request(Strategy="Grid", ParameterRanges=categorical("a", "b"), ResourceLimits=limits(2)),
        request(
            Strategy="Grid", ParameterRanges=categorical("a", "b"), ResourceLimits=limits(None)
        ),
        request(ResourceLimits=limits(None, MaxRuntimeInSeconds=120)),
        request(**hyperband(MinResource=1, MaxResource=9)),
        one(AlgorithmSpecification={"TrainingImage": BUILT_IN, "TrainingInputMode": "File"}),
    ],
)
def test_what_is_right_is_taken(given: dict[str, Any]) -> None:
    assert refused(given) == ""


def test_the_largest_resource_of_hyperband_is_inferred_from_the_epochs() -> None:
    given = request({"TrainingJobDefinition": definition(
        "bucket", StaticHyperParameters={"num_epochs": '"27"'}
    )}, **HYPERBAND)  # fmt: skip
    assert refused(given) == ""
    assert checks.resources(given) == (1, 27)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            one(AlgorithmSpecification={"TrainingImage": "mine", "TrainingInputMode": "File"}),
            "A metric is required for this hyperparameter tuning job objective. "
            "Provide a metric in the metric definitions.",
        ),
        (
            one(
                AlgorithmSpecification={"TrainingImage": BUILT_IN, "TrainingInputMode": "File"},
                StaticHyperParameters={"sagemaker_program": '"train.py"'},
            ),
            "A metric is required for this hyperparameter tuning job objective. "
            "Provide a metric in the metric definitions.",
        ),
        (
            request(ParameterRanges=integer(MaxValue="2"), ResourceLimits=limits(10)),
            "You don't have enough combinations of hyperparameter ranges. The total number of "
            "hyperparameter combinations for the provided ranges [3.0] must be equal or greater "
            "than the value of MaxNumberOfJobs, [10]. Provide additional ranges.",
        ),
        (
            request(ParameterRanges=integer(MinValue="20")),
            "HyperParameterTuningJobConfig.ParameterRanges.IntegerParameterRanges[0]: MinValue of "
            "x is 20, it must be less than MaxValue, 10",
        ),
        (
            request(Strategy="Grid", ResourceLimits=limits(None)),
            "TrainingJobDefinition: ContinuousParameterRanges; the Grid strategy supports "
            "categorical parameters only",
        ),
        (
            request(Strategy="Grid", ParameterRanges=categorical("a", "b")),
            "ResourceLimits.MaxNumberOfTrainingJobs is 3; with the Grid strategy it equals the "
            "number of categorical combinations, 2, or is left out",
        ),
        (
            request(ResourceLimits=limits(None)),
            "ResourceLimits: MaxNumberOfTrainingJobs is missing; only Grid knows it itself",
        ),
        (
            request(ParameterRanges={}),
            "HyperParameterTuningJobConfig.ParameterRanges: no ranges; a tuning job searches at "
            "least one",
        ),
        (
            one(StaticHyperParameters={"x": "1"}),
            "HyperParameterTuningJobConfig.ParameterRanges: the hyperparameter x is there 2 "
            "times; keep one",
        ),
        (
            request(HyperParameterTuningJobObjective=None),
            "TrainingJobDefinition: no objective; give it TuningObjective, or "
            "HyperParameterTuningJobObjective to the job",
        ),
        (
            request({"Autotune": {"Mode": "Enabled"}}),
            "Autotune: not there in the local AWS; give Strategy, ParameterRanges and limits",
        ),
        (
            request(
                ParameterRanges={
                    **continuous(),
                    "AutoParameters": [{"Name": "y", "ValueHint": "1"}],
                }
            ),
            "TrainingJobDefinition: AutoParameters need Autotune, which is not there in the "
            "local AWS",
        ),
        (
            request(StrategyConfig={"HyperbandStrategyConfig": {"MaxResource": 3}}),
            "StrategyConfig is for the Hyperband strategy, not for Random",
        ),
        (
            request(**hyperband(MaxResource=3), TrainingJobEarlyStoppingType="Auto"),
            "TrainingJobEarlyStoppingType must be Off with the Hyperband strategy",
        ),
        (
            request(**HYPERBAND),
            "HyperbandStrategyConfig.MaxResource: missing, and none of the StaticHyperParameters "
            "epochs, numepochs, n-epochs, n_epochs, num_epochs is there to infer it from",
        ),
        (
            request(**hyperband(MinResource=9, MaxResource=3)),
            "HyperbandStrategyConfig: MinResource 9 and MaxResource 3; MinResource is not more "
            "than MaxResource, and that not more than 20000",
        ),
        (
            {
                **request(),
                "TrainingJobDefinition": None,
                "TrainingJobDefinitions": [definition("bucket"), definition("bucket")],
            },
            "TrainingJobDefinitions[0].DefinitionName: missing; with several definitions each has "
            "one",
        ),
        (
            {
                **request(),
                "TrainingJobDefinition": None,
                "TrainingJobDefinitions": [
                    definition("bucket", DefinitionName="a"),
                    definition("bucket", DefinitionName="a"),
                ],
            },
            "DefinitionName a is there twice",
        ),
        (
            request(
                ParameterRanges={
                    "CategoricalParameterRanges": [
                        {"Name": f"c{n}", "Values": ["a"]} for n in range(16)
                    ],
                    "ContinuousParameterRanges": [
                        {"Name": f"f{n}", "MinValue": "0", "MaxValue": "1"} for n in range(15)
                    ],
                }
            ),
            "HyperParameterTuningJobConfig.ParameterRanges: 31 ranges; there can be 30 of all "
            "types together",
        ),
    ],
)
def test_what_is_wrong_is_told(given: dict[str, Any], problem: str) -> None:
    assert problem in refused(given)


def test_all_problems_are_told_at_once() -> None:
    said = refused(request({"Autotune": {"Mode": "Enabled"}}, ParameterRanges={}))
    assert "Autotune" in said
    assert "no ranges" in said


def test_a_refused_job_is_not_there(
    sagemaker: "SageMakerClient", tuning_request: Request, name: str
) -> None:
    given = tuning_request(ParameterRanges=integer(MinValue="20"))
    with pytest.raises(ClientError, match="MinValue of x is 20") as answer:
        sagemaker.create_hyper_parameter_tuning_job(**given)
    assert answer.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="can't find a tuning job"):
        sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def test_a_channel_without_objects_is_refused(
    sagemaker: "SageMakerClient", tuning_request: Request, bucket: str
) -> None:
    given = tuning_request()
    nowhere = [channel("train", f"s3://{bucket}/nowhere")]
    given["TrainingJobDefinition"]["InputDataConfig"] = nowhere
    with pytest.raises(ClientError, match="No S3 objects found"):
        sagemaker.create_hyper_parameter_tuning_job(**given)
