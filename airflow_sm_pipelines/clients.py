"""The clients that triggers share: to make one takes as long as hundreds of calls."""

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_sm_pipelines import aws

if TYPE_CHECKING:
    from botocore.client import BaseClient


@dataclass(frozen=True, slots=True)
class _Made:
    client: "BaseClient"
    at: float = field(default_factory=time.monotonic)


def recent(connection: aws.Connection, service: str) -> "BaseClient":
    """A client of a service and a connection as it was at most ten seconds ago."""
    with _LOCK:
        made = _MADE.get((connection, service))
        if made is None or time.monotonic() - made.at > FRESH_SECONDS:
            made = _MADE[connection, service] = _Made(connection.client(service))
        return made.client


def renewed(connection: aws.Connection, service: str) -> "BaseClient":
    """A client of a service and a connection as it is now."""
    with _LOCK:
        _MADE.pop((connection, service), None)
    return recent(connection, service)


FRESH_SECONDS = 10.0

_LOCK = threading.Lock()
_MADE: dict[tuple[aws.Connection, str], _Made] = {}
