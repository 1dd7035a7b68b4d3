"""The operations on buckets."""

import base64

from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.s3.asked import Asked
from airflow_sm_pipelines.local.s3.listing import OWNER
from airflow_sm_pipelines.local.s3.store import Store
from airflow_sm_pipelines.local.s3.wire import answer, empty, found, iso, parsed, tag, text

_DEFAULT_REGION = "us-east-1"


class Buckets:
    """Buckets, by S3's operations."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self, asked: Asked) -> Response:
        """ListBuckets; it pages only where it is asked to."""
        query = asked.query
        prefix, region = query.get("prefix", ""), query.get("bucket-region", "")
        token = query.get("continuation-token", "")
        after = base64.urlsafe_b64decode(token).decode(errors="replace")
        there = [
            each
            for each in self._store.buckets()
            if each.name.startswith(prefix) and each.name > after and region in ("", each.region)
        ]
        size = query.get("max-buckets", "")
        listed = there[: int(size)] if size.isdigit() and int(size) else there
        rows = (
            tag(
                "Bucket",
                text("Name", each.name),
                text("CreationDate", iso(each.created)),
                text("BucketRegion", each.region),
            )
            for each in listed
        )
        more = []
        if len(listed) < len(there):
            following = base64.urlsafe_b64encode(listed[-1].name.encode()).decode()
            more = [text("ContinuationToken", following)]
        return answer("ListAllMyBucketsResult", OWNER, tag("Buckets", *rows), *more)

    def create(self, asked: Asked) -> Response:
        """CreateBucket."""
        document = asked.document()
        wanted = found(parsed(document), "LocationConstraint") if document.strip() else ""
        if wanted == _DEFAULT_REGION:
            raise AwsError(
                "InvalidLocationConstraint", "The specified location-constraint is not valid"
            )
        region = wanted or _DEFAULT_REGION
        # In us-east-1 alone making a bucket once more is no error.
        if not self._store.create_bucket(asked.bucket, region=region) and wanted:
            raise AwsError(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own "
                "it.",
                409,
            )
        return empty(headers={"Location": f"/{asked.bucket}"})

    def delete(self, asked: Asked) -> Response:
        """DeleteBucket."""
        self._store.delete_bucket(asked.bucket)
        return empty(204)

    def head(self, asked: Asked) -> Response:
        """HeadBucket."""
        bucket = self._store.bucket(asked.bucket)
        return empty(headers={"x-amz-bucket-region": bucket.region})

    def location(self, asked: Asked) -> Response:
        """GetBucketLocation."""
        region = self._store.bucket(asked.bucket).region
        return answer("LocationConstraint", "" if region == _DEFAULT_REGION else region)

    def versioning(self, asked: Asked) -> Response:
        """GetBucketVersioning: it is off."""
        self._store.bucket(asked.bucket)
        return answer("VersioningConfiguration")

    def put_versioning(self, asked: Asked) -> Response:
        """PutBucketVersioning: it stays off."""
        self._store.bucket(asked.bucket)
        if found(parsed(asked.document()), "Status") != "Suspended":
            raise AwsError("NotImplemented", "s3: versioning is not there in the local AWS")
        return empty()
