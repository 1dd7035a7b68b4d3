"""Pipelines: moto records them, here they outlive the server and find their definition in our S3.

The requests that made a pipeline what it is are kept, and sent to moto again when somebody first
asks for one: its times are those of then. moto would look for a definition in an S3 of its own.
"""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from werkzeug.test import Client
from werkzeug.wrappers import Response

from airflow_sm_pipelines.local import listing, shapes
from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.calls import body
from airflow_sm_pipelines.local.errors import AwsError, JobError
from airflow_sm_pipelines.local.kept import Shelf
from airflow_sm_pipelines.local.objects import Objects
from airflow_sm_pipelines.local.transport import WSGIApp

_TARGET = "SageMaker."
_LIST = f"{_TARGET}ListPipelines"
_DELETE = f"{_TARGET}DeletePipeline"
_LOCATION = "PipelineDefinitionS3Location"

# https://github.com/aws/sagemaker-python-sdk/issues/3908
_NO_OBJECT = "Unable to parse pipeline definition. Expecting start of Json Object."


class Pipelines:
    """The app of moto, with pipelines that are kept on a shelf."""

    def __init__(self, app: WSGIApp, objects: Objects, shelf: Shelf) -> None:
        self._app = app
        self._objects = objects
        self._shelf = shelf
        self._lock = threading.Lock()
        self._requests: dict[str, Mapping[str, Any]] | None = None
        self._answers = {**dict.fromkeys(CHANGES, self._changed), _LIST: _listed}
        self.leave: Callable[[str], None] = lambda name: None
        """Called before a pipeline is deleted; raises `AwsError` where it cannot be."""

    def stored(self, name: str) -> Mapping[str, Any] | None:
        """The request that makes a pipeline, by its name or, as ARNs have it, in lower case."""
        with self._lock:
            known = self._requests if self._requests is not None else dict(self._shelf.all())
            alike = (request for each, request in known.items() if each.lower() == name)
            return known.get(name) or next(alike, None)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not (target.startswith(_TARGET) and ("Pipeline" in target or "Tags" in target)):
            return self._app(environ, start_response)
        with self._lock:
            known = self._known(environ)
            answer = self._answers.get(target, _passed_on)
            response = answer(self._app, environ, known)
        return response(environ, start_response)

    def _known(self, environ: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        """The requests that make the pipelines, which moto has had by then."""
        if self._requests is None:
            self._requests = dict(self._shelf.all())
            for request in self._requests.values():
                _sent(self._app, environ, f"{_TARGET}CreatePipeline", request)
        return self._requests

    def _changed(
        self, app: WSGIApp, environ: dict[str, Any], known: dict[str, Mapping[str, Any]]
    ) -> Response:
        """What moto answers to a change, which is noted where it has taken effect."""
        try:
            request = self._with_definition(json.loads(body(environ)))
            name = str(request["PipelineName"])
            if environ["HTTP_X_AMZ_TARGET"] == _DELETE and name in known:
                self.leave(name)
        except AwsError as error:
            return json_error(error.code, error.message, error.status)
        except JobError as error:
            return json_error("ValidationException", str(error).removeprefix("ClientError: "))
        except (ValueError, TypeError, KeyError):  # moto says what is wrong with it
            return Response.from_app(app, environ, buffered=True)
        if not _is_object(request.get("PipelineDefinition") or "{}"):
            return json_error("ValidationException", _NO_OBJECT)
        target = environ["HTTP_X_AMZ_TARGET"]
        response = _sent(app, environ, target, request)
        if response.status_code < 400:
            change = CHANGES[target](known.pop(name, {}), request)
            if change is None:
                self._shelf.remove(name)
            else:
                known[name] = change
                self._shelf.put(name, change)
        return response

    def _with_definition(self, request: dict[str, Any]) -> dict[str, Any]:
        """A request with the definition itself where it says in which object that is."""
        location = request.get(_LOCATION)
        if location is None:
            return request
        with self._objects.open(f"s3://{location['Bucket']}/{location['ObjectKey']}") as content:
            definition = content.read().decode()
        others = {key: value for key, value in request.items() if key != _LOCATION}
        return {**others, "PipelineDefinition": definition}


def _is_object(definition: str) -> bool:
    """Whether a definition is a JSON object: what else is wrong with it SageMaker tells."""
    try:
        return isinstance(json.loads(definition), dict)
    except (ValueError, RecursionError):
        return False


def _sent(
    app: WSGIApp, environ: Mapping[str, Any], target: str, request: Mapping[str, Any]
) -> Response:
    """What moto answers to a request of ours, which is signed as the caller's."""
    headers = {
        "Authorization": environ.get("HTTP_AUTHORIZATION", ""),
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": target,
    }
    # By address: moto takes names of hosts for names of services.
    client = Client(app)
    return client.post("/", "http://127.0.0.1", data=json.dumps(request), headers=headers)


def _listed(app: WSGIApp, environ: dict[str, Any], _: object) -> Response:
    """A page of the pipelines, which moto has not as the service does."""
    told = _sent(app, environ, _LIST, {}).get_json(force=True)
    rows = [shapes.timed("DescribePipeline", row) for row in told["PipelineSummaries"]]
    try:
        answer = listing.page("ListPipelines", json.loads(body(environ) or b"{}"), rows)
    except AwsError as error:
        return json_error(error.code, error.message, error.status)
    content = json.dumps(answer, default=datetime.timestamp)
    return Response(content, content_type="application/x-amz-json-1.1")


def _passed_on(app: WSGIApp, environ: dict[str, Any], _: object) -> Response:
    return Response.from_app(app, environ, buffered=True)


Change = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any] | None]

CHANGES: dict[str, Change] = {
    f"{_TARGET}CreatePipeline": lambda before, request: request,
    f"{_TARGET}UpdatePipeline": lambda before, request: {**before, **request},
    _DELETE: lambda before, request: None,
}
"""What a pipeline is made by after a change: the request before, and that of the change."""
