"""What can be set over the wire, outside AWS's protocols."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_sm_pipelines.local import LocalAWS

SCRIPT = {"Kind": "Job", "Name": "nobody", "Moments": [{"Status": "Stopped"}]}
OTHER = {**SCRIPT, "Name": "nobody-else"}


@pytest.fixture(autouse=True)
def nothing_left(aws: LocalAWS) -> Iterator[None]:
    yield
    aws.scripts.replace()


def send(
    aws: LocalAWS, method: str, path: str = "/_local/scripts", body: Any = None, **headers: str
) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{aws.endpoint_url}{path}"
    request = urllib.request.Request(url, content, headers, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_scripts_are_set_added_seen_and_cleared(aws: LocalAWS) -> None:
    assert send(aws, "GET") == (200, {"Scripts": []})
    assert send(aws, "PUT", body={"Scripts": [SCRIPT]}) == (200, {"Scripts": [SCRIPT]})
    assert send(aws, "POST", body={"Scripts": [OTHER]}) == (200, {"Scripts": [SCRIPT, OTHER]})
    assert send(aws, "GET") == (200, {"Scripts": [SCRIPT, OTHER]})
    assert send(aws, "PUT", body={"Scripts": [OTHER]}) == (200, {"Scripts": [OTHER]})
    assert aws.scripts.documents() == [OTHER]
    assert send(aws, "DELETE") == (200, {"Scripts": []})


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_scripts_that_are_wrong_are_refused_with_all_problems(aws: LocalAWS, method: str) -> None:
    aws.scripts.add(SCRIPT)
    moments = [{"Status": "Complete"}]
    broken = {"Kind": "Job", "On": "Update", "Moments": moments}
    assert send(aws, method, body={"Scripts": [OTHER, broken]}) == (
        400,
        {
            "Problems": [
                "$.Scripts[1].On: UpdateJob starts no script; it would be Create",
                "$.Scripts[1].Moments[0].Status: 'Complete' is no status of Job; "
                "did you mean 'Completed'?",
            ]
        },
    )
    assert aws.scripts.documents() == [SCRIPT]


@pytest.mark.parametrize(
    "body", [[], {}, {"Scripts": {}}, {"scripts": []}, {"Scripts": [], "Faults": []}]
)
def test_a_body_of_another_form_is_refused(aws: LocalAWS, body: object) -> None:
    problem = "$: not what can be set; it would be an object with Scripts, a list"
    assert send(aws, "PUT", body=body) == (400, {"Problems": [problem]})


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(aws: LocalAWS, body: bytes) -> None:
    status, answer = send(aws, "PUT", body=body)
    assert status == 400
    assert answer["Problems"][0].startswith("$: no JSON (")


def test_a_path_that_nothing_is_behind_is_refused(aws: LocalAWS) -> None:
    known = "/_local/scripts, /_local/faults, /_local/requests"
    problem = f"/_local/unicorns: nothing is there; it would be {known}"
    assert send(aws, "GET", "/_local/unicorns") == (404, {"Problems": [problem]})


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/_local/scripts", "PATCH", "GET, PUT, POST, DELETE"),
        ("/_local/requests", "PUT", "GET, DELETE"),
    ],
)
def test_another_method_is_refused(aws: LocalAWS, path: str, method: str, allowed: str) -> None:
    problem = f"{method} {path}: not answered; it would be one of {allowed}"
    assert send(aws, method, path) == (405, {"Problems": [problem]})


def test_faults_are_set_and_cleared_as_scripts_are(aws: LocalAWS) -> None:
    faults = "/_local/faults"
    latency = {"Kind": "Latency", "Seconds": 0, "Operations": "DescribeUnicorn*"}
    throttling = {"Kind": "Throttling", "Operations": "StopJob", "Times": 1}
    status, answer = send(aws, "PUT", faults, {"Faults": [throttling, latency]})
    assert (status, answer["Problems"][0].partition(":")[0]) == (400, "$.Faults[1].Operations")
    assert send(aws, "PUT", faults, {"Faults": [throttling]}) == (200, {"Faults": [throttling]})
    assert aws.faults.documents() == [throttling]
    assert send(aws, "DELETE", faults) == (200, {"Faults": []})


def test_requests_are_seen_and_forgotten(aws: LocalAWS, sagemaker: Any) -> None:
    aws.requests.clear()
    sagemaker.list_models()
    status, answer = send(aws, "GET", "/_local/requests")
    (entry,) = answer["Requests"]
    assert datetime.fromisoformat(entry.pop("At")).tzinfo == UTC
    known = {"Operation": "ListModels", "Name": "", "Outcome": "ok", "Effect": False}
    assert (status, entry, answer["Counts"]) == (200, known, {"ListModels": 1})
    assert send(aws, "DELETE", "/_local/requests") == (200, {"Requests": [], "Counts": {}})


def test_a_web_page_sets_nothing(aws: LocalAWS) -> None:
    body = {"Scripts": [SCRIPT]}
    status, _ = send(aws, "PUT", body=body, Origin="https://example.com")
    assert status == 403
    assert aws.scripts.documents() == []
