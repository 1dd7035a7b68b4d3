"""Fetches a user's code to a folder: from S3, from an archive, from another folder.

A module of the standard library, as `script_mode.py` is, which loads it where it has to. S3 is
asked at the endpoint in AWS_ENDPOINT_URL by a request that names credentials and does not sign:
enough for the local AWS, which checks no signature, and not made for the real S3.
"""

from __future__ import annotations

import os
import shutil
import socket
import tarfile
import zlib

_IN_A_PATH = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~/")
_SCOPE = "Credential=local/20000101/us-east-1/s3/aws4_request"
_SIGNED = f"AWS4-HMAC-SHA256 {_SCOPE}, SignedHeaders=host, Signature=none"


class FetchError(Exception):
    """There is no code where it would be."""


def fetch(source: str, folder: str) -> None:
    """Put the code that `source` names into `folder`: an S3 URI, an archive, a directory."""
    if source.startswith("s3://"):
        archive = f"{folder}.tar.gz"
        _download(source, archive)
        _unpack(archive, folder, source)
        os.unlink(archive)
    elif os.path.isdir(source):
        if os.path.normpath(source) != folder:
            shutil.copytree(source, folder, dirs_exist_ok=True)
    elif os.path.isfile(source):
        _unpack(source, folder, source)
    else:
        raise FetchError(
            f"hyperparameter sagemaker_submit_directory: {source} is not there; "
            "name an S3 URI, a tar.gz file or a directory"
        )


def _download(uri: str, target: str) -> None:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise FetchError(f"{uri}: AWS_ENDPOINT_URL is not set; run in the local AWS")
    bucket, _, key = uri[len("s3://") :].partition("/")
    authority = endpoint.partition("://")[2].rstrip("/")
    host, _, port = authority.partition(":")
    path = "".join(chr(byte) if byte in _IN_A_PATH else f"%{byte:02X}" for byte in key.encode())
    request = f"GET /{bucket}/{path} HTTP/1.0\r\nHost: {authority}\r\n"
    try:
        # Not by urllib: its import takes as long as all else that is done here.
        with socket.create_connection((host, int(port or 80))) as connection:
            connection.sendall(f"{request}Authorization: {_SIGNED}\r\n\r\n".encode())
            with connection.makefile("rb") as answer, open(target, "wb") as file:
                _, status = answer.readline().decode().rstrip().split(" ", 1)
                if not status.startswith("200"):
                    raise FetchError(f"{uri}: {status}")
                while answer.readline().strip():
                    pass
                shutil.copyfileobj(answer, file)
    except (OSError, ValueError) as error:
        raise FetchError(f"{uri}: {endpoint} does not answer: {error}") from error


def _unpack(archive: str, folder: str, source: str) -> None:
    # Python 3.11.3 and before have no filters; the code that comes out is run in any case.
    safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, **safely)  # type: ignore[arg-type]
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise FetchError(f"{source}: not a tar.gz archive ({error})") from error
