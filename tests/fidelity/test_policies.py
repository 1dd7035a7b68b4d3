from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import RetryAction

from airflow_sm_pipelines import build_dag
from airflow_sm_pipelines.definition.steps import EMR_FAULTS, JOB_FAULTS, STEP_FAULTS, STEP_TYPES
from airflow_sm_pipelines.naming import END_TASK
from tests.failures import failed, refusal
from tests.fidelity.cases import (
    ROLE,
    InstantSageMaker,
    dag_of,
    execute,
    pipeline_of,
    step,
    texts,
)


@pytest.mark.parametrize(("type_", "enabled"), [("Training", False), ("Model", True)])
def test_a_policy_without_effect_is_not_said_to_have_one(type_: str, enabled: bool) -> None:
    policy = {"Enabled": enabled, "ExpireAfter": "P30D"}
    pipeline = pipeline_of(step(type_, CacheConfig=policy))
    assert build_dag(pipeline).task_ids == ["S", END_TASK]
    assert not STEP_TYPES[type_].cache_attributes or not enabled


@pytest.mark.parametrize("exception_type", sorted(STEP_FAULTS | JOB_FAULTS | EMR_FAULTS))
def test_a_retry_policy_is_applied(exception_type: str) -> None:
    policy = {"ExceptionType": [exception_type], "MaxAttempts": 7, "IntervalSeconds": 600}
    retried = next(name for name, row in STEP_TYPES.items() if exception_type in row.retried)
    task: Any = dag_of(step(retried, RetryPolicies=[policy])).task_dict["S"]
    plain = dag_of(step(retried)).task_dict["S"]
    assert task.retries == (plain.retries or 0) + 7
    decision = task.retry_policy.evaluate(ERRORS[exception_type], 1, task.retries)
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay == timedelta(minutes=10)


ERRORS = {
    "Step.THROTTLING": refusal("ThrottlingException"),
    "Step.SERVICE_FAULT": refusal("InternalFailure", 500),
    "SageMaker.JOB_INTERNAL_ERROR": failed("InternalServerError: try again"),
    "SageMaker.CAPACITY_ERROR": failed("CapacityError: none is left"),
    "SageMaker.JOB_CAPACITY_ERROR": failed("CapacityError: none is left"),
    "SageMaker.RESOURCE_LIMIT": refusal("ResourceLimitExceeded"),
    "Emr.RESOURCE_LIMIT": refusal("ServiceQuotaExceededException", operation="StartJobRun"),
}


def test_the_jobs_of_a_run_are_in_its_experiment() -> None:
    names = {"ExperimentName": "the-experiment", "TrialName": "the-trial"}
    sagemaker = InstantSageMaker()
    execute(dag_of(step("Training"), PipelineExperimentConfig=names), sagemaker)
    assert [each["TrialName"] for each in sagemaker.requests("CreateTrial")] == ["the-trial"]
    (request,) = sagemaker.requests("CreateTrainingJob")
    assert request["ExperimentConfig"] == names


@pytest.mark.parametrize("config", [{}, {"PipelineExperimentConfig": None}])
def test_without_a_config_there_is_no_experiment(config: dict[str, Any]) -> None:
    sagemaker = InstantSageMaker()
    execute(dag_of(step("Training"), **config), sagemaker)
    assert {name for name, _ in sagemaker.calls} == {"CreateTrainingJob", "DescribeTrainingJob"}
    (request,) = sagemaker.requests("CreateTrainingJob")
    assert "ExperimentConfig" not in request


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
    assert "sts" not in sagemaker.services  # which would assume the role
