"""One request to S3: what it is about, and what is told with an object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from werkzeug.wrappers import Request

from airflow_sm_pipelines.local.account import ACCOUNT_ID
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.s3.index import Details

_LARGEST_DOCUMENT_BYTES = 2 << 20
_METADATA = "x-amz-meta-"
_PRESERVED = "moto.preserved_header_names"  # names that have underscores, by moto's request handler


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, its bucket and key ("" for none), and its query."""

    request: Request
    bucket: str
    key: str
    query: Mapping[str, str]

    @property
    def environ(self) -> dict[str, Any]:
        """The request as the server has made it."""
        return self.request.environ

    @property
    def resource(self) -> str:
        """What the request is about, as errors tell it."""
        return f"/{self.bucket}/{self.key}" if self.bucket else "/"

    def header(self, name: str) -> str:
        """The value of a header, or ""."""
        return self.request.headers.get(name, "")

    def document(self) -> bytes:
        """The body of a request that is a small document."""
        self.request.max_content_length = _LARGEST_DOCUMENT_BYTES
        return self.request.get_data()

    def details(self, *, etag: str = "", checksums: Mapping[str, str] | None = None) -> Details:
        """What a request tells of an object that it makes."""
        return Details(
            etag=etag,
            headers=self._headers(),
            metadata=self._metadata(),
            tags=dict(parse_qsl(self.header("x-amz-tagging"), keep_blank_values=True)),
            checksums=checksums or {},
        )

    def _headers(self) -> dict[str, str]:
        kept = {name: value for name in KEPT if (value := self.header(name))}
        codings = [each.strip() for each in kept.get("content-encoding", "").split(",")]
        others = [each for each in codings if each not in ("", "aws-chunked")]
        encoding = {"content-encoding": ",".join(others)} if others else {}
        kept.pop("content-encoding", None)
        return {"content-type": "binary/octet-stream", **kept, **encoding}

    def _metadata(self) -> dict[str, str]:
        preserved: Mapping[str, str] = self.environ.get(_PRESERVED) or {}
        named = {
            preserved.get(name, name.removeprefix("HTTP_").replace("_", "-")).lower(): str(value)
            for name, value in self.environ.items()
            if name.startswith("HTTP_X_AMZ_META_")
        }
        return {name.removeprefix(_METADATA): value for name, value in named.items()}


def asked(environ: dict[str, Any]) -> Asked:
    """A request of WSGI's as one to S3; raises `AwsError` where it is none that can be answered."""
    request = Request(environ)
    bucket, key = addressed(environ)
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    for name in REFUSED:
        if name in request.headers:
            raise AwsError("NotImplemented", f"{name} is not there in the local AWS")
    if request.headers.get("x-amz-expected-bucket-owner", ACCOUNT_ID) != ACCOUNT_ID:
        raise AwsError("AccessDenied", "Access Denied", 403)
    if query.get("versionId", "null") != "null":
        raise AwsError("NoSuchVersion", "The specified version does not exist.", 404)
    return Asked(request=request, bucket=bucket, key=key, query=query)


def addressed(environ: Mapping[str, Any]) -> tuple[str, str]:
    """The bucket and the key that a request names, in its path or its host."""
    path = environ.get("PATH_INFO", "").encode("latin-1").decode(errors="replace")
    host = environ.get("HTTP_HOST", "").partition(":")[0]
    bucket, dot, rest = host.rpartition(".localhost")
    if dot and not rest:
        return bucket, path.removeprefix("/")
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key


def source(asked: Asked) -> tuple[str, str]:
    """The bucket and the key that a copy is made from."""
    path, _, version = asked.header("x-amz-copy-source").partition("?")
    bucket, slash, key = unquote(path).removeprefix("/").partition("/")
    if not slash or version not in ("", "versionId=null"):
        raise AwsError("InvalidArgument", "Copy Source must mention the source bucket and key")
    return bucket, key


KEPT = (
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
)
"""Headers that come back with the object that they came with."""

REFUSED = (
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-write-offset-bytes",
)
"""Headers that ask for something that nothing here does."""
