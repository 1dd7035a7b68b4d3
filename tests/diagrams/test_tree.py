"""The tree: whoever reads it knows the whole graph."""

import pytest
from hypothesis import given, settings

from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.diagrams import Chart, chart, tree
from airflow_sm_pipelines.diagrams.chart import Box, repeated
from airflow_sm_pipelines.diagrams.kinds import KINDS
from airflow_sm_pipelines.diagrams.words import cells
from tests.diagrams.cases import FILES, condition, fixture, for_each, pipeline, pipelines, step
from tests.diagrams.reader import read

WIDE = 10_000


def text(shown: Chart, width: int = WIDE) -> list[str]:
    return ["".join(span.text for span in line) for line in tree(shown, width)]


def body(shown: Chart, width: int = WIDE) -> list[str]:
    """The lines between the summary and the legend."""
    lines = text(shown, width)[2:]
    return lines[: lines.index("")] if "" in lines else lines


def drawn(*steps: dict[str, object]) -> list[str]:
    return body(chart(pipeline(*steps)))


def head(box: Box) -> str:
    """What is written at the head of a group."""
    return repeated(box.step.iteration) if box.step and box.step.iteration else box.lines[0]


def check(shown: Chart) -> None:
    """Compare what a reader knows of the tree with the chart."""
    reader = read(body(shown))
    steps = [box for box in shown.walk() if box.step]
    assert sorted(reader.names) == sorted(box.key for box in steps)
    branches = {box.key for box in shown.walk() if box.step is None}
    assert reader.edges == {
        (edge.source, edge.target, edge.label)
        for edge in shown.edges
        if edge.target not in branches
    }
    assert reader.inside == {
        member.key: f"{box.owner}/{head(box)}"
        for box in shown.walk()
        for member in box.members
        if member.step
    }


@pytest.mark.parametrize("name", FILES)
def test_the_graph_of_every_fixture_can_be_read_from_its_tree(name: str) -> None:
    check(fixture(name))


@settings(max_examples=300, deadline=None)
@given(pipelines())
def test_any_graph_can_be_read_from_its_tree(made: Pipeline) -> None:
    check(chart(made))


@settings(max_examples=100, deadline=None)
@given(pipelines())
def test_a_step_stands_below_what_it_waits_for_itself_in_the_same_group(made: Pipeline) -> None:
    shown = chart(made)
    reader = read(body(shown))
    line = {name: at for at, name in enumerate(reader.names)}
    for edge in shown.edges:
        if edge.target in line and reader.inside.get(edge.source) == reader.inside.get(edge.target):
            assert line[edge.source] < line[edge.target]


def test_a_chain_is_a_column() -> None:
    assert drawn(step("A"), step("B", "A"), step("C", "B")) == [
        "● A  Training",
        "↓ B  Training",
        "↓ C  Training",
    ]


def test_equals_after_one_step_fork_from_it() -> None:
    assert drawn(step("A"), step("B", "A"), step("C", "A")) == [
        "● A   Training",
        "├→ B  Training",
        "└→ C  Training",
    ]


def test_a_join_stands_below_the_fork() -> None:
    steps = [step("A"), step("B", "A"), step("C", "A"), step("D", "B", "C"), step("E", "D")]
    assert drawn(*steps) == [
        "● A   Training",
        "├→ B  Training",
        "├→ C  Training",
        "↓ D   Training  after B, C",
        "↓ E   Training",
    ]


def test_a_wait_that_another_one_implies_is_told_and_does_not_move_the_step() -> None:
    assert drawn(step("A"), step("B", "A"), step("C", "A", "B")) == [
        "● A  Training",
        "↓ B  Training",
        "↓ C  Training  also after A",
    ]


def test_the_longest_way_stays_in_the_column() -> None:
    assert drawn(step("A"), step("B", "A"), step("C", "B"), step("D", "A")) == [
        "● A   Training",
        "├→ D  Training",
        "↓ B   Training",
        "↓ C   Training",
    ]


def test_the_longest_way_does_not_stay_where_a_join_has_to_follow_it() -> None:
    steps = [step("A"), step("B", "A"), step("C", "B"), step("D", "A"), step("E", "C", "D")]
    assert drawn(*steps) == [
        "● A     Training",
        "├→ B    Training",
        "│  ↓ C  Training",
        "├→ D    Training",
        "↓ E     Training  after C, D",
    ]


