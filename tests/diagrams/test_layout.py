"""Where boxes and lines are: what holds for every drawing."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings

from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.diagrams.chart import Chart, chart, paths
from airflow_sm_pipelines.diagrams.layers import FAR
from airflow_sm_pipelines.diagrams.layout import Layout, Rectangle, Route, layout
from airflow_sm_pipelines.diagrams.sheet import Point
from airflow_sm_pipelines.diagrams.words import cells
from tests.diagrams.cases import FILES, condition, fixture, for_each, pipeline, pipelines, step

WIDEST_CHARACTER, HEAD_MARGIN, LEAST_GAP = 8, 12, 14


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def encloses(outer: Rectangle, inner: Rectangle) -> bool:
    return (
        outer.x < inner.x
        and outer.y < inner.y
        and inner.x + inner.width < outer.x + outer.width
        and inner.y + inner.height < outer.y + outer.height
    )


def on_border(box: Rectangle, point: Point) -> bool:
    return box.x <= point.x <= box.x + box.width and point.y in {box.y, box.y + box.height}


def head(found: Layout, key: str) -> Rectangle:
    """Where the text of a group is written."""
    lines = [line for text in found.texts[key] for line in text]
    width = max(map(cells, lines)) * WIDEST_CHARACTER + HEAD_MARGIN
    return Rectangle(found.boxes[key].x, found.boxes[key].y, width, len(lines) * 18)


def check_boxes(drawn: Chart, found: Layout) -> None:
    around = paths(drawn.boxes)
    assert set(found.boxes) == set(around)
    page = Rectangle(0, 0, found.width, found.height)
    assert all(encloses(page, box) for box in found.boxes.values())
    for one, other in combinations(found.boxes, 2):
        if one in around[other][:-1]:
            assert encloses(found.boxes[one], found.boxes[other]), (one, other)
        elif other in around[one][:-1]:
            assert encloses(found.boxes[other], found.boxes[one]), (one, other)
        else:
            assert not overlap(found.boxes[one], found.boxes[other]), (one, other)


def check_route(drawn: Chart, found: Layout, route: Route) -> None:
    """It joins its ends, stays on the page and passes no step and no group's head."""
    edge, points = route.edge, route.points
    assert on_border(found.boxes[edge.source], points[0]), edge
    assert on_border(found.boxes[edge.target], points[-1]), edge
    downwards = [after.y - before.y for before, after in pairwise(points)]
    assert all(length < 0 if route.upwards else length > 0 for length in downwards), edge
    written = [
        head(found, box.key) if box.members else found.boxes[box.key] for box in drawn.walk()
    ]
    for before, after in pairwise(points):
        x, y = min(before.x, after.x), min(before.y, after.y)
        part = Rectangle(x, y, abs(before.x - after.x) + 1, abs(before.y - after.y))
        assert 0 <= x <= max(before.x, after.x) <= found.width
        assert not any(overlap(part, each) for each in written), edge


def check_border(found: Layout, key: str) -> None:
    """Lines meet the upper border of a group beside its head and apart from each other."""
    box = found.boxes[key]
    points = {point for route in found.routes for point in route.points if point.y == box.y}
    meeting = sorted(x for x, _ in points if box.x <= x <= box.x + box.width)
    assert all(x >= box.x + head(found, key).width for x in meeting), key
    assert all(after - before >= LEAST_GAP for before, after in pairwise(meeting)), key


def check(drawn: Chart) -> Layout:
    found = layout(drawn)
    check_boxes(drawn, found)
    for box in drawn.walk():
        if box.members:
            check_border(found, box.key)
    assert {route.edge for route in found.routes} == set(drawn.edges)
    assert len(found.routes) == len(drawn.edges)
    for route in found.routes:
        check_route(drawn, found, route)
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_fixture_has_no_box_on_another_and_no_line_on_a_step(name: str) -> None:
    check(fixture(name))


@settings(max_examples=300, deadline=None)
@given(pipelines())
def test_no_pipeline_has_a_box_on_another_or_a_line_on_a_step(made: Pipeline) -> None:
    check(chart(made))


def test_lines_lead_downwards_where_they_can() -> None:
    assert not any(route.upwards for route in check(fixture("abalone")).routes)


