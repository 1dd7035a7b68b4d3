"""What every drawing of a pipeline shows."""

from typing import Any

import pytest

from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.diagrams.chart import Edge, chart, paths
from tests.diagrams.cases import condition, fixture, for_each, pipeline, step


def edges(shown: Pipeline) -> list[tuple[str, str, str]]:
    return [(edge.source, edge.target, edge.label) for edge in chart(shown).edges]


def test_a_step_is_a_box_and_a_wait_is_an_edge() -> None:
    made = chart(pipeline(step("A"), step("B", "A")))
    assert [box.key for box in made.boxes] == ["A", "B"]
    assert made.edges == (Edge(source="A", target="B"),)


def test_a_wait_that_is_named_twice_is_one_edge() -> None:
    read = {"Get": "Steps.A.ModelArtifacts.S3ModelArtifacts"}
    assert edges(pipeline(step("A"), step("B", "A", Arguments={"X": read}))) == [("A", "B", "")]


def test_each_branch_with_steps_is_a_box_that_its_condition_leads_to() -> None:
    made = chart(pipeline(condition("C", if_steps=[step("A"), step("B", "A")])))
    assert [box.key for box in made.boxes] == ["C", "C/if"]
    assert [box.key for box in made.boxes[1].members] == ["A", "B"]
    assert [(e.source, e.target, e.label) for e in made.edges] == [
        ("C", "C/if", "true"),
        ("A", "B", ""),
    ]


def test_both_outcomes_are_told() -> None:
    made = pipeline(condition("C", if_steps=[step("A")], else_steps=[step("B")]))
    assert edges(made) == [("C", "C/if", "true"), ("C", "C/else", "false")]


def test_a_wait_that_the_box_around_a_step_implies_is_no_edge_of_its_own() -> None:
    read = {"Get": "Steps.C.Outcome"}
    inner = step("A", Arguments={"X": read})
    assert edges(pipeline(condition("C", if_steps=[inner]))) == [("C", "C/if", "true")]


def test_a_for_each_step_is_the_box_around_its_body() -> None:
    made = chart(pipeline(for_each("F", body=[step("A"), step("B", "A")])))
    assert [(box.key, [inner.key for inner in box.members]) for box in made.boxes] == [
        ("F", ["A", "B"])
    ]
    assert made.boxes[0].lines == ("F", "ForEach · each of 2 items, at most 2 at once")


@pytest.mark.parametrize(
    "reader",
    [
        step("B", "F"),
        step("B", "A"),
        step("B", Arguments={"X": {"Get": "Steps.F.Status"}}),
        step("B", Arguments={"X": {"Get": "Steps.A.ModelArtifacts"}}),
    ],
)
def test_who_waits_for_a_step_of_a_body_waits_for_the_whole_loop(reader: dict[str, Any]) -> None:
    assert edges(pipeline(for_each("F", body=[step("A")]), reader)) == [("F", "B", "")]


def test_how_a_step_of_a_body_has_to_end_is_told() -> None:
    reader = step("B", {"Step": "A", "Trigger": "Failed"})
    assert edges(pipeline(for_each("F", body=[step("A")]), reader)) == [("F", "B", "Failed")]


def test_a_step_of_a_body_waits_for_steps_outside() -> None:
    made = pipeline(step("A"), for_each("F", body=[step("B", "A")]))
    assert edges(made) == [("A", "B", "")]


@pytest.mark.parametrize("trigger", ["Failed", "Stopped", "Any"])
def test_another_end_than_completion_is_told(trigger: str) -> None:
    made = pipeline(step("A"), step("B", {"Step": "A", "Trigger": trigger}))
    assert edges(made) == [("A", "B", trigger)]


def test_a_box_says_what_a_step_is_called_and_is() -> None:
    made = chart(
        pipeline(
            step(
                "A",
                DisplayName="Teach\n\x1b[31mit",
                CacheConfig={"Enabled": True, "ExpireAfter": "P1D"},
                RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 1}],
            )
        )
    )
    assert made.boxes[0].lines == ("A", "Teach [31mit", "Training · cached · retried")


def test_a_display_name_that_is_the_name_is_not_repeated() -> None:
    assert chart(pipeline(step("A", DisplayName="A"))).boxes[0].lines == ("A", "Training")


def test_a_cache_that_is_off_is_no_mark() -> None:
    made = chart(pipeline(step("A", CacheConfig={"Enabled": False})))
    assert made.boxes[0].lines == ("A", "Training")


def test_the_summary_has_the_size_and_the_limit() -> None:
    assert chart(pipeline(step("A"))).summary == "p: 1 step"
    assert fixture("describe_pipeline").summary.endswith("at once")


def test_paths_are_the_boxes_around_each_box() -> None:
    inner = condition("D", if_steps=[step("A")])
    made = chart(pipeline(condition("C", else_steps=[inner])))
    assert paths(made.boxes) == {
        "C": ("C",),
        "C/else": ("C/else",),
        "D": ("C/else", "D"),
        "D/if": ("C/else", "D/if"),
        "A": ("C/else", "D/if", "A"),
    }
