"""Random paths in random documents: as a property of a step, and in a JSON file."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_sm_pipelines.definition.node import Json
from tests.differential.oracle import agree
from tests.differential.strategies import KEYS, PROCESSING, TRAINING

VALUES = st.recursive(
    st.sampled_from([1, 2.5, True, "a", None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
GOES_ON = st.sampled_from([True] * 15 + [False])
DOCUMENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4) | st.lists(VALUES, max_size=3)


@st.composite
def json_paths(draw: st.DrawFn, document: Json) -> str:
    """A path to a place in a document, or beside one, written in one of the possible ways."""
    path = draw(st.sampled_from(["", "", "", "$"]))
    while isinstance(document, dict | list) and document and draw(GOES_ON):
        if isinstance(document, list):
            position = draw(st.integers(-len(document) - 1, len(document)))
            path += draw(st.sampled_from(POSITIONS)).format(position)
            document = document[position] if -len(document) <= position < len(document) else None
        else:
            key = draw(st.sampled_from([*sorted(document)] * 8 + ["missing"]))
            path += draw(st.sampled_from(NAMES)).format(key)
            document = document.get(key)
    return path if path.startswith("$") else path.removeprefix(".")


@st.composite
def property_paths(draw: st.DrawFn, document: Json) -> str:
    """A path as the SDK writes one: names with dots, lists and maps with brackets."""
    path, is_shape = "", True
    reached: Any = document
    while isinstance(reached, dict | list) and reached and draw(st.integers(0, 9)):
        if isinstance(reached, dict):
            key = draw(st.sampled_from(sorted(reached)))
            path += f".{key}" if is_shape else f"['{key}']"
            reached, is_shape = reached[key], key not in MAPS
        else:
            names = [name for each in reached for name in each.values() if type(name) is str]
            picked = draw(st.sampled_from([*range(-2, 3), *names]))
            path += f"[{picked!r}]"
            reached = reached[0]
    return path.removeprefix(".") or "TrainingJobName"


@given(st.data(), DOCUMENTS)
def test_json_path_leads_where_it_does_in_local_mode(data: st.DataObject, document: Json) -> None:
    agree("json_get", document, data.draw(json_paths(document)))


@given(st.data(), PROCESSING | TRAINING)
def test_property_is_the_one_of_local_mode(data: st.DataObject, answer: Json) -> None:
    agree("property", answer, data.draw(property_paths(answer)))


POSITIONS = ["[{}]"] * 18 + ["[ {}]", "[{} ]", "[+{}]", "[{}]x", ".{}", "['{}']"]
NAMES = [".{}"] * 14 + ["['{}']"] * 7 + ['["{}"]'] * 7 + [".{}.", "['{}']x", "[{}]", ".['{}']"]
MAPS = {"Environment", "HyperParameters"}