def test_what_cannot_lead_downwards_leads_upwards() -> None:
    inner = [step("A"), step("B", "X")]
    found = check(chart(pipeline(condition("C", if_steps=inner), step("X", "A"))))
    assert [(r.edge.source, r.edge.target) for r in found.routes if r.upwards] == [("X", "B")]


def test_a_line_across_two_borders_is_in_one_piece() -> None:
    inner = condition("D", if_steps=[step("B", "A")])
    found = check(chart(pipeline(step("A"), condition("C", if_steps=[inner]))))
    (route,) = (each for each in found.routes if each.edge.target == "B")
    assert route.points[0].y < found.boxes["C/if"].y < found.boxes["D/if"].y < route.points[-1].y


def test_a_line_past_many_rows_goes_round_them() -> None:
    count = FAR + 3
    chain = [step("S0"), *(step(f"S{at}", f"S{at - 1}") for at in range(1, count))]
    found = check(chart(pipeline(*chain, step("Last", f"S{count - 1}", "S0", "S1"))))
    rightmost = max(box.x + box.width for box in found.boxes.values())
    lanes = {
        max(point.x for point in route.points)
        for route in found.routes
        if route.edge.target == "Last" and route.edge.source != f"S{count - 1}"
    }
    assert len(lanes) == 2
    assert min(lanes) > rightmost


def test_steps_that_nothing_connects_fill_a_rectangle() -> None:
    found = check(chart(pipeline(*(step(f"S{at}") for at in range(60)))))
    assert found.height < found.width < 4 * found.height


def test_what_nothing_connects_in_a_branch_fills_a_rectangle() -> None:
    inner = [step("A", "Z"), *(step(f"S{at}") for at in range(40))]
    check(chart(pipeline(step("Z"), condition("C", if_steps=inner))))


def test_words_above_neighbouring_arrows_have_room() -> None:
    ends = ["Failed", "Stopped", "Any"]
    waits = [{"Step": f"S{at}", "Trigger": end} for at, end in enumerate(ends)]
    found = check(chart(pipeline(*(step(f"S{at}") for at in range(3)), step("T", *waits))))
    ends_at = sorted(route.points[-1].x for route in found.routes)
    assert all(after - before >= 45 for before, after in pairwise(ends_at))


def test_lines_across_a_border_and_to_it_are_apart() -> None:
    loop = for_each("F", "W", body=[step("B", "A", "Y"), step("D", "Z")])
    found = check(chart(pipeline(*map(step, "WAYZ"), loop)))
    top = found.boxes["F"].y
    assert len({point for route in found.routes for point in route.points if point.y == top}) == 4


def test_a_word_above_an_arrow_has_room() -> None:
    plain, labelled = (
        check(chart(pipeline(step("A"), step("B", {"Step": "A", "Trigger": trigger}))))
        for trigger in ("Completed", "Failed")
    )
    assert labelled.boxes["B"].y >= plain.boxes["B"].y + 15


def test_long_slants_have_room() -> None:
    two, many = (
        check(chart(pipeline(step("A"), *(step(f"S{at}", "A") for at in range(count)))))
        for count in (2, 20)
    )
    assert many.boxes["S0"].y >= two.boxes["S0"].y + 50


def test_the_line_of_a_source_begins_in_the_middle_of_its_box() -> None:
    found = check(chart(pipeline(step("A"), step("B", "A"), step("C", "A"), step("D", "A"))))
    box = found.boxes["A"]
    assert {route.points[0].x for route in found.routes} == {box.x + box.width // 2}


def test_text_is_wrapped_to_boxes_of_moderate_width() -> None:
    name = "a-name-" * 9
    found = check(chart(pipeline(step(name, DisplayName="word " * 50))))
    assert found.boxes[name].width <= 300
    assert "".join(found.texts[name][0]) == name


def test_thousands_of_steps_are_laid_out_with_few_bends() -> None:
    steps = [step("S0"), *(step(f"S{at}", f"S{at - 1}") for at in range(1, 1000))]
    everything = [f"S{at}" for at in range(1000)]
    found = layout(chart(pipeline(*steps, step("Last", *everything))))
    assert len(found.routes) == 1999
    assert sum(len(route.points) for route in found.routes) < 10 * 1999
