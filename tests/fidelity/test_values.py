from typing import Any

import pytest

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition.conditions import Or
from airflow_sm_pipelines.definition.references import CurrentItem, IterationOutput
from airflow_sm_pipelines.definition.values import Expression
from airflow_sm_pipelines.errors import ExpressionError
from airflow_sm_pipelines.scope import RunScope
from tests.fakes import context
from tests.fidelity.cases import (
    ROLE,
    TRAINING,
    InstantSageMaker,
    condition,
    dag_of,
    execute,
    pipeline_of,
    step,
)


def scope(*steps: Any, **keys: Any) -> RunScope:
    return RunScope(
        pipeline=pipeline_of(*steps, **keys), context=context(), connection=aws.Connection("none")
    )


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(CurrentItem("key", "$"), id="ForEach.CurrentItem"),
        pytest.param(IterationOutput("Body", "key", "$"), id="IterationOutput"),
    ],
)
def test_a_value_of_an_iteration_has_no_value_in_a_run(value: Expression) -> None:
    with pytest.raises(ExpressionError, match="no ForEach step is run"):
        value.resolve(scope(step("ForEach")))


def read_after(type_: str, path: str, sagemaker: InstantSageMaker) -> Any:
    """What a step that reads a property of a step of that type asks for."""
    reader = step("Training", "R", Arguments={**TRAINING, "RoleArn": {"Get": f"Steps.S.{path}"}})
    dag = dag_of(step(type_), reader)
    handed_on = execute(dag, sagemaker)
    execute(dag, sagemaker, task="R", xcoms={("S", "return_value"): handed_on})
    return sagemaker.requests("CreateTrainingJob")[-1]["RoleArn"]


def test_the_training_jobs_of_a_tuning_step_are_ranked_by_aws() -> None:
    listing = "ListTrainingJobsForHyperParameterTuningJob"
    best = {"TrainingJobName": "the-best", "TrainingJobArn": ROLE}
    told = {listing: {"TrainingJobSummaries": [best], "NextToken": ""}}
    sagemaker = InstantSageMaker(told=told)
    path = "TrainingJobSummaries[0].TrainingJobArn"
    assert read_after("Tuning", path, sagemaker) == ROLE
    (request,) = sagemaker.requests(listing)
    assert request["SortBy"] == "FinalObjectiveMetricValue"
    assert request["MaxResults"] == 50


def test_the_report_of_the_best_candidate_is_the_json_object_in_its_folder() -> None:
    locations = {"ModelInsights": "s3://bucket/insights"}
    candidate = {"CandidateProperties": {"CandidateArtifactLocations": locations}}
    told: dict[str, Any] = {
        "DescribeAutoMLJob": {"BestCandidate": candidate},
        "ListObjectsV2": {"Contents": [{"Key": "insights/statistics.json"}]},
    }
    path = "BestCandidateProperties.ModelInsightsJsonReportPath"
    found = read_after("AutoML", path, InstantSageMaker(told=told))
    assert found == "s3://bucket/insights/statistics.json"


def test_the_names_of_an_experiment_are_resolved() -> None:
    names = {"ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": "trial"}
    run = scope(PipelineExperimentConfig=names)
    assert (run.experiment("ExperimentName"), run.experiment("TrialName")) == ("p", "trial")


@pytest.mark.parametrize(
    ("conditions", "outcome"),
    [
        pytest.param([], True, id="none"),
        pytest.param([{"Type": "Or", "Conditions": []}], False, id="an Or of none"),
    ],
)
def test_no_conditions_are_true_and_an_or_of_none_is_false(
    conditions: list[Any], outcome: bool
) -> None:
    (decision,) = pipeline_of(condition(conditions=conditions)).steps
    assert decision.branches is not None
    held = all(each.holds(scope()) for each in decision.branches.conditions)
    assert held is outcome
    assert Or(()).holds(scope()) is False
