import pytest

from airflow_sm_pipelines import exception_types
from airflow_sm_pipelines.definition.steps import EMR_FAULTS, JOB_FAULTS, STEP_FAULTS
from airflow_sm_pipelines.errors import JobLostError
from tests.failures import failed, refusal

CAPACITY = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity"


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("InternalServerError: We encountered an internal error.", "SageMaker.JOB_INTERNAL_ERROR"),
        (f"CapacityError: {CAPACITY} error. Please retry.", "SageMaker.CAPACITY_ERROR"),
        ("InsufficientCapacity: none is left", "SageMaker.CAPACITY_ERROR"),
        ("InsufficientInstanceCapacity", "SageMaker.CAPACITY_ERROR"),
        ("InsufficientCapacityException: none", "SageMaker.CAPACITY_ERROR"),
        ("AlgorithmError: ExecuteUserScriptError: InternalServerError: mine", ""),
        (f"AlgorithmError: CapacityError: {CAPACITY}", ""),
        ("ClientError: Data download failed", ""),
        ("CapacityErrors of mine", ""),
        ("", ""),
    ],
)
def test_a_failure_reason_has_the_type_of_its_beginning(reason: str, name: str) -> None:
    assert exception_types.of_reason(reason) == name


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (refusal("ThrottlingException"), "Step.THROTTLING"),
        (refusal("SlowDown", 503, "GetObject"), "Step.THROTTLING"),
        (refusal("TooManyRequests", 429), "Step.THROTTLING"),
        (refusal("InternalFailure", 500, "DescribeTrainingJob"), "Step.SERVICE_FAULT"),
        (refusal("ServiceUnavailable", 503), "Step.SERVICE_FAULT"),
        (refusal("ResourceLimitExceeded"), "SageMaker.RESOURCE_LIMIT"),
        (refusal("ResourceLimitExceeded", operation="UpdateEndpoint"), ""),
        (refusal("ValidationException"), ""),
        (JobLostError("gone"), ""),
        (OSError("no disk"), ""),
    ],
)
def test_an_error_has_the_type_that_sagemaker_gives_it(error: Exception, name: str) -> None:
    assert exception_types.of(error) == name


def test_a_failed_job_has_the_type_of_its_reason() -> None:
    assert exception_types.of(failed("CapacityError: none")) == "SageMaker.CAPACITY_ERROR"


def test_every_type_that_a_step_which_is_run_can_name_is_told() -> None:
    told = {name for rows in exception_types.REASONS.values() for _, name in rows}
    told |= {*exception_types.ALIASES, *exception_types.IMPLICIT, exception_types.RESOURCE_LIMIT}
    assert told == STEP_FAULTS | JOB_FAULTS | EMR_FAULTS


FULL = "Maximum number of active steps(State = 'Running', 'Pending' ...) for cluster exceeded."
NO_INSTANCES = (
    "The request to create the EMR cluster or add EC2 instances to it failed. The number of vCPUs "
    "exceeds the EC2 limit"
)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (refusal("ValidationException", operation="AddJobFlowSteps", message=FULL), True),
        (refusal("ValidationException", operation="AddJobFlowSteps"), False),
        (refusal("ValidationException", operation="DescribeStep", message=FULL), False),
        (refusal("ServiceQuotaExceededException", operation="StartApplication"), True),
        (refusal("ServiceQuotaExceededException", operation="CreateTrainingJob"), False),
    ],
)
def test_limits_of_emr_are_told_from_other_refusals(error: Exception, name: bool) -> None:
    assert exception_types.of(error) == ("Emr.RESOURCE_LIMIT" if name else "")


def test_a_cluster_without_instances_is_a_limit_and_what_a_step_says_is_none() -> None:
    assert exception_types.of_reason(NO_INSTANCES, "emr") == "Emr.RESOURCE_LIMIT"
    assert exception_types.of_reason(f"ret '1'\n{NO_INSTANCES}", "emr") == ""
    assert exception_types.of_reason(NO_INSTANCES) == ""
    assert exception_types.of_reason("CapacityError", "emr") == ""
