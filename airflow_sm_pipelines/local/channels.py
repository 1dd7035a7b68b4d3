"""The inputs of a job: which objects a channel has, and which of them a host gets.

Training has channels, processing has inputs; both become a `Channel`. `pipes.py` streams those of
the mode Pipe. To support a further type of data, add a row to `LISTINGS`.
"""

import gzip
import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from airflow_sm_pipelines.local import manifests
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.job import Fields
from airflow_sm_pipelines.local.manifests import Item, Line
from airflow_sm_pipelines.local.objects import Objects, below

T = TypeVar("T")

_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One input: where its objects are, and how hosts get them.

    `where` is its place in the request. `groups` are the instance groups that get it; none: all.
    """

    where: str
    name: str
    uri: str
    data_type: str = "S3Prefix"
    sharded: bool = False
    mode: str = "File"
    gzip: bool = False
    record_io: bool = False
    seed: int | None = None
    attributes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def piped(self) -> bool:
        """Whether it is streamed; FastFile streams too, but what a script sees are files."""
        return self.mode == "Pipe"

    @property
    def plain(self) -> bool:
        """Whether each host gets all files below a prefix as they are, as in most jobs."""
        return self.data_type == "S3Prefix" and not (self.piped or self.sharded or self.gzip)


@dataclass(frozen=True, slots=True)
class Share:
    """Which host it is, of how many, in the order of their numbers."""

    number: int = 0
    count: int = 1


def training_channel(channel: Fields, request: Fields, number: int) -> Channel:
    """A channel of InputDataConfig that has an S3DataSource."""
    source = channel["DataSource"]["S3DataSource"]
    shuffle = channel.get("ShuffleConfig")
    return Channel(
        where=f"InputDataConfig[{number}]",
        name=channel["ChannelName"],
        uri=source["S3Uri"],
        data_type=source.get("S3DataType") or "S3Prefix",
        sharded=source.get("S3DataDistributionType") == "ShardedByS3Key",
        mode=channel.get("InputMode") or request["AlgorithmSpecification"]["TrainingInputMode"],
        gzip=channel.get("CompressionType") == "Gzip",
        record_io=channel.get("RecordWrapperType") == "RecordIO",
        seed=shuffle["Seed"] if shuffle else None,
        attributes=tuple(source.get("AttributeNames") or ()),
        groups=tuple(source.get("InstanceGroupNames") or ()),
    )


def processing_channel(each: Fields, number: int) -> Channel:
    """A processing input that has an S3Input."""
    source = each["S3Input"]
    return Channel(
        where=f"ProcessingInputs[{number}].S3Input",
        name=each["InputName"],
        uri=source["S3Uri"],
        data_type=source.get("S3DataType") or "S3Prefix",
        sharded=source.get("S3DataDistributionType") == "ShardedByS3Key",
        mode=source.get("S3InputMode") or "File",
        gzip=source.get("S3CompressionType") == "Gzip",
    )


def refusals(channel: Channel) -> Iterator[str]:
    """What AWS does not have either: combinations that its documentation rules out."""
    augmented = channel.data_type == "AugmentedManifestFile"
    if channel.data_type not in LISTINGS:
        yield (
            f"{channel.where}: S3DataType {channel.data_type!r} is not there in the local AWS; it "
            f"would be one of {', '.join(LISTINGS)}"
        )
    if channel.record_io and not channel.piped:
        yield f"{channel.where}: RecordWrapperType RecordIO needs the input mode Pipe"
    if augmented and not channel.piped:
        yield f"{channel.where}: an AugmentedManifestFile needs the input mode Pipe"
    if augmented and not channel.attributes:
        yield f"{channel.where}: AttributeNames: missing; an AugmentedManifestFile needs them"


def listed(objects: Objects, channel: Channel) -> list[Item | Line]:
    """All that a channel has, in its order; raises `JobError` where there is nothing."""
    found = list(LISTINGS[channel.data_type](objects, channel))
    if not found:
        raise nothing_found(channel)
    return found


def nothing_found(channel: Channel) -> JobError:
    """What is wrong with a channel that has no objects."""
    return JobError(
        f"ClientError: No S3 objects found under S3 URL {channel.uri!r} given in input data source"
    )


def shared(everything: Sequence[T], channel: Channel, share: Share, *, epoch: int = 0) -> list[T]:
    """What one host gets in an epoch: every N-th of a sharded channel, after the shuffling."""
    order = list(everything)
    if channel.seed is not None:
        random.Random(f"{channel.seed} {epoch}").shuffle(order)
    return order[share.number :: share.count] if channel.sharded else order


def fetch(objects: Objects, channel: Channel, found: Sequence[Item], folder: Path) -> None:
    """Copy objects into a folder, decompressed where the channel says that they are compressed."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in found:
        target = below(folder, item.name, item.uri)
        if item.uri.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for chunk in content(objects, channel, item.uri):
                file.write(chunk)


def content(objects: Objects, channel: Channel, uri: str) -> Iterator[bytes]:
    """An object as a script gets it, in chunks."""
    with objects.open(uri) as body:
        if not channel.gzip:
            yield from _chunks(body)
            return
        try:
            with gzip.open(body) as plain:
                yield from _chunks(plain)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise JobError(
                f"ClientError: {channel.where}: {uri} is not what CompressionType Gzip says "
                f"({error})"
            ) from error


def _chunks(body: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := body.read(_CHUNK_BYTES):
        yield chunk


def _prefix(objects: Objects, channel: Channel) -> Iterator[Item]:
    return (Item(found, name) for found, name in objects.find(channel.uri))


def _manifest(objects: Objects, channel: Channel) -> Iterator[Item]:
    return manifests.items(_text(objects, channel.uri), channel.uri)


def _augmented_manifest(objects: Objects, channel: Channel) -> Iterator[Line]:
    return manifests.lines(_text(objects, channel.uri), channel.uri, channel.attributes)


def _text(objects: Objects, uri: str) -> str:
    with objects.open(uri) as body:
        return body.read().decode("utf-8-sig", errors="replace")


LISTINGS: dict[str, Callable[[Objects, Channel], Iterator[Item | Line]]] = {
    "S3Prefix": _prefix,
    "ManifestFile": _manifest,
    "AugmentedManifestFile": _augmented_manifest,
}
