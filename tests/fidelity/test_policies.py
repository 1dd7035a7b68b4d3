from collections.abc import Mapping
from typing import Any

import pytest

from airflow_sm_pipelines.definition import warnings
from airflow_sm_pipelines.definition.policies import EXCEPTION_TYPES
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from tests.fidelity.cases import (
    ROLE,
    InstantSageMaker,
    dag_of,
    execute,
    pipeline_of,
    step,
    texts,
)


def test_a_cached_step_is_run_again_in_every_run() -> None:
    cached = step("Training", CacheConfig={"Enabled": True, "ExpireAfter": "P30D"})
    sagemaker = InstantSageMaker()
    for run_id in ("first", "second"):
        execute(dag_of(cached), sagemaker, run_id=run_id)
    names = {each["TrainingJobName"] for each in sagemaker.requests("CreateTrainingJob")}
    assert len(names) == 2


@pytest.mark.parametrize(("type_", "enabled"), [("Training", False), ("Model", True)])
def test_a_policy_without_effect_is_not_said_to_have_one(type_: str, enabled: bool) -> None:
    policy = {"Enabled": enabled, "ExpireAfter": "P30D"}
    pipeline = pipeline_of(step(type_, CacheConfig=policy))
    assert not [told for told in warnings(pipeline) if "not applied yet" in told.message]
    assert not STEP_TYPES[type_].cache_attributes or not enabled


@pytest.mark.parametrize("exception_type", EXCEPTION_TYPES)
def test_a_retry_policy_is_not_applied(exception_type: str) -> None:
    policy = {"ExceptionType": [exception_type], "MaxAttempts": 7, "IntervalSeconds": 600}
    retried = next(name for name, row in STEP_TYPES.items() if exception_type in row.retried)
    task = dag_of(step(retried, RetryPolicies=[policy])).task_dict["S"]
    plain = dag_of(step(retried)).task_dict["S"]
    assert settings_of(task) == settings_of(plain)


def settings_of(task: Any) -> Mapping[str, Any]:
    """What Airflow knows of the retries of a task."""
    names = ("retries", "retry_delay", "retry_exponential_backoff", "max_retry_delay")
    return {**{name: getattr(task, name) for name in names}, "own": task.retry_failures}


def test_no_experiment_is_created_and_no_job_names_one() -> None:
    names = {"ExperimentName": "the-experiment", "TrialName": "the-trial"}
    sagemaker = InstantSageMaker()
    execute(dag_of(step("Training"), PipelineExperimentConfig=names), sagemaker)
    assert {name for name, _ in sagemaker.calls} == {"CreateTrainingJob", "DescribeTrainingJob"}
    said = set(texts([request for _, request in sagemaker.calls]))
    assert not {"the-experiment", "the-trial", "ExperimentConfig"} & said


def test_no_job_is_told_of_mlflow() -> None:
    server = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/t"
    sagemaker = InstantSageMaker()
    execute(dag_of(step("Training"), MlflowConfig={"MlflowResourceArn": server}), sagemaker)
    assert server not in set(texts([request for _, request in sagemaker.calls]))


def test_calls_are_made_with_the_connection() -> None:
    sagemaker = InstantSageMaker()
    execute(dag_of(step("Training")), sagemaker)
    (request,) = sagemaker.requests("CreateTrainingJob")
    assert request["RoleArn"] == ROLE
    assert set(sagemaker.services) == {"sagemaker"}  # and no STS, which would assume the role
