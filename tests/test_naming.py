import re

import pytest

from airflow_sm_pipelines import naming
from airflow_sm_pipelines.definition.resources import EMR_STEP, TRAINING, TUNING, Job
from airflow_sm_pipelines.definition.steps import STEP_TYPES

JOBS = [row.job for row in STEP_TYPES.values() if row.job and row.job.create_name]
RESOURCE_NAME = re.compile("[a-zA-Z0-9](-*[a-zA-Z0-9])*")  # API, TrainingJobName and the others

# What these tests expect literally is in AWS already, as names of jobs and in S3 paths: a version
# that names them otherwise starts running jobs a second time.


def test_the_execution_id_of_a_run_never_changes() -> None:
    made = naming.execution_id(deployment="prod", dag_id="abalone", run_id="manual__2026-01-01")
    assert made == "8mssjqw471jo"


@pytest.mark.parametrize("other", [{"deployment": "dev"}, {"dag_id": "b"}, {"run_id": "c"}])
def test_the_execution_id_tells_deployments_dags_and_runs_apart(other: dict[str, str]) -> None:
    run = {"deployment": "prod", "dag_id": "abalone", "run_id": "manual__2026-01-01"}
    assert naming.execution_id(**run) != naming.execution_id(**{**run, **other})


def test_the_cache_key_of_a_step_never_changes() -> None:
    key = naming.cache_key(
        pipeline="abalone",
        step="Train",
        arguments={"HyperParameters": {"b": "1", "a": 2.5}, "Tags": []},
        attributes=("HyperParameters", "Environment"),
    )
    assert key == "867prg9279"


def test_the_cache_key_counts_the_attributes_alone() -> None:
    def key(**arguments: str) -> str:
        return naming.cache_key(pipeline="p", step="s", arguments={**arguments}, attributes=("A",))

    assert key(A="1", B="2") == key(A="1", B="3")
    assert key(A="1") != key(A="2")


def test_the_cache_key_counts_all_arguments_where_there_are_no_attributes() -> None:
    def key(**arguments: str) -> str:
        return naming.cache_key(pipeline="p", step="s", arguments={**arguments}, attributes=())

    assert key(A="1", B="2") != key(A="1", B="3")


def test_the_cache_key_counts_attributes_inside_others() -> None:
    def key(**definition: str) -> str:
        return naming.cache_key(
            pipeline="p",
            step="s",
            arguments={"TrainingJobDefinition": {**definition}},
            attributes=("TrainingJobDefinition.InputDataConfig",),
        )

    assert key(InputDataConfig="1", OutputDataConfig="2") == key(InputDataConfig="1")
    assert key(InputDataConfig="1") != key(InputDataConfig="2")


def test_the_order_of_keys_does_not_matter_to_the_cache_key() -> None:
    def key(hyperparameters: dict[str, int]) -> str:
        return naming.cache_key(
            pipeline="p", step="s", arguments={"H": {**hyperparameters}}, attributes=("H",)
        )

    assert key({"a": 1, "b": 2}) == key({"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("job", "step", "prefix", "expected"),
    [
        (TRAINING, "Train", None, "pipelines-abcdefghijkl-Train-0123456789-3-1"),
        (
            TRAINING,
            "A_step-with-a-name-of-64-characters",
            None,
            "pipelines-abcdefghijkl-A-step-with-a-name-o-0123456789-3-1",
        ),
        (TRAINING, "Train", "My_base", "My-base-abcdefghijkl-0123456789-3-1"),
        (TRAINING, "Train", "___", "pipelines-abcdefghijkl-Train-0123456789-3-1"),
        (TRAINING, "Train", "", "pipelines-abcdefghijkl-Train-0123456789-3-1"),
        (
            TRAINING,
            "Train",
            "b" * 63,
            "b" * 34 + "-abcdefghijkl-0123456789-3-1",
        ),
        (TUNING, "HyperTune", None, "abcdefghijkl-Hype-0123456789-3-1"),
        (TUNING, "HyperTune", "ignored", "abcdefghijkl-Hype-0123456789-3-1"),
    ],
)
def test_a_name_is_what_the_service_writes(
    job: Job, step: str, prefix: str | None, expected: str
) -> None:
    made = naming.job_name(
        job,
        execution_id="abcdefghijkl",
        step=step,
        key="0123456789",
        attempt=naming.Attempt(3),
        prefix=prefix,
    )
    assert made == expected


@pytest.mark.parametrize("number", [1, 10, 100])
@pytest.mark.parametrize("epoch", [0, 3, 1003])
@pytest.mark.parametrize("prefix", [None, "p" * 80, "-", "é" * 80])
@pytest.mark.parametrize("step", ["S", "_", "-a-", "s" * 64])
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.noun)
def test_every_name_is_one_that_aws_takes(
    job: Job, step: str, prefix: str | None, epoch: int, number: int
) -> None:
    made = naming.job_name(
        job,
        execution_id="abcdefghijkl",
        step=step,
        key="0123456789",
        attempt=naming.Attempt(epoch, number),
        prefix=prefix,
    )
    assert len(made) <= job.longest_name
    assert RESOURCE_NAME.fullmatch(made)
    assert made.endswith(f"-0123456789-{epoch}-{number}")


@pytest.mark.parametrize("prefix", [None, "mine", "Nightly-etl-1"])
@pytest.mark.parametrize("step", ["S", "preprocessin", "a-b-c", "s" * 64])
def test_the_name_of_a_job_tells_the_execution_that_it_is_of(step: str, prefix: str | None) -> None:
    made = naming.job_name(
        EMR_STEP,
        execution_id="abcdefghijkl",
        step=step,
        key="0123456789",
        attempt=naming.Attempt(3),
        prefix=prefix,
    )
    assert naming.execution_of(made) == "abcdefghijkl"


@pytest.mark.parametrize("name", ["", "Spark program", "pipelines-of-mine"])
def test_a_name_that_is_not_ours_tells_no_execution(name: str) -> None:
    assert naming.execution_of(name) == ""


def test_a_client_token_fits_the_36_characters_of_the_api() -> None:
    token = naming.client_token(
        execution_id="abcdefghijkl", key="0123456789", attempt=naming.Attempt(1003, 100)
    )
    assert token == "abcdefghijkl-0123456789-1003-100"
    assert len(token) <= 36


@pytest.mark.parametrize(
    ("taken", "expected"),
    [(set(), "C-if"), ({"C-if"}, "C-if_"), ({"C-if", "C-if_"}, "C-if__"), ({"C-else"}, "C-if")],
)
def test_a_branch_group_has_an_id_that_no_step_has(taken: set[str], expected: str) -> None:
    assert naming.branch_group("C", outcome=True, taken=taken) == expected


def test_the_group_of_the_other_branch_is_else() -> None:
    assert naming.branch_group("C", outcome=False, taken=set()) == "C-else"


def test_no_step_can_have_the_id_of_the_last_task() -> None:
    assert "." in naming.END_TASK
