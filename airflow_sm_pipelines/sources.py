"""A definition from wherever it is: a file, S3, the account, an object of the SageMaker SDK.

    reference --fetch--> Source, a text and a name --definition.load--> Pipeline

It is for the command line and for Python; a DAG file reads JSON files only, since each worker
parses it for every task. To read from one more place, write its reader and add a row to `SCHEMES`.
Nothing but the standard library is needed for files and objects.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from airflow_sm_pipelines.definition import Pipeline, load
from airflow_sm_pipelines.definition.document import LARGEST_TEXT
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import SourceError, did_you_mean
from airflow_sm_pipelines.files import NAMELESS, pipeline_name, readable

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError


@runtime_checkable
class HasDefinition(Protocol):
    """What makes a definition when it is asked: a Pipeline of the SageMaker SDK, v2 or v3."""

    def definition(self) -> str:
        """The definition's text; this may upload code and call AWS."""


@runtime_checkable
class HasBytes(Protocol):
    """What is read like a `pathlib.Path`: also an `airflow.sdk.ObjectStoragePath`."""

    def read_bytes(self) -> bytes:
        """What the file holds."""


Reference = str | HasBytes | HasDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A definition's text, the pipeline's name where the text has none, and where it is from.

    `path` is the file on this machine, None for what came from elsewhere.
    """

    text: str | bytes
    name: str
    where: str
    path: Path | None = None


def load_from(
    reference: Reference, *, aws_conn_id: str | None = "aws_default", region_name: str | None = None
) -> Pipeline:
    """The pipeline that `reference` leads to, checked.

    A path, `s3://bucket/key`, `s3://conn_id@bucket/key`, `pipeline:NAME` (of the account, its name
    or ARN), `pipeline:NAME@VERSION` (a version's id or alias), a path object, or an object of the
    SageMaker SDK. A SourceError or an AccessDeniedError says why there is no text, a
    DefinitionError what is wrong with it.
    """
    source = fetch(reference, aws_conn_id=aws_conn_id, region_name=region_name)
    return load(source.text, name=source.name)


def fetch(
    reference: Reference, *, aws_conn_id: str | None = "aws_default", region_name: str | None = None
) -> Source:
    """The text that `reference` leads to, see `load_from`; nothing is said of what it holds."""
    match reference:
        case str():
            reader = SCHEMES.get(_scheme(reference))
            if reader is None:
                return _from_path(_as_path(reference))
            return reader(reference, aws_conn_id, region_name)
        case HasBytes():
            return _from_path(reference)
        case HasDefinition():
            return _from_object(reference)
    raise SourceError(
        type(reference).__name__, f"no place of a definition; give {_LISTED} or an SDK's Pipeline"
    )


def is_remote(reference: str) -> bool:
    """Whether AWS is asked for what this leads to."""
    return _scheme(reference) in SCHEMES


def require_file(given: object, kind: type[Path] | type[Pipeline]) -> None:
    """Raise a SourceError where a DAG file gives something else than a path, or what is read there.

    It says why, where the command line and `load_from` would take what was given.
    """
    if isinstance(given, kind):
        return
    where = given if isinstance(given, str) else type(given).__name__
    if isinstance(given, HasDefinition | HasBytes) or (isinstance(given, str) and is_remote(given)):
        raise SourceError(
            where,
            "a DAG file reads JSON files alone, because each worker parses it for every task, and "
            "this would call AWS or upload code each time; write the definition to a file once, "
            "and give its pathlib.Path to load_dag",
        )
    raise SourceError(
        where, f"{type(given).__name__} where {kind.__name__} is expected; {CURES[kind]}"
    )


def _scheme(reference: str) -> str:
    return match[1] if (match := _SCHEME.match(reference)) else ""


def _as_path(reference: str) -> Path:
    if reference.lstrip().startswith("{"):
        raise SourceError("{...", "a definition's text, no place; give it to load()")
    if "://" in reference:
        scheme = reference.partition("://")[0]
        raise SourceError(
            reference,
            f"no scheme that is known{did_you_mean(scheme, SCHEMES)}; give {_LISTED}, or an "
            "airflow.sdk.ObjectStoragePath",
        )
    return Path(reference)


def _from_path(path: HasBytes) -> Source:
    where = readable(str(path))
    try:
        text = path.read_bytes()
    except IsADirectoryError as error:
        raise SourceError(where, "is a folder; name the definition's JSON file") from error
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise SourceError(where, f"{reason}; name the definition's JSON file") from error
    except ValueError as error:  # a null character
        raise SourceError(where, f"no path: {error}; name the definition's JSON file") from error
    if isinstance(path, Path):
        return Source(text=text, name=pipeline_name(path), where=where, path=path)
    return Source(text=text, name=_key_name(where), where=where)


def _key_name(uri: str) -> str:
    """The name for what is not on this machine: the last part's, or that of the part before."""
    path = PurePosixPath(uri)
    name = path.parent.name if path.stem in NAMELESS else path.stem
    return readable(name).strip(".") or "pipeline"


def _from_object(pipeline: HasDefinition) -> Source:
    given = getattr(pipeline, "name", None)
    name = given if isinstance(given, str) else None
    where = f"{type(pipeline).__name__} {name or 'without a name'}"
    try:
        text: object = pipeline.definition()
    except Exception as error:  # the SDK, boto3 and the steps of the user speak here
        message = f"definition() raised {type(error).__name__}: {error}; it has to return a text"
        raise SourceError(where, message) from error
    if not isinstance(text, str):
        kind = type(text).__name__
        raise SourceError(where, f"definition() returned a {kind}; it has to return JSON text")
    return Source(text=text, name=name or "pipeline", where=where)


def _from_s3(uri: str, aws_conn_id: str | None, region_name: str | None) -> Source:
    match = _OBJECT.fullmatch(uri)
    if not match:
        raise SourceError(uri, "not the URI of an object; write s3://bucket/key")
    own, bucket, key = match.groups()
    s3 = _client(uri, "s3", aws_conn_id=own or aws_conn_id, region_name=region_name)
    with _told(uri, s3):
        found = _call(s3, "GetObject", {"Bucket": bucket, "Key": key})
        with contextlib.closing(found["Body"]) as body:
            if found["ContentLength"] > LARGEST_TEXT:
                raise SourceError(
                    uri,
                    f"an object of {found['ContentLength']:,} bytes; a definition is at most "
                    f"1 MiB, and up to {LARGEST_TEXT:,} is read",
                )
            text = body.read()
    return Source(text=text, name=_key_name(f"{bucket}/{key}"), where=uri)


def _from_account(reference: str, aws_conn_id: str | None, region_name: str | None) -> Source:
    """What DescribePipeline answers, which also has the role and the parallelism."""
    match = _PIPELINE.fullmatch(reference)
    if not match:
        raise SourceError(
            reference, "not the name of a pipeline; write pipeline:NAME or pipeline:NAME@VERSION"
        )
    name, region, version = match["name"], match["region"], match["version"]
    if region and region_name and region != region_name:
        raise SourceError(
            reference, f"in the region {region}, and {region_name} was asked for; leave that out"
        )
    request: dict[str, Json] = {"PipelineName": name}
    if version:
        # Service model of DescribePipeline: an id is an integer, an alias a text.
        known = version.isdecimal()
        request |= (
            {"PipelineVersionId": int(version)} if known else {"PipelineVersionAlias": version}
        )
    client = _client(
        reference, "sagemaker", aws_conn_id=aws_conn_id, region_name=region or region_name
    )
    _require(client, request, reference)
    with _told(reference, client):
        found = _call(client, "DescribePipeline", request)
    return Source(text=json.dumps(found), name=found["PipelineName"], where=reference)


def _require(client: "BaseClient", request: Iterable[str], reference: str) -> None:
    """Raise a SourceError where this botocore is older than what is to be asked."""
    shape = client.meta.service_model.operation_model("DescribePipeline").input_shape
    unknown = [key for key in request if shape is not None and key not in shape.members]
    if unknown:
        raise SourceError(
            reference, f"this botocore does not know {unknown[0]}; upgrade boto3 and botocore"
        )


def _client(
    where: str, service: str, *, aws_conn_id: str | None, region_name: str | None
) -> "BaseClient":
    """A client of the connection, made where one is needed: Airflow takes seconds to import."""
    try:
        from botocore.exceptions import BotoCoreError

        from airflow_sm_pipelines.aws import Connection

        return Connection(aws_conn_id, region_name).client(service)
    except ImportError as error:
        cure = "pip install airflow-sm-pipelines, which brings Airflow's connections to AWS"
        raise SourceError(where, f"{error}; {cure}") from error
    except BotoCoreError as error:
        raise SourceError(where, f"{error}; look at the connection and its region") from error


def _call(client: "BaseClient", operation: str, request: dict[str, Json]) -> dict[str, Any]:
    from airflow_sm_pipelines import aws

    return aws.call(client, operation, request)


@contextlib.contextmanager
def _told(where: str, client: "BaseClient") -> Iterator[None]:
    """Raise what keeps AWS from giving something as a SourceError about `where`."""
    from botocore.exceptions import BotoCoreError, ClientError

    region = client.meta.region_name
    try:
        yield
    except ClientError as error:
        raise SourceError(where, _explained(error).format(region=region, error=error)) from error
    except BotoCoreError as error:
        raise SourceError(where, UNKNOWN.format(region=region, error=error)) from error


def _explained(error: "ClientError") -> str:
    detail = error.response["Error"]
    message = detail.get("Message") or ""  # S3's XML has an empty element, which is None
    found = (
        said
        for code, pattern, said in ANSWERS
        if detail["Code"] == code and re.search(pattern, message, re.I)
    )
    return next(found, UNKNOWN)


UNKNOWN = "{error}; look at the connection and its region, {region}"
NO_PIPELINE = (
    "no such pipeline or version in the region {region}; name one that is there, or another region"
)
NOT_HERE = "the bucket is not in the region {region}; name the bucket's region"

ANSWERS = (
    ("NoSuchKey", "", "no such object; name one that is there"),
    ("NoSuchBucket", "", "no such bucket; name one that is there"),
    # botocore follows S3 to another region where S3 says which; these are what is left.
    ("PermanentRedirect", "", NOT_HERE),
    ("AuthorizationHeaderMalformed", "region", NOT_HERE),
    ("IllegalLocationConstraintException", "", NOT_HERE),
    ("ResourceNotFound", "", NO_PIPELINE),
    ("ValidationException", "not found|could not find|does not exist", NO_PIPELINE),
)
"""An error's code, what its message has to match, and what it means here."""

SCHEMES: dict[str, Callable[[str, str | None, str | None], Source]] = {
    "s3": _from_s3,
    "pipeline": _from_account,
}
"""How a reference starts, before the colon, and what reads it; all others are paths."""

CURES: dict[type, str] = {
    Path: "give the pathlib.Path of a JSON file",
    Pipeline: "give what load() returns, or the pathlib.Path of a JSON file to load_dag",
}
"""What to give in a DAG file, by what is expected."""

_LISTED = "a path, s3://bucket/key, pipeline:NAME or pipeline:NAME@VERSION"
_SCHEME = re.compile(r"(s3(?=://)|pipeline):")
_OBJECT = re.compile(r"s3://(?:([^/@]+)@)?([^/@]+)/(.+)", re.S)

# PipelineName and PipelineVersionAlias of the service model.
_PIPELINE = re.compile(
    r"pipeline:(?P<name>(?:arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]*):(?:\d{12}|aws):pipeline/)?"
    r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,255})(?:@(?P<version>(?!0+$)[a-zA-Z0-9._-]{1,128}))?"
)
