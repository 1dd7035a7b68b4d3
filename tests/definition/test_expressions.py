import pytest

from airflow_sm_pipelines.definition.expressions import (
    EXECUTION_VARIABLES,
    FUNCTIONS,
    ROOTS,
    ExecutionVariable,
    Join,
    JsonGet,
    ParameterReference,
    PropertyFileReference,
    PropertyReference,
    expressions,
    parse_value,
    resolve,
)
from airflow_sm_pipelines.definition.node import Json, Node
from airflow_sm_pipelines.errors import DefinitionError, ExpressionError
from tests.definition.cases import DictScope

SCOPE = DictScope(
    parameters={"Text": "t", "Count": 3, "Ratio": 0.5, "Flag": True, "Uri": "s3://b/k.json"},
    results={
        "Train": {
            "TrainingJobName": "job",
            "Missing": None,
            "FinalMetricDataList": [{"MetricName": "val:acc", "Value": 0.75}],
            "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model"},
        },
        "Prep_1-x": {
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Uri": "s3://b/t"}]}
        },
    },
    documents={
        "s3://b/k.json": {"mse": 1.5, "ok": False, "list": []},
        "s3://bucket/Eval/Report": {"mse": 6},
    },
)


def value_of(expression: Json) -> Json:
    return resolve(parse_value(Node(expression)), SCOPE)


def refusal_of(expression: Json) -> str:
    with pytest.raises(DefinitionError) as caught:
        parse_value(Node(expression))
    return str(caught.value)


def failure_of(expression: Json) -> str:
    with pytest.raises(ExpressionError) as caught:
        value_of(expression)
    return str(caught.value)


def get(path: str) -> dict[str, Json]:
    return {"Get": path}


def join(on: Json, *values: Json) -> dict[str, Json]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def json_get(**body: Json) -> dict[str, Json]:
    return {"Std:JsonGet": body}


@pytest.mark.parametrize(
    "value", [None, True, 3, 0.5, "x", [], {}, {"a": [1, {"b": None}]}, {"Get": 1, "Other": 2}]
)
def test_plain_json_is_its_own_value(value: Json) -> None:
    assert value_of(value) == value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Parameters.Text", "t"),
        ("Parameters.Count", 3),
        ("Parameters.Ratio", 0.5),
        ("Parameters.Flag", True),
        ("Execution.PipelineExecutionId", "<PipelineExecutionId>"),
        ("Steps.Train.TrainingJobName", "job"),
        ("Steps.Train['TrainingJobName']", "job"),
        ("Steps.Train.FinalMetricDataList['val:acc'].Value", 0.75),
        ("Steps.Train.FinalMetricDataList[0].Value", 0.75),
        ("Steps.Prep_1-x.ProcessingOutputConfig.Outputs['train'].S3Uri", "s3://b/t"),
        ("Steps.Eval.PropertyFiles.Report", "s3://bucket/Eval/Report"),
        ("Steps.Eval.PropertyFiles['Report']", "s3://bucket/Eval/Report"),
    ],
)
def test_get_is_the_typed_value(path: str, value: Json) -> None:
    assert value_of(get(path)) == value
    assert value_of([{"in": get(path)}]) == [{"in": value}]


@pytest.mark.parametrize("variable", EXECUTION_VARIABLES)
def test_every_execution_variable_is_read(variable: str) -> None:
    assert parse_value(Node(get(f"Execution.{variable}"))) == ExecutionVariable(variable, "$.Get")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (None, "null where a string is expected"),
        (
            "Params.X",
            "'Params.X' leads nowhere; did you mean 'Parameters'?; "
            "it starts with Parameters., Execution. or Steps.",
        ),
        ("Parameters", "'' is not a parameter name; write Parameters.<name>"),
        ("Parameters.a.b", "'a.b' is not a parameter name; write Parameters.<name>"),
        (
            "Execution.Id",
            "unknown execution variable 'Id'; known are: PipelineExecutionId, "
            "PipelineExecutionArn, PipelineName, PipelineArn, StartDateTime, CurrentDateTime, "
            "TrainingJobName, ProcessingJobName",
        ),
        (
            "Execution.PipelineNam",
            "unknown execution variable 'PipelineNam'; did you mean 'PipelineName'?; known are: "
            "PipelineExecutionId, PipelineExecutionArn, PipelineName, PipelineArn, StartDateTime, "
            "CurrentDateTime, TrainingJobName, ProcessingJobName",
        ),
        ("Steps.X", "'Steps.X' names no property; write Steps.<step>.<property>"),
        ("Steps", "'Steps.' names no property; write Steps.<step>.<property>"),
        ("Steps..x", "'Steps..x' names no property; write Steps.<step>.<property>"),
        ("Steps.a b.c", "'Steps.a b.c' names no property; write Steps.<step>.<property>"),
        ("Steps.X.", "an empty path; name a member, for example metrics.mse.value"),
        (
            "Steps.X.a[b]",
            "path 'a[b]', character 2: '[b]' is not a segment; segments are .name, [0] and ['key']",
        ),
    ],
)
def test_get_that_leads_nowhere_is_refused(path: Json, told: str) -> None:
    assert refusal_of({"Get": path}) == f"$.Get: {told}"


