"""AWS sessions that no configuration of the user changes: the engine's own, and moto's.

moto asks plain sessions for lists of regions and services. A plain session reads AWS_PROFILE and
the user's files, and raises where the profile is not there or a file is broken.
"""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import botocore.loaders
import botocore.session
import moto.core.utils

_neutral: ContextVar[bool] = ContextVar("neutral", default=False)


def neutral_session() -> botocore.session.Session:
    """A botocore session that no file and no profile of the user changes."""
    session = botocore.session.Session(
        session_vars={
            # name: (in the configuration file, in the environment, default, conversion)
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    session.register_component("data_loader", _loader())
    return session


@functools.cache
def _loader() -> botocore.loaders.Loader:
    """botocore's data, read once for all sessions: a client would take 200 ms more."""
    return botocore.loaders.create_loader()


@contextmanager
def neutral_sessions() -> Iterator[None]:
    """While in the block, `boto3.Session()` makes neutral sessions, in this thread only.

    Environment variables, the other way, belong to the whole process: a thread of the host that
    starts a program or makes a session meanwhile would miss its profile.
    """
    _install()
    token = _neutral.set(True)
    try:
        yield
    finally:
        _neutral.reset(token)


@functools.cache
def _install() -> None:
    """Take the places where boto3 and moto get a plain session from, once for the process."""
    plain = botocore.session.get_session

    def get_session(*arguments: Any, **keywords: Any) -> botocore.session.Session:
        return neutral_session() if _neutral.get() else plain(*arguments, **keywords)

    botocore.session.get_session = get_session
    # The one place where moto goes past `get_session`, to find the words of an error.
    moto.core.utils.Session = neutral_session  # type: ignore[attr-defined, assignment]
