from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_sm_pipelines.definition.steps import STEP_TYPES
from tests.fidelity.cases import STEPS, InstantSageMaker, dag_of, execute, step

JOBS = [name for name, row in STEP_TYPES.items() if row.job and row.job.service == "sagemaker"]
ELSEWHERE = {"Callback", "EMR", "EMRServerless", "Lambda"}
NOT_RUN = [name for name, row in STEP_TYPES.items() if not row.runs]


@pytest.mark.parametrize("type_", JOBS)
def test_a_step_creates_its_resource_and_hands_on_describe(type_: str) -> None:
    sagemaker = InstantSageMaker()
    handed_on = execute(dag_of(step(type_)), sagemaker)
    job = STEP_TYPES[type_].job
    assert job is not None
    (request,) = sagemaker.requests(f"Create{job.noun}")
    given = STEPS[type_]["Arguments"]
    named = {key for key in given if key != job.create_name}
    assert {key: request[key] for key in named} == {key: given[key] for key in named}
    assert sagemaker.requests(f"Describe{job.noun}")
    assert {key: handed_on[key] for key in named} == {key: given[key] for key in named}
    if job.status:
        assert handed_on[job.status] in job.succeeded


@pytest.mark.parametrize(
    ("type_", "changed"),
    [
        ("Endpoint", {"EndpointConfigName": "other"}),
        ("InferenceComponent", {"RuntimeConfig": {"CopyCount": 2}}),
    ],
    ids=["Endpoint", "InferenceComponent"],
)
def test_what_exists_under_its_own_name_is_updated(type_: str, changed: dict[str, Any]) -> None:
    sagemaker = InstantSageMaker()
    again = step(type_)
    again["Arguments"] |= changed
    for each in (step(type_), again):
        execute(dag_of(each), sagemaker)
    (created,), (updated,) = (sagemaker.requests(f"{verb}{type_}") for verb in ("Create", "Update"))
    assert created[f"{type_}Name"] == updated[f"{type_}Name"] == type_name(again)
    assert updated == {**updated, **changed}


def type_name(definition: dict[str, Any]) -> str:
    """The name that Arguments give the step's resource."""
    return str(definition["Arguments"][f"{definition['Type']}Name"])


@pytest.mark.parametrize("type_", NOT_RUN)
def test_a_step_that_no_task_can_run_fails_at_once_and_says_so(type_: str) -> None:
    steps = [step(type_), step("Training", "T")]
    sagemaker = InstantSageMaker()
    with pytest.raises(AirflowFailException, match=f"'S' is of type {type_}, which is not supp"):
        execute(dag_of(*steps), sagemaker)
    assert sagemaker.services == []


def test_every_type_creates_something_or_is_not_run_or_is_neither_job_nor_call() -> None:
    assert (
        {*JOBS, *NOT_RUN} | ELSEWHERE | {"Condition", "Fail"} == STEP_TYPES.keys() == STEPS.keys()
    )


def test_empty_objects_are_passed_on() -> None:
    registered = step("RegisterModel")
    registered["Arguments"] |= {"ModelMetrics": {"Bias": {}, "Explainability": {}}}
    sagemaker = InstantSageMaker()
    execute(dag_of(registered), sagemaker)
    (request,) = sagemaker.requests("CreateModelPackage")
    assert request["ModelMetrics"] == {"Bias": {}, "Explainability": {}}
