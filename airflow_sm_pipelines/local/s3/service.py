"""S3 as an app: which request is which operation, and who carries it out.

What a bucket is configured with (its policy, its CORS rules ...) is moto's: it is recorded in
memory, and nothing looks at it.
"""

import errno
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.test import Client
from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.calls import signed_for
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.s3 import listing
from airflow_sm_pipelines.local.s3.asked import Asked, addressed, asked
from airflow_sm_pipelines.local.s3.buckets import Buckets
from airflow_sm_pipelines.local.s3.contents import Contents
from airflow_sm_pipelines.local.s3.multipart import Multipart
from airflow_sm_pipelines.local.s3.space import Space
from airflow_sm_pipelines.local.s3.store import Store
from airflow_sm_pipelines.local.s3.wire import refused
from airflow_sm_pipelines.local.transport import WSGIApp

Operation = Callable[[Asked], Response]
_S3_CONTROL = "/v20180820/"  # signed as s3, and another service


class S3:
    """The app of S3, in front of the app of the other services."""

    def __init__(self, store: Store, others: WSGIApp, *, space: Space) -> None:
        self._store = store
        self._others = others
        buckets, contents = Buckets(store), Contents(store, space)
        multipart = Multipart(store, space)
        self._operations: Mapping[tuple[str, str, str], Operation] = {
            **_of_buckets(store, buckets, contents, multipart),
            **_of_objects(contents, multipart),
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self.concerns(environ):
            return self._others(environ, start_response)
        answer = self._answer(environ)
        return answer(environ, start_response)

    def concerns(self, environ: Mapping[str, Any]) -> bool:
        """Whether a request is one to S3; one that is not signed names a bucket that is there."""
        service = signed_for(environ)
        if service:
            return service == "s3" and not environ.get("PATH_INFO", "").startswith(_S3_CONTROL)
        return "HTTP_X_AMZ_TARGET" not in environ and self._store.has_bucket(addressed(environ)[0])

    def _answer(self, environ: dict[str, Any]) -> WSGIApp:
        bucket, key = addressed(environ)
        try:
            request = asked(environ)
            operation = self._operation(request)
            if operation is None:
                return self._configured(request)
            return operation(request)
        except AwsError as error:
            return refused(error, resource=f"/{bucket}/{key}")
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            full = AwsError("InsufficientStorage", f"the disk is full: {error}", 507)
            return refused(full, resource=f"/{bucket}/{key}")
        except RequestEntityTooLarge:
            large = AwsError("EntityTooLarge", "The document is larger than any that S3 takes")
            return refused(large, resource=f"/{bucket}/{key}")

    def _operation(self, request: Asked) -> Operation | None:
        """What answers a request, or None where it is about a bucket's configuration."""
        level = "object" if request.key else "bucket" if request.bucket else "service"
        method = "GET" if request.request.method == "HEAD" else request.request.method
        about = next((name for name in request.query if name in SUBRESOURCES), "")
        if "x-amz-copy-source" in request.request.headers and method == "PUT":
            about = "copy-part" if "uploadId" in request.query else "copy"
        found = self._operations.get((level, method, about))
        if found is None and (level != "bucket" or about not in CONFIGURATIONS):
            what = f"{request.request.method} {request.resource}{about and f'?{about}'}"
            raise AwsError("NotImplemented", f"s3: {what} is not there in the local AWS")
        return found

    def _configured(self, request: Asked) -> WSGIApp:
        """What moto answers to a request about a bucket, which it is told of before."""
        bucket = self._store.bucket(request.bucket)
        default = bucket.region == "us-east-1"
        where = f"<LocationConstraint>{bucket.region}</LocationConstraint>"
        content = (
            "" if default else f"<CreateBucketConfiguration>{where}</CreateBucketConfiguration>"
        )
        scope = f"Credential=local/20200101/{bucket.region}/s3/aws4_request"
        Client(self._others).put(
            f"/{bucket.name}",
            data=content,
            headers={"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"},
        )
        return self._others


def _of_buckets(
    store: Store, buckets: Buckets, contents: Contents, multipart: Multipart
) -> dict[tuple[str, str, str], Operation]:
    def listed(
        told: Callable[[Store, str, Mapping[str, str]], Response], request: Asked
    ) -> Response:
        return told(store, request.bucket, request.query)

    return {
        ("service", "GET", ""): buckets.list,
        ("bucket", "PUT", ""): buckets.create,
        ("bucket", "DELETE", ""): buckets.delete,
        ("bucket", "GET", "location"): buckets.location,
        ("bucket", "GET", "versioning"): buckets.versioning,
        ("bucket", "PUT", "versioning"): buckets.put_versioning,
        ("bucket", "POST", "delete"): contents.delete_all,
        ("bucket", "GET", "uploads"): multipart.list,
        ("bucket", "GET", "versions"): lambda each: listed(listing.list_versions, each),
        ("bucket", "GET", "list-type"): lambda each: listed(listing.list_objects_v2, each),
        ("bucket", "GET", ""): lambda each: (
            buckets.head(each)
            if each.request.method == "HEAD"
            else listed(listing.list_objects, each)
        ),
    }


def _of_objects(contents: Contents, multipart: Multipart) -> dict[tuple[str, str, str], Operation]:
    return {
        ("object", "PUT", ""): contents.put,
        ("object", "PUT", "copy"): contents.copy,
        ("object", "GET", ""): contents.get,
        ("object", "DELETE", ""): contents.delete,
        ("object", "GET", "tagging"): contents.tags,
        ("object", "PUT", "tagging"): contents.put_tags,
        ("object", "DELETE", "tagging"): contents.delete_tags,
        ("object", "GET", "acl"): contents.acl,
        ("object", "PUT", "acl"): contents.put_acl,
        ("object", "POST", "uploads"): multipart.begin,
        ("object", "PUT", "uploadId"): multipart.put,
        ("object", "PUT", "copy-part"): multipart.copy,
        ("object", "POST", "uploadId"): multipart.complete,
        ("object", "DELETE", "uploadId"): multipart.abort,
        ("object", "GET", "uploadId"): multipart.parts,
    }


CONFIGURATIONS = frozenset(
    {
        "accelerate",
        "acl",
        "cors",
        "encryption",
        "intelligent-tiering",
        "inventory",
        "lifecycle",
        "logging",
        "notification",
        "object-lock",
        "ownershipControls",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "replication",
        "requestPayment",
        "tagging",
        "website",
    }
)
"""What a bucket can be configured with."""

SUBRESOURCES = CONFIGURATIONS | {
    "analytics",
    "attributes",
    "delete",
    "legal-hold",
    "list-type",
    "location",
    "metrics",
    "partNumber",
    "renameObject",
    "restore",
    "retention",
    "select",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
}
"""What a query can ask for instead of the bucket or the object itself."""
