"""The SVG image, read back as XML."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.diagrams import Chart, chart, svg
from airflow_sm_pipelines.diagrams.kinds import KINDS
from airflow_sm_pipelines.diagrams.layout import layout
from airflow_sm_pipelines.diagrams.words import cells
from tests.diagrams.cases import FILES, ROOT, condition, fixture, pipeline, pipelines, step

NAMESPACE = "{http://www.w3.org/2000/svg}"
WIDEST_CHARACTER = 7.5  # pixels at 12px: the widest of common monospaced fonts has 0.62 em


def parsed(drawn: Chart) -> ET.Element:
    return ET.fromstring(svg(drawn))


def groups(drawn: Chart) -> dict[str, list[ET.Element]]:
    found: dict[str, list[ET.Element]] = {"box": [], "edge": []}
    for group in parsed(drawn).iter(f"{NAMESPACE}g"):
        if "class" in group.attrib:
            found["edge" if group.attrib["class"] == "edge" else "box"].append(group)
    return found


def title(group: ET.Element) -> str:
    return group.findtext(f"{NAMESPACE}title") or ""


def check(drawn: Chart) -> None:
    found = groups(drawn)
    boxes = {title(group).partition(":")[0]: group for group in found["box"]}
    assert len(boxes) == len(found["box"])
    assert set(boxes) == {box.key for box in drawn.walk()}
    for box in drawn.walk():
        texts = [text.text or "" for text in boxes[box.key].iter(f"{NAMESPACE}text")]
        assert "".join("".join(texts).split()) == "".join("".join(box.lines).split())
        check_text_fits(boxes[box.key])
    edges = sorted(title(group) for group in found["edge"])
    assert edges == sorted(
        f"{e.source} to {e.target}" + (f": {e.label}" if e.label else "") for e in drawn.edges
    )


def check_text_fits(box: ET.Element) -> None:
    rectangle = box.find(f"{NAMESPACE}rect")
    assert rectangle is not None
    x, y, width, height = (int(rectangle.attrib[key]) for key in ("x", "y", "width", "height"))
    for text in box.iter(f"{NAMESPACE}text"):
        room = cells(text.text or "") * WIDEST_CHARACTER
        left = int(text.attrib["x"]) - (0 if "around" in box.attrib["class"] else room / 2)
        assert x < left
        assert left + room < x + width
        assert y + 9 < int(text.attrib["y"]) < y + height


@pytest.mark.parametrize("name", FILES)
def test_every_box_edge_and_word_of_a_fixture_is_there(name: str) -> None:
    check(fixture(name))


@settings(max_examples=100, deadline=None)
@given(pipelines())
def test_every_box_edge_and_word_of_any_pipeline_is_there(made: Pipeline) -> None:
    check(chart(made))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(min_size=1, max_size=60))
def test_any_text_is_xml(name: str, text: str) -> None:
    check(chart(pipeline(step("A", DisplayName=text, Description=text), name=name or "p")))


def test_a_screen_reader_is_told_the_whole_graph() -> None:
    inner = step("B", {"Step": "A", "Trigger": "Failed"})
    root = parsed(chart(pipeline(step("A"), condition("C", if_steps=[inner]))))
    assert root.attrib["role"] == "img"
    parts = {part.attrib["id"]: part.text for part in root if "id" in part.attrib}
    assert [parts[id_] for id_ in root.attrib["aria-labelledby"].split()] == [
        "p: 3 steps",
        "A, Training. C, Condition. C/if, after C (true). B, Training, in C/if, after A (Failed)",
    ]


def test_every_kind_of_box_has_its_look_on_light_and_dark_pages() -> None:
    style = parsed(fixture("everything")).findtext(f"{NAMESPACE}style") or ""
    light, dark = style.split("@media (prefers-color-scheme:dark)")
    for name, kind in KINDS.items():
        assert f".{name}>rect{{fill:{kind.light.fill};" in light
        assert f".{name}>rect{{fill:{kind.dark.fill};" in dark
        assert f".{name}>text{{fill:{kind.light.text}" in light
        assert f".{name}>text{{fill:{kind.dark.text}" in dark


def test_labels_are_written_at_their_arrows() -> None:
    drawn = chart(pipeline(step("A"), step("B", {"Step": "A", "Trigger": "Any"})))
    words = [text for text in parsed(drawn).iter(f"{NAMESPACE}text") if text.get("class") == "word"]
    assert [word.text for word in words] == ["Any"]
    arrow = layout(drawn).routes[0].points[-1]
    assert int(words[0].attrib["x"]) == arrow.x
    assert arrow.y - 20 < int(words[0].attrib["y"]) < arrow.y - 8


def test_the_image_needs_nothing_from_elsewhere() -> None:
    text = svg(fixture("everything")).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|@import|href|<script|<image", text)


def test_the_summary_is_never_cut() -> None:
    root = parsed(chart(pipeline(step("A"), name="long-name-" * 20)))
    assert int(root.attrib["width"]) > 200 * WIDEST_CHARACTER


def test_the_bytes_are_the_same_in_every_process() -> None:
    code = (
        "from tests.diagrams.cases import fixture\n"
        "from airflow_sm_pipelines.diagrams import mermaid, svg, tree\n"
        "made = fixture('everything')\n"
        "print(svg(made), mermaid(made), tree(made, 100))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
