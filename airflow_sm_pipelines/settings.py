"""The options of `[sm_pipelines]` in Airflow's configuration, read where they are needed."""

import hashlib
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import conf

from airflow_sm_pipelines.provider import OPTIONS

SECTION = "sm_pipelines"


def deployment() -> str:
    """What tells this Airflow from others in the same AWS account."""
    given = _option("deployment")
    if given:
        return given
    key: str = conf.get("core", "fernet_key", fallback="")
    return hashlib.sha256(key.encode()).hexdigest()


def poll_seconds(endpoint_url: str) -> float:
    """Seconds between two looks at a job at an endpoint, 0.2 at least, as for the local AWS."""
    host = urlsplit(endpoint_url).hostname
    if host in LOOPBACK:
        return LOOPBACK_SECONDS
    given: float = conf.getfloat(
        SECTION, "poll_seconds", fallback=OPTIONS["poll_seconds"]["default"]
    )
    return max(given, LOOPBACK_SECONDS)


def defer_after_seconds(endpoint_url: str) -> float:
    """Seconds that a worker waits for a job itself before its task defers.

    Local jobs mostly end within seconds, and to defer costs a second start of the task.
    """
    if _option("defer_after_seconds"):
        given: float = conf.getfloat(SECTION, "defer_after_seconds")
        return given
    return LOOPBACK_PATIENCE_SECONDS if urlsplit(endpoint_url).hostname in LOOPBACK else 0.0


def create_patience_seconds() -> float:
    """Seconds in which a create that AWS turns away, or does not answer, is asked for again."""
    given: float = conf.getfloat(
        SECTION,
        "create_patience_seconds",
        fallback=OPTIONS["create_patience_seconds"]["default"],
    )
    return given


def cache_pages() -> int:
    """The most pages of 100 jobs that a look for an earlier job goes through, 1 at least."""
    given: int = conf.getint(SECTION, "cache_pages", fallback=OPTIONS["cache_pages"]["default"])
    return max(given, 1)


def role_arn() -> str | None:
    """The execution role of steps that name none, if one is configured."""
    return _option("role_arn") or None


def tags() -> bool:
    """Whether jobs are tagged with their pipeline, step, DAG and run."""
    switch: bool = conf.getboolean(SECTION, "tags", fallback=True)
    return switch


def _option(name: str) -> str:
    return str(conf.get(SECTION, name, fallback=OPTIONS[name]["default"]) or "")


LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LOOPBACK_SECONDS = 0.2
LOOPBACK_PATIENCE_SECONDS = 5.0
