"""The table of what is shortened, against Airflow's own configuration."""

from pathlib import Path

import pytest

from .timeouts import TIMEOUTS, Timeout, page, timeouts


@pytest.mark.parametrize("row", TIMEOUTS, ids=lambda row: row.variable)
def test_default_is_airflows_and_is_shortened(row: Timeout) -> None:
    from airflow.configuration import conf

    assert conf.getfloat(row.section, row.option) == row.default
    assert row.shortened < row.default


def test_nothing_is_shortened_where_the_defaults_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(timeouts()) == len(TIMEOUTS)
    monkeypatch.setenv("KEEP_DEFAULTS", "1")
    assert timeouts() == {}


def test_readme_has_the_table() -> None:
    assert page() in (Path(__file__).parent / "README.md").read_text()
