"""Copies of files, made inside the kernel.

Where the file system can (Btrfs, XFS), a copy shares the blocks of its source until one of them is
changed, so it takes no time and no space. It is never a hard link: a job that writes to its input
would write to the object.
"""

import os
from pathlib import Path
from typing import BinaryIO

_MOST_BYTES = 1 << 30  # for one call
_PIECE_BYTES = 1 << 20


def copy(source: Path, target: Path) -> None:
    """Make `target` a file with the content of `source`."""
    with source.open("rb") as reading, target.open("wb") as writing:
        append(reading, writing)


def append(source: BinaryIO, target: BinaryIO, *, start: int = 0, size: int | None = None) -> None:
    """Add a part of a file, or all of it, to another."""
    left = os.fstat(source.fileno()).st_size - start if size is None else size
    target.flush()
    try:
        while left > 0:
            done = os.copy_file_range(
                source.fileno(), target.fileno(), min(left, _MOST_BYTES), offset_src=start
            )
            if not done:
                return
            left, start = left - done, start + done
    except OSError:  # not between these file systems
        source.seek(start)
        target.seek(0, os.SEEK_END)
        while piece := source.read(min(left, _PIECE_BYTES)):
            left -= target.write(piece)
        target.flush()
