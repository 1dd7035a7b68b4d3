"""The Mermaid text, read back line by line.

Labels hold nothing that Mermaid 11, its Markdown or HTML would read as anything but text.
"""

import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.diagrams import Chart, chart, mermaid
from airflow_sm_pipelines.diagrams.chart import paths
from airflow_sm_pipelines.diagrams.kinds import KINDS
from airflow_sm_pipelines.diagrams.words import clean
from tests.diagrams.cases import FILES, condition, fixture, for_each, pipeline, pipelines, step

BOX = re.compile(r'(subgraph )?(b\d+)(?:\(|\{\{|\(\[|\[)"([^"]*)"(?:\)|\}\}|\]\)|\])')
EDGE = re.compile(r"(b\d+) -->(?:\|([A-Za-z, ]+)\|)? (b\d+)")
LOOK = re.compile(r"classDef ([a-z]+) fill:\S+|class ((?:b\d+,?)+) ([a-z]+)")
NUMBER = re.compile(r"#(\d+);")
RESERVED = {"end", "call", "click", "default", "graph", "style", "class", "subgraph", "href"}


def shown(label: str) -> str:
    """What a reader sees of a label."""
    return NUMBER.sub(lambda number: chr(int(number[1])), label).replace("\u200b", "")


@dataclass
class Read:
    """The boxes and edges of a flowchart."""

    labels: dict[str, str] = field(default_factory=dict)
    """Key of the box, its first line -> all of its label."""
    around: dict[str, tuple[str, ...]] = field(default_factory=dict)
    edges: list[tuple[str, str, str]] = field(default_factory=list)
    looks: dict[str, str] = field(default_factory=dict)


def read(text: str) -> Read:
    found = Read()
    open_groups: list[str] = []
    head, title, ruler, kind, *lines = text.removesuffix("\n").split("\n")
    assert (head, title[:8], ruler, kind) == ("---", 'title: "', "---", "flowchart TD")
    for line in map(str.strip, lines):
        if line == "end":
            open_groups.pop()
        elif box := BOX.fullmatch(line):
            group, id_, label = box.groups()
            assert id_ not in found.labels
            found.labels[id_] = label
            found.around[id_] = (*open_groups, id_)
            open_groups += [id_] if group else []
        elif edge := EDGE.fullmatch(line):
            found.edges.append((edge[1], edge[3], edge[2] or ""))
        else:
            look = LOOK.fullmatch(line)
            assert look, line
            found.looks |= dict.fromkeys((look[2] or "").split(","), look[3])
    assert not open_groups
    return found


def check(drawn: Chart) -> None:
    found = read(mermaid(drawn))
    ids = dict(zip((box.key for box in drawn.walk()), found.labels, strict=True))
    for box in drawn.walk():
        ends = " · " if box.members else "<br/>"
        assert shown(found.labels[ids[box.key]]) == ends.join(box.lines)
    expected = paths(drawn.boxes)
    assert found.around == {ids[key]: tuple(ids[one] for one in expected[key]) for key in ids}
    assert sorted(found.edges) == sorted(
        (ids[edge.source], ids[edge.target], edge.label) for edge in drawn.edges
    )
    assert set(found.looks) - {""} == set(ids.values())


@pytest.mark.parametrize("name", FILES)
def test_every_box_and_edge_of_a_fixture_is_there_once(name: str) -> None:
    check(fixture(name))


@settings(max_examples=100, deadline=None)
@given(pipelines())
def test_every_box_and_edge_of_any_pipeline_is_there_once(made: Pipeline) -> None:
    check(chart(made))


def test_a_flowchart_has_boxes_edges_and_colours() -> None:
    decide = condition("C", "A", if_steps=[step("B")], else_steps=[step("D", Type="Model")])
    assert mermaid(chart(pipeline(step("A"), decide))).splitlines() == [
        "---",
        'title: "p"',
        "---",
        "flowchart TD",
        '    b1("A<br/>Training")',
        '    b2{{"C<br/>Condition"}}',
        '    subgraph b3["if"]',
        '        b4("B<br/>Training")',
        "    end",
        '    subgraph b5["else"]',
        '        b6("D<br/>Model")',
        "    end",
        "    b1 --> b2",
        "    b2 -->|true| b3",
        "    b2 -->|false| b5",
        "    classDef learn fill:#ffedd5,stroke:#c2410c,color:#431407",
        "    class b1,b4 learn",
        "    classDef serve fill:#dcfce7,stroke:#15803d,color:#052e16",
        "    class b6 serve",
        "    classDef decide fill:#fef9c3,stroke:#a16207,color:#422006",
        "    class b2 decide",
        "    classDef group fill:none,stroke:#64748b",
        "    class b3,b5 group",
    ]


def test_a_for_each_step_is_the_box_around_its_body() -> None:
    text = mermaid(chart(pipeline(for_each("F", body=[step("A")]), step("B", "F"))))
    label = "F · ForEach · each of 2 items, at most 2 at once"
    assert f'    subgraph b1["{label}"]\n        b2("A<br/>Training")\n    end\n' in text
    assert "    b1 --> b3\n" in text


@pytest.mark.parametrize("trigger", ["Failed", "Stopped", "Any"])
def test_another_end_than_completion_is_the_edge_s_label(trigger: str) -> None:
    made = pipeline(step("A"), step("B", {"Step": "A", "Trigger": trigger}))
    assert f"    b1 -->|{trigger}| b2\n" in mermaid(chart(made))


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_any_display_name_is_a_label_of_harmless_characters(text: str) -> None:
    drawn = chart(pipeline(step("A", DisplayName=text)))
    (label,) = read(mermaid(drawn)).labels.values()
    assert re.fullmatch(r"([A-Za-z0-9 ,·-]|#\d+;|<br/>)+", label)
    assert shown(label).split("<br/>") == [
        "A",
        *([clean(text)] if clean(text) not in {"", "A"} else []),
        "Training",
    ]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("1. one", "#49;#46; one"),
        ("- one", "#45; one"),
        ("__init__", "#95;#95;init#95;#95;"),
        ("$$x$$", "#36;#8203;#36;#8203;x#36;#8203;#36;#8203;"),
        ("fa:fa-car", "fa#58;#8203;fa-car"),
        ('"<b>`', "#34;#60;b#62;#96;"),
        ("ü漢", "#252;#28450;"),
        ("#35;", "#35;35#59;"),
    ],
)
def test_what_mermaid_would_read_is_written_as_numbers(text: str, label: str) -> None:
    assert f"<br/>{label}<br/>" in mermaid(chart(pipeline(step("A", DisplayName=text))))


@pytest.mark.parametrize("name", ["end", "o", "x-", "subgraph", "click", "-", "_", "1"])
def test_no_name_is_a_word_of_mermaid(name: str) -> None:
    drawn = chart(pipeline(step(name), step("B", name)))
    check(drawn)
    assert "    b1 --> b2" in mermaid(drawn).splitlines()


def test_no_class_is_a_word_of_mermaid() -> None:
    assert not RESERVED & set(KINDS)


def test_the_title_is_quoted() -> None:
    text = mermaid(chart(pipeline(step("A"), name='a "b" \\ c: #d')))
    assert 'title: "a \\"b\\" \\\\ c: #d"\n' in text
