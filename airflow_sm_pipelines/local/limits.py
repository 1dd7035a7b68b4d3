"""How large a request may be: all but those of S3 are read into memory."""

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.transport import WSGIApp

# Lambda's largest package, 50 MB, is a third larger in the JSON that it is sent in.
LARGEST_REQUEST_BYTES = 100 << 20


class Limited:
    """An app that is asked nothing too large; `spared` says which requests may be of any size."""

    def __init__(self, app: WSGIApp, *, spared: Callable[[dict[str, Any]], bool]) -> None:
        self._app = app
        self._spared = spared

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        app = self._app if self._spared(environ) else self._within(environ)
        return app(environ, start_response)

    def _within(self, environ: dict[str, Any]) -> WSGIApp:
        """The app, for a request that is not too large; one without a length is cut off there."""
        try:
            environ["wsgi.input"] = get_input_stream(
                environ, safe_fallback=False, max_content_length=LARGEST_REQUEST_BYTES
            )
        except RequestEntityTooLarge:
            message = (
                f"the request has {environ['CONTENT_LENGTH']} bytes; the local AWS takes "
                f"{LARGEST_REQUEST_BYTES}"
            )
            return json_error("RequestEntityTooLargeException", message, 413)
        return self._app
