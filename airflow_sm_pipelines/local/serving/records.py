"""The records of a transform job's input, and the payloads that they are sent in.

To add a way to split: a row of `SPLITTERS`.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from airflow_sm_pipelines.local.errors import JobError

_MAGIC = 0xCED7230A  # https://mesos.apache.org/documentation/latest/recordio/, as MXNet writes it
_LENGTH_BITS = 29
_LAST_PARTS = (0, 3)  # a record in one part, and the last of several


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its content, and the bytes that hold it in the file."""

    content: bytes
    framed: bytes


Batch = tuple[Record, ...]


def split(file: BinaryIO, kind: str) -> Iterator[Record]:
    """The records of a file, by a SplitType."""
    return SPLITTERS[kind](file)


def batches(records: Iterable[Record], *, single: bool, limit_bytes: int) -> Iterator[Batch]:
    """The records in payloads: one each where `single`, else as many as `limit_bytes` holds.

    A limit of 0 is none. A record that is larger is a `JobError`, as the service has it.
    """
    batch: list[Record] = []
    size = 0
    for record in records:
        length = len(record.content if single else record.framed)
        if limit_bytes and length > limit_bytes:
            raise JobError(
                f"ClientError: Too much data for max payload size: a record has {length} bytes, "
                f"MaxPayloadInMB allows {limit_bytes}; raise it (up to 100) or split the input"
            )
        if batch and (single or (limit_bytes and size + length > limit_bytes)):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield tuple(batch)


def payload(batch: Batch, *, single: bool) -> bytes:
    """The body that a batch is sent as: framing is removed of a record that goes alone."""
    return b"".join(record.content if single else record.framed for record in batch)


def _whole(file: BinaryIO) -> Iterator[Record]:
    content = file.read()
    if content:
        yield Record(content, content)


def _lines(file: BinaryIO) -> Iterator[Record]:
    for line in file:
        content = line.rstrip(b"\r\n")
        if content:
            yield Record(content, line)


def _recordio(file: BinaryIO) -> Iterator[Record]:
    """Each part: a magic number, a flag and a length in one word, the data padded to 4 bytes."""
    content, framed = b"", b""
    while header := file.read(8):
        magic, word = struct.unpack("<II", _exactly(header, 8, "RecordIO"))
        if magic != _MAGIC:
            raise JobError("ClientError: the input is not RecordIO; set the SplitType that it has")
        length = word & ((1 << _LENGTH_BITS) - 1)
        padded = (length + 3) // 4 * 4
        body = _exactly(file.read(padded), padded, "RecordIO")
        content += body[:length]
        framed += header + body
        if word >> _LENGTH_BITS in _LAST_PARTS:
            yield Record(content, framed)
            content, framed = b"", b""


def _tf_records(file: BinaryIO) -> Iterator[Record]:
    """A length of 8 bytes and its checksum, the data and its checksum."""
    while header := file.read(12):
        (length,) = struct.unpack_from("<Q", _exactly(header, 12, "TFRecord"))
        body = _exactly(file.read(length + 4), length + 4, "TFRecord")
        yield Record(body[:length], header + body)


def _exactly(content: bytes, length: int, kind: str) -> bytes:
    if len(content) != length:
        raise JobError(f"ClientError: the input is not {kind}: its last record is cut off")
    return content


SPLITTERS: dict[str, Callable[[BinaryIO], Iterator[Record]]] = {
    "None": _whole,
    "Line": _lines,
    "RecordIO": _recordio,
    "TFRecord": _tf_records,
}
