"""Logs of earlier servers in the CloudWatch of the next."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from airflow_sm_pipelines.local import kept
from airflow_sm_pipelines.local.backend import Moto
from airflow_sm_pipelines.local.logs import Logs
from airflow_sm_pipelines.local.resent import Resent
from airflow_sm_pipelines.local.sessions import neutral_session
from airflow_sm_pipelines.local.transport import WSGIApp, connect

from .test_logs import messages, streams

GROUP = "/aws/sagemaker/ResentJobs"


def client(app: WSGIApp, service: Any = "logs") -> Any:
    """A client that reaches an app without a socket."""
    made = neutral_session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"max_attempts": 1}),
    )
    connect(made, app)
    return made


@pytest.fixture
def serve(tmp_path: Path) -> Callable[[], tuple[Logs, Any]]:
    """A server's logs, and a client that comes from outside."""

    def started() -> tuple[Logs, Any]:
        moto = Moto()
        logs = Logs(client(moto))
        return logs, client(Resent(moto, logs, tmp_path))

    return started


@pytest.fixture
def earlier(tmp_path: Path, name: str) -> list[str]:
    """The names of two jobs of an earlier server."""
    names = [f"{name}-1", f"{name}-2"]
    for each in names:
        folder = tmp_path / each
        folder.mkdir()
        (folder / "log.txt").write_text(f"first of {each}\nlast\n")
        row = {"Group": GROUP, "Stream": f"{each}/algo-1-1", "File": "log.txt"}
        kept.write(folder / "streams.json", {"Streams": [row]})
    return names


def test_the_log_that_is_asked_for_is_there_and_no_other(
    serve: Callable[[], tuple[Logs, Any]], earlier: list[str]
) -> None:
    one, other = earlier
    _, outside = serve()
    for _ in range(2):
        found = messages(outside, GROUP, f"{one}/algo-1-1")
        assert found == [f"first of {one}", "last"]
    inside = client(Moto())
    assert streams(inside, GROUP, other) == []
    assert streams(outside, GROUP, other) == [f"{other}/algo-1-1"]


def test_who_names_no_stream_sees_all(
    serve: Callable[[], tuple[Logs, Any]], earlier: list[str]
) -> None:
    _, outside = serve()
    found = outside.filter_log_events(logGroupName=GROUP)["events"]
    assert {f"first of {each}" for each in earlier} <= {event["message"] for event in found}


def test_the_log_of_this_servers_own_job_is_not_sent_twice(
    serve: Callable[[], tuple[Logs, Any]], tmp_path: Path, name: str
) -> None:
    logs, outside = serve()
    folder = tmp_path / name
    folder.mkdir()
    (folder / "log.txt").write_text("line\n")
    with logs.follow(folder / "log.txt", group=GROUP, stream=f"{name}/algo-1-1"):
        pass
    assert messages(outside, GROUP, f"{name}/algo-1-1") == ["line"]
    _, again = serve()  # in the same process, so its CloudWatch is the same
    assert messages(again, GROUP, f"{name}/algo-1-1") == ["line"]


def test_what_cannot_be_read_is_told_and_left_out(
    serve: Callable[[], tuple[Logs, Any]],
    earlier: list[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    one, other = earlier
    (tmp_path / one / "streams.json").write_text("{")
    (tmp_path / other / "log.txt").unlink()
    _, outside = serve()
    outside.describe_log_groups()
    assert f"{tmp_path / one / 'streams.json'}: left out of CloudWatch" in caplog.text
    assert f"{tmp_path / other / 'log.txt'}: left out of CloudWatch" in caplog.text
