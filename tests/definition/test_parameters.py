import math

import pytest

from airflow_sm_pipelines.definition.node import Json, Node
from airflow_sm_pipelines.definition.parameters import (
    PARAMETER_TYPES,
    bind,
    bind_text,
    parse_parameter,
)
from airflow_sm_pipelines.errors import DefinitionError, ParameterError
from tests.definition.cases import definition, fixture, loaded

PIPELINE = fixture("parameters")
DEFAULTS = {"Text": "a", "Untyped": "", "Count": 0, "Ratio": 0.5, "Flag": False}


def refusal_of(parameter: Json) -> str:
    with pytest.raises(DefinitionError) as caught:
        parse_parameter(Node(parameter))
    return str(caught.value)


def failure_of(given: dict[str, Json]) -> str:
    with pytest.raises(ParameterError) as caught:
        bind(PIPELINE, given)
    return str(caught.value)


def test_four_types_are_known() -> None:
    assert list(PARAMETER_TYPES) == ["String", "Integer", "Float", "Boolean"]
    assert [kind.json_schema for kind in PARAMETER_TYPES.values()] == [
        "string",
        "integer",
        "number",
        "boolean",
    ]


def test_declaration_is_read_whole() -> None:
    text = PIPELINE.parameter("Text")
    assert (text.type, text.default, text.enum) == ("String", "a", ("a", "b"))
    assert (text.description, text.where) == ("one of two", "$.Parameters[0]")


def test_parameter_without_type_is_a_string() -> None:
    assert PIPELINE.parameter("Untyped").type == "String"


@pytest.mark.parametrize("name", ["Count", "Flag", "Untyped"])
def test_default_that_is_zero_false_or_empty_is_a_default(name: str) -> None:
    assert not PIPELINE.parameter(name).required


def test_parameter_without_default_is_required() -> None:
    assert PIPELINE.parameter("Needed").required


def test_name_may_be_as_long_as_the_service_allows() -> None:
    assert parse_parameter(Node({"Name": "a" * 256})).name == "a" * 256


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        (3, "$: the number 3 where an object is expected"),
        (
            {},
            "$: 'Name' is missing; it is required, given are: none",
        ),
        (
            {"Name": "a" * 257},
            "$.Name: a long string is not a name; use 1 to 256 letters, digits, '-' and '_'",
        ),
        (
            {"Name": "P", "Type": "Int", "Default": 1, "EnumValues": "x", "Description": []},
            "$.Default: unknown key 'Default'; did you mean 'DefaultValue'?; "
            "known are: Name, Type, DefaultValue, EnumValues, Description\n"
            "$.Type: unknown parameter type 'Int'; did you mean 'Integer'?; "
            "known are: String, Integer, Float, Boolean\n"
            "$.EnumValues: EnumValues are for String parameters; remove them\n"
            "$.Description: an array where a string is expected",
        ),
        (
            {"Name": "P", "Type": "Xyz"},
            "$.Type: unknown parameter type 'Xyz'; known are: String, Integer, Float, Boolean",
        ),
        (
            {"Name": "P", "Type": "Integer", "DefaultValue": True},
            "$.DefaultValue: true where an integer is expected",
        ),
        (
            {"Name": "P", "Type": "Float", "DefaultValue": "0.5"},
            "$.DefaultValue: the string '0.5' where a number is expected",
        ),
        (
            {"Name": "P", "DefaultValue": {"Get": "Execution.PipelineName"}},
            "$.DefaultValue: an object where a string is expected; "
            "an expression may not stand here, write the value itself",
        ),
        (
            {"Name": "P", "EnumValues": []},
            "$.EnumValues: no values; give at least one or remove the key",
        ),
        (
            {"Name": "P", "EnumValues": ["a", 1]},
            "$.EnumValues[1]: the number 1 where a string is expected",
        ),
        (
            {"Name": "P", "Type": "String", "EnumValues": ["a", "b"], "DefaultValue": "c"},
            "$.DefaultValue: 'c' is not among EnumValues; use one of: a, b",
        ),
    ],
)
def test_declaration_that_is_wrong_is_refused_with_all_its_problems(
    parameter: Json, told: str
) -> None:
    assert refusal_of(parameter) == told


def test_defaults_stand_for_what_is_not_given() -> None:
    assert bind(PIPELINE, {"Needed": "x"}) == {**DEFAULTS, "Needed": "x"}