class NothingRan(DictScope):
    """A scope in which no step has handed on anything."""

    def properties(self, step: str) -> Json:
        raise ExpressionError(f"step {step!r} has handed on nothing")

    def property_file(self, step: str, name: str) -> str:
        raise ExpressionError(f"step {step!r} has handed on nothing")


@pytest.mark.parametrize(
    ("definition", "where"),
    [
        ({"Get": "Steps.Train.TrainingJobName"}, "$.Get"),
        (
            {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.F"}, "Path": "a"}},
            "$.Std:JsonGet.PropertyFile.Get",
        ),
    ],
)
def test_where_a_step_that_did_not_run_is_read(definition: dict[str, Json], where: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        resolve(parse_value(Node(definition)), NothingRan())
    assert str(raised.value).startswith(f"{where}: step ")
    assert str(raised.value).endswith("has handed on nothing")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (
            "Steps.Train.TrainingJobNam",
            "$.Get: step 'Train': 'TrainingJobNam' is not in the result; "
            "did you mean 'TrainingJobName'?; there are: TrainingJobName, Missing, "
            "FinalMetricDataList, ModelArtifacts",
        ),
        (
            "Steps.Train.Missing",
            "$.Get: step 'Train': the property is null; refer to one with a value",
        ),
    ],
)
def test_property_without_a_value_fails_the_step_that_reads_it(path: str, told: str) -> None:
    assert failure_of(get(path)) == told


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (join(",", "a", "b"), "a,b"),
        (join("", "s3://", get("Parameters.Text")), "s3://t"),
        (join("-"), ""),
        ({"Std:Join": {"Values": ["a", "b"]}}, "ab"),
        ({"Std:Join": {"On": None, "Values": ["a", "b"]}}, "ab"),
        (join(" ", True, False, 3, 0.5, 1e-07), "true false 3 0.5 1e-07"),
        (join(" ", get("Parameters.Flag"), get("Parameters.Count")), "true 3"),
        (
            join("/", "a", join("-", "b", json_get(S3Uri="s3://b/k.json", Path="mse"))),
            "a/b-1.5",
        ),
    ],
)
def test_join_is_the_text_of_its_values(expression: Json, text: str) -> None:
    assert value_of(expression) == text


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([], "$.Std:Join: an array where an object is expected"),
        (
            {"On": ","},
            "$.Std:Join: 'Values' is missing; it is required, given are: On",
        ),
        (
            {"On": 1, "Values": [None, ["x"], {"a": 1}, get("Steps.X")], "Sep": ","},
            "$.Std:Join.Sep: unknown key 'Sep'; known are: On, Values\n"
            "$.Std:Join.On: the number 1 where a string is expected\n"
            "$.Std:Join.Values[0]: null cannot be joined; join strings, numbers and booleans\n"
            "$.Std:Join.Values[1]: an array cannot be joined; join strings, numbers and booleans\n"
            "$.Std:Join.Values[2]: an object cannot be joined; join strings, numbers and booleans\n"
            "$.Std:Join.Values[3].Get: 'Steps.X' names no property; "
            "write Steps.<step>.<property>",
        ),
    ],
)
def test_join_of_what_is_no_text_is_refused(body: Json, told: str) -> None:
    assert refusal_of({"Std:Join": body}) == told


