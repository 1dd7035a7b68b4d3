"""Buckets and objects as folders and files.

<folder>/<bucket>/<key>             an object that its key names
<folder>/.store/odd/<bucket>/...    one whose key no file can have (`names.py`)
<folder>/.store/index.sqlite        types, metadata, tags (`index.py`)
<folder>/.store/incoming/           what is being written; emptied at the start

A file that somebody puts below a bucket's folder is an object, a folder that somebody makes there
a bucket. Whoever replaces an object replaces the file, so who reads it reads on.
"""

import hashlib
import os
import shutil
import stat
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.s3 import names
from airflow_sm_pipelines.local.s3.index import Details, Index
from airflow_sm_pipelines.local.s3.walk import Found, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket, and when and where it was made."""

    name: str
    created: datetime
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object: its file, and what was told with it."""

    bucket: str
    key: str
    path: Path
    size: int
    modified: datetime
    details: Details


Condition = Callable[[Stored | None], None]


class Store:
    """All buckets below a folder."""

    def __init__(
        self, folder: Path, *, region: str = "us-east-1", case_counts: bool | None = None
    ) -> None:
        self._folder = folder.resolve()
        self._region = region
        self._own = self._folder / ".store"
        self._incoming = self._own / "incoming"
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True)
        self._case_counts = self._tells_case() if case_counts is None else case_counts
        self._index = Index(self._own / "index.sqlite")
        self._lock = threading.RLock()

    @property
    def uploads(self) -> Path:
        """Where the parts of unfinished uploads are."""
        return self._own / "uploads"

    def close(self) -> None:
        """Let go of the files."""
        self._index.close()

    def buckets(self) -> list[Bucket]:
        """All buckets, by name."""
        found = sorted(each.name for each in os.scandir(self._folder) if each.is_dir())
        return [self.bucket(name) for name in found if names.is_bucket_name(name)]

    def bucket(self, name: str) -> Bucket:
        """The bucket of that name; raises `AwsError`."""
        if not self.has_bucket(name):
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        made = self._folder.joinpath(name).stat().st_mtime
        created, region = self._index.bucket(name) or (made, self._region)
        return Bucket(name=name, created=datetime.fromtimestamp(created, UTC), region=region)

    def folder(self, name: str) -> Path:
        """The folder of a bucket, in which files are objects."""
        return self._folder / name

    def has_bucket(self, name: str) -> bool:
        """Whether there is a bucket of that name."""
        return names.is_bucket_name(name) and self._folder.joinpath(name).is_dir()

    def create_bucket(self, name: str, *, region: str = "") -> bool:
        """Make a bucket where there is none; whether one was made."""
        if not names.is_bucket_name(name):
            raise AwsError("InvalidBucketName", "The specified bucket is not valid.")
        with self._lock:
            if self.has_bucket(name):
                return False
            self._folder.joinpath(name).mkdir()
            created = datetime.now(UTC).timestamp()
            self._index.add_bucket(name, created=created, region=region or self._region)
        return True

    def delete_bucket(self, name: str) -> None:
        """Delete a bucket that has no object."""
        with self._lock:
            self.bucket(name)
            # What is no object stays too: a link, a name that is no UTF-8.
            if next(self.walk(name), None) is not None or not _emptied(self._folder / name):
                raise AwsError("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
            self._index.remove_bucket(name)

    def walk(self, bucket: str, *, prefix: str = "", after: str = "") -> Iterator[Found]:
        """The keys of a bucket that start with `prefix` and come after `after`, in order."""
        self.bucket(bucket)
        odd = self._own / "odd" / bucket
        return walk(self._folder / bucket, odd, prefix=prefix, after=after)

    def find(self, bucket: str, key: str) -> Stored | None:
        """The object of that key, or None; raises `AwsError` where there is no such bucket."""
        self.bucket(bucket)
        with self._lock:
            path = self._path(bucket, key)
            return self._stored(bucket, key, path) if path else None

    def get(self, bucket: str, key: str) -> Stored:
        """The object of that key; raises `AwsError`."""
        found = self.find(bucket, key)
        if found is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
        return found

    def open(self, bucket: str, key: str) -> tuple[BinaryIO, Stored]:
        """The object of that key, and its content, which is that of this moment."""
        with self._lock:
            found = self.get(bucket, key)
            return found.path.open("rb"), found

    def details(self, bucket: str, found: Found) -> Details:
        """What was told with an object that `walk` has found."""
        known = self._index.find(bucket, found.key, size=found.size, time=found.time)
        return known or _untold(found.size, found.time, found.inode)

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A path for what is to become an object; what is left there is removed."""
        path = self._incoming / uuid.uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def put(
        self,
        bucket: str,
        key: str,
        *,
        file: Path,
        details: Details | None,
        condition: Condition = lambda known: None,
    ) -> Stored:
        """Make `file`, which is in this store's `incoming`, the object of that key.

        Without `details` its ETag is made of its size and time. `condition` raises where the
        object that is there now stands in the way.
        """
        if len(key.encode()) > names.LONGEST_KEY_BYTES:
            raise AwsError("KeyTooLongError", "Your key is too long")
        with self._lock:
            self.bucket(bucket)
            known = self._path(bucket, key)
            condition(self._stored(bucket, key, known) if known else None)
            path = self._settle(bucket, key, file)
            if details is not None:
                status = path.stat()
                size, time = status.st_size, status.st_mtime_ns
                self._index.put(bucket, key, size=size, time=time, details=details)
            else:
                self._index.remove(bucket, key)
            return self._stored(bucket, key, path)

    def describe(self, bucket: str, key: str, change: Callable[[Details], Details]) -> None:
        """Change what was told with an object."""
        with self._lock:
            details, status = self.get(bucket, key).details, self.get(bucket, key).path.stat()
            size, time = status.st_size, status.st_mtime_ns
            self._index.put(bucket, key, size=size, time=time, details=change(details))

    def delete(self, bucket: str, key: str) -> bool:
        """Delete an object; whether there was one."""
        with self._lock:
            self.bucket(bucket)
            path = self._path(bucket, key)
            if path is None:
                return False
            path.unlink()
            self._index.remove(bucket, key)
            self._prune(bucket, path)
        return True

    def _natural(self, bucket: str, key: str) -> Path | None:
        """The path that a key names, where it can name one and no link is on the way."""
        if not names.is_natural(key, case_counts=self._case_counts):
            return None
        path = self._folder / bucket / key
        return path if os.path.realpath(path.parent) == str(path.parent) else None

    def _odd(self, bucket: str, key: str) -> Path:
        return self._own / "odd" / bucket / names.escaped(key)

    def _path(self, bucket: str, key: str) -> Path | None:
        """The file of an object, or None where there is none."""
        if len(key.encode()) > names.LONGEST_KEY_BYTES:
            return None
        for path in (self._natural(bucket, key), self._odd(bucket, key)):
            with suppress(FileNotFoundError, NotADirectoryError):
                if path is not None and stat.S_ISREG(path.lstat().st_mode):
                    return path
        return None

    def _settle(self, bucket: str, key: str, file: Path) -> Path:
        """Move a file to where the key is kept, in one step."""
        odd = self._odd(bucket, key)
        path = self._natural(bucket, key)
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if path.is_symlink():
                    raise FileExistsError(path)
                file.replace(path)
            # A file where the key has a folder, or a folder where it has its file.
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                self._prune(bucket, path)
            else:
                odd.unlink(missing_ok=True)
                return path
        odd.parent.mkdir(parents=True, exist_ok=True)
        return file.replace(odd)

    def _prune(self, bucket: str, path: Path) -> None:
        """Remove the folders above a path that have become empty, but for the bucket's own."""
        for folder in path.parents:
            if folder in (self._folder / bucket, self._own / "odd"):
                return
            try:
                folder.rmdir()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:  # it is not empty
                return

    def _stored(self, bucket: str, key: str, path: Path) -> Stored:
        status = path.stat()
        size, time = status.st_size, status.st_mtime_ns
        known = self._index.find(bucket, key, size=size, time=time)
        return Stored(
            bucket=bucket,
            key=key,
            path=path,
            size=size,
            modified=datetime.fromtimestamp(time / 1e9, UTC),
            details=known or _untold(size, time, status.st_ino),
        )

    def _tells_case(self) -> bool:
        """Whether this file system tells upper from lower case."""
        probe = self._incoming / "case"
        probe.touch()
        told = not probe.with_name("CASE").exists()
        probe.unlink()
        return told


def _untold(size: int, time: int, inode: int) -> Details:
    """What is said of a file that nobody has told anything of.

    Its ETag changes with it, and has the form of those that are no MD5 of the content.
    """
    version = hashlib.md5(f"{size} {time} {inode}".encode(), usedforsecurity=False).hexdigest()
    return Details(etag=f"{version}-1")


def _emptied(folder: Path) -> bool:
    """Remove a folder with all folders in it, where there is nothing else; whether it is gone."""
    for path, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            os.rmdir(path)
    return not folder.exists()
