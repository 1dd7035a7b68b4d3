import json
from pathlib import Path

import pytest

from airflow_sm_pipelines.definition.checks import CHECKS, WARNINGS, warnings
from airflow_sm_pipelines.definition.node import Json
from tests.definition.cases import (
    PIPELINES,
    definition,
    fixture,
    loaded,
    problems_of,
    training,
)


def get(path: str) -> dict[str, Json]:
    return {"x": {"Get": path}}


def condition(name: str, *if_steps: Json, operand: Json = 1, **keys: Json) -> dict[str, Json]:
    comparison: Json = {"Type": "Equals", "LeftValue": operand, "RightValue": 1}
    arguments: Json = {"Conditions": [comparison], "IfSteps": list(if_steps), "ElseSteps": []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **keys}


def processing(name: str, *outputs: Json, **keys: Json) -> dict[str, Json]:
    arguments: Json = {"ProcessingOutputConfig": {"Outputs": list(outputs)}}
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **keys}


FILE: Json = {"PropertyFileName": "Report", "OutputName": "out", "FilePath": "r.json"}
FIRED = {
    "_duplicate_parameters": (
        definition(Parameters=[{"Name": "P"}, {"Name": "P"}]),
        ["$.Parameters[1].Name: 'P' is the name of $.Parameters[0] already; rename one"],
    ),
    "_duplicate_steps": (
        definition(training("S"), condition("C", training("S"), training("S"))),
        [
            f"$.Steps[1].Arguments.IfSteps[{i}].Name: 'S' is the name of $.Steps[0] already; "
            "names are unique in the whole pipeline, branches included"
            for i in (0, 1)
        ],
    ),
    "_unknown_parameters": (
        definition(
            training("S", get("Parameters.Cuont")),
            Parameters=[{"Name": "Count"}],
            PipelineExperimentConfig={"ExperimentName": {"Get": "Parameters.Zzz"}},
        ),
        [
            "$.Steps[0].Arguments.x.Get: unknown parameter 'Cuont'; did you mean 'Count'?; "
            "declared are: Count",
            "$.PipelineExperimentConfig.ExperimentName.Get: unknown parameter 'Zzz'; "
            "declared are: Count",
        ],
    ),
    "_unknown_steps": (
        definition(
            training("Prepare", DependsOn=["Nothing"]),
            training("Train", get("Steps.Prepair.ProcessingJobName")),
            condition("C", operand={"Get": "Steps.Zzz.x"}),
            {"Name": "Stop", "Type": "Fail", "Arguments": {}},
            training("After", DependsOn=["Stop"]),
        ),
        [
            "$.Steps[0].DependsOn[0]: unknown step 'Nothing'; "
            "steps are: Prepare, Train, C, Stop, After",
            "$.Steps[4].DependsOn[0]: 'Stop' is a Fail step, which nothing can depend on; "
            "depend on what comes before it",
            "$.Steps[1].Arguments.x.Get: unknown step 'Prepair'; did you mean 'Prepare'?; "
            "steps are: Prepare, Train, C, Stop, After",
            "$.Steps[2].Arguments.Conditions[0].LeftValue.Get: unknown step 'Zzz'; "
            "steps are: Prepare, Train, C, Stop, After",
        ],
    ),
    "_unknown_property_files": (
        definition(
            processing("E", {"OutputName": "out"}, PropertyFiles=[FILE]),
            training("S", get("Steps.E.PropertyFiles.Repotr")),
            training("T", get("Steps.S.PropertyFiles.Report")),
        ),
        [
            "$.Steps[1].Arguments.x.Get: step 'E' has no property file 'Repotr'; "
            "did you mean 'Report'?; it has: Report",
            "$.Steps[2].Arguments.x.Get: step 'S' has no property file 'Report'; it has: none",
        ],
    ),
    "_property_files_without_output": (
        definition(
            processing("E", {"OutputName": "otu"}, {}, 3, PropertyFiles=[FILE]),
            {"Name": "F", "Type": "Processing", "Arguments": {}, "PropertyFiles": [FILE]},
        ),
        [
            "$.Steps[0].PropertyFiles[0].OutputName: the step has no output 'out'; "
            "did you mean 'otu'?; its outputs are: otu",
            "$.Steps[1].PropertyFiles[0].OutputName: the step has no output 'out'; "
            "its outputs are: none",
        ],
    ),
    "_cycles": (
        definition(
            training("A", DependsOn=["B"]),
            training("B", get("Steps.A.x")),
            training("Self", get("Steps.Self.x")),
            condition("C", training("Inside"), DependsOn=["Inside"]),
        ),
        [
            "$.Steps[0]: steps wait for each other: A -> B -> A; remove one of the dependencies",
            "$.Steps[2]: steps wait for each other: Self -> Self; remove one of the dependencies",
            "$.Steps[3]: steps wait for each other: C -> Inside -> C; "
            "remove one of the dependencies",
        ],
    ),
}


