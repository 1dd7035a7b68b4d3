"""The keys of a bucket in S3's order, read from its folders."""

import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from airflow_sm_pipelines.local.s3 import names

LAST = "\U0010ffff"
"""Comes after every other character: `key + LAST` comes after all that start with `key`."""


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A key and its file."""

    key: str
    path: str
    size: int
    time: int
    inode: int


def walk(folder: Path, odd: Path, *, prefix: str, after: str) -> Iterator[Found]:
    """What is below `folder`, and in `odd` by escaped names, in the order of the keys.

    Only keys that start with `prefix` and come after `after`. S3 orders keys by their UTF-8, which
    is the order of Python's strings too. Links are not followed.
    """
    named = _below(str(folder), "", prefix, after)
    seen = ""
    for found in heapq.merge(named, _escaped(odd, prefix, after)):
        if found.key != seen or not seen:  # a file that was put there by hand hides another
            yield found
        seen = found.key


def _below(folder: str, base: str, prefix: str, after: str) -> Iterator[Found]:
    for name, entry in sorted(_entries(folder)):
        key = base + name
        if name.endswith("/"):
            of_interest = key.startswith(prefix) or prefix.startswith(key)
            passed = after > key and not after.startswith(key)
            if of_interest and not passed and after != key + LAST:
                yield from _below(entry.path, key, prefix, after)
        elif key.startswith(prefix) and key > after:
            yield from _found(key, entry)


def _entries(folder: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """What is in a folder, by the name that orders it."""
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except (FileNotFoundError, NotADirectoryError):  # gone meanwhile
        return
    for entry in listed:
        if entry.is_symlink() or not _is_text(entry.name):
            continue
        yield f"{entry.name}/" if entry.is_dir() else entry.name, entry


def _escaped(odd: Path, prefix: str, after: str) -> list[Found]:
    found = []
    for folder, _, files in os.walk(odd):
        for name in files:
            path = Path(folder, name)
            try:
                key = names.unescaped(path.relative_to(odd).as_posix())
                status = path.lstat()
            except (ValueError, FileNotFoundError):
                continue
            if key.startswith(prefix) and key > after:
                found.append(
                    Found(key, str(path), status.st_size, status.st_mtime_ns, status.st_ino)
                )
    return sorted(found)


def _found(key: str, entry: "os.DirEntry[str]") -> Iterator[Found]:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # gone meanwhile
        return
    if entry.is_file():
        yield Found(key, entry.path, status.st_size, status.st_mtime_ns, status.st_ino)


def _is_text(name: str) -> bool:
    """Whether a name is UTF-8, as every key is."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
