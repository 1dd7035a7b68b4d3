"""The environment variables of a test that has a local AWS: no other AWS can be reached."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3
import pytest


@contextmanager
def surrounded(environment: Mapping[str, str]) -> Iterator[None]:
    """While in the block, boto3 and its like are led to the local AWS by these variables.

    All else that leads to an AWS is away: variables (AWS_PROFILE; AWS_ENDPOINT_URL_S3 would win),
    the files of the user, and the session that boto3 keeps for the process, on either side.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_LEADING)]:
            patch.delenv(name)
        for name, value in {**environment, **_NO_FILES}.items():
            patch.setenv(name, value)
        if any(name.lower() in _PROXIES for name in os.environ):
            around = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
            for name in ("NO_PROXY", "no_proxy"):
                patch.setenv(name, ",".join(filter(None, (around, "127.0.0.1"))))
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        yield


_LEADING = ("AWS_", "AIRFLOW_CONN_AWS_")
_NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})
