"""Runs in Airflows that are set up otherwise: large XComs in a file system, other time zones.

Airflow reads such settings while it is imported, so each run has a process of its own.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import airflow_sm as airflow_sm
from tests.runs.steps import as_text, get, pipeline, processing

LARGEST_ROW = 65_536
LONG = "x" * 250

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(airflow_sm: Callable[..., Any], tmp_path: Path) -> Run:
    """Run a pipeline with settings of its own; the requests of its jobs by step."""

    def run_once(definition: dict[str, Any], **settings: str) -> dict[str, Any]:
        file = tmp_path / "estate.json"
        file.write_text(json.dumps(definition))
        done = airflow_sm("run", file, **settings)
        assert done.returncode == 0, done.stdout + done.stderr
        jobs = [json.loads(path.read_text()) for path in tmp_path.rglob("jobs/*/job.json")]
        return {job["Request"]["ProcessingJobName"].split("-")[2]: job["Request"] for job in jobs}

    return run_once


def test_a_large_description_is_read_from_object_storage(run: Run, tmp_path: Path) -> None:
    large = processing("Large")
    large["Arguments"]["Environment"] = {f"KEY_{i}": LONG for i in range(100)}
    large["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = [
        *("python3", "-c", "pass"),
        *[LONG] * 97,
    ]
    large["Arguments"]["AppSpecification"]["ContainerArguments"] = [LONG] * 99 + ["the last"]
    after = processing("After")
    arguments = "Steps.Large.AppSpecification.ContainerArguments[99]"
    after["Arguments"]["Environment"] = {"READ": as_text(get(arguments))}
    store = tmp_path / "xcoms"
    requests = run(
        pipeline(large, after),
        AIRFLOW__CORE__XCOM_BACKEND=(
            "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend"
        ),
        AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH=store.as_uri(),
        AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD="1024",
    )
    assert requests["After"]["Environment"] == {"READ": "the last"}
    assert max(path.stat().st_size for path in store.rglob("*") if path.is_file()) > LARGEST_ROW
    (log,) = tmp_path.rglob("airflow.log")
    assert "Failed to push an xcom for task operator extra link" not in log.read_text()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_times_are_in_utc_whatever_the_zone_of_airflow_and_its_machine(run: Run, zone: str) -> None:
    step = processing("Timed")
    step["Arguments"]["Environment"] = {
        "START": as_text(get("Execution.StartDateTime")),
        "NOW": as_text(get("Execution.CurrentDateTime")),
    }
    requests = run(pipeline(step), AIRFLOW__CORE__DEFAULT_TIMEZONE=zone, TZ=zone)
    for text in requests["Timed"]["Environment"].values():
        moment = datetime.fromisoformat(text)
        assert moment.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - moment) < timedelta(minutes=10)
