"""S3's operations, as boto3 asks for them."""

import base64
import gc
import hashlib
import http.client
import os
import socket
import struct
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.s3.body import DIGESTS

from ..calls import keys, until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MIB = 1 << 20


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_an_object_comes_back_with_all_that_was_told(s3: "S3Client", bucket: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="a",
        Body=b"content",
        ContentType="text/csv",
        CacheControl="no-cache",
        Metadata={"under_score": "1", "dash-ed": "2"},
        Tagging="a=1&b=two%20words",
    )
    got = s3.get_object(Bucket=bucket, Key="a")
    assert got["Body"].read() == b"content"
    assert (got["ContentType"], got["CacheControl"]) == ("text/csv", "no-cache")
    assert got["Metadata"] == {"under_score": "1", "dash-ed": "2"}
    assert got["ETag"] == f'"{hashlib.md5(b"content").hexdigest()}"'
    assert got["ContentLength"] == 7
    tags = s3.get_object_tagging(Bucket=bucket, Key="a")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "two words"}]


def test_the_files_of_a_bucket_can_be_browsed(aws: LocalAWS, s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="data/a.csv", Body=b"1,2")
    assert (aws.root / "s3" / bucket / "data/a.csv").read_text() == "1,2"


@pytest.mark.parametrize("key", ["ü +%41?&=#", "a//b", "a/", "../x/../../y", "z" * 1000])
def test_a_key_may_be_any_text(s3: "S3Client", bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"
    assert keys(s3, bucket) == [key]
    assert [each["Key"] for each in s3.list_objects(Bucket=bucket)["Contents"]] == [key]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("bytes=1-3", b"123"), ("bytes=-2", b"89"), ("bytes=7-", b"789"), ("bytes=8-99", b"89")],
)
def test_a_range_of_an_object(s3: "S3Client", bucket: str, asked: str, expected: bytes) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="a", Range=asked)
    assert got["Body"].read() == expected
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_a_range_behind_the_end_is_refused(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"01")
    assert refused(s3.get_object, Bucket=bucket, Key="a", Range="bytes=5-") == ("InvalidRange", 416)


def test_pages_of_keys_and_of_what_they_share(s3: "S3Client", bucket: str) -> None:
    for key in ("a", "b/1", "b/2", "b-", "c/1", "d", "e/f/1"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    pages = [
        *s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}
        )
    ]
    told = [
        sorted(
            [each["Key"] for each in page.get("Contents", ())]
            + [each["Prefix"] for each in page.get("CommonPrefixes", ())]
        )
        for page in pages
    ]
    assert told == [["a", "b-"], ["b/", "c/"], ["d", "e/"]]
    older = s3.get_paginator("list_objects").paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}
    )
    assert [len(page.get("CommonPrefixes", ())) for page in older] == [0, 0, 1, 1, 0, 1]
    assert keys(s3, bucket, "b") == ["b-", "b/1", "b/2"]
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="b/1")
    assert [each["Key"] for each in after["Contents"]] == ["b/2", "c/1", "d", "e/f/1"]


def test_a_made_up_token_is_refused(s3: "S3Client", bucket: str) -> None:
    assert refused(s3.list_objects_v2, Bucket=bucket, ContinuationToken="ü") == (
        "InvalidArgument",
        400,
    )


def test_many_objects_are_deleted_at_once(s3: "S3Client", bucket: str) -> None:
    for key in ("a", "a/b", "c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    wanted: Any = {"Objects": [{"Key": "a/b"}, {"Key": "c"}, {"Key": "nothing"}]}
    told = s3.delete_objects(Bucket=bucket, Delete=wanted)
    assert [each["Key"] for each in told["Deleted"]] == ["a/b", "c", "nothing"]
    assert keys(s3, bucket) == ["a"]


def test_versions_are_those_of_a_bucket_that_keeps_one_of_each(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [(each["Key"], each["VersionId"], each["IsLatest"]) for each in versions] == [
        ("a", "null", True)
    ]
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    enabled: Any = {"Status": "Enabled"}
    assert refused(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=enabled) == (
        "NotImplemented",
        400,
    )


def test_a_copy_has_what_was_told_with_its_source(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="ü a", Body=b"x", Metadata={"k": "v"}, Tagging="t=1")
    copied = s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "ü a"})
    got = s3.get_object(Bucket=bucket, Key="b")
    assert (got["Body"].read(), got["Metadata"], got["TagCount"]) == (b"x", {"k": "v"}, 1)
    assert copied["CopyObjectResult"]["ETag"] == got["ETag"]


