"""What a step left behind, in words: its job, what it produced, why it failed.

To show more of what a step produced, add a row to `PRODUCTS`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airflow_sm_pipelines.errors import JobFailedError

Response = Mapping[str, Any]
"""A Describe response, as the task's XCom has it."""

# A metric is a float32 in SageMaker: more digits are noise.
METRIC_DIGITS = 6


def job_name(response: Response) -> str:
    """The name of the resource that a Describe response is about; "" where it has none."""
    described = response.get("jobRun", response)  # a job run is a member of its description
    return next((str(described[key]) for key in NAME_KEYS if key in described), "")


def produced(response: Response) -> tuple[str, ...]:
    """What a step produced, one thing a line."""
    return tuple(
        line for key, lines in PRODUCTS.items() if key in response for line in lines(response[key])
    )


def failure_lines(step: str, error: BaseException | None) -> list[str]:
    """Why a step failed: SageMaker's reason, then the end of the job's log."""
    if error is None:
        return [f"{step}: failed; Airflow's log says why"]
    failed = job_failure(error)
    if failed is None:
        return [f"{step}: {error}"]
    reason = failed.reason or "SageMaker gives no reason"
    lines = [f"{step}: {failed.noun} {failed.job_name} is {failed.status}: {reason}"]
    if failed.log_tail:
        lines.append("the last lines of its log:")
        lines += [f"  {line}" for line in failed.log_tail]
    return lines


def job_failure(error: BaseException | None) -> JobFailedError | None:
    """The failure of a job that `error` is, or was raised from."""
    while error is not None and not isinstance(error, JobFailedError):
        error = error.__cause__
    return error


def _outputs(config: Response) -> Iterator[str]:
    for output in config.get("Outputs", ()):
        if uri := output.get("S3Output", {}).get("S3Uri"):
            yield str(uri)


def _artifacts(artifacts: Response) -> Iterator[str]:
    yield str(artifacts.get("S3ModelArtifacts", ""))


def _transformed(output: Response) -> Iterator[str]:
    yield str(output.get("S3OutputPath", ""))


def _metrics(metrics: list[Response]) -> Iterator[str]:
    for metric in metrics:
        yield f"{metric['MetricName']} = {float(metric['Value']):.{METRIC_DIGITS}g}"


def _best(job: Response) -> Iterator[str]:
    """The best training job of a tuning job, with its objective."""
    yield f"the best is {job['TrainingJobName']}"
    if metric := job.get("FinalHyperParameterTuningJobObjectiveMetric"):
        yield from _metrics([metric])


def _candidate(candidate: Response) -> Iterator[str]:
    """The best candidate of an AutoML job, with its objective."""
    yield f"the best is {candidate['CandidateName']}"
    if metric := candidate.get("FinalAutoMLJobObjectiveMetric"):
        yield from _metrics([metric])


def _decision(outcome: object) -> Iterator[str]:
    yield f"the condition is {str(outcome).lower()}"


def _itself(value: object) -> Iterator[str]:
    yield str(value)


NAME_KEYS = (
    "ProcessingJobName",
    "TrainingJobName",
    "TransformJobName",
    "HyperParameterTuningJobName",
    "AutoMLJobName",
    "ModelName",
    # An endpoint tells its configuration, a component its endpoint: their own names come first.
    "InferenceComponentName",
    "EndpointName",
    "EndpointConfigName",
    "JobName",
    # A step of EMR and a job run of EMR Serverless are described as a whole.
    "Name",
    "name",
)

PRODUCTS: dict[str, Callable[[Any], Iterator[str]]] = {
    "ProcessingOutputConfig": _outputs,
    "ModelArtifacts": _artifacts,
    "FinalMetricDataList": _metrics,
    "TransformOutput": _transformed,
    "ModelArn": _itself,
    "ModelPackageArn": _itself,
    "ModelApprovalStatus": _itself,
    "BestTrainingJob": _best,
    "BestCandidate": _candidate,
    "EndpointConfigArn": _itself,
    "EndpointArn": _itself,
    "InferenceComponentArn": _itself,
    "JobArn": _itself,
    "Outcome": _decision,
}
