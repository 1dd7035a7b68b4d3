"""The requests that the local AWS has been sent: what they were about and what came of them."""

import threading
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_sm_pipelines.local.calls import SAGEMAKER, Call

LENGTH = 200_000  # of the newest requests that are kept; the counts are of all


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request to SageMaker.

    `outcome` is "ok", AWS's code of an error, or "reset" where the caller got no answer; `effect`
    is whether something was made or changed, whatever the caller was told.
    """

    at: datetime
    operation: str
    name: str
    outcome: str
    effect: bool

    def document(self) -> dict[str, Any]:
        """The entry as JSON has it."""
        return {
            "At": self.at.isoformat(timespec="milliseconds"),
            "Operation": self.operation,
            "Name": self.name,
            "Outcome": self.outcome,
            "Effect": self.effect,
        }


class Journal:
    """The newest requests to SageMaker, oldest first, and how many of each operation there were.

    Requests to other services are only counted, as `logs:GetLogEvents`.
    """

    def __init__(self, length: int = LENGTH) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=length)
        self._counts: Counter[str] = Counter()

    def note(self, call: Call, *, at: datetime, outcome: str, effect: bool) -> None:
        """Write down a request that came at that time."""
        with self._lock:
            if call.service != SAGEMAKER:
                self._counts[call.action] += 1
                return
            self._counts[call.operation] += 1
            self._entries.append(
                Entry(
                    at=at,
                    operation=call.operation,
                    name=call.name,
                    outcome=outcome,
                    effect=effect,
                )
            )

    def documents(self) -> list[dict[str, Any]]:
        """The requests to SageMaker as JSON has them."""
        with self._lock:
            entries = list(self._entries)
        return [entry.document() for entry in entries]

    def counts(self) -> dict[str, int]:
        """How many requests of each operation there were, those too that are not kept."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._entries.clear()
            self._counts.clear()