def test_join_fails_on_a_property_that_is_no_text() -> None:
    assert failure_of(join(",", "a", get("Steps.Train.ModelArtifacts"))) == (
        "$.Std:Join.Values[1]: an object cannot be joined; join strings, numbers and booleans"
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (json_get(PropertyFile=get("Steps.Eval.PropertyFiles.Report"), Path="mse"), 6),
        (json_get(S3Uri="s3://b/k.json", Path="mse"), 1.5),
        (json_get(S3Uri=get("Parameters.Uri"), Path="ok"), False),
        (json_get(S3Uri=join("/", "s3://b", "k.json"), Path="mse"), 1.5),
    ],
)
def test_json_get_is_the_typed_value_in_the_document(expression: Json, value: Json) -> None:
    assert (value_of(expression), type(value_of(expression))) == (value, type(value))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {},
            "$.Std:JsonGet: 'Path' is missing; it is required, given are: none\n"
            "$.Std:JsonGet: one source is needed; give either PropertyFile or S3Uri",
        ),
        (
            {"PropertyFile": get("Steps.E.PropertyFiles.R"), "S3Uri": "s3://b/k", "Path": "a"},
            "$.Std:JsonGet: one source is needed; give either PropertyFile or S3Uri",
        ),
        (
            {"S3Uri": 3, "Path": get("Parameters.P"), "Pth": 1},
            "$.Std:JsonGet.Pth: unknown key 'Pth'; did you mean 'Path'?; "
            "known are: PropertyFile, S3Uri, Path\n"
            "$.Std:JsonGet.Path: an object where a string is expected; "
            "an expression may not stand here, write the value itself\n"
            "$.Std:JsonGet.S3Uri: the number 3 where an S3 URI is expected; "
            "write a string or a Join",
        ),
        (
            {"S3Uri": get("Execution.PipelineName"), "Path": "a"},
            "$.Std:JsonGet.S3Uri: an object where an S3 URI is expected; write a string or a Join",
        ),
        (
            {"PropertyFile": get("Steps.E.ProcessingJobName"), "Path": "a"},
            "$.Std:JsonGet.PropertyFile: not a property file; "
            "write {'Get': 'Steps.<step>.PropertyFiles.<name>'}",
        ),
    ],
)
def test_json_get_without_one_source_and_a_path_is_refused(body: Json, told: str) -> None:
    assert refusal_of({"Std:JsonGet": body}) == told


def test_json_get_tells_where_the_document_is_asked_for() -> None:
    assert failure_of(json_get(S3Uri="s3://b/none", Path="a")) == (
        "$.Std:JsonGet: no object s3://b/none"
    )


def test_json_get_fails_on_an_address_that_is_no_text() -> None:
    assert failure_of(json_get(S3Uri=get("Parameters.Count"), Path="a")) == (
        "$.Std:JsonGet.S3Uri: the number 3 where an S3 URI is expected"
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "Std:Jion",
            "$: unknown function 'Std:Jion'; did you mean 'Std:Join'?; "
            "known are: Get, Std:Join, Std:JsonGet",
        ),
        ("Std:Xyzzy", "$: unknown function 'Std:Xyzzy'; known are: Get, Std:Join, Std:JsonGet"),
    ],
)
def test_unknown_function_is_refused(name: str, told: str) -> None:
    assert refusal_of({name: {}}) == told


def test_every_problem_of_a_value_is_told() -> None:
    assert refusal_of({"a": [get("x"), get("Parameters.X")], "b": {"c": get("y")}}) == (
        "$.a[0].Get: 'x' leads nowhere; it starts with Parameters., Execution. or Steps.\n"
        "$.b.c.Get: 'y' leads nowhere; it starts with Parameters., Execution. or Steps."
    )


def test_expressions_are_found_outer_ones_first() -> None:
    value = parse_value(
        Node(
            {
                "a": [get("Parameters.A"), 1, None, "x"],
                "b": join("", get("Execution.PipelineName"), get("Steps.S.x")),
                "c": json_get(PropertyFile=get("Steps.S.PropertyFiles.F"), Path="p"),
            }
        )
    )
    assert [type(expression) for expression in expressions(value)] == [
        ParameterReference,
        Join,
        ExecutionVariable,
        PropertyReference,
        JsonGet,
        PropertyFileReference,
    ]


def test_functions_and_roots_are_those_that_the_sdks_write() -> None:
    assert set(FUNCTIONS) == {"Get", "Std:Join", "Std:JsonGet"}
    assert set(ROOTS) == {"Parameters", "Execution", "Steps"}
