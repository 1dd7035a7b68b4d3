"""The body of an upload: to a file, a piece at a time, checked on the way.

SDKs may send it in pieces of their own ("aws-chunked"), with a checksum behind the last one:
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

import base64
import hashlib
import importlib
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from airflow_sm_pipelines.local.errors import AwsError

PIECE_BYTES = 1 << 20
_HEADER = "x-amz-checksum-"


class Digest(Protocol):
    """What a checksum is made with."""

    def update(self, data: bytes, /) -> None:
        """Go on with more of the content."""

    def digest(self) -> bytes:
        """The checksum of all so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A body that has arrived: its MD5 in hexadecimal digits, and the checksums told with it."""

    md5: str
    size: int
    checksums: Mapping[str, str]


def receive(environ: dict[str, Any], file: Path) -> Received:
    """Write the body of a request to a file; raises `AwsError` where it is not as it says."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if not (environ.get("CONTENT_LENGTH") or environ.get("wsgi.input_terminated")):
        raise AwsError("MissingContentLength", "You must provide the Content-Length header.", 411)
    raw: Any = get_input_stream(environ)
    stream = io.BufferedReader(raw, PIECE_BYTES)
    told = {name: value for name, value in headers.items() if name.startswith(_HEADER)}
    algorithms = [name for name in (*told, headers.get("x-amz-trailer", "")) if name in DIGESTS]
    digests = {name: digest for name in algorithms if (digest := DIGESTS[name]())}
    pieces = _Chunks(stream) if _is_chunked(headers) else _Plain(stream)
    md5, size = hashlib.md5(usedforsecurity=False), 0
    try:
        with file.open("wb") as target:
            for piece in pieces:
                target.write(piece)
                size += len(piece)
                for digest in (md5, *digests.values()):
                    digest.update(piece)
    except (ClientDisconnected, EOFError) as error:
        message = "You did not provide the number of bytes specified by the Content-Length header"
        raise AwsError("IncompleteBody", message) from error
    _check_length(size, headers)
    told |= {name: value for name, value in pieces.trailers.items() if name.startswith(_HEADER)}
    _check(told, digests)
    _check_md5(md5.digest(), headers.get("content-md5", ""))
    checksums = {name: value for name, value in told.items() if name in DIGESTS}
    return Received(md5=md5.hexdigest(), size=size, checksums=checksums)


def _is_chunked(headers: Mapping[str, str]) -> bool:
    return headers.get("x-amz-content-sha256", "").startswith("STREAMING-") or (
        "aws-chunked" in headers.get("content-encoding", "")
    )


class _Plain:
    """A body as it is."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.trailers: dict[str, str] = {}

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._stream.read(PIECE_BYTES):
            yield piece


class _Chunks:
    """A body in chunks, each after a line with its length; `trailers` are there afterwards."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.trailers: dict[str, str] = {}

    def __iter__(self) -> Iterator[bytes]:
        while left := self._length():
            while left:
                piece = self._stream.read(min(left, PIECE_BYTES))
                if not piece:
                    raise EOFError
                left -= len(piece)
                yield piece
            self._line()
        while line := self._line():
            name, _, value = line.partition(":")
            self.trailers[name.strip().lower()] = value.strip()

    def _length(self) -> int:
        line = self._line()
        try:
            return int(line.partition(";")[0], 16)
        except ValueError:
            if not line:
                raise EOFError from None
            message = f"{line[:80]!r} is no length of a chunk"
            raise AwsError("InvalidChunkSizeError", message) from None

    def _line(self) -> str:
        return self._stream.readline(PIECE_BYTES).decode("latin-1").strip()


def _check_length(size: int, headers: Mapping[str, str]) -> None:
    """Refuse a body that has another length, without its chunks, than it should have."""
    wanted = headers.get("x-amz-decoded-content-length", "")
    if wanted.isdigit() and int(wanted) != size:
        message = f"The body has {size} bytes, x-amz-decoded-content-length is {wanted}"
        raise AwsError("IncompleteBody", message)


def _check(told: Mapping[str, str], digests: Mapping[str, Digest]) -> None:
    for name, digest in digests.items():
        calculated = base64.b64encode(digest.digest()).decode()
        if told.get(name, calculated) != calculated:
            algorithm = name.removeprefix(_HEADER).upper()
            raise AwsError(
                "BadDigest",
                f"The {algorithm} you specified did not match the calculated checksum.",
            )


def _check_md5(calculated: bytes, told: str) -> None:
    if told and told != base64.b64encode(calculated).decode():
        message = "The Content-MD5 you specified did not match what we received."
        raise AwsError("BadDigest", message)


class _Crc:
    """A cyclic redundancy check of a library's, as a digest."""

    def __init__(self, more: Callable[[bytes, int], int], size: int) -> None:
        self._more = more
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._more(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def _crt(name: str, size: int) -> Digest | None:
    """A checksum of the AWS Common Runtime, where that is installed; else it is not checked."""
    with suppress(ImportError):
        return _Crc(getattr(importlib.import_module("awscrt.checksums"), name), size)
    return None


DIGESTS: dict[str, Callable[[], Digest | None]] = {
    f"{_HEADER}crc32": lambda: _Crc(zlib.crc32, 4),
    f"{_HEADER}crc32c": lambda: _crt("crc32c", 4),
    f"{_HEADER}crc64nvme": lambda: _crt("crc64nvme", 8),
    f"{_HEADER}sha1": lambda: hashlib.sha1(usedforsecurity=False),
    f"{_HEADER}sha256": hashlib.sha256,
}
"""Every checksum that S3 knows, by its header."""
