"""The metrics of training jobs in CloudWatch, where the SDK's `TrainingJobAnalytics` has them from.

A job leaves each value that its log has in a file; what is in these files is put into CloudWatch
when somebody asks it. Not before: most are never looked at, and those of an earlier server are
there in the same way.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local.calls import signed_for
from airflow_sm_pipelines.local.transport import WSGIApp

logger = logging.getLogger(__name__)

NAMESPACE = "/aws/sagemaker/TrainingJobs"
VALUES = "metrics.jsonl"

_SERVICE = "monitoring"
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
_BATCH = 1000

Value = tuple[str, float, datetime]


def keep(folder: Path, job_name: str, values: Iterable[Value]) -> None:
    """Add values of a job's metrics to those that its folder has."""
    with (folder / VALUES).open("a", encoding="utf-8") as file:
        for name, value, moment in values:
            row = {"Job": job_name, "Name": name, "Value": value, "Time": moment.isoformat()}
            file.write(f"{json.dumps(row)}\n")


class Measured:
    """CloudWatch, which has the metrics of the jobs below a folder."""

    def __init__(self, app: WSGIApp, client: Callable[[], Any], folder: Path) -> None:
        self._app = app
        self._make_client = client
        self._folder = folder
        self._lock = threading.Lock()
        self._offsets: dict[Path, int] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if signed_for(environ) == _SERVICE:
            with self._lock:
                self._put(list(self._new()))
        return self._app(environ, start_response)

    @cached_property
    def _client(self) -> Any:
        return self._make_client()

    def _put(self, data: list[dict[str, Any]]) -> None:
        for start in range(0, len(data), _BATCH):
            part = data[start : start + _BATCH]
            self._client.put_metric_data(Namespace=NAMESPACE, MetricData=part)

    def _new(self) -> Iterator[dict[str, Any]]:
        """The values that have been added since the last look."""
        for file in sorted(self._folder.glob(f"*/{VALUES}")):
            with file.open("rb") as lines:
                lines.seek(self._offsets.get(file, 0))
                while (line := lines.readline()).endswith(b"\n"):
                    self._offsets[file] = lines.tell()
                    try:
                        yield _datum(json.loads(line))
                    except (ValueError, LookupError, TypeError) as error:
                        logger.warning("%s: left out of CloudWatch: %r", file, error)


def _datum(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "MetricName": row["Name"],
        "Dimensions": [{"Name": "TrainingJobName", "Value": row["Job"]}],
        "Timestamp": datetime.fromisoformat(row["Time"]),
        "Value": float(row["Value"]),
    }
