"""The Airflow plugin that takes answers to Callback steps, at `/sm-pipelines` of the API server.

A worker written for SageMaker needs only this as its endpoint: it answers
SendPipelineExecutionStepSuccess and -Failure as SageMaker does. Whoever has a token may answer:
nothing else is asked for, as the signature of a request says nothing to Airflow.

Every Airflow process loads this module: it imports little.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Refusal(Exception):  # noqa: N818
    """A request that is refused, as AWS words it."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class Answers:
    """The ASGI application of the plugin."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request in AWS's JSON protocol."""
        if scope["type"] != "http":
            return
        status, told = 200, {}
        try:
            content = await _body(receive)
            told = await asyncio.to_thread(_answered, scope, content)
        except Refusal as refusal:
            status, told = 400, {"__type": refusal.code, "message": str(refusal)}
        body = json.dumps(told).encode()
        headers = [(b"content-type", b"application/x-amz-json-1.1")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Slash:
    """The middleware that lets the plugin be reached without a slash behind its path.

    AWS's clients ask for exactly the URL that they are given; Airflow mounts what is below it.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on, to the plugin's own path where it is for that."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path.endswith(PREFIX):
            scope = {**scope, "path": f"{path}/"}
        await self._app(scope, receive, send)


PREFIX = "/sm-pipelines"


class SmPipelinesPlugin(AirflowPlugin):
    """What Airflow is told of it."""

    name = "sm_pipelines"
    fastapi_apps = [  # noqa: RUF012 (as Airflow declares it)
        {"app": Answers(), "url_prefix": PREFIX, "name": "sm_pipelines"}
    ]
    fastapi_root_middlewares = [  # noqa: RUF012
        {"middleware": Slash, "name": "sm_pipelines"}
    ]


async def _body(receive: Receive) -> bytes:
    content = b""
    while True:
        message = await receive()
        content += bytes(message.get("body", b""))
        if len(content) > LARGEST:
            raise Refusal("ValidationException", f"the request is larger than {LARGEST} bytes")
        if not message.get("more_body"):
            return content


def _answered(scope: Mapping[str, Any], content: bytes) -> dict[str, Any]:
    target = dict(scope["headers"]).get(b"x-amz-target", b"").decode("latin-1")
    operation = target.rpartition(".")[2]
    if scope["method"] != "POST" or operation not in READ:
        known = ", ".join(READ)
        raise Refusal("UnknownOperationException", f"{operation!r} is none of: {known}")
    try:
        request = json.loads(content)
        token = request["CallbackToken"]
        answer = READ[operation](request)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refusal("ValidationException", f"{operation}: {error!r}") from error
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        raise Refusal("ValidationException", "CallbackToken must match [a-zA-Z0-9]{10}")
    _store(token, answer)
    return {}


def _success(request: Mapping[str, Any]) -> dict[str, Any]:
    outputs = {str(each["Name"]): each["Value"] for each in request.get("OutputParameters") or ()}
    if len(outputs) > MOST_OUTPUTS:
        raise ValueError(f"more than {MOST_OUTPUTS} OutputParameters")
    for name, value in outputs.items():
        if not isinstance(value, str) or len(value) > LONGEST_OUTPUT:
            raise ValueError(f"{name}: the value must be text of at most {LONGEST_OUTPUT}")
    return {"succeeded": True, "outputs": outputs}


def _failure(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"succeeded": False, "reason": str(request.get("FailureReason") or "")[:LONGEST_REASON]}


def _store(token: str, answer: dict[str, Any]) -> None:
    """Leave an answer where the waiting task looks; the first one counts."""
    # The API server may reach the metadata database, and it alone gets here.
    from airflow.models.xcom import XComModel  # noqa: TID251
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from airflow_sm_pipelines import callbacks

    with create_session() as session:
        asked = select(XComModel).where(XComModel.key == callbacks.token_key(token))
        waiting = session.scalars(asked.with_for_update()).first()
        if waiting is None:
            raise Refusal("ResourceNotFound", f"no step waits for the callback token {token}")
        # JSON, as workers send it; before Airflow 3.2 as text.
        as_text = isinstance(waiting.value, str)
        record = json.loads(waiting.value) if as_text else waiting.value
        if callbacks.ANSWER in record:
            raise Refusal("ConflictException", f"the callback token {token} is answered already")
        answered = {**record, callbacks.ANSWER: answer}
        XComModel.set(
            waiting.key,
            json.dumps(answered) if as_text else answered,
            dag_id=waiting.dag_id,
            run_id=waiting.run_id,
            task_id=waiting.task_id,
            serialize=False,
            session=session,
        )


LARGEST = 256 * 1024
MOST_OUTPUTS = 50
LONGEST_OUTPUT = 1024
LONGEST_REASON = 256
TOKEN = re.compile("[a-zA-Z0-9]{10}")

READ: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "SendPipelineExecutionStepSuccess": _success,
    "SendPipelineExecutionStepFailure": _failure,
}