def test_every_check_has_a_case_in_which_it_fires() -> None:
    assert [check.__name__ for check in CHECKS] == list(FIRED)


@pytest.mark.parametrize("case", FIRED.values(), ids=FIRED)
def test_check_tells_every_fault_of_its_kind(case: tuple[Json, list[str]]) -> None:
    value, told = case
    assert problems_of(value) == told


@pytest.mark.parametrize("file", sorted(PIPELINES.glob("*.json")), ids=lambda file: file.stem)
def test_good_definition_passes(file: Path) -> None:
    fixture(file.stem)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("cycle_by_depends_on", "A -> B -> A"),
        ("cycle_by_reference", "A -> B -> A"),
        ("cycle_by_branch", "Decide -> Inside -> Decide"),
    ],
)
def test_cycle_is_told_whatever_makes_it(name: str, steps: str) -> None:
    value = json.loads((PIPELINES / "invalid" / f"{name}.json").read_text())
    assert problems_of(value) == [
        f"$.Steps[0]: steps wait for each other: {steps}; remove one of the dependencies"
    ]


def test_checks_of_all_kinds_are_told_together() -> None:
    value = definition(
        training("S", get("Parameters.X"), DependsOn=["Y"]), training("S"), Parameters=[]
    )
    assert [told.partition(": ")[0] for told in problems_of(value)] == [
        "$.Steps[1].Name",
        "$.Steps[0].Arguments.x.Get",
        "$.Steps[0].DependsOn[0]",
    ]


def test_faults_of_form_and_of_reference_are_told_together() -> None:
    value = definition(
        training("Bad", Cache=1),
        training("S", get("Parameters.Wrong"), DependsOn=["Bad", "Nothing"]),
        training("T", get("Parameters.Nothing")),
        Parameters=[{"Name": "Wrong", "Type": "Int"}],
    )
    assert [told.partition(": ")[0] for told in problems_of(value)] == [
        "$.Parameters[0].Type",
        "$.Steps[0].Cache",
        "$.Steps[2].Arguments.x.Get",
        "$.Steps[1].DependsOn[1]",
    ]


def test_thousands_of_problems_of_one_kind_are_cut_with_a_word() -> None:
    steps = [training(f"S{i}", DependsOn=[f"unknown-{i}"]) for i in range(150)]
    told = problems_of(definition(*steps))
    assert len(told) == 101
    assert told[-1] == "$: more than 100 problems of one kind; mend those first"


def test_long_list_of_steps_is_cut() -> None:
    steps = [training(f"S{i}") for i in range(40)]
    (told,) = problems_of(definition(*steps, training("T", DependsOn=["???"])))
    assert told.endswith("S28, S29 and 11 more")


def test_what_is_not_applied_yet_is_a_warning() -> None:
    assert len(WARNINGS) == 1
    assert [str(warning) for warning in warnings(fixture("policies"))] == [
        "$.Steps[0].CacheConfig: caching is not applied yet; every run runs the job",
        "$.Steps[0].RetryPolicies: retry policies are not applied yet; "
        "set Airflow's `retries` for the DAG instead",
    ]


def test_caching_that_is_off_is_no_warning() -> None:
    assert warnings(loaded(definition(training(CacheConfig={"Enabled": False})))) == []
