"""The pytest plugin: the fixture `sm_local`.

pytest loads this module in every session, of projects too that never use it: it imports nothing.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_sm_pipelines.testing.session import Session
    from airflow_sm_pipelines.testing.space import SmLocal


@pytest.fixture(scope="session")
def _sm_local_session(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Session]":
    """The processes that the tests of a session share."""
    from airflow_sm_pipelines.cli.extra import require_local_extra
    from airflow_sm_pipelines.testing.session import Session

    require_local_extra()
    with Session(tmp_path_factory.mktemp("sm-local-session")) as session:
        yield session


@pytest.fixture
def sm_local(
    _sm_local_session: "Session",
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> "Iterator[SmLocal]":
    """A local AWS with nothing in it, to which boto3 and the SageMaker SDK lead during the test."""
    from airflow_sm_pipelines.testing.surroundings import surrounded

    space = _sm_local_session.begin(tmp_path_factory.mktemp("sm-local"))
    space.tell = lambda text: request.node.add_report_section("call", "sm_local", text)
    try:
        with surrounded(space.environment):
            yield space
    finally:
        _sm_local_session.end()
