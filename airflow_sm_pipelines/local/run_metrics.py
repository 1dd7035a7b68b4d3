"""SageMaker's metrics service: what a run of an experiment logs, kept with its trial component."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.errors import invalid
from airflow_sm_pipelines.local.registry import TRIAL_COMPONENT, Registry
from airflow_sm_pipelines.local.sessions import neutral_session

Fields = Mapping[str, Any]

PATH = "/BatchPutMetrics"


def answer(registry: Registry, request: Request) -> Response:
    """The answer to BatchPutMetrics: which values were refused.

    Raises an `AwsError` where the request is not as the service's model has it.
    """
    asked = _asked(request)
    data, name = asked["MetricData"], asked["TrialComponentName"].lower()
    with registry.lock:
        rows = registry.descriptions(TRIAL_COMPONENT)
        component = next((row for row in rows if row["TrialComponentName"].lower() == name), None)
        if component is None:
            errors = [{"Code": "VALIDATION_ERROR", "MetricIndex": at} for at in range(len(data))]
            return _json({"Errors": errors})
        arn = component["TrialComponentArn"]
        metrics = _summed(component.get("Metrics") or (), data, arn)
        registry.update(TRIAL_COMPONENT, arn, fields={"Metrics": metrics})
    return _json({"Errors": []})


def _asked(request: Request) -> dict[str, Any]:
    try:
        asked: dict[str, Any] = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        raise invalid(f"the body is no JSON: {error}") from error
    model = neutral_session().get_service_model("sagemaker-metrics")
    shapes.conforms(asked, model.operation_model(PATH.strip("/")).input_shape)
    return asked


def _summed(known: Iterable[Fields], data: Iterable[Fields], arn: str) -> list[Fields]:
    """The summaries of metrics, with more values."""
    summaries = {each["MetricName"]: dict(each) for each in known}
    for each in data:
        name = each["MetricName"]
        summaries[name] = _with(summaries.get(name), each, arn)
    return list(summaries.values())


def _with(known: Fields | None, datum: Fields, arn: str) -> dict[str, Any]:
    """A summary with one value more; the deviation is Welford's."""
    value = float(datum["Value"])
    before = known or {"Count": 0, "Avg": 0.0, "StdDev": 0.0, "Min": value, "Max": value}
    count = before["Count"] + 1
    off = value - before["Avg"]
    average = before["Avg"] + off / count
    squares = before["StdDev"] ** 2 * before["Count"] + off * (value - average)
    return {
        "MetricName": datum["MetricName"],
        "SourceArn": arn,
        "TimeStamp": datetime.fromtimestamp(float(datum["Timestamp"]), UTC),
        "Max": max(before["Max"], value),
        "Min": min(before["Min"], value),
        "Last": value,
        "Count": count,
        "Avg": average,
        "StdDev": math.sqrt(squares / count),
    }


def _json(content: Fields) -> Response:
    return Response(json.dumps(content), content_type="application/json")
