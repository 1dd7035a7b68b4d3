"""Models, model packages, endpoint configurations, endpoints: resources that are only recorded.

To add a kind: a row of `KINDS`, and operations in `api.py`.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.account import Account, now
from airflow_sm_pipelines.local.errors import invalid
from airflow_sm_pipelines.local.tags import Tags

Fields = Mapping[str, Any]

# How long an endpoint is Creating, or a model package Pending: long enough to be seen.
SETTLE = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of resource: its name in operations and in ARNs, and SageMaker's two messages."""

    noun: str
    slug: str
    exists: str
    missing: str

    @property
    def name_key(self) -> str:
        """The member that holds the resource's name."""
        return f"{self.noun}Name"

    @property
    def arn_key(self) -> str:
        """The member that holds the resource's ARN."""
        return f"{self.noun}Arn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A resource: its fields now, and those it takes on at a moment to come."""

    fields: Fields
    later: Fields
    moment: datetime

    def describe(self) -> Fields:
        """The fields as they are at this moment."""
        return {**self.fields, **self.later} if now() >= self.moment else self.fields


class Registry:
    """The recorded resources of the account, by kind and ARN; `tags` are those of jobs too."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.tags = Tags()
        self.lock = threading.RLock()
        self._records: dict[str, dict[str, Record]] = {}

    def create(self, kind: Kind, name: str, *, fields: Fields, later: Fields | None = None) -> str:
        """Record a resource under a name that is still free; its ARN."""
        arn = self.account.arn(kind.slug, name)
        created = {kind.name_key: name, kind.arn_key: arn, "CreationTime": now()}
        record = Record(fields={**created, **fields}, later=later or {}, moment=now() + SETTLE)
        with self.lock:
            known = self._records.setdefault(kind.noun, {})
            if arn in known:
                raise invalid(kind.exists.format(arn=arn))
            known[arn] = record
        return arn

    def get(self, kind: Kind, name_or_arn: str) -> Fields:
        """The resource of that name or ARN, as it is at this moment."""
        return self._record(kind, name_or_arn).describe()

    def update(self, kind: Kind, name_or_arn: str, *, fields: Fields) -> str:
        """Change fields of a resource; its ARN."""
        with self.lock:
            record = self._record(kind, name_or_arn)
            changed = {**record.fields, **fields, "LastModifiedTime": now()}
            return self._replace(kind, replace(record, fields=changed))

    def deploy(self, kind: Kind, name_or_arn: str, *, fields: Fields, later: Fields) -> str:
        """Change fields of a resource, and others when it has settled; its ARN."""
        with self.lock:
            record = self._record(kind, name_or_arn)
            changed = {**record.describe(), **fields, "LastModifiedTime": now()}
            settling = Record(fields=changed, later=later, moment=now() + SETTLE)
            return self._replace(kind, settling)

    def delete(self, kind: Kind, name_or_arn: str) -> None:
        """Forget a resource, and its tags."""
        with self.lock:
            arn = self._record(kind, name_or_arn).fields[kind.arn_key]
            del self._records[kind.noun][arn]
            self.tags.forget(arn)

    def descriptions(self, kind: Kind) -> list[Fields]:
        """Every resource of a kind, as it is at this moment."""
        with self.lock:
            records = list(self._records.get(kind.noun, {}).values())
        return [record.describe() for record in records]

    def _replace(self, kind: Kind, record: Record) -> str:
        arn: str = record.fields[kind.arn_key]
        self._records[kind.noun][arn] = record
        return arn

    def _record(self, kind: Kind, name_or_arn: str) -> Record:
        own = name_or_arn.lower() if name_or_arn.startswith("arn:") else ""
        arn = own or self.account.arn(kind.slug, name_or_arn)
        record = self._records.get(kind.noun, {}).get(arn)
        if record is None:
            raise invalid(kind.missing.format(arn=arn))
        return record


def recorded(kind: Kind, request: Fields) -> dict[str, Any]:
    """The part of a Create request that Describe will answer with."""
    return shapes.answered(f"Describe{kind.noun}", request)


MODEL = Kind(
    noun="Model",
    slug="model",
    exists='Cannot create already existing model "{arn}".',
    missing='Could not find model "{arn}".',
)
GROUP = Kind(
    noun="ModelPackageGroup",
    slug="model-package-group",
    exists="Model Package Group already exists: {arn}",
    missing="ModelPackageGroup {arn} does not exist.",
)
PACKAGE = Kind(
    noun="ModelPackage",
    slug="model-package",
    exists="Model Package already exists: {arn}",
    missing="ModelPackage {arn} does not exist.",
)
ENDPOINT_CONFIG = Kind(
    noun="EndpointConfig",
    slug="endpoint-config",
    exists='Cannot create already existing endpoint configuration "{arn}".',
    missing='Could not find endpoint configuration "{arn}".',
)
ENDPOINT = Kind(
    noun="Endpoint",
    slug="endpoint",
    exists='Cannot create already existing endpoint "{arn}".',
    missing='Could not find endpoint "{arn}".',
)

KINDS = {kind.noun: kind for kind in (MODEL, GROUP, PACKAGE, ENDPOINT_CONFIG, ENDPOINT)}
