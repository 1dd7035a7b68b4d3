"""Input mode Pipe: a named pipe per epoch, which the algorithm reads as often as it likes.

The pipe of the first epoch is `<channel>_0`. Whoever opens it gets the channel's data from the
beginning; then the pipe of the next epoch is there. Nothing waits for a pipe that nobody opens.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

import errno
import os
import select
import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from airflow_sm_pipelines.local.channels import (
    Channel,
    Share,
    content,
    fetch,
    listed,
    nothing_found,
    shared,
)
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.following import following
from airflow_sm_pipelines.local.manifests import Item, Line
from airflow_sm_pipelines.local.objects import Objects

_LOOK_SECONDS = 0.02  # how soon it is seen that somebody has opened a pipe

# A record of RecordIO: this number, the length, the data, zeros up to a multiple of four.
_MAGIC = 0xCED7230A
_MOST_BYTES = (1 << 29) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """A channel as one host gets it; `base` is the path of its pipes without the epoch."""

    channel: Channel
    found: Sequence[Item | Line]
    share: Share
    base: Path

    def path(self, epoch: int) -> Path:
        """The pipe of an epoch."""
        return self.base.with_name(f"{self.base.name}_{epoch}")


def deliver(objects: Objects, channel: Channel, folders: Sequence[Path]) -> list[Pipe]:
    """Bring a channel to the hosts that have these folders: files now, or pipes for later."""
    if channel.plain:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            if not objects.download(channel.uri, folder):
                raise nothing_found(channel)
        return []
    found = listed(objects, channel)
    pipes: list[Pipe] = []
    for number, folder in enumerate(folders):
        share = Share(number, len(folders))
        if channel.piped:
            pipes.append(Pipe(channel=channel, found=found, share=share, base=folder))
        else:
            items = [item for item in shared(found, channel, share) if isinstance(item, Item)]
            fetch(objects, channel, items, folder)
    return pipes


@contextmanager
def streaming(objects: Objects, pipes: Iterable[Pipe]) -> Iterator[None]:
    """While in the block, fill the pipes for whoever opens them.

    Raises `JobError` at the end of the block where data could not be read.
    """
    errors: list[JobError] = []
    with ExitStack() as streams:
        for pipe in pipes:
            pipe.base.parent.mkdir(parents=True, exist_ok=True)
            os.mkfifo(pipe.path(0))
            stream = _Stream(objects, pipe, errors)
            streams.enter_context(following(stream.run, name=f"pipe {pipe.channel.name}"))
        yield
    if errors:
        raise errors[0]


def record(data: bytes) -> bytes:
    """Data as a record of RecordIO."""
    if len(data) > _MOST_BYTES:
        raise JobError(f"ClientError: a record of {len(data)} bytes; RecordIO has {_MOST_BYTES}")
    return struct.pack("<II", _MAGIC, len(data)) + data + bytes(-len(data) % 4)


class _Stream:
    """What fills the pipes of one channel of one host, epoch after epoch."""

    def __init__(self, objects: Objects, pipe: Pipe, errors: list[JobError]) -> None:
        self._objects = objects
        self._pipe = pipe
        self._errors = errors

    def run(self, ended: threading.Event) -> None:
        """Fill one pipe after the other, until `ended`."""
        epoch = 0
        while (descriptor := _opened(self._pipe.path(epoch), ended)) is not None:
            # It is there before the data of this one ends, so that nobody misses it.
            os.mkfifo(self._pipe.path(epoch + 1))
            try:
                for chunk in self._data(epoch):
                    if not _written(descriptor, chunk, ended):
                        return
            except BrokenPipeError:
                pass  # the algorithm has read enough of this epoch
            except JobError as error:
                self._errors.append(error)  # whoever reads sees the end of the data
            finally:
                os.close(descriptor)
            epoch += 1

    def _data(self, epoch: int) -> Iterator[bytes]:
        """The data of an epoch, in chunks."""
        channel = self._pipe.channel
        for each in shared(self._pipe.found, channel, self._pipe.share, epoch=epoch):
            for value in each.values if isinstance(each, Line) else (each.uri,):
                chunks = iter((value,)) if isinstance(value, bytes) else self._content(value)
                if channel.record_io:
                    yield record(b"".join(chunks))
                else:
                    yield from chunks

    def _content(self, uri: str) -> Iterator[bytes]:
        return iter(()) if uri.endswith("/") else content(self._objects, self._pipe.channel, uri)


def _opened(pipe: Path, ended: threading.Event) -> int | None:
    """The end of a pipe to write to, as soon as somebody reads the other one; None if `ended`."""
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            # Nobody reads yet, or the algorithm has removed what it does not need.
            if error.errno not in (errno.ENXIO, errno.ENOENT):
                raise
        if ended.wait(_LOOK_SECONDS):
            return None


def _written(descriptor: int, chunk: bytes, ended: threading.Event) -> bool:
    """Write a chunk as fast as it is read; whether all of it was written before `ended`."""
    rest = memoryview(chunk)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            if ended.is_set():
                return False
            select.select((), (descriptor,), (), _LOOK_SECONDS)
    return True
