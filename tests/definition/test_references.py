"""`Get` in all its forms: what it is in a run, and what is told where it is nothing."""

import inspect

import pytest

from airflow_sm_pipelines.definition import references
from airflow_sm_pipelines.definition.expressions import parse_value
from airflow_sm_pipelines.definition.node import Json, Node
from airflow_sm_pipelines.definition.references import (
    EXECUTION_VARIABLES,
    EXPERIMENT_NAMES,
    ROOTS,
    CurrentItem,
    ExecutionVariable,
    ExperimentReference,
    IterationOutput,
    ParameterReference,
    PropertyFileReference,
    PropertyReference,
)
from airflow_sm_pipelines.definition.values import resolve
from airflow_sm_pipelines.errors import DefinitionError, ExpressionError
from tests.definition.cases import DictScope, get

SCOPE = DictScope(
    parameters={"Text": "t", "Count": 3, "Ratio": 0.5, "Flag": True},
    experiments={"ExperimentName": "abalone"},
    results={
        "Train": {
            "TrainingJobName": "job",
            "Missing": None,
            "FinalMetricDataList": [{"MetricName": "val:acc", "Value": 0.75}],
        },
        "Prep_1-x": {
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Uri": "s3://b/t"}]}
        },
        "Loop": {"IterationOutputs": [{"Score": {"OutputParameters": {"auc": 0.5}}}]},
    },
    item={"name": "a", "tags": ["x"], "odd key": 1},
    iterations={"Score": {"OutputParameters": {"auc": 0.9}}},
)
SEGMENTS = "segments are .name, [0] and ['key']"
VARIABLES = ", ".join(EXECUTION_VARIABLES)


def refusal_of(path: Json) -> str:
    with pytest.raises(DefinitionError) as caught:
        parse_value(Node({"Get": path}))
    return str(caught.value)


def failure_of(path: str, scope: DictScope) -> str:
    with pytest.raises(ExpressionError) as caught:
        resolve(parse_value(Node(get(path))), scope)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "read", "value"),
    [
        ("Parameters.Text", ParameterReference("Text", "$.Get"), "t"),
        ("Parameters.Count", ParameterReference("Count", "$.Get"), 3),
        ("Parameters.Ratio", ParameterReference("Ratio", "$.Get"), 0.5),
        ("Parameters.Flag", ParameterReference("Flag", "$.Get"), True),
        (
            "PipelineExperimentConfig.ExperimentName",
            ExperimentReference("ExperimentName", "$.Get"),
            "abalone",
        ),
        (
            "Steps.Train.TrainingJobName",
            PropertyReference("Train", "TrainingJobName", "$.Get"),
            "job",
        ),
        (
            "Steps.Train['TrainingJobName']",
            PropertyReference("Train", "['TrainingJobName']", "$.Get"),
            "job",
        ),
        (
            "Steps.Train.FinalMetricDataList['val:acc'].Value",
            PropertyReference("Train", "FinalMetricDataList['val:acc'].Value", "$.Get"),
            0.75,
        ),
        (
            "Steps.Train.FinalMetricDataList[0].Value",
            PropertyReference("Train", "FinalMetricDataList[0].Value", "$.Get"),
            0.75,
        ),
        (
            "Steps.Prep_1-x.ProcessingOutputConfig.Outputs['train'].S3Uri",
            PropertyReference("Prep_1-x", "ProcessingOutputConfig.Outputs['train'].S3Uri", "$.Get"),
            "s3://b/t",
        ),
        (
            "Steps.Loop.IterationOutputs[0].Score.OutputParameters['auc']",
            PropertyReference("Loop", "IterationOutputs[0].Score.OutputParameters['auc']", "$.Get"),
            0.5,
        ),
        (
            "Steps.Eval.PropertyFiles.Report",
            PropertyFileReference("Eval", "Report", "$.Get"),
            "s3://bucket/Eval/Report",
        ),
        ("ForEach.CurrentItem", CurrentItem("", "$.Get"), SCOPE.item),
        ("ForEach.CurrentItem.name", CurrentItem("name", "$.Get"), "a"),
        ("ForEach.CurrentItem['odd key']", CurrentItem("['odd key']", "$.Get"), 1),
        ("ForEach.CurrentItem.tags[0]", CurrentItem("tags[0]", "$.Get"), "x"),
        (
            "IterationOutput.Score.OutputParameters['auc']",
            IterationOutput("Score", "OutputParameters['auc']", "$.Get"),
            0.9,
        ),
    ],
)
def test_get_is_read_is_the_typed_value_and_is_written_again(
    path: str, read: object, value: Json
) -> None:
    expression = parse_value(Node(get(path)))
    assert expression == read
    assert resolve(expression, SCOPE) == value
    assert type(resolve(expression, SCOPE)) is type(value)
    assert expression.to_json() == get(path)  # type: ignore[union-attr]
    assert expression.children() == ()  # type: ignore[union-attr]


