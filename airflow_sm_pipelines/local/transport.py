"""boto3 without a network: clients of the engine call the local AWS in its own process.

botocore's documented `before-send` event may answer a request; here the WSGI app does. An S3
call takes 3 ms instead of the 7 ms that it takes through a socket in the same process.
"""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient

WSGIApp = Callable[..., Iterable[bytes]]


class _Body(io.BytesIO):
    """A response body with the two methods of urllib3 that botocore calls."""

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Iterator[bytes]:
        while chunk := self.read(amt):
            yield chunk

    def release_conn(self) -> None:
        pass


def connect(client: BaseClient, app: WSGIApp) -> None:
    """Let `app` answer every request of `client`."""

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            head[:] = [int(status.split()[0]), dict(headers)]

        pieces = app(_environ(request), start_response)
        body = b"".join(pieces)
        if hasattr(pieces, "close"):  # PEP 3333: else what it reads from stays open
            pieces.close()
        return AWSResponse(request.url, head[0], head[1], _Body(body))

    # The stubs know no handler that returns something; that of `before-send` may.
    client.meta.events.register("before-send", answer)  # type: ignore[arg-type]


def _environ(request: AWSPreparedRequest) -> dict[str, Any]:
    """The WSGI environment of a prepared request (PEP 3333)."""
    url = urlsplit(request.url)
    body, length = _body(request)
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path, encoding="utf-8").encode().decode("latin-1"),
        "RAW_URI": url.path,
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(length),
        "HTTP_HOST": url.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers: dict[str, Any] = dict(request.headers.items())
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        if key == "CONTENT_TYPE":
            environ[key] = text
        elif key != "CONTENT_LENGTH":
            environ[f"HTTP_{key}"] = text
    return environ


def _body(request: AWSPreparedRequest) -> tuple[Any, int]:
    """The body as a stream with its length; a file is passed on as it is."""
    body: Any = request.body
    if hasattr(body, "read"):
        return body, int(request.headers["Content-Length"])
    content = body.encode() if isinstance(body, str) else bytes(body or b"")
    return io.BytesIO(content), len(content)
