"""Jobs of an earlier server, read back from their folders.

A folder whose job cannot be read is left as it is, and told in the server's log.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import kept
from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.errors import KeptError
from airflow_sm_pipelines.local.job import RECORD, Ending, Job, JobKind
from airflow_sm_pipelines.local.strays import end_strays

logger = logging.getLogger(__name__)

DIED = "InternalServerError: the local AWS ended while the job was in progress"


def earlier_jobs(
    folder: Path, kinds: Mapping[str, JobKind], account: Account, *, grace_seconds: float
) -> list[Job]:
    """The jobs of the account's region below `folder`, oldest first; none is in progress."""
    jobs = [
        job
        for file in folder.glob(f"*/{RECORD}")
        for job in _read(file, kinds, account, grace_seconds=grace_seconds)
    ]
    return sorted(jobs, key=lambda job: (job.describe()["CreationTime"], job.name))


def _read(
    file: Path, kinds: Mapping[str, JobKind], account: Account, *, grace_seconds: float
) -> Iterator[Job]:
    try:
        record = kept.read(file)
        kind = _kind(record, kinds)
        arn = record["Description"][f"{kind.noun}Arn"]
        if not arn.startswith(account.arn("", "").rpartition(":")[0]):
            return  # of another region
        job = Job(
            kind,
            record["Request"],
            arn=arn,
            folder=file.parent,
            grace_seconds=grace_seconds,
            fields=record["Description"],
        )
        if not job.final:
            end_strays(job.folder)
            job.note(DIED)
            job.finish(Ending(status="Failed", reason=DIED))
    except (KeptError, LookupError, TypeError, AttributeError, OSError) as error:
        logger.warning("%s: left out: %s", file, _said(error))
        return
    yield job


def _said(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def _kind(record: Mapping[str, Any], kinds: Mapping[str, JobKind]) -> JobKind:
    """The kind of a record that has what every job has; raises `KeptError`."""
    kind = kinds.get(record.get("Kind", ""))
    if kind is None:
        raise KeptError(f"Kind is {record.get('Kind')!r}; it would be one of {', '.join(kinds)}")
    kind.path(record["Request"])
    described = record["Description"]
    texts = (record["Request"][kind.name_key], described[kind.status_key])
    if not all(isinstance(text, str) for text in texts):
        raise KeptError("its name or its status is no text")
    if not isinstance(described["CreationTime"], datetime):
        raise KeptError("CreationTime is no time")
    return kind
