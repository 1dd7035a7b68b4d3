import json
from typing import Any

import pytest

from airflow_sm_pipelines import markdown
from airflow_sm_pipelines.definition import Pipeline, Step, load
from tests.drawing import DEFINITIONS

LARGEST_PAGE = 4096


def pipeline(*steps: dict[str, Any], **keys: Any) -> Pipeline:
    return load(json.dumps({"Version": "2020-12-01", "Steps": list(steps), **keys}), name="p")


def step(arguments: dict[str, Any] | None = None, **keys: Any) -> Step:
    (made,) = pipeline(
        {"Name": "S", "Type": "Training", **keys, "Arguments": arguments or {}}
    ).steps
    return made


def shown(page: str) -> Any:
    return json.loads(page.partition("```json\n")[2].rpartition("\n```")[0])


def test_the_page_of_a_pipeline_has_its_description_parameters_and_steps() -> None:
    page = markdown.pipeline_page(
        pipeline(
            {
                "Name": "C",
                "Type": "Condition",
                "DisplayName": "Good?",
                "Arguments": {
                    "Conditions": [],
                    "IfSteps": [{"Name": "S", "Type": "Model", "Arguments": {}}],
                },
            },
            Parameters=[
                {"Name": "Needed", "Type": "Integer", "Description": "a | b"},
                {"Name": "Mode", "DefaultValue": "x", "EnumValues": ["x", "y"]},
            ],
        )
    )
    assert page == (
        "SageMaker pipeline **p**\n"
        "\n"
        "| Parameter | Type | Default | Values | Description |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| Needed | Integer | required |  | a \\| b |\n"
        '| Mode | String | "x" | x, y |  |\n'
        "\n"
        "| Step | Type | Description |\n"
        "| --- | --- | --- |\n"
        "| C | Condition | Good? |\n"
        "| S | Model |  |"
    )


def test_the_page_of_a_pipeline_without_parameters_has_no_empty_table() -> None:
    assert "Parameter" not in markdown.pipeline_page(pipeline())


def test_no_value_breaks_out_of_its_table() -> None:
    page = markdown.pipeline_page(
        pipeline(Parameters=[{"Name": "P", "Description": "one\ntwo | <script>"}])
    )
    assert page.endswith("| one two \\| &lt;script> |")


def test_the_page_of_a_step_is_its_json() -> None:
    source = {"Name": "S", "Type": "Training", "Arguments": {"A": [1, {"Get": "Execution.X"}]}}
    made = step({"A": [1, {"Get": "Execution.PipelineName"}]}, Description="With care")
    page = markdown.step_page(made)
    assert page.startswith("With care\n\n```json\n")
    source["Arguments"] = {"A": [1, {"Get": "Execution.PipelineName"}]}
    assert shown(page) == {**source, "Description": "With care"}


@pytest.mark.parametrize("key", ["Environment", "HyperParameters"])
def test_values_that_may_be_secrets_are_stars(key: str) -> None:
    values = {
        "literal": "hunter2",
        "number": 3,
        "parameter": {"Get": "Execution.PipelineName"},
        "joined": {"Std:Join": {"On": "/", "Values": ["hunter2"]}},
    }
    page = markdown.step_page(step({"Deep": [{key: values}]}))
    assert "hunter2" not in page
    assert shown(page)["Arguments"]["Deep"][0][key] == {
        "literal": "***",
        "number": "***",
        "parameter": {"Get": "Execution.PipelineName"},
        "joined": {"Std:Join": {"On": "***", "Values": ["***"]}},
    }


def test_the_page_of_a_condition_names_the_steps_of_its_branches() -> None:
    child = {"Name": "S", "Type": "Training", "Arguments": {"Environment": {"A": "hunter2"}}}
    (condition,) = pipeline(
        {
            "Name": "C",
            "Type": "Condition",
            "Arguments": {"Conditions": [], "IfSteps": [child], "ElseSteps": []},
        }
    ).steps
    page = markdown.step_page(condition)
    assert shown(page)["Arguments"] == {"Conditions": [], "IfSteps": ["S"], "ElseSteps": []}
    assert "hunter2" not in page


def test_json_does_not_end_the_code_block() -> None:
    page = markdown.step_page(step({"A": "```\n# heading"}))
    assert page.count("```") == 2


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600", "`", '"', "\n"])
def test_a_page_takes_four_kilobytes_at_most(letter: str) -> None:
    page = markdown.step_page(step({"A": letter * 20_000}, Description=letter * 20_000))
    assert len(page.encode()) <= LARGEST_PAGE
    assert page.endswith("\n... (shortened)\n```")


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_page_of_every_step_is_small(name: str) -> None:
    for each in load(DEFINITIONS[name].read_bytes()).walk():
        assert len(markdown.step_page(each).encode()) <= LARGEST_PAGE


def test_the_page_of_a_broken_definition_is_the_problem() -> None:
    assert markdown.problem_page("a.json: $.Steps: ```wrong```") == (
        "This definition could not become a DAG:\n\n```\na.json: $.Steps: ` ` `wrong` ` `\n```"
    )


def test_the_page_of_a_thousand_problems_is_small() -> None:
    page = markdown.problem_page("\n".join(f"a.json: problem {i}" for i in range(1_000)))
    assert len(page.encode()) <= LARGEST_PAGE
    assert page.endswith("\n... (shortened)\n```")