def test_a_copy_may_be_told_other_metadata(s3: "S3Client", bucket: str) -> None:
    source: Any = {"Bucket": bucket, "Key": "a"}
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", Metadata={"k": "v"})
    assert refused(s3.copy_object, Bucket=bucket, Key="a", CopySource=source)[0] == "InvalidRequest"
    s3.copy_object(
        Bucket=bucket,
        Key="a",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"other": "1"},
    )
    assert s3.head_object(Bucket=bucket, Key="a")["Metadata"] == {"other": "1"}
    assert refused(
        s3.copy_object, Bucket=bucket, Key="b", CopySource=source, CopySourceIfMatch="no"
    ) == ("PreconditionFailed", 412)


def test_an_upload_in_parts(s3: "S3Client", bucket: str) -> None:
    id = s3.create_multipart_upload(Bucket=bucket, Key="k", ContentType="text/x")["UploadId"]
    first, last = b"a" * 5 * MIB, b"b"
    parts: Any = []
    for number, content in ((1, b"not this"), (1, first), (7, last)):
        told = s3.upload_part(Bucket=bucket, Key="k", UploadId=id, PartNumber=number, Body=content)
        parts = [each for each in parts if each["PartNumber"] != number]
        parts.append({"PartNumber": number, "ETag": told["ETag"]})
    assert keys(s3, bucket) == []
    listed = s3.list_parts(Bucket=bucket, Key="k", UploadId=id)["Parts"]
    assert [(each["PartNumber"], each["Size"]) for each in listed] == [(1, 5 * MIB), (7, 1)]
    uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [(each["Key"], each["UploadId"]) for each in uploads] == [("k", id)]
    done = s3.complete_multipart_upload(
        Bucket=bucket, Key="k", UploadId=id, MultipartUpload={"Parts": parts}
    )
    sums = hashlib.md5(first).digest() + hashlib.md5(last).digest()
    assert done["ETag"] == f'"{hashlib.md5(sums).hexdigest()}-2"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["ContentType"]) == (first + last, "text/x")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_parts_that_do_not_fit_are_refused(s3: "S3Client", bucket: str) -> None:
    id = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    told: Any = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(
                Bucket=bucket, Key="k", UploadId=id, PartNumber=number, Body=b"small"
            )["ETag"],
        }
        for number in (1, 2)
    ]

    def complete(parts: Any, id: str = id) -> str:
        return refused(
            s3.complete_multipart_upload,
            Bucket=bucket,
            Key="k",
            UploadId=id,
            MultipartUpload={"Parts": parts},
        )[0]

    assert complete(told) == "EntityTooSmall"
    assert complete(told[::-1]) == "InvalidPartOrder"
    assert complete([{**told[0], "ETag": '"other"'}]) == "InvalidPart"
    assert complete([{**told[0], "PartNumber": 9}]) == "InvalidPart"
    assert complete(told, "0" * 32) == "NoSuchUpload"
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=id)
    assert complete(told) == "NoSuchUpload"
    assert keys(s3, bucket) == []


def test_a_part_may_be_copied(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
    id = s3.create_multipart_upload(Bucket=bucket, Key="b")["UploadId"]
    part = s3.upload_part_copy(
        Bucket=bucket,
        Key="b",
        UploadId=id,
        PartNumber=1,
        CopySource={"Bucket": bucket, "Key": "a"},
        CopySourceRange="bytes=2-4",
    )["CopyPartResult"]
    told: Any = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="b", UploadId=id, MultipartUpload=told)
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"234"


def test_what_is_not_there_has_s3s_own_errors(s3: "S3Client", bucket: str) -> None:
    assert refused(s3.get_object, Bucket=bucket, Key="x") == ("NoSuchKey", 404)
    assert refused(s3.head_object, Bucket=bucket, Key="x") == ("404", 404)
    assert refused(s3.head_bucket, Bucket="no-such-bucket") == ("404", 404)
    assert refused(s3.put_object, Bucket="no-such-bucket", Key="x") == ("NoSuchBucket", 404)
    assert refused(s3.list_objects_v2, Bucket="no-such-bucket") == ("NoSuchBucket", 404)
    assert refused(s3.delete_bucket, Bucket="no-such-bucket") == ("NoSuchBucket", 404)
    s3.delete_object(Bucket=bucket, Key="x")


