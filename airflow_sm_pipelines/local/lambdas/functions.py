"""Lambda as its callers see it: functions are moto's, to invoke one really runs it.

The code of a function passes through here on its way to moto, and is kept by its digest.
"""

import base64
import io
import json
import logging
import re
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.exceptions import ClientError
from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.calls import Call, body
from airflow_sm_pipelines.local.control.disruption import Answer
from airflow_sm_pipelines.local.emr.commands import Commands
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.lambdas.code import Code
from airflow_sm_pipelines.local.lambdas.files import LocalFunction
from airflow_sm_pipelines.local.lambdas.invocation import (
    LONGEST_PAYLOAD,
    Fields,
    Invocation,
    Result,
    client_context,
)
from airflow_sm_pipelines.local.logs import Logs
from airflow_sm_pipelines.local.transport import WSGIApp

logger = logging.getLogger(__name__)


class Functions:
    """The Lambda functions of a server; `local` are those whose code is a file of this machine."""

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        moto: WSGIApp,
        client: Any,
        s3: Any,
        commands: Commands,
        logs: Logs,
        local: Sequence[LocalFunction] = (),
    ) -> None:
        self._folder = folder
        self._moto = moto
        self._client = client
        self._s3 = s3
        self._commands = commands
        self._logs = logs
        self._code = Code(folder / "code")
        self._local = {each.name: _configuration(account, each) for each in local}
        self._folders = {each.name: each.folder for each in local}
        self._lock = threading.Lock()
        self._invocations: dict[int, Invocation] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False

    def concern(self, call: Call) -> bool:
        """Whether a request is one that is answered here."""
        return call.service == "lambda" and call.operation in {INVOKE, *CODE}

    def answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """The answer to a request."""
        try:
            if call.operation == INVOKE:
                return self._invoke(environ)
            return self._with_code(environ)
        except AwsError as error:
            refused = json_error(error.code, error.message, error.status)
            return Answer(response=refused, outcome=error.code)

    def arn(self, given: str) -> str:
        """The ARN of a function by its name or ARN; an error where there is none."""
        return str(self._function(given)[0]["FunctionArn"])

    def call(self, given: str, event: Any) -> Result:
        """What a function answers to an event, which is not another's request."""
        return self._carried_out(self._made(given, event))

    def close(self, *, grace_seconds: float) -> None:
        """End all invocations, and return when the last process has ended."""
        with self._lock:
            self._closed = True
            invocations, threads = list(self._invocations.values()), list(self._threads)
        for invocation in invocations:
            invocation.command.terminate(grace_seconds=grace_seconds)
        for thread in threads:
            thread.join()

    def _with_code(self, environ: dict[str, Any]) -> Answer:
        """Keep the code of a request, which moto answers."""
        try:
            request = json.loads(body(environ) or b"{}")
        except ValueError as error:
            raise AwsError("InvalidRequestContentException", str(error)) from error
        code = request.get("Code") or request
        if content := self._content(code):
            self._code.keep(content)
            if code.get("S3Bucket"):  # moto would look for it in an S3 of its own
                environ = _with_body(environ, _inline(request, content))
        response = Response.from_app(self._moto, environ, buffered=True)
        return Answer(response=response, effect=response.status_code < 400)

    def _content(self, code: Fields) -> bytes:
        """The zip file that a request has, or that it says is in S3."""
        if code.get("ZipFile"):
            return base64.b64decode(code["ZipFile"])
        if not code.get("S3Bucket"):
            return b""
        try:
            found = self._s3.get_object(Bucket=code["S3Bucket"], Key=code.get("S3Key", ""))
            return bytes(found["Body"].read())
        except ClientError as error:
            message = f"Error occurred while GetObject. {error.response['Error']['Message']}"
            raise AwsError("InvalidParameterValueException", message) from error

    def _invoke(self, environ: dict[str, Any]) -> Answer:
        kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE") or "RequestResponse"
        if kind not in ("RequestResponse", "Event", "DryRun"):
            raise AwsError("InvalidParameterValueException", f"InvocationType {kind!r}")
        invocation = self._invocation(environ)
        if kind == "DryRun":
            return Answer(response=Response(b"", status=204))
        if kind == "Event":
            self._begin(invocation)
            return Answer(response=Response(b"", status=202), effect=True)
        result = self._carried_out(invocation)
        headers = {
            "X-Amz-Executed-Version": "$LATEST",
            "x-amzn-RequestId": invocation.request_id,
        }
        if result.error:
            headers["X-Amz-Function-Error"] = result.error
        if environ.get("HTTP_X_AMZ_LOG_TYPE") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(result.log_tail.encode()).decode()
        response = Response(result.payload, content_type="application/json", headers=headers)
        return Answer(response=response, effect=True)

    def _invocation(self, environ: dict[str, Any]) -> Invocation:
        """What a request asks to invoke."""
        content = body(environ)
        if len(content) > LONGEST_PAYLOAD:
            message = f"{len(content)} byte payload is too large for the RequestResponse invocation"
            raise AwsError("RequestTooLargeException", message, 413)
        try:
            event = json.loads(content or b"{}")
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            raise AwsError("InvalidRequestContentException", message) from error
        path = _PATH.fullmatch(environ["PATH_INFO"])
        query = parse_qs(environ.get("QUERY_STRING", ""))
        return self._made(
            unquote(path[1]) if path else "",
            event,
            qualifier=query.get("Qualifier", [""])[0],
            client_context=client_context(environ.get("HTTP_X_AMZ_CLIENT_CONTEXT", "")),
        )

    def _made(self, given: str, event: Any, *, qualifier: str = "", **more: Any) -> Invocation:
        configuration, task_root = self._function(given, qualifier)
        return Invocation(
            configuration=configuration,
            task_root=task_root,
            event=event,
            folder=self._folder / "invocations" / uuid.uuid4().hex,
            commands=self._commands,
            **more,
        )

    def _function(self, given: str, qualifier: str = "") -> tuple[Fields, Path]:
        """The configuration of a function by its name or ARN, and the folder of its code."""
        name = given.rpartition("function:")[2].partition(":")[0]
        if name in self._local:
            return self._local[name], self._folders[name]
        more = {"Qualifier": qualifier} if qualifier else {}
        try:
            told = self._client.get_function_configuration(FunctionName=name, **more)
        except ClientError as error:
            detail = error.response["Error"]
            raise AwsError(detail["Code"], detail["Message"], 404) from error
        if told.get("PackageType") == "Image":
            return told, self._folder
        root = self._code.find(told["CodeSha256"])
        if root is None:
            message = f"{name}: its code is not there, as it was not made through this server"
            raise AwsError("InvalidParameterValueException", message)
        return told, root

    def _begin(self, invocation: Invocation) -> None:
        """Carry out an invocation that nobody waits for; unlike on AWS it is not tried again."""
        thread = threading.Thread(
            target=self._in_background, args=(invocation,), name="Lambda", daemon=True
        )
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _in_background(self, invocation: Invocation) -> None:
        try:
            result = self._carried_out(invocation)
        except AwsError as error:
            logger.warning("invocation %s: %s", invocation.request_id, error)
            return
        if result.error:
            logger.warning("invocation %s: %s", invocation.request_id, result.payload)

    def _carried_out(self, invocation: Invocation) -> Result:
        with self._lock:
            if self._closed:
                raise AwsError("ServiceException", "the local AWS is being stopped", 500)
            self._invocations[id(invocation)] = invocation
        try:
            result = invocation.run()
            self._logs.put(invocation.log, invocation.log_group, invocation.log_stream)
            return result
        finally:
            with self._lock:
                del self._invocations[id(invocation)]
            invocation.discard()