def test_a_join_of_steps_without_a_common_one_says_what_it_joins() -> None:
    assert drawn(step("A"), step("B"), step("C", "A", "B")) == [
        "● A  Training",
        "● B  Training",
        "↓ C  Training  after A, B",
    ]


def test_branches_are_groups_and_what_follows_stays_in_the_column() -> None:
    decide = condition("C", if_steps=[step("A"), step("B", "A")], else_steps=[step("D")])
    assert drawn(decide, step("E", "C")) == [
        "● C     Condition",
        "├─ if",
        "│  ● A  Training",
        "│  ↓ B  Training",
        "├─ else",
        "│  ● D  Training",
        "↓ E     Training",
    ]


def test_what_stands_in_a_branch_alone_waits_for_the_branch_alone() -> None:
    inner = condition("D", if_steps=[step("B", "A")])
    assert drawn(condition("C", if_steps=[step("A"), inner])) == [
        "● C        Condition",
        "└─ if",
        "   ● A     Training",
        "   ● D     Condition",
        "   └─ if",
        "      ↓ B  Training   after A",
    ]


def test_a_body_is_a_group_that_says_how_often_it_runs() -> None:
    assert drawn(for_each("F", body=[step("A")]), step("B", "F")) == [
        "● F     ForEach",
        "├─ each of 2 items, at most 2 at once",
        "│  ● A  Training",
        "↓ B     Training",
    ]


def test_another_end_than_completion_is_told_of_the_step_above_too() -> None:
    assert drawn(step("A"), step("B", {"Step": "A", "Trigger": "Failed"})) == [
        "● A  Training",
        "↓ B  Training  after A (Failed)",
    ]


def test_a_chain_needs_no_legend() -> None:
    assert text(chart(pipeline(step("A"), step("B", "A")))) == [
        "p: 2 steps",
        "",
        "● A  Training",
        "↓ B  Training",
    ]


def test_the_legend_has_the_signs_that_are_used() -> None:
    assert text(chart(pipeline(step("A"), step("B"), step("C", "A", "B"))))[-2:] == [
        "",
        "● starts first, or with its group; ↓ waits for the step above it in its column; "
        "after A: for A instead",
    ]
    assert text(chart(pipeline(step("A"), step("B", "A"), step("C", "A"))))[-1] == (
        "● starts first, or with its group; → waits for the step that its line comes from"
    )


def test_every_style_is_known() -> None:
    styles = {span.style for line in tree(fixture("everything"), 100) for span in line}
    assert styles <= {*KINDS, "rail", "note", "title"}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("width", [20, 40, 80, 100])
def test_lines_fit_the_width_where_one_name_does_not_fill_it(name: str, width: int) -> None:
    """What cannot be broken is a rail, a sign and a name, or one word of a note."""
    shown = fixture(name)
    longest = max(cells(word) for line in text(shown) for word in line.split())
    for line in text(shown, width):
        rail = len(line) - len(line.lstrip("│├└─→●↓ "))
        assert cells(line) <= max(width, rail + longest), line


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("width", [1, 20, 60, 100])
def test_no_word_is_lost_at_any_width(name: str, width: int) -> None:
    signs = str.maketrans("", "", "│├└─→●↓")
    words = [" ".join(text(fixture(name), each)).translate(signs).split() for each in (WIDE, width)]
    assert sorted(words[0]) == sorted(words[1])


def test_usual_pipelines_need_no_more_than_100_columns() -> None:
    assert max(cells(line) for line in text(fixture("abalone"), 100)) <= 100


def test_a_name_of_64_characters_has_its_line() -> None:
    name = "n" * 64
    assert body(chart(pipeline(step("A"), step(name, "A"))), 60) == [
        "● A                       Training",
        f"↓ {name}",
        "                          Training",
    ]


def test_thousands_of_steps_in_a_chain_are_no_deeper_than_one() -> None:
    steps = [step("S0"), *(step(f"S{at}", f"S{at - 1}") for at in range(1, 2000))]
    lines = drawn(*steps)
    assert len(lines) == 2000
    assert {line[:2] for line in lines[1:]} == {"↓ "}


def test_forks_inside_forks_are_indented_as_often_as_they_halve() -> None:
    steps = [step("S1"), *(step(f"S{at}", f"S{at // 2}") for at in range(2, 1024))]
    assert max(line.index("S") for line in drawn(*steps)) <= 3 * 10