def test_a_bucket_goes_when_it_is_empty(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"")
    assert refused(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="a/b")
    s3.delete_bucket(Bucket=bucket)
    assert refused(s3.head_bucket, Bucket=bucket) == ("404", 404)


def test_buckets_are_made_as_in_the_regions(s3: "S3Client", bucket: str) -> None:
    s3.create_bucket(Bucket=bucket)
    west: Any = {"LocationConstraint": "us-west-2"}
    assert refused(s3.create_bucket, Bucket=bucket, CreateBucketConfiguration=west) == (
        "BucketAlreadyOwnedByYou",
        409,
    )
    s3.create_bucket(Bucket=f"{bucket}-w", CreateBucketConfiguration=west)
    assert s3.get_bucket_location(Bucket=f"{bucket}-w")["LocationConstraint"] == "us-west-2"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert refused(s3.create_bucket, Bucket="UPPER") == ("InvalidBucketName", 400)
    listed = s3.list_buckets(Prefix=bucket, MaxBuckets=1)
    assert [each["Name"] for each in listed["Buckets"]] == [bucket]
    token = listed["ContinuationToken"]
    following = s3.list_buckets(Prefix=bucket, ContinuationToken=token)
    assert [each["Name"] for each in following["Buckets"]] == [f"{bucket}-w"]


def test_what_a_bucket_is_configured_with_is_recorded(s3: "S3Client", bucket: str) -> None:
    tags: Any = {"TagSet": [{"Key": "team", "Value": "ml"}]}
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags["TagSet"]
    assert refused(s3.get_bucket_policy, Bucket=bucket)[0] == "NoSuchBucketPolicy"


def test_what_s3_can_and_this_cannot_is_said(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    assert refused(s3.get_object_torrent, Bucket=bucket, Key="a") == ("NotImplemented", 400)
    secret = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0" * 32}
    assert refused(s3.get_object, Bucket=bucket, Key="a", **secret)[0] == "NotImplemented"
    assert refused(s3.get_object, Bucket=bucket, Key="a", VersionId="x")[0] == "NoSuchVersion"


def test_conditions_of_writes_and_reads(s3: "S3Client", bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")["ETag"]
    failed = ("PreconditionFailed", 412)
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*") == failed
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"2", IfMatch='"x"') == failed
    assert refused(s3.get_object, Bucket=bucket, Key="a", IfMatch='"x"') == failed
    assert refused(s3.get_object, Bucket=bucket, Key="a", IfNoneMatch=etag) == ("304", 304)
    s3.put_object(Bucket=bucket, Key="a", Body=b"2", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"2"


def test_another_account_has_no_bucket_here(s3: "S3Client", bucket: str) -> None:
    other = {"ExpectedBucketOwner": "000000000000"}
    assert refused(s3.put_object, Bucket=bucket, Key="a", **other) == ("AccessDenied", 403)
    s3.head_bucket(Bucket=bucket, ExpectedBucketOwner="123456789012")


def test_links_that_are_signed_read_and_write(s3: "S3Client", bucket: str) -> None:
    named = {"Bucket": bucket, "Key": "a b"}
    put = urllib.request.Request(
        s3.generate_presigned_url("put_object", Params=named), data=b"x", method="PUT"
    )
    urllib.request.urlopen(put).close()
    with urllib.request.urlopen(s3.generate_presigned_url("get_object", Params=named)) as got:
        assert got.read() == b"x"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_checksum_comes_back(s3: "S3Client", bucket: str, algorithm: Any) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", ChecksumAlgorithm=algorithm)
    told = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    assert told[f"Checksum{algorithm}"]  # type: ignore[literal-required]


def test_a_wrong_checksum_is_refused(s3: "S3Client", bucket: str) -> None:
    wrong = base64.b64encode(bytes(4)).decode()
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"x", ChecksumCRC32=wrong) == (
        "BadDigest",
        400,
    )
    md5 = base64.b64encode(bytes(16)).decode()
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"x", ContentMD5=md5)[0] == (
        "BadDigest"
    )
    assert keys(s3, bucket) == []


