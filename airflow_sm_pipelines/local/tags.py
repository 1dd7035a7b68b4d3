"""Tags of the resources that the local AWS keeps itself."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_sm_pipelines.local.kept import Shelf


class Tags:
    """Tags by the ARN of a resource; with a shelf they outlive the server."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._lock = threading.Lock()
        self._shelf = shelf
        self._tags: dict[str, dict[str, str]] = dict(shelf.all()) if shelf else {}

    def add(self, arn: str, tags: Iterable[Mapping[str, str]]) -> dict[str, Any]:
        """Add tags to a resource, or give them other values; all that it has then."""
        with self._lock:
            added = {each["Key"]: each["Value"] for each in tags}
            self._set(arn, {**self._tags.get(arn, {}), **added})
        return self.get(arn)

    def get(self, arn: str) -> dict[str, Any]:
        """The tags of a resource, as ListTags answers them."""
        tags = self._tags.get(arn, {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def forget(self, arn: str) -> None:
        """Drop the tags of a resource that is not there any more."""
        with self._lock:
            if self._tags.pop(arn, None) is not None and self._shelf:
                self._shelf.remove(arn)

    def remove(self, arn: str, keys: Iterable[str]) -> None:
        """Take the tags with these keys from a resource."""
        with self._lock:
            gone = set(keys)
            kept = self._tags.get(arn, {})
            self._set(arn, {key: kept[key] for key in kept if key not in gone})

    def _set(self, arn: str, tags: dict[str, str]) -> None:
        self._tags[arn] = tags
        if self._shelf:
            self._shelf.put(arn, tags)
