"""A job that is waited for, and what a look at it changes."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition.node import Json

if TYPE_CHECKING:
    from botocore.client import BaseClient

Told = Callable[[str], None]
Renew = Callable[[], "Future[BaseClient]"]


@dataclass(slots=True, eq=False, kw_only=True)
class Watch:
    """A job that is waited for; `ended` becomes its final status."""

    resource: aws.Resource
    since: float
    """When the wait began, by the poller's clock."""
    told: Told | None = None
    renew: Renew | None = None
    ended: "Future[str]" = field(default_factory=Future)
    created: datetime | None = None
    """By AWS's clock; None until the first look."""
    depth: int = 0
    """Among all resources of its kind, the newest first: it is not before this one."""
    is_listed: bool = field(init=False)
    """Whether the list of its kind can be expected to tell of it."""
    looked: float | None = None
    """When it was last looked at, by the poller's clock."""
    said: str = ""

    def __post_init__(self) -> None:
        # What is updated may be years old; whether the update has begun Describe knows best.
        self.is_listed = self.resource.job.listing is not None and not self.resource.unchanged_since

    def see(self, described: Mapping[str, Json], *, now: float) -> None:
        """Take what Describe or a row of a list says: tell a change, end the wait if it is over."""
        self.looked = now
        self.created = self.resource.created(described).astimezone(UTC)
        text = self.resource.status_text(described)
        if text != self.said:
            self.said = text
            if self.told:
                self.told(text)
        if status := self.resource.final_status(described):
            self.end(status)

    def end(self, result: str | BaseException) -> None:
        """End the wait, unless the waiting side has cancelled it in the meantime."""
        if not self.ended.set_running_or_notify_cancel():
            return
        if isinstance(result, BaseException):
            self.ended.set_exception(result)
        else:
            self.ended.set_result(result)