def test_every_checksum_of_the_service_model_is_known(s3: "S3Client") -> None:
    members = s3.meta.service_model.shape_for("Checksum").members  # type: ignore[attr-defined]
    told = {f"x-amz-{name}".replace("Checksum", "checksum-").lower() for name in members}
    assert set(DIGESTS) >= {
        f"x-amz-checksum-{name}" for name in ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
    }
    assert set(DIGESTS) <= told


def chunked(aws: LocalAWS, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", int(aws.endpoint_url.rpartition(":")[2]))
    sent = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "content-encoding": "aws-chunked",
        **headers,
    }
    connection.request("PUT", path, body, sent)
    response = connection.getresponse()
    told = response.status, response.read()
    connection.close()
    return told


def test_a_body_in_chunks_with_a_checksum_behind_it(
    aws: LocalAWS, s3: "S3Client", bucket: str
) -> None:
    crc = base64.b64encode(zlib.crc32(b"hello world").to_bytes(4, "big")).decode()
    body = "5;chunk-signature=x\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:{}\r\n\r\n"
    told = {"x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": "11"}
    status, _ = chunked(aws, f"/{bucket}/a", body.format(crc).encode(), **told)
    got = s3.get_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    assert (status, got["Body"].read(), got["ChecksumCRC32"]) == (200, b"hello world", crc)
    assert not dict(got).get("ContentEncoding")
    status, answer = chunked(aws, f"/{bucket}/b", body.format("AAAAAA==").encode(), **told)
    assert (status, b"BadDigest" in answer) == (400, True)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"5\r\nhel", b"IncompleteBody"),
        (b"5\r\nhello\r\n", b"IncompleteBody"),
        (b"zz\r\nhello\r\n", b"InvalidChunkSizeError"),
        (b"5\r\nhello\r\n0\r\n\r\n", b"IncompleteBody"),
    ],
)
def test_a_body_that_is_cut_off_makes_no_object(
    aws: LocalAWS, s3: "S3Client", bucket: str, body: bytes, code: bytes
) -> None:
    told = {"x-amz-decoded-content-length": "6"}
    status, answer = chunked(aws, f"/{bucket}/a", body, **told)
    assert (status, code in answer) == (400, True)
    assert keys(s3, bucket) == []
    assert list((aws.root / "s3/.store/incoming").iterdir()) == []


def test_documents_that_are_none_are_refused(aws: LocalAWS, bucket: str) -> None:
    for body, code in ((b"no XML", b"MalformedXML"), (b" " * 3 * MIB, b"EntityTooLarge")):
        request = urllib.request.Request(f"{aws.endpoint_url}/{bucket}?delete", body, method="POST")
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(request)
        assert code in refusal.value.read()
        refusal.value.close()


def test_a_bucket_may_be_a_part_of_the_host(aws: LocalAWS, s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    request = urllib.request.Request(
        f"{aws.endpoint_url}/a/b", headers={"Host": f"{bucket}.localhost:1"}
    )
    with urllib.request.urlopen(request) as response:
        assert response.read() == b"x"


def test_a_file_goes_up_and_down_whole(s3: "S3Client", bucket: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40 * 1024
    (tmp_path / "up").write_bytes(content)
    s3.upload_file(str(tmp_path / "up"), bucket, "k")
    s3.download_file(bucket, "k", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == content
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"].endswith('-2"')


def test_an_object_is_closed_where_its_caller_resets_the_connection(
    aws: LocalAWS, s3: "S3Client", bucket: str
) -> None:
    """Python warns of each file that is not, and a warning is an error."""
    s3.put_object(Bucket=bucket, Key="small", Body=b"x")
    address = ("127.0.0.1", int(aws.endpoint_url.rpartition(":")[2]))
    reset = struct.pack("ii", 1, 0)  # no lingering: what is not sent yet is thrown away
    request = f"GET /{bucket}/small HTTP/1.1\r\nHost: 127.0.0.1\r\n{S3}\r\n\r\n".encode()
    for _ in range(50):
        with socket.create_connection(address) as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            caller.sendall(request)
            caller.recv(1, socket.MSG_PEEK)
    until(lambda: opened(aws, bucket), lambda left: not left)
    gc.collect()


# What tells that a request is for S3.
S3 = (
    "Authorization: AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


def opened(aws: LocalAWS, bucket: str) -> list[str]:
    """The files of a bucket that this process has open."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(os.readlink(each))
    return [path for path in found if path.startswith(str(aws.root / "s3" / bucket))]
