"""The errors with which a try can end."""

from botocore.exceptions import ClientError

from airflow_sm_pipelines import exception_types
from airflow_sm_pipelines.errors import JobFailedError


def refusal(
    code: str, status: int = 400, operation: str = "CreateTrainingJob", message: str = "no"
) -> ClientError:
    """A call that AWS has turned away."""
    error = {"Code": code, "Message": message}
    return ClientError(
        {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        operation,
    )


def failed(reason: str = "", status: str = "Failed") -> JobFailedError:
    """A job that has ended for that reason."""
    return JobFailedError(
        step="S",
        noun="TrainingJob",
        job_name="job",
        status=status,
        reason=reason,
        exception_type=exception_types.of_reason(reason),
    )