@pytest.mark.parametrize("variable", EXECUTION_VARIABLES)
def test_every_execution_variable_is_read(variable: str) -> None:
    expression = parse_value(Node(get(f"Execution.{variable}")))
    assert expression == ExecutionVariable(variable, "$.Get")
    assert resolve(expression, SCOPE) == f"<{variable}>"
    assert expression.to_json() == get(f"Execution.{variable}")
    assert expression.children() == ()


@pytest.mark.parametrize("name", EXPERIMENT_NAMES)
def test_every_name_of_the_experiment_is_read(name: str) -> None:
    path = f"PipelineExperimentConfig.{name}"
    assert parse_value(Node(get(path))) == ExperimentReference(name, "$.Get")


@pytest.mark.parametrize(
    ("written", "name", "canonical"),
    [
        ("PropertyFiles['Report']", "Report", "PropertyFiles.Report"),
        ("PropertyFiles['a.b']", "a.b", "PropertyFiles['a.b']"),
        ("""PropertyFiles["it's"]""", "it's", """PropertyFiles["it's"]"""),
        ("PropertyFiles['a\\b']", "a\\b", "PropertyFiles['a\\b']"),
        ("PropertyFiles.größe", "größe", "PropertyFiles['größe']"),
    ],
)
def test_property_file_of_any_name_is_written_so_that_it_is_read_again(
    written: str, name: str, canonical: str
) -> None:
    reference = parse_value(Node(get(f"Steps.S.{written}")))
    assert reference == PropertyFileReference("S", name, "$.Get")
    assert reference.to_json() == get(f"Steps.S.{canonical}")
    assert parse_value(Node(reference.to_json())) == reference


@pytest.mark.parametrize("text", ["Steps.S.PropertyFiles[0]", "Steps.S.PropertyFiles.F.Name"])
def test_other_paths_below_property_files_are_properties(text: str) -> None:
    assert isinstance(parse_value(Node(get(text))), PropertyReference)


