import pytest

from airflow_sm_pipelines.definition.node import Json
from tests.validation.cases import step, told, training, warning


def get(path: str) -> Json:
    return {"Get": path}


def decide(*conditions: Json) -> Json:
    return step("Decide", "Condition", {"Conditions": list(conditions)})


def among(query: Json, *values: Json) -> Json:
    return {"Type": "In", "QueryValue": query, "Values": list(values)}


def compare(type_: str, left: Json, right: Json) -> Json:
    return {"Type": type_, "LeftValue": left, "RightValue": right}


METRIC = get("Steps.Train.FinalMetricDataList['a'].Value")
FILE: Json = {"Std:JsonGet": {"S3Uri": "s3://b/k.json", "Path": "a"}}
PLACE = "$.Steps[0].Arguments.Conditions[0]"
LIKE = "compare numbers with numbers and strings with strings"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            compare("Equals", get("Parameters.Text"), 3),
            f"Equals compares a string with a number, which fails the step; {LIKE}",
        ),
        (
            compare("LessThan", "0.5", METRIC),
            f"LessThan compares a string with a number, which fails the step; {LIKE}",
        ),
        (
            compare("Equals", get("Parameters.Flag"), "true"),
            f"Equals compares true or false with a string, which fails the step; {LIKE}",
        ),
        (
            compare("GreaterThan", get("Parameters.Flag"), False),
            "GreaterThan of true or false, which fails the step; compare it with Equals",
        ),
        (
            among(get("Parameters.Count"), 1, "2", 3),
            "a number is never equal to a string, which value 2 is; "
            "remove it or write it as the other type",
        ),
    ],
)
def test_operands_of_different_types_are_a_warning(condition: Json, message: str) -> None:
    assert warning(decide(condition), training()) == f"{PLACE}: {message}"


def test_operands_are_found_in_conditions_of_conditions() -> None:
    inner = compare("Equals", 1, "1")
    nested: Json = {"Type": "Not", "Condition": {"Type": "Or", "Conditions": [inner]}}
    assert warning(decide(nested)).startswith(f"{PLACE}.Condition.Conditions[0]: Equals compares")


@pytest.mark.parametrize(
    "condition",
    [
        compare("GreaterThan", get("Parameters.Count"), 0.5),
        compare("GreaterThan", "10", "9"),
        compare("Equals", get("Parameters.Flag"), True),
        compare("LessThan", FILE, "1"),
        compare("LessThan", METRIC, FILE),
        among(FILE, 1, "a"),
        compare("Equals", [1], "a"),
    ],
)
def test_operands_of_the_same_type_or_an_unknown_one_are_right(condition: Json) -> None:
    assert told(decide(condition), training()) == ([], [])


@pytest.mark.parametrize(
    ("message", "told_of_it"),
    [
        (get("Parameters.Count"), "parameter 'Count' is an Integer where a string is expected"),
        (METRIC, "'Steps.Train.FinalMetricDataList['a'].Value' is a Float"),
    ],
)
def test_message_of_a_fail_step_that_is_no_string_is_a_warning(
    message: Json, told_of_it: str
) -> None:
    stop = step("Stop", "Fail", {"ErrorMessage": message})
    assert warning(stop, training()).startswith(f"$.Steps[0].Arguments.ErrorMessage: {told_of_it}")


@pytest.mark.parametrize("message", ["m", get("Parameters.Text"), FILE])
def test_message_of_a_fail_step_that_is_a_string_is_right(message: Json) -> None:
    assert told(step("Stop", "Fail", {"ErrorMessage": message})) == ([], [])
