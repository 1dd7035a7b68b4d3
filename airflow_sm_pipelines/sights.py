"""What people see of a step's job: its request, with a warning of what is in another region, links.

All of it is for looking at: nothing that runs reads it.
"""

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from airflow_sm_pipelines import aws, links, regions, settings
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.masks import masked
from airflow_sm_pipelines.requests import Request

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)

A = TypeVar("A")
"""What tells the attempts of a step apart."""


class Announced(Generic[A]):
    """The requests of the attempts of a try, each told in the task's log before it is made.

    `last` is the one that was made last: where creating ends well, that of the job.
    """

    def __init__(
        self,
        request_of: Callable[[A], Request],
        *,
        job: Job,
        connection: aws.Connection,
        client: "BaseClient",
    ) -> None:
        self._request_of = request_of
        self._job = job
        self._connection = connection
        self._client = client
        self.last: Request = {}

    def __call__(self, attempt: A) -> Request:
        """The request of an attempt."""
        self.last = self._request_of(attempt)
        log.info("the request of the %s:\n%s", self._job.noun, _text(shown(self.last)))
        for warning in self._misplaced():
            log.warning("%s", warning)
        return self.last

    def _misplaced(self) -> list[str]:
        """What is in another region; on this host, where the local AWS has only one, nothing."""
        meta = self._client.meta
        if urlsplit(meta.endpoint_url).hostname in settings.LOOPBACK:
            return []
        found = regions.misplaced(
            self.last, region=meta.region_name, region_of=regions.Asking(self._connection).region
        )
        return list(found)


def show(ti: Any, client: "BaseClient", resource: aws.Resource, request: Request) -> None:
    """Store what the UI shows of a job that is there now: its request and its links."""
    ti.xcom_push(key=REQUEST, value=shown(request))
    links.persist(ti, links.urls(client, resource, request))


def shown(request: Request) -> Request:
    """A request with its secrets as stars, or the beginning of its text where it is too large."""
    safe = masked(request)
    text = json.dumps(safe, ensure_ascii=False)
    return safe if len(text) <= LONGEST_REQUEST else {SHORTENED: text[:LONGEST_REQUEST]}


def _text(value: Json) -> str:
    """JSON with a line for each member."""
    assert isinstance(value, dict), "a request is an object"
    lines = (f'"{key}": {json.dumps(each, ensure_ascii=False)}' for key, each in value.items())
    return "{\n " + ",\n ".join(lines) + "\n}"


REQUEST = "Request"
"""The XCom key of a job's request."""
SHORTENED = "Shortened"
LONGEST_REQUEST = 16_000
"""Characters; a log and the page of an XCom are to stay readable."""
