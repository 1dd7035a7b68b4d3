"""IAM's simulator of policies, which moto does not have: here everything is allowed.

That is the truth of the local AWS, which looks at no policy. The SageMaker SDK v3 asks it about a
role before each job.
"""

from typing import Any
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, SubElement, tostring

from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.calls import Call, body

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def concern(call: Call) -> bool:
    """Whether a request asks what a policy allows."""
    return call.action in _RESULTS


def answer(call: Call, environ: dict[str, Any]) -> Response:
    """Every action is allowed, on every resource."""
    request = parse_qs(body(environ).decode())
    root = Element(f"{call.operation}Response", xmlns=_NAMESPACE)
    result = SubElement(root, f"{call.operation}Result")
    SubElement(result, "IsTruncated").text = "false"
    rows = SubElement(result, "EvaluationResults")
    for action in _members(request, "ActionNames"):
        for resource in _members(request, "ResourceArns") or ["*"]:
            row = SubElement(rows, "member")
            SubElement(row, "EvalActionName").text = action
            SubElement(row, "EvalResourceName").text = resource
            SubElement(row, "EvalDecision").text = "allowed"
    return Response(tostring(root), content_type="text/xml")


def _members(request: dict[str, list[str]], name: str) -> list[str]:
    """A list of the query protocol: `ActionNames.member.1`, and so on."""
    return [text for key, texts in request.items() if key.startswith(f"{name}.") for text in texts]


_RESULTS = frozenset({"iam:SimulatePrincipalPolicy", "iam:SimulateCustomPolicy"})
