"""All findings of a pipeline together: their order, their number, and what reading costs."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import JOB
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import DefinitionError
from airflow_sm_pipelines.validation import Findings, validate
from airflow_sm_pipelines.validation.models import version
from tests.definition.cases import DEFINITIONS, PIPELINES, definition, loaded
from tests.validation.cases import PROCESSING, step, told, training, warning

FAULTY = training(HyperParameters={"a": 1}, Tags=[{"Name": "a"}], EnableManagedSpotTraining="no")


def test_findings_stand_in_the_order_of_the_definition_each_once() -> None:
    branches: Json = {"Conditions": [], "IfSteps": [{**FAULTY, "Name": "A"}], "ElseSteps": []}
    problems, _ = told(step("Decide", "Condition", branches), {**FAULTY, "Name": "B"})
    inside = "$.Steps[0].Arguments.IfSteps[0].Arguments"
    assert [line.partition(": ")[0] for line in problems] == [
        f"{where}{member}"
        for where in (inside, "$.Steps[1].Arguments")
        for member in (
            ".HyperParameters.a",
            ".Tags[0]",
            ".Tags[0]",
            ".Tags[0].Name",
            ".EnableManagedSpotTraining",
        )
    ]


def test_twice_the_same_pipeline_has_the_same_findings() -> None:
    pipeline = loaded(definition(FAULTY))
    assert validate(pipeline) == validate(pipeline)


def test_what_is_a_problem_is_no_warning_as_well() -> None:
    problems, warnings = told(training(TrainingJobName="${name}"))
    assert len(problems) == 1
    assert warnings == []


@pytest.mark.parametrize("reference", ["Parameters.Text", "Steps.Train.RoleArn"])
def test_key_of_a_step_with_another_type_is_a_warning(reference: str) -> None:
    check = step(
        "Check",
        "QualityCheck",
        PROCESSING,
        CheckType="DATA_QUALITY",
        SkipCheck={"Get": reference},
        RegisterNewBaseline={"Get": "Parameters.Flag"},
        ModelPackageGroupName={"Get": "Parameters.Text"},
        FailOnViolation=None,
    )
    of = "parameter 'Text'" if reference.startswith("Parameters") else f"{reference!r}"
    assert warning(check, training()) == (
        f"$.Steps[0].SkipCheck: {of} is a String where true or false is expected; "
        "refer to a value of that type"
    )


def test_type_of_step_that_is_newer_than_botocore_is_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newer = replace(STEP_TYPES["Job"], job=replace(JOB, noun="Nothing"))
    monkeypatch.setitem(STEP_TYPES, "Job", newer)
    reader = training(HyperParameters={"a": {"Get": "Steps.Tailor.Anything"}})
    assert warning(step("Tailor", "Job", {"Any": 1}), reader) == (
        f"$.Steps[0].Arguments: {version()} does not know what a Job step takes; use a newer one"
    )


@pytest.mark.parametrize("file", sorted(PIPELINES.glob("*.json")), ids=lambda file: file.stem)
def test_fixtures_that_run_have_no_findings(file: object) -> None:
    assert validate(load(file.read_bytes())) == Findings()  # type: ignore[attr-defined]


def test_language_and_dags_do_not_read_the_models() -> None:
    script = "import sys, airflow_sm_pipelines.definition; print('botocore' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_models_are_read_when_the_first_shape_is_asked_for() -> None:
    script = (
        "from airflow_sm_pipelines.validation import models, validate\n"
        "print(models.model.cache_info().currsize)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"


@pytest.mark.slow
def test_real_definitions_are_validated_and_toys_are_refused() -> None:
    index = DEFINITIONS / "index.tsv"
    if not index.is_file():
        pytest.skip(f"no definitions in {DEFINITIONS}; set SM_PIPELINES_DEFINITIONS")
    rows = [line.split("\t") for line in index.read_text().splitlines()[1:]]
    notes = {row[0]: row[-1] for row in rows}
    accepted = []
    for file in sorted(DEFINITIONS.rglob("*.json")):
        try:
            found = validate(load(file.read_text()))
        except DefinitionError:
            continue
        name = str(file.relative_to(DEFINITIONS))
        if "toy arguments" in notes.get(name, "") and not found.problems:
            accepted.append(name)
    assert accepted == []


def test_thousands_of_steps_with_the_same_mistakes_are_all_told() -> None:
    steps = [training(f"Train-{number}", input_data="a") for number in range(300)]
    found = validate(load(json.dumps(definition(*steps))))
    assert len(found.problems) == 300