def _inline(request: Fields, content: bytes) -> Fields:
    """A request that has its zip file with it."""
    packed = {"ZipFile": base64.b64encode(content).decode()}
    if request.get("Code"):
        return {**request, "Code": packed}
    return {**{key: request[key] for key in request if not key.startswith("S3")}, **packed}


def _with_body(environ: dict[str, Any], request: Fields) -> dict[str, Any]:
    """The same request with another body."""
    content = json.dumps(request).encode()
    return {**environ, "wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": str(len(content))}


def _configuration(account: Account, function: LocalFunction) -> dict[str, Any]:
    """A function of this machine as GetFunctionConfiguration would tell it."""
    is_python = any(function.folder.glob(f"{function.handler.partition('.')[0]}.py"))
    arn = f"arn:aws:lambda:{account.region}:{account.id}:function:{function.name}"
    return {
        "FunctionName": function.name,
        "FunctionArn": arn,
        "Handler": function.handler,
        "Runtime": "python3" if is_python else "nodejs",
        "Timeout": function.timeout,
        "MemorySize": 128,
        "Environment": {"Variables": dict(function.environment)},
    }


INVOKE = "Invoke"
CODE = ("CreateFunction", "UpdateFunctionCode")

_PATH = re.compile(r"/2015-03-31/functions/(.+)/invocations/?")
