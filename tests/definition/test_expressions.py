import pytest

from airflow_sm_pipelines.definition.expressions import (
    FUNCTIONS,
    Join,
    JsonGet,
    parse_texts,
    parse_value,
)
from airflow_sm_pipelines.definition.node import Json, Node
from airflow_sm_pipelines.definition.references import PropertyFileReference
from airflow_sm_pipelines.definition.values import resolve, to_json
from airflow_sm_pipelines.errors import DefinitionError, ExpressionError
from tests.definition.cases import DictScope, get

SCOPE = DictScope(
    parameters={"Text": "t", "Count": 3, "Flag": True, "Uri": "s3://b/k.json"},
    results={
        "Train": {"ModelArtifacts": {"S3ModelArtifacts": "s3://b/model"}},
        "Fit": {"OutputDataConfig": {"S3OutputPath": "s3://b/run/fit/results"}},
    },
    documents={
        "s3://b/k.json": {"mse": 1.5, "ok": False, "list": []},
        "s3://bucket/Eval/Report": {"mse": 6},
        "s3://b/run/fit/results/results.json": {"Result[1]['k']": "best"},
    },
)
ROOTS = "Parameters, Execution, Steps, PipelineExperimentConfig, ForEach, IterationOutput"


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


def join(on: Json, *values: Json) -> dict[str, Json]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def json_get(**body: Json) -> dict[str, Json]:
    return {"Std:JsonGet": body}


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
        (
            json_get(
                S3Uri=join("/", get("Steps.Fit.OutputDataConfig.S3OutputPath"), "results.json"),
                Path="Result[1]['k']",
            ),
            "best",
        ),
    ],
)
def test_json_get_is_the_typed_value_in_the_document(expression: Json, value: Json) -> None:
    assert (value_of(expression), type(value_of(expression))) == (value, type(value))


@pytest.mark.parametrize(
    "path",
    [
        *("mse", "a.b[0]['k']", "$.a.b", "$['a']", "train:rmse", "5fold", "[0].a", "$id.x"),
        *("a..b", "$..b", "a[*].b", "a[?(@.b > 1)]", "a[0:2]", "$['a','b']"),
    ],
)
def test_path_of_a_json_get_is_kept_as_it_is_written(path: str) -> None:
    expression = parse_value(Node(json_get(S3Uri="s3://b/k.json", Path=path)))
    assert isinstance(expression, JsonGet)
    assert expression.path == path


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", "an empty path; name a member, for example metrics.mse.value"),
        ("$", "an empty path; name a member, for example metrics.mse.value"),
        (
            "a[x]",
            "path 'a[x]', character 2: '[x]' is not a segment; segments are .name, [0] and ['key']",
        ),
    ],
)
def test_path_that_neither_grammar_has_is_refused(path: str, told: str) -> None:
    assert refusal_of(json_get(S3Uri="s3://b/k", Path=path)) == f"$.Std:JsonGet.Path: {told}"


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
            'write {"Get": "Steps.<step>.PropertyFiles.<name>"}',
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
    ("expression", "written"),
    [
        (join(",", "a", 1), join(",", "a", 1)),
        ({"Std:Join": {"Values": [True]}}, join("", True)),
        ({"Std:Join": {"On": None, "Values": []}}, join("")),
        (json_get(S3Uri="s3://b/k", Path="$.a"), json_get(S3Uri="s3://b/k", Path="$.a")),
        (
            json_get(Path="a", S3Uri={"Std:Join": {"Values": ["s3://b"]}}),
            json_get(S3Uri=join("", "s3://b"), Path="a"),
        ),
        (
            json_get(PropertyFile=get("Steps.E.PropertyFiles['R']"), Path="a"),
            json_get(PropertyFile=get("Steps.E.PropertyFiles.R"), Path="a"),
        ),
    ],
)
def test_functions_are_written_with_their_defaults(expression: Json, written: Json) -> None:
    assert to_json(parse_value(Node(expression))) == written
    assert to_json(parse_value(Node(written))) == written


def test_functions_tell_what_is_inside_them() -> None:
    reference = PropertyFileReference("E", "R", "$")
    assert Join(",", ("a", reference), "$").children() == ("a", reference)
    assert JsonGet(reference, "a", "$").children() == (reference,)


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
    value: Json = {"a": [get("x"), get("Parameters.X")], "b": {"c": get("y")}}
    assert refusal_of(value) == (
        f"$.a[0].Get: 'x' leads nowhere; it starts with one of: {ROOTS}\n"
        f"$.b.c.Get: 'y' leads nowhere; it starts with one of: {ROOTS}"
    )


def test_object_of_known_members_tells_unknown_keys_and_wrong_values_together() -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_texts(Node({"Nmae": 1, "Name": get("x")}), ("Name",))
    assert str(caught.value) == (
        "$.Nmae: unknown key 'Nmae'; did you mean 'Name'?; known are: Name\n"
        "$.Nmae: the number 1 where a string is expected\n"
        f"$.Name.Get: 'x' leads nowhere; it starts with one of: {ROOTS}"
    )


def test_functions_are_those_that_the_sdks_write() -> None:
    assert set(FUNCTIONS) == {"Get", "Std:Join", "Std:JsonGet"}
