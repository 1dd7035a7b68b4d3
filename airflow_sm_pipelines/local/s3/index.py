"""What a file cannot say of an object: its type, its metadata, its tags, its checksums.

A row holds for the file that it was written for: where size or time differ, somebody has put
another file there, and the row says nothing. So the folder is the truth, and this file may be
deleted at any time.
"""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from airflow_sm_pipelines.local.errors import LocalError

logger = logging.getLogger(__name__)

_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT, key BLOB, size INTEGER, time INTEGER, details TEXT, PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, created REAL, region TEXT) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What was told with an object; `headers` come back with it, as do those of `metadata`."""

    etag: str
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)


class Index:
    """The rows of all buckets, in one file; one that cannot be read is put aside."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._rows = _opened(file)
        except sqlite3.OperationalError as error:
            raise LocalError(f"{file}: {error}; it belongs to one local AWS at a time") from error
        except sqlite3.DatabaseError as error:
            aside = file.with_name(f"{file.name}.unread-{time.time_ns()}")
            logger.warning(
                "%s: %s; now %s: types, metadata and tags of objects are lost", file, error, aside
            )
            for name in (file.name, f"{file.name}-wal"):
                damaged = file.with_name(name)
                if damaged.exists():
                    damaged.rename(aside.with_name(name.replace(file.name, aside.name)))
            self._rows = _opened(file)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._rows.close()

    def find(self, bucket: str, key: str, *, size: int, time: int) -> Details | None:
        """What is known of an object whose file has that size and time (in ns)."""
        found = self._one(
            "SELECT details FROM objects WHERE bucket=? AND key=? AND size=? AND time=?",
            (bucket, key.encode(), size, time),
        )
        return None if found is None else Details(**json.loads(str(found[0])))

    def put(self, bucket: str, key: str, *, size: int, time: int, details: Details) -> None:
        """Replace what is known of an object."""
        told = json.dumps(asdict(details))
        self._do(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)",
            (bucket, key.encode(), size, time, told),
        )

    def remove(self, bucket: str, key: str) -> None:
        """Forget an object."""
        self._do("DELETE FROM objects WHERE bucket=? AND key=?", (bucket, key.encode()))

    def add_bucket(self, name: str, *, created: float, region: str) -> None:
        """Note when and where a bucket was made; the first note stays."""
        self._do("INSERT OR REPLACE INTO buckets VALUES (?, ?, ?)", (name, created, region))

    def bucket(self, name: str) -> tuple[float, str] | None:
        """When (since 1970) and where a bucket was made."""
        found = self._one("SELECT created, region FROM buckets WHERE name=?", (name,))
        return None if found is None else (float(str(found[0])), str(found[1]))

    def remove_bucket(self, name: str) -> None:
        """Forget a bucket and all that was in it."""
        self._do("DELETE FROM objects WHERE bucket=?", (name,))
        self._do("DELETE FROM buckets WHERE name=?", (name,))

    def _one(self, query: str, values: tuple[object, ...]) -> tuple[object, ...] | None:
        with self._lock:
            found: tuple[object, ...] | None = self._rows.execute(query, values).fetchone()
        return found

    def _do(self, statement: str, values: tuple[object, ...]) -> None:
        with self._lock:
            self._rows.execute(statement, values)


def _opened(file: Path) -> sqlite3.Connection:
    rows = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=0)
    try:
        # One server has the root: no shared memory is needed, which some file systems lack.
        rows.execute("PRAGMA locking_mode = EXCLUSIVE")
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("PRAGMA synchronous = NORMAL")
        (found,) = rows.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(str(found))
        (version,) = rows.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):  # 0 is that of a new file
            raise sqlite3.DatabaseError(f"version {version}; this local AWS reads {_VERSION}")
        rows.executescript(_TABLES)
        rows.execute(f"PRAGMA user_version = {_VERSION}")
    except sqlite3.DatabaseError:
        rows.close()
        raise
    return rows
