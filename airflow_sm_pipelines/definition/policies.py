"""Retry and cache policies of a step, read from the definition."""

from airflow_sm_pipelines.definition.durations import Duration, parse_duration
from airflow_sm_pipelines.definition.model import CachePolicy, RetryPolicy
from airflow_sm_pipelines.definition.node import Node, Problems
from airflow_sm_pipelines.definition.steps import EMR_FAULTS, JOB_FAULTS, STEP_FAULTS
from airflow_sm_pipelines.errors import did_you_mean, listed


def parse_cache_policy(node: Node) -> CachePolicy:
    """Read `CacheConfig`; caching is off where it does not say `Enabled`."""
    problems = Problems()
    with problems.caught():
        node.only(("Enabled", "ExpireAfter"))
    with problems.caught():
        enabled = node.read("Enabled", Node.boolean) or False
        expire_after = node.read("ExpireAfter", _duration if enabled else _ignored_duration)
    problems.raise_any()
    return CachePolicy(enabled=enabled, expire_after=expire_after, where=node.path)


def _duration(node: Node) -> Duration:
    try:
        return parse_duration(node.text())
    except ValueError as error:
        raise node.error(str(error)) from error


def _ignored_duration(node: Node) -> Duration:
    """The service does not look at it while caching is off."""
    try:
        return parse_duration(node.text())
    except ValueError:
        return Duration(text=node.text(), parsed=False)


def parse_retry_policy(node: Node) -> RetryPolicy:
    """Read one of `RetryPolicies`; numbers that are absent are the SDK's defaults."""
    problems = Problems()
    with problems.caught():
        node.only(("ExceptionType", "BackoffRate", *LARGEST))
    with problems.caught():
        exception_types = _exception_types(node["ExceptionType"])
    with problems.caught():
        rate = node.read("BackoffRate", _rate)
    numbers: dict[str, int | None] = {}
    for key in LARGEST:
        with problems.caught():
            numbers[key] = _bounded(node, key)
    problems.raise_any()
    interval, max_attempts, expire_after = (numbers[key] for key in LARGEST)
    if max_attempts is not None and expire_after is not None:
        raise node.error("both MaxAttempts and ExpireAfterMin; the service takes one of them")
    if max_attempts is None and expire_after is None:
        max_attempts = DEFAULT_ATTEMPTS
    return RetryPolicy(
        exception_types=exception_types,
        interval_seconds=1 if interval is None else interval,
        backoff_rate=2.0 if rate is None else rate,
        max_attempts=max_attempts,
        expire_after_minutes=expire_after,
        where=node.path,
    )


def _exception_types(node: Node) -> tuple[str, ...]:
    # The published schema has a string, the service and the SDK an array.
    nodes = node.items() if isinstance(node.value, list) else (node,)
    if not nodes:
        raise node.error("no exception type; name at least one, such as Step.THROTTLING")
    problems = Problems()
    types = problems.each(nodes, _exception_type)
    problems.raise_any()
    return types


def _exception_type(node: Node) -> str:
    name = node.text()
    if name not in EXCEPTION_TYPES:
        raise node.error(
            f"unknown exception type {name!r}{did_you_mean(name, EXCEPTION_TYPES)}; "
            f"known are: {listed(EXCEPTION_TYPES)}"
        )
    return name


def _rate(node: Node) -> float:
    if node.number() < 0:
        raise node.error(f"{node.value} is out of bounds; BackoffRate is 0 or more")
    return node.number()


def _bounded(node: Node, key: str) -> int | None:
    member = node.get(key)
    if member is None:
        return None
    if not 0 <= member.integer() <= LARGEST[key]:
        raise member.error(f"{member.value} is out of bounds; {key} is 0 to {LARGEST[key]}")
    return member.integer()


# Developer guide, "Retry Policy for Pipeline Steps".
LARGEST = {"IntervalSeconds": 43_200, "MaxAttempts": 20, "ExpireAfterMin": 14_400}
DEFAULT_ATTEMPTS = 5

EXCEPTION_TYPES = sorted(STEP_FAULTS | JOB_FAULTS | EMR_FAULTS)
