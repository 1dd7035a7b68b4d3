"""The kinds of steps and their colours."""

import pytest

from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.diagrams.kinds import GROUPS, KINDS, TYPES, Colours, kind

PAGES = {"light": "#ffffff", "dark": "#0b1120"}
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3, for text


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_step_type_has_a_kind_and_every_kind_a_step_type_or_a_branch() -> None:
    assert set(TYPES) == set(STEP_TYPES)
    assert {*TYPES.values(), kind("")} == set(KINDS)
    assert set(KINDS) >= GROUPS


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("page", PAGES)
def test_text_can_be_read_and_lines_be_seen(name: str, page: str) -> None:
    colours: Colours = getattr(KINDS[name], page)
    assert contrast(colours.text, colours.fill) >= LEAST_CONTRAST
    assert contrast(colours.line, PAGES[page]) >= 3  # 1.4.11, for what is no text