def test_given_values_stand_before_defaults() -> None:
    given: dict[str, Json] = {
        "Text": "b",
        "Untyped": "u",
        "Count": -3,
        "Ratio": 2,
        "Flag": True,
        "Needed": "",
    }
    assert bind(PIPELINE, given) == given


@pytest.mark.parametrize("given", [{}, {"Needed": None}])
def test_missing_value_is_told(given: dict[str, Json]) -> None:
    assert failure_of(given) == (
        "parameter Needed: missing; it has no default, give a value of type String"
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("Cuont", 1, "unknown; did you mean 'Count'?; the pipeline declares: "),
        ("Zzz", 1, "unknown; the pipeline declares: "),
    ],
)
def test_unknown_name_is_told(name: str, value: Json, told: str) -> None:
    declared = "Text, Untyped, Count, Ratio, Flag, Needed"
    assert failure_of({name: value, "Needed": "x"}) == f"parameter {name}: {told}{declared}"


def test_pipeline_without_parameters_takes_none() -> None:
    with pytest.raises(ParameterError) as caught:
        bind(loaded(definition()), {"X": 1})
    assert str(caught.value) == "parameter X: unknown; the pipeline declares: none"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("Count", True, "true where an integer is expected"),
        ("Count", "3", "the string '3' where an integer is expected"),
        ("Count", 3.0, "the number 3.0 where an integer is expected"),
        ("Count", None, "null where an integer is expected"),
        ("Ratio", "0.5", "the string '0.5' where a number is expected"),
        ("Ratio", False, "false where a number is expected"),
        ("Ratio", math.nan, "nan where a finite number is expected"),
        ("Flag", 1, "the number 1 where true or false is expected"),
        ("Flag", "true", "the string 'true' where true or false is expected"),
        ("Untyped", 1, "the number 1 where a string is expected"),
        ("Text", "c", "'c' is not among its values; use one of: a, b"),
    ],
)
def test_value_of_another_type_or_outside_the_enum_is_told(
    name: str, value: Json, told: str
) -> None:
    assert failure_of({name: value, "Needed": "x"}) == f"parameter {name}: {told}"


def test_every_wrong_value_is_told_at_once() -> None:
    assert failure_of({"Zzz": 1, "Count": "x", "Flag": 2}).splitlines() == [
        "parameter Zzz: unknown; the pipeline declares: Text, Untyped, Count, Ratio, Flag, Needed",
        "parameter Count: the string 'x' where an integer is expected",
        "parameter Flag: the number 2 where true or false is expected",
        "parameter Needed: missing; it has no default, give a value of type String",
    ]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("Count", "3", 3),
        ("Count", "-3", -3),
        ("Ratio", "3", 3.0),
        ("Ratio", "1e3", 1000.0),
        ("Flag", "True", True),
        ("Flag", "true", True),
        ("Flag", "False", False),
        ("Flag", "FALSE", False),
        ("Needed", "True", "True"),
        ("Needed", "3", "3"),
        ("Needed", "", ""),
    ],
)
def test_text_is_read_as_the_declared_type(name: str, text: str, value: Json) -> None:
    bound = bind_text(PIPELINE, {"Needed": "x", name: text})[name]
    assert (bound, type(bound)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("Count", "1e3", "the string '1e3' where an integer is expected"),
        ("Count", "3.0", "the string '3.0' where an integer is expected"),
        ("Count", "True", "the string 'True' where an integer is expected"),
        ("Count", "", "the string '' where an integer is expected"),
        ("Count", "1" * 5_000, "a long string where an integer is expected"),
        ("Ratio", "x", "the string 'x' where a number is expected"),
        ("Ratio", "nan", "nan where a finite number is expected"),
        ("Flag", "yes", "the string 'yes' where true or false is expected"),
        ("Flag", "1", "the string '1' where true or false is expected"),
        (
            "Zzz",
            "1",
            "unknown; the pipeline declares: Text, Untyped, Count, Ratio, Flag, Needed",
        ),
    ],
)
def test_text_of_another_type_is_told(name: str, text: str, told: str) -> None:
    with pytest.raises(ParameterError) as caught:
        bind_text(PIPELINE, {"Needed": "x", name: text})
    assert str(caught.value) == f"parameter {name}: {told}"
