"""What a test tells and asks the local AWS itself: scripts, faults, requests, over the wire."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError

from airflow_sm_pipelines.errors import LocalRunError

Document = Mapping[str, Any]

# No proxy of the user's: the server is on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Settable:
    """Scripts or faults that are set; what is wrong with one is a LocalRunError."""

    url: str
    key: str

    def documents(self) -> list[Document]:
        """What is set, as it was written."""
        return list(_called("GET", self.url)[self.key])

    def add(self, *documents: Document) -> None:
        """Set more."""
        _called("POST", self.url, {self.key: documents})

    def replace(self, *documents: Document) -> None:
        """Set this and nothing else."""
        _called("PUT", self.url, {self.key: documents})


@dataclass(frozen=True, slots=True)
class Record:
    """The requests that there were."""

    url: str

    def documents(self) -> list[Document]:
        """The requests to SageMaker, oldest first."""
        return list(_called("GET", self.url)["Requests"])

    def counts(self) -> dict[str, int]:
        """How many there were of each operation, of other services too: `s3:PutObject`."""
        return dict(_called("GET", self.url)["Counts"])

    def clear(self) -> None:
        """Forget them."""
        _called("DELETE", self.url)


def _called(method: str, url: str, content: Document | None = None) -> dict[str, Any]:
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, data=body, method=method)
    try:
        with _OPENER.open(request) as response:
            answer: dict[str, Any] = json.load(response)
    except HTTPError as error:
        with error:
            raise LocalRunError("\n".join(json.load(error)["Problems"])) from error
    return answer
