import json
from pathlib import Path

import pytest

from airflow_sm_pipelines.definition.checks import CHECKS
from airflow_sm_pipelines.definition.node import Json
from tests.definition.cases import (
    PIPELINES,
    cleanup,
    condition,
    definition,
    fixture,
    for_each,
    get,
    lambda_,
    problems_of,
    processing,
    step,
    training,
)


def reading(name: str, path: str) -> dict[str, Json]:
    return training(name, {"x": get(path)})


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
            reading("S", "Parameters.Cuont"),
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
    "_experiments_in_terms_of_themselves": (
        definition(
            reading("S", "PipelineExperimentConfig.TrialName"),
            PipelineExperimentConfig={
                "ExperimentName": "e",
                "TrialName": {
                    "Std:Join": {"Values": [get("PipelineExperimentConfig.ExperimentName"), "-1"]}
                },
            },
        ),
        [
            "$.PipelineExperimentConfig.TrialName.Std:Join.Values[0].Get: "
            "PipelineExperimentConfig.ExperimentName is what is said here; "
            "write the name, or an expression of parameters",
        ],
    ),
    "_unknown_steps": (
        definition(
            training("Prepare", DependsOn=["Nothing"]),
            reading("Train", "Steps.Prepair.ProcessingJobName"),
            condition("C", operand={"Get": "Steps.Zzz.x"}),
            step("Fail", "Stop"),
            training("After", DependsOn=["Stop"]),
            cleanup("Sweep", {"StepName": "Trian"}, {"StepName": "Stop"}),
        ),
        [
            "$.Steps[0].DependsOn[0]: unknown step 'Nothing'; "
            "steps are: Prepare, Train, C, Stop, After, Sweep",
            "$.Steps[4].DependsOn[0]: 'Stop' is a Fail step, which nothing can depend on; "
            "depend on what comes before it",
            "$.Steps[5].Arguments.Resources.S3[0].StepName: unknown step 'Trian'; "
            "did you mean 'Train'?; steps are: Prepare, Train, C, Stop, After, Sweep",
            "$.Steps[5].Arguments.Resources.S3[1].StepName: "
            "'Stop' is a Fail step, which nothing can depend on; depend on what comes before it",
            "$.Steps[1].Arguments.x.Get: unknown step 'Prepair'; did you mean 'Prepare'?; "
            "steps are: Prepare, Train, C, Stop, After, Sweep",
            "$.Steps[2].Arguments.Conditions[0].LeftValue.Get: unknown step 'Zzz'; "
            "steps are: Prepare, Train, C, Stop, After, Sweep",
        ],
    ),
    "_unknown_property_files": (
        definition(
            processing("E", {"OutputName": "out"}, PropertyFiles=[FILE]),
            reading("S", "Steps.E.PropertyFiles.Repotr"),
            reading("T", "Steps.S.PropertyFiles.Report"),
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
            step("Processing", "F", PropertyFiles=[FILE]),
        ),
        [
            "$.Steps[0].PropertyFiles[0].OutputName: the step has no output 'out'; "
            "did you mean 'otu'?; its outputs are: otu",
            "$.Steps[1].PropertyFiles[0].OutputName: the step has no output 'out'; "
            "its outputs are: none",
        ],
    ),
    "_duplicate_files_and_outputs": (
        definition(
            lambda_(
                "L",
                OutputParameters=[
                    {"OutputName": "a", "OutputType": "String"},
                    {"OutputName": "b", "OutputType": "String"},
                    {"OutputName": "a", "OutputType": "Float"},
                ],
            ),
            lambda_("M", OutputParameters=[{"OutputName": "a", "OutputType": "String"}]),
            processing("E", {"OutputName": "out"}, PropertyFiles=[FILE, FILE]),
        ),
        [
            *(
                f"$.Steps[0].OutputParameters[{i}].OutputName: 'a' is given 2 times; rename one"
                for i in (0, 2)
            ),
            *(
                f"$.Steps[2].PropertyFiles[{i}].PropertyFileName: 'Report' is given 2 times; "
                "rename one"
                for i in (0, 1)
            ),
        ],
    ),
    "_items_outside_of_iterations": (
        definition(
            reading("S", "ForEach.CurrentItem.x"),
            reading("T", "IterationOutput.Each.x"),
            for_each(
                "Loop",
                reading("Each", "ForEach.CurrentItem"),
                reading("Other", "IterationOutput.Each.x"),
                items=[get("ForEach.CurrentItem")],
                Selector={"Pick": "MaxBy", "Field": get("IterationOutput.Each.x")},
            ),
            MlflowConfig={"MlflowExperimentName": get("ForEach.CurrentItem")},
        ),
        [
            "$.Steps[0].Arguments.x.Get: no item is here; ForEach.CurrentItem is for ForEachBody",
            "$.Steps[1].Arguments.x.Get: IterationOutput is for Selector.Field; "
            "elsewhere read Steps.<ForEach step>.IterationOutputs[0].<step>.<property>",
            "$.Steps[2].Arguments.IterableItems[0].Get: no item is here; "
            "ForEach.CurrentItem is for ForEachBody",
            "$.Steps[2].Arguments.ForEachBody[1].Arguments.x.Get: "
            "IterationOutput is for Selector.Field; "
            "elsewhere read Steps.<ForEach step>.IterationOutputs[0].<step>.<property>",
            "$.MlflowConfig.MlflowExperimentName.Get: no item is here; "
            "ForEach.CurrentItem is for ForEachBody",
        ],
    ),
    "_selectors": (
        definition(
            training("Outside"),
            for_each(
                "Loop",
                training("Score"),
                Selector={"Pick": "MaxBy", "Field": get("IterationOutput.Scroe.x")},
            ),
            for_each(
                "Again",
                training("Each"),
                Selector={"Pick": "MinBy", "Field": get("IterationOutput.Outside.x")},
            ),
        ),
        [
            "$.Steps[1].Arguments.Selector.Field.Get: 'Scroe' is not in the body of 'Loop'; "
            "did you mean 'Score'?; its steps are: Score",
            "$.Steps[2].Arguments.Selector.Field.Get: 'Outside' is not in the body of 'Again'; "
            "its steps are: Each",
        ],
    ),
    "_names_like_iterations": (
        definition(
            for_each("Loop", training("Each"), training("Each-2")),
            training("Each-0"),
            training("Each-x"),
            training("Each2"),
            training("Loop-0"),
        ),
        [
            "$.Steps[0].Arguments.ForEachBody[1].Name: 'Each-2' is what the iterations of 'Each' "
            "are called; rename one",
            "$.Steps[1].Name: 'Each-0' is what the iterations of 'Each' are called; rename one",
        ],
    ),
    "_cycles": (
        definition(
            training("A", DependsOn=["B"]),
            reading("B", "Steps.A.x"),
            reading("Self", "Steps.Self.x"),
            condition("C", training("Inside"), DependsOn=["Inside"]),
            for_each("Loop", training("One", DependsOn=["Two"]), reading("Two", "Steps.One.x")),
            for_each("Round", reading("Within", "Steps.Next.x")),
            training("Next", DependsOn=["Round"]),
            for_each("Own", training("Item"), items=get("Steps.Item.x")),
            cleanup("Sweep", {"StepName": "Swept"}),
            training("Swept", DependsOn=["Sweep"]),
        ),
        [
            "$.Steps[0]: steps wait for each other: A -> B -> A; remove one of the dependencies",
            "$.Steps[2]: steps wait for each other: Self -> Self; remove one of the dependencies",
            "$.Steps[3]: steps wait for each other: C -> Inside -> C; "
            "remove one of the dependencies",
            "$.Steps[5]: steps wait for each other: Round -> Next -> Round; "
            "remove one of the dependencies",
            "$.Steps[7]: steps wait for each other: Own -> Own; remove one of the dependencies",
            "$.Steps[8]: steps wait for each other: Sweep -> Swept -> Sweep; "
            "remove one of the dependencies",
            "$.Steps[4].Arguments.ForEachBody[0]: steps wait for each other: One -> Two -> One; "
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
        training("S", {"x": get("Parameters.X")}, DependsOn=["Y"]), training("S"), Parameters=[]
    )
    assert [told.partition(": ")[0] for told in problems_of(value)] == [
        "$.Steps[1].Name",
        "$.Steps[0].Arguments.x.Get",
        "$.Steps[0].DependsOn[0]",
    ]


def test_faults_of_form_and_of_reference_are_told_together() -> None:
    value = definition(
        training("Bad", Cache=1),
        training("S", {"x": get("Parameters.Wrong")}, DependsOn=["Bad", "Nothing"]),
        reading("T", "Parameters.Nothing"),
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
