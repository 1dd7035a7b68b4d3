"""The order inside a box."""

from graphlib import TopologicalSorter

from hypothesis import given, settings

from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.diagrams.chart import WHOLE, Edge, chart
from airflow_sm_pipelines.diagrams.order import Link, links, sequence
from tests.diagrams.cases import condition, pipeline, pipelines, step


def link(source: str, target: str, *, own: bool = True) -> Link:
    edge = Edge(source=source, target=target)
    return Link(edge=edge, holder=WHOLE, source=source, target=target, own=own)


def test_items_keep_their_order_where_nothing_speaks_against_it() -> None:
    assert sequence("cab", []) == ["c", "a", "b"]


def test_an_item_follows_what_it_waits_for() -> None:
    assert sequence("abc", [link("c", "a"), link("b", "c")]) == ["b", "c", "a"]


def test_an_item_follows_what_its_inside_waits_for() -> None:
    assert sequence("ab", [link("b", "a", own=False)]) == ["b", "a"]


def test_the_wait_of_an_inside_gives_way_to_the_waits_of_items() -> None:
    circle = [link("a", "b"), link("b", "a", own=False), link("b", "c")]
    assert sequence("abc", circle) == ["a", "b", "c"]


def test_a_link_is_between_what_stands_in_the_same_box() -> None:
    made = chart(
        pipeline(
            step("A"),
            condition("C", if_steps=[step("B", "A"), step("D", "B")], else_steps=[step("E", "B")]),
        )
    )
    found = {(each.holder, each.source, each.target, each.own) for each in links(made, str)}
    assert found == {
        (WHOLE, "C", "C/if", True),
        (WHOLE, "C", "C/else", True),
        (WHOLE, "A", "C/if", False),
        ("C/if", "B", "D", True),
        (WHOLE, "C/if", "C/else", False),
    }


def test_branches_can_count_for_their_condition() -> None:
    made = chart(pipeline(step("A"), condition("C", if_steps=[step("B", "A")])))
    owners = {box.key: box.owner for box in made.walk()}
    assert [(each.source, each.target) for each in links(made, owners.__getitem__)] == [("A", "C")]


@settings(max_examples=200, deadline=None)
@given(pipelines())
def test_no_item_precedes_what_it_waits_for_itself(made: Pipeline) -> None:
    shown = chart(made)
    found = links(shown, str)
    for holder, members in {
        WHOLE: shown.boxes,
        **{box.key: box.members for box in shown.walk() if box.members},
    }.items():
        keys = [box.key for box in members]
        inside = [each for each in found if each.holder == holder]
        order = sequence(keys, inside)
        assert sorted(order) == sorted(keys)
        assert all(order.index(e.source) < order.index(e.target) for e in inside if e.own)
        TopologicalSorter({e.target: {e.source} for e in inside if e.own}).prepare()
