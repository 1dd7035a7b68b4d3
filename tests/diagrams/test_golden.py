"""The drawings are as they were, to the byte: what changes one is seen in its diff."""

from pathlib import Path

import pytest

from tests.diagrams.cases import ROOT
from tests.diagrams.golden import GOLDEN, drawings

DRAWINGS = drawings()


@pytest.mark.parametrize("file", DRAWINGS, ids=lambda file: str(file.relative_to(ROOT)))
def test_drawing_is_as_it_was(file: Path) -> None:
    again = "python -m tests.diagrams.golden"
    assert file.is_file(), f"{again} draws it"
    assert DRAWINGS[file] == file.read_text(encoding="utf-8"), f"if it is right, run {again}"


def test_there_is_no_drawing_of_what_is_gone() -> None:
    assert {*GOLDEN.iterdir()} <= set(DRAWINGS)


def test_the_page_shows_what_is_printed() -> None:
    page = (ROOT / "docs" / "show.md").read_text(encoding="utf-8")
    tree, _, _legend = (GOLDEN / "abalone.txt").read_text(encoding="utf-8").rpartition("\n\n")
    assert f"\n{tree}\n```\n" in page
