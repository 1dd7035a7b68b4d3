"""Models, model packages, endpoint configurations, endpoints: resources that are only recorded.

To add a kind: a row of `KINDS`, and operations in `api.py`.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.account import Account, now
from airflow_sm_pipelines.local.control.script import SETTLE_SECONDS, Moment, Script, succeeds
from airflow_sm_pipelines.local.control.scripts import Scripts
from airflow_sm_pipelines.local.errors import AwsError, invalid
from airflow_sm_pipelines.local.kept import Notes, Shelf
from airflow_sm_pipelines.local.tags import Tags

logger = logging.getLogger(__name__)

Fields = Mapping[str, Any]

Moments = Sequence[Moment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of resource: its name in operations and in ARNs, and SageMaker's two messages.

    `moments` are the statuses that follow an operation where there is no script; `explained` is
    how a description tells the reason of a failure, "" for none.
    """

    noun: str
    slug: str
    exists: str
    missing: str
    missing_code: str = "ValidationException"
    moments: Mapping[str, Moments] = field(default_factory=dict)
    explained: Callable[[str], Fields] = lambda reason: {"FailureReason": reason or None}

    @property
    def name_key(self) -> str:
        """The member that holds the resource's name."""
        return f"{self.noun}Name"

    @property
    def arn_key(self) -> str:
        """The member that holds the resource's ARN."""
        return f"{self.noun}Arn"

    @property
    def status_key(self) -> str:
        """The member that holds the resource's status, where it has one."""
        return f"{self.noun}Status"

    def unknown(self, arn: str) -> AwsError:
        """SageMaker's answer where nothing has that ARN."""
        return AwsError(
            self.missing_code, self.missing.format(arn=arn, name=arn.rpartition("/")[2])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Fields that a resource takes on at a moment."""

    moment: datetime
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A resource: its fields, and what changes them in the time to come, in order."""

    fields: Fields
    changes: tuple[Change, ...] = ()

    def settled(self) -> "Record":
        """The record with the changes that have come made to its fields."""
        moment = now()
        fields = dict(self.fields)
        for change in self.changes:
            if change.moment <= moment:
                fields |= {**change.fields, "LastModifiedTime": change.moment}
        to_come = tuple(change for change in self.changes if change.moment > moment)
        return Record(fields=fields, changes=to_come)

    def describe(self) -> Fields:
        """The fields as they are at this moment."""
        return self.settled().fields

    def kept(self) -> Fields:
        """The record as it is written to a file."""
        changes = [{"Moment": each.moment, "Fields": each.fields} for each in self.changes]
        return {"Fields": self.fields, "Changes": changes}

    @classmethod
    def read(cls, value: Fields) -> "Record":
        """The record of a file; raises LookupError or TypeError where it has none."""
        changes = tuple(
            Change(moment=each["Moment"], fields={**each["Fields"]}) for each in value["Changes"]
        )
        times = [value["Fields"]["CreationTime"], *(each.moment for each in changes)]
        if not all(isinstance(each, datetime) for each in times):
            raise TypeError("a time of it is none")
        return cls(fields={**value["Fields"]}, changes=changes)


class Host(Protocol):
    """What stands behind resources of a kind, and says when one is in service."""

    def deploy(self, resource: Fields, *, on: str, gained: Fields) -> None:
        """Begin what an operation asks for; `update` the resource when that has ended."""

    def remove(self, arn: str) -> None:
        """End what stands behind a resource."""


class Registry:
    """The recorded resources of the account, by kind and ARN; `tags` are those of jobs too.

    With a folder they outlive the server.
    """

    def __init__(
        self, account: Account, scripts: Scripts | None = None, folder: Path | None = None
    ) -> None:
        self.account = account
        self._scripts = scripts or Scripts()
        self._folder = folder
        self.tags = Tags(self._shelf("Tags"))
        self.lock = threading.RLock()
        self._records = {noun: self._load(noun) for noun in KINDS}
        self.hosts: dict[str, Host] = {}  # by kind; without one nothing stands behind a resource
        self.looks: dict[str, Callable[[Fields], None]] = {}  # by kind: what refuses a Create

    def notes(self, what: str) -> Notes:
        """What else is to be known of resources, by its name."""
        return Notes(self._shelf(what))

    def create(self, kind: Kind, name: str, *, fields: Fields, gained: Fields | None = None) -> str:
        """Record a resource under a name that is still free; its ARN.

        It goes through its moments, and has `gained` when they have ended well.
        """
        arn = self.account.arn(kind.slug, name)
        moment = now()
        created = {kind.name_key: name, kind.arn_key: arn, "CreationTime": moment}
        with self.lock:
            if arn in self._records[kind.noun]:
                raise invalid(kind.exists.format(arn=arn, name=name))
            script = self._scripts.take(kind.noun, name)
            changes = self._changes(kind, script, on="Create", gained=gained or {})
            record = Record(
                fields={**created, "LastModifiedTime": moment, **fields}, changes=changes
            )
            arn = self._replace(kind, record.settled())
            if script is None and kind.noun in self.hosts:
                self.hosts[kind.noun].deploy(record.fields, on="Create", gained=gained or {})
            return arn

    def look(self, kind: Kind, request: Fields) -> None:
        """Refuse a Create that names what is not there, where something looks for it."""
        if kind.noun in self.looks:
            self.looks[kind.noun](request)

    def get(self, kind: Kind, name_or_arn: str) -> Fields:
        """The resource of that name or ARN, as it is at this moment."""
        return self._record(kind, name_or_arn).describe()

    def update(self, kind: Kind, name_or_arn: str, *, fields: Fields) -> str:
        """Change fields of a resource; its ARN."""
        with self.lock:
            record = self._record(kind, name_or_arn).settled()
            changed = {**record.fields, **fields, "LastModifiedTime": now()}
            return self._replace(kind, replace(record, fields=changed))

    def deploy(self, kind: Kind, name: str, *, gained: Fields) -> str:
        """Change a resource in service: it has `gained` when that has ended well; its ARN."""
        with self.lock:
            record = self._record(kind, name).settled()
            status = record.fields[kind.status_key]
            if status != "InService":
                what = kind.slug.replace("-", " ")
                raise invalid(f"Cannot update in-progress {what} {name!r}: it is {status}.")
            script = self._scripts.take(kind.noun, name, on="Update")
            changes = self._changes(kind, script, on="Update", gained=gained)
            arn = self._replace(kind, replace(record, changes=changes).settled())
            if script is None and kind.noun in self.hosts:
                self.hosts[kind.noun].deploy(record.fields, on="Update", gained=gained)
            return arn

    def delete(self, kind: Kind, name_or_arn: str) -> None:
        """Forget a resource, and its tags."""
        with self.lock:
            arn = self._record(kind, name_or_arn).fields[kind.arn_key]
            del self._records[kind.noun][arn]
            if shelf := self._shelf(kind.noun):
                shelf.remove(arn)
            self.tags.forget(arn)
            if kind.noun in self.hosts:
                self.hosts[kind.noun].remove(arn)

    def descriptions(self, kind: Kind) -> list[Fields]:
        """Every resource of a kind, as it is at this moment."""
        with self.lock:
            records = list(self._records[kind.noun].values())
        return [record.describe() for record in records]

    def halted(self, kind: Kind) -> list[Fields]:
        """The resources that an operation is under way for, and to which nothing more will happen.

        What stood behind them has ended with an earlier server.
        """
        under_way = {moments[0].status for moments in kind.moments.values() if moments}
        with self.lock:
            records = [record.settled() for record in self._records[kind.noun].values()]
        return [
            record.fields
            for record in records
            if not record.changes and record.fields[kind.status_key] in under_way
        ]

    def _changes(
        self, kind: Kind, script: Script | None, *, on: str, gained: Fields
    ) -> tuple[Change, ...]:
        """What an operation brings a resource, by its script or by what its kind does.

        Where there is a host, that is the first of the kind's moments; the host says the rest.
        """
        moments = script.moments if script else kind.moments.get(on, ())
        changes = tuple(_timeline(kind, moments, gained))
        return changes if script or kind.noun not in self.hosts else changes[:1]

    def _replace(self, kind: Kind, record: Record) -> str:
        arn: str = record.fields[kind.arn_key]
        self._records[kind.noun][arn] = record
        if shelf := self._shelf(kind.noun):
            shelf.put(arn, record.kept())
        return arn

    def _shelf(self, name: str) -> Shelf | None:
        return Shelf(self._folder / name) if self._folder else None

    def _load(self, noun: str) -> dict[str, Record]:
        """The records of a kind that an earlier server has kept, oldest first."""
        shelf = self._shelf(noun)
        own = self.account.arn("", "").rpartition(":")[0]
        found: dict[str, Record] = {}
        for arn, value in shelf.all() if shelf else ():
            try:
                if arn.startswith(own):  # else it is of another region
                    found[arn] = Record.read(value)
            except (LookupError, TypeError) as error:
                logger.warning("%s: left out: %r", arn, error)
        return dict(sorted(found.items(), key=lambda row: row[1].fields["CreationTime"]))

    def _record(self, kind: Kind, name_or_arn: str) -> Record:
        own = name_or_arn.lower() if name_or_arn.startswith("arn:") else ""
        arn = own or self.account.arn(kind.slug, name_or_arn)
        record = self._records[kind.noun].get(arn)
        if record is None:
            raise kind.unknown(arn)
        return record


def _timeline(kind: Kind, moments: Moments, gained: Fields) -> Iterator[Change]:
    """The moments as changes from now on; where they end well, the last one brings `gained`."""
    at = now()
    for number, moment in enumerate(moments, start=1):
        brought = gained if number == len(moments) and succeeds(moments) else {}
        fields = {kind.status_key: moment.status, **kind.explained(moment.reason)}
        yield Change(moment=at, fields={**brought, **fields, **moment.fields})
        at += timedelta(seconds=moment.seconds)


def _details(reason: str) -> Fields:
    """How the description of a model package tells why it has failed."""
    failure = {"Name": "ModelPackage", "Status": "Failed", "FailureReason": reason}
    statuses = {"ValidationStatuses": [failure] if reason else [], "ImageScanStatuses": []}
    return {"ModelPackageStatusDetails": statuses}


def _settling(first: str, last: str) -> Moments:
    return (Moment(status=first, seconds=SETTLE_SECONDS), Moment(status=last))


def recorded(kind: Kind, request: Fields) -> dict[str, Any]:
    """The part of a Create request that Describe will answer with."""
    return shapes.answered(f"Describe{kind.noun}", request)


_DEPLOYED = {
    "Create": _settling("Creating", "InService"),
    "Update": _settling("Updating", "InService"),
}

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
    moments={"Create": _settling("Pending", "Completed")},
    explained=_details,
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
    moments=_DEPLOYED,
)
# Its two messages are inferred from those of an endpoint.
COMPONENT = Kind(
    noun="InferenceComponent",
    slug="inference-component",
    exists='Cannot create already existing inference component "{arn}".',
    missing='Could not find inference component "{arn}".',
    moments=_DEPLOYED,
)
# "Trial with name (x) already exists." has been seen (aws/deep-learning-containers#155), and the
# SageMaker SDK asks for ValidationException and "already exists" of all three; of what is missing
# the code is documented, the wording ours.
_EXISTS = (
    "{what} names must be unique within an AWS account and region. "
    "{what} with name ({{name}}) already exists."
)
_MISSING = "{what} '{{name}}' does not exist."


def _tracked(noun: str, slug: str, what: str) -> Kind:
    return Kind(
        noun=noun,
        slug=slug,
        exists=_EXISTS.format(what=what),
        missing=_MISSING.format(what=what),
        missing_code="ResourceNotFound",
    )


EXPERIMENT = _tracked("Experiment", "experiment", "Experiment")
TRIAL = _tracked("Trial", "experiment-trial", "Trial")
TRIAL_COMPONENT = _tracked("TrialComponent", "experiment-trial-component", "Trial component")

KINDS = {
    kind.noun: kind
    for kind in (
        MODEL,
        GROUP,
        PACKAGE,
        ENDPOINT_CONFIG,
        ENDPOINT,
        COMPONENT,
        EXPERIMENT,
        TRIAL,
        TRIAL_COMPONENT,
    )
}
