"""What the UI reads of a task's links, written by Airflow's own task runner."""

import urllib.request

import pytest
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session

from .conftest import RunPipeline
from .steps import pipeline, processing


def stored(dag_id: str) -> dict[str, str]:
    """XCom key -> value of the links of a DAG's tasks."""
    with create_session() as session:
        rows = session.query(XComModel).filter(XComModel.dag_id == dag_id).all()
        return {row.key: str(row.value).strip('"') for row in rows if row.key.startswith("_link_")}


@pytest.mark.parametrize("defer_after_seconds", ["0", "600"], ids=["deferred", "not deferred"])
def test_links_stay_when_the_task_has_ended(
    run_pipeline: RunPipeline, monkeypatch: pytest.MonkeyPatch, defer_after_seconds: str
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", defer_after_seconds)
    name = f"linked-{defer_after_seconds}"
    run = run_pipeline(pipeline(processing("Say", "print('linked')")), name=name)
    assert run.state == "success"
    links = stored(name)
    assert set(links) == {"_link_ConsoleLink", "_link_LogLink", "_link_OutputLink"}
    assert links["_link_OutputLink"] == ""
    with urllib.request.urlopen(links["_link_LogLink"]) as log:
        assert b"linked" in log.read()
    with urllib.request.urlopen(links["_link_ConsoleLink"]) as page:
        assert run.outputs["Say"]["ProcessingJobName"] in page.read().decode()
