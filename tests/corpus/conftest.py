"""Where the real definitions are."""

from pathlib import Path

import pytest

from tests.definition.cases import DEFINITIONS


@pytest.fixture(scope="session")
def files() -> list[Path]:
    """All real definitions; without them the test is skipped, and says so."""
    found = definitions()
    if not found:
        pytest.skip(f"no definitions in {DEFINITIONS}; set SM_PIPELINES_DEFINITIONS")
    return found


def definitions() -> list[Path]:
    return sorted(DEFINITIONS.rglob("*.json"))


def name_of(file: Path) -> str:
    """The path in the folder of definitions, the same on every machine."""
    return file.relative_to(DEFINITIONS).as_posix()