def test_path_of_a_reference_is_parsed() -> None:
    reference = parse_value(Node(get("Steps.S.a[0]['b.c']")))
    assert isinstance(reference, PropertyReference)
    assert reference.path == ("a", 0, "b.c")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (None, "null where a string is expected"),
        (
            "Params.X",
            "'Params.X' leads nowhere; did you mean 'Parameters'?; it starts with one of: "
            "Parameters, Execution, Steps, PipelineExperimentConfig, ForEach, IterationOutput",
        ),
        ("Parameters", "'' is not a parameter name; write Parameters.<name>"),
        ("Parameters.a.b", "'a.b' is not a parameter name; write Parameters.<name>"),
        ("Execution.Id", f"unknown execution variable 'Id'; known are: {VARIABLES}"),
        (
            "Execution.PipelineNam",
            "unknown execution variable 'PipelineNam'; did you mean 'PipelineName'?; "
            f"known are: {VARIABLES}",
        ),
        (
            "PipelineExperimentConfig.Trial",
            "PipelineExperimentConfig has no 'Trial'; did you mean 'TrialName'?; "
            "it has: ExperimentName, TrialName",
        ),
        (
            "PipelineExperimentConfig",
            "PipelineExperimentConfig has no ''; it has: ExperimentName, TrialName",
        ),
        ("Steps.X", "'Steps.X' names no property; write Steps.<step>.<property>"),
        ("Steps.X.", "'Steps.X.' names no property; write Steps.<step>.<property>"),
        ("Steps", "'Steps.' names no property; write Steps.<step>.<property>"),
        ("Steps..x", "'Steps..x' names no property; write Steps.<step>.<property>"),
        ("Steps.a b.c", "'Steps.a b.c' names no property; write Steps.<step>.<property>"),
        ("Steps.X.a[b]", f"path 'a[b]', character 2: '[b]' is not a segment; {SEGMENTS}"),
        (
            "ForEach.Item",
            "'ForEach.Item' leads nowhere; write ForEach.CurrentItem, for a key of it .<key>",
        ),
        (
            "ForEach.CurrentItems",
            "'ForEach.CurrentItems' leads nowhere; "
            "write ForEach.CurrentItem, for a key of it .<key>",
        ),
        (
            "ForEach.CurrentItem.",
            "an empty path; name a member, for example metrics.mse.value",
        ),
        (
            "ForEach.CurrentItem[x]",
            f"path '[x]', character 1: '[x]' is not a segment; {SEGMENTS}",
        ),
        (
            "IterationOutput.S",
            "'IterationOutput.S' names no property; write IterationOutput.<step>.<property>",
        ),
        ("IterationOutput.S.a b[", f"path 'a b[', character 4: '[' is not a segment; {SEGMENTS}"),
    ],
)
def test_get_that_leads_nowhere_is_refused(path: Json, told: str) -> None:
    assert refusal_of(path) == f"$.Get: {told}"


class NothingRan(DictScope):
    """A scope in which no step has handed on anything."""

    def property_file(self, step: str, name: str) -> str:
        raise ExpressionError(f"step {step!r} has handed on nothing")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("Steps.Train.TrainingJobName", "step 'Train' has handed on nothing"),
        ("Steps.Eval.PropertyFiles.Report", "step 'Eval' has handed on nothing"),
        ("IterationOutput.Score.x", "step 'Score' has handed on nothing"),
        ("ForEach.CurrentItem.name", "no iteration"),
        ("PipelineExperimentConfig.TrialName", "no TrialName"),
    ],
)
def test_what_the_run_does_not_have_is_told_with_its_place(path: str, told: str) -> None:
    assert failure_of(path, NothingRan()) == f"$.Get: {told}"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (
            "Steps.Train.TrainingJobNam",
            "step 'Train': 'TrainingJobNam' is not in the result; "
            "did you mean 'TrainingJobName'?; there are: TrainingJobName, Missing, "
            "FinalMetricDataList",
        ),
        ("Steps.Train.Missing", "step 'Train': the property is null; refer to one with a value"),
        (
            "ForEach.CurrentItem.nam",
            "the item: 'nam' is not in the result; did you mean 'name'?; "
            "there are: name, tags, odd key",
        ),
        (
            "IterationOutput.Score.auc",
            "step 'Score': 'auc' is not in the result; there are: OutputParameters",
        ),
    ],
)
def test_path_without_a_value_fails_the_step_that_reads_it(path: str, told: str) -> None:
    assert failure_of(path, SCOPE) == f"$.Get: {told}"


def test_roots_are_those_that_the_sdks_write() -> None:
    # SDK: workflow/parameters.py, execution_variables.py, properties.py; v3 for_each_step.py. The
    # experiment's names are read in a real definition.
    assert set(ROOTS) == {
        *("Parameters", "Execution", "Steps"),
        *("PipelineExperimentConfig", "ForEach", "IterationOutput"),
    }


def test_every_class_of_reference_is_tested_here() -> None:
    classes = {
        name
        for name, member in inspect.getmembers(references, inspect.isclass)
        if member.__module__ == references.__name__
    }
    assert classes <= globals().keys()
