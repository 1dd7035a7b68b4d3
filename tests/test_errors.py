import copy
import pickle

import pytest

from airflow_sm_pipelines import errors
from airflow_sm_pipelines.errors import (
    AccessDeniedError,
    ArgumentError,
    DefinitionError,
    JobFailedError,
    ParameterError,
    PipelineError,
    Problem,
    did_you_mean,
    listed,
)

TWO = (Problem("$.a", "wrong"), Problem("$.b", "wrong too"))


def test_problem_reads_as_place_and_message() -> None:
    assert str(Problem("$.Steps[2]", "wrong; right")) == "$.Steps[2]: wrong; right"


@pytest.mark.parametrize("kind", [DefinitionError, ArgumentError, ParameterError])
def test_error_with_problems_reads_as_one_line_for_each(
    kind: type[DefinitionError | ArgumentError | ParameterError],
) -> None:
    error = kind(list(TWO))
    assert str(error) == "$.a: wrong\n$.b: wrong too"
    assert error.problems == TWO


@pytest.mark.parametrize("kind", [DefinitionError, ArgumentError, ParameterError])
def test_error_with_problems_survives_pickling_and_copying(
    kind: type[DefinitionError | ArgumentError | ParameterError],
) -> None:
    error = kind(TWO)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is kind
        assert twin.problems == TWO
        assert str(twin) == str(error)


def test_refusal_names_action_and_resource() -> None:
    error = AccessDeniedError(action="s3:GetObject", resource="s3://b/k", message="Forbidden")
    assert (error.action, error.resource) == ("s3:GetObject", "s3://b/k")
    assert str(error) == (
        "s3:GetObject on s3://b/k: access denied; allow the action for the connection's identity. "
        "AWS says: Forbidden"
    )


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("AlgorithmError", "Train: TrainingJob a-job is Failed: AlgorithmError"),
        ("", "Train: TrainingJob a-job is Failed: no reason given"),
    ],
)
def test_failed_job_tells_step_job_status_and_reason(reason: str, message: str) -> None:
    error = JobFailedError(
        step="Train",
        noun="TrainingJob",
        job_name="a-job",
        status="Failed",
        reason=reason,
        log_tail=["a", "b"],
    )
    assert str(error) == message
    assert (error.step, error.job_name, error.status) == ("Train", "a-job", "Failed")
    assert (error.reason, error.log_tail) == (reason, ("a", "b"))


def test_every_exception_derives_from_pipeline_error_ends_in_error_and_is_in_the_tree() -> None:
    own = [
        value
        for name, value in vars(errors).items()
        if isinstance(value, type)
        and issubclass(value, BaseException)
        and value.__module__ == errors.__name__
        and not name.startswith("_")
    ]
    assert own
    for kind in own:
        assert issubclass(kind, PipelineError)
        assert kind.__name__.endswith("Error")
        assert kind.__name__ in (errors.__doc__ or "")


def test_nearest_word_is_suggested() -> None:
    assert did_you_mean("Trainign", ["Training", "Tuning"]) == "; did you mean 'Training'?"


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    assert did_you_mean("Xyz", ["Training"]) == ""
    assert did_you_mean(3, []) == ""


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "none"),
        (2, "n0, n1"),
        (30, ", ".join(f"n{i}" for i in range(30))),
        (32, ", ".join(f"n{i}" for i in range(30)) + " and 2 more"),
    ],
)
def test_long_lists_of_names_are_cut(count: int, text: str) -> None:
    assert listed(f"n{i}" for i in range(count)) == text
