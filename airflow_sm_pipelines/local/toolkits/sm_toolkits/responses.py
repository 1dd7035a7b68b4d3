"""Answers of a model server, as a script's `output_fn` may make them."""

from http import HTTPStatus
from typing import Any

from sm_toolkits import content_types


class Response:
    """The body of an answer with its MIME type and HTTP status.

    It has of a Flask response what a script may ask of the one that it has made.
    """

    def __init__(
        self,
        response: Any = None,
        accept: str | None = None,
        status: int = HTTPStatus.OK,
        headers: dict[str, str] | None = None,
        mimetype: str | None = None,
    ) -> None:
        told = "" if response is None else response
        self._body = told.encode() if isinstance(told, str) else bytes(told)
        self.mimetype = mimetype or content_types.JSON
        self.status_code = int(status)
        self.headers = dict(headers or {})
        self.accept = accept

    @property
    def data(self) -> bytes:
        """The body."""
        return self._body

    def get_data(self, as_text: bool = False) -> bytes | str:
        """The body."""
        return self._body.decode() if as_text else self._body
