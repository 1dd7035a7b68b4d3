"""Text to be drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sm_pipelines.diagrams.words import cells, clean, sentence, wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        (" two\n lines\t", "two lines"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("over\u202eridden", "over ridden"),
        ("half \ud800", "half"),
        ("漢字 🚀 ü", "漢字 🚀 ü"),
    ],
)
def test_what_is_no_character_to_look_at_is_left_out(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("abc", 3), ("├→ é", 4), ("漢字", 4), ("🚀", 2)]
)
def test_east_asian_characters_and_emoji_are_two_cells_wide(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("", [""]),
        ("one-two_three", ["one-two_", "three"]),
        ("CheckTheModelQuality", ["CheckThe", "Model", "Quality"]),
        ("abcdefghijklmnopqrst", ["abcdefghij", "klmnopqrst"]),
        ("漢字漢字漢字", ["漢字漢字漢", "字"]),
        ("two words here", ["two words", "here"]),
    ],
)
def test_a_name_is_broken_where_its_words_end(text: str, lines: list[str]) -> None:
    assert wrapped(text, 10) == lines


@given(st.text(), st.integers(2, 40))
def test_no_line_is_too_wide_and_no_character_is_lost(text: str, most: int) -> None:
    shown = clean(text)
    lines = wrapped(shown, most)
    assert max(map(cells, lines)) <= most
    assert "".join(lines).replace(" ", "") == shown.replace(" ", "")


def test_a_sentence_is_broken_at_spaces_alone() -> None:
    assert sentence("after a-long-name, b", 8) == ["after", "a-long-name,", "b"]
    assert sentence("", 8) == []
