import pytest

from airflow_sm_pipelines.definition.durations import Duration
from airflow_sm_pipelines.definition.model import CachePolicy, RetryPolicy
from airflow_sm_pipelines.definition.node import Json, Node
from airflow_sm_pipelines.definition.policies import (
    EXCEPTION_TYPES,
    parse_cache_policy,
    parse_retry_policy,
)
from airflow_sm_pipelines.errors import DefinitionError

THROTTLING: Json = ["Step.THROTTLING"]


def refusal_of(policy: Json) -> str:
    with pytest.raises(DefinitionError) as caught:
        parse_retry_policy(Node(policy))
    return str(caught.value)


@pytest.mark.parametrize(
    ("policy", "read"),
    [
        ({}, CachePolicy(enabled=False)),
        ({"Enabled": True}, CachePolicy(enabled=True)),
        (
            {"Enabled": False, "ExpireAfter": "T30m"},
            CachePolicy(enabled=False, expire_after=Duration(text="T30m", minutes=30)),
        ),
        (
            {"Enabled": True, "ExpireAfter": "30m"},
            CachePolicy(enabled=True, expire_after=Duration(text="30m", months=30)),
        ),
        (
            {"Enabled": False, "ExpireAfter": "soon"},
            CachePolicy(enabled=False, expire_after=Duration(text="soon", parsed=False)),
        ),
        (
            {"ExpireAfter": "soon"},
            CachePolicy(enabled=False, expire_after=Duration(text="soon", parsed=False)),
        ),
        ({"Enabled": None, "ExpireAfter": None}, CachePolicy(enabled=False)),
    ],
)
def test_cache_policy_is_read(policy: Json, read: CachePolicy) -> None:
    assert parse_cache_policy(Node(policy)) == read


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (
            {"Enabled": "true", "Expire": "P1D"},
            "$.Expire: unknown key 'Expire'; did you mean 'ExpireAfter'?; "
            "known are: Enabled, ExpireAfter\n"
            "$.Enabled: the string 'true' where true or false is expected",
        ),
        (
            {"Enabled": True, "ExpireAfter": "30"},
            "$.ExpireAfter: '30' is no duration; write for example P30D, PT12H (hours) or P1Y6M; "
            "M is months, after a T minutes",
        ),
        (
            {"Enabled": False, "ExpireAfter": 30},
            "$.ExpireAfter: the number 30 where a string is expected",
        ),
        (
            {"Enabled": True, "ExpireAfter": {"Get": "Parameters.Days"}},
            "$.ExpireAfter: an object where a string is expected; "
            "an expression may not stand here, write the value itself",
        ),
        ("P30D", "$: the string 'P30D' where an object is expected"),
    ],
)
def test_cache_policy_that_is_wrong_is_refused_with_all_its_problems(
    policy: Json, told: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_cache_policy(Node(policy))
    assert str(caught.value) == told


def test_place_of_a_policy_is_no_part_of_what_it_is() -> None:
    node = Node({"Enabled": True}, "$.Steps[3].CacheConfig")
    assert parse_cache_policy(node).where == "$.Steps[3].CacheConfig"
    assert parse_cache_policy(node) == CachePolicy(enabled=True)
    policy = parse_retry_policy(Node({"ExceptionType": THROTTLING}, "$.Steps[3].RetryPolicies[1]"))
    assert policy.where == "$.Steps[3].RetryPolicies[1]"
    assert policy == RetryPolicy(exception_types=("Step.THROTTLING",), max_attempts=5)


def test_retry_policy_is_read_whole() -> None:
    policy: Json = {
        "ExceptionType": ["Step.THROTTLING", "Step.SERVICE_FAULT"],
        "IntervalSeconds": 43_200,
        "BackoffRate": 0,
        "MaxAttempts": 20,
    }
    assert parse_retry_policy(Node(policy)) == RetryPolicy(
        exception_types=("Step.THROTTLING", "Step.SERVICE_FAULT"),
        interval_seconds=43_200,
        backoff_rate=0,
        max_attempts=20,
    )


def test_numbers_that_are_absent_are_the_defaults_of_the_sdk() -> None:
    policy = parse_retry_policy(Node({"ExceptionType": THROTTLING}))
    assert (policy.interval_seconds, policy.backoff_rate) == (1, 2.0)
    assert (policy.max_attempts, policy.expire_after_minutes) == (5, None)


def test_policy_that_expires_has_no_limit_of_attempts() -> None:
    policy = parse_retry_policy(Node({"ExceptionType": THROTTLING, "ExpireAfterMin": 14_400}))
    assert (policy.max_attempts, policy.expire_after_minutes) == (None, 14_400)


@pytest.mark.parametrize("key", ["MaxAttempts", "ExpireAfterMin"])
def test_zero_is_kept_since_it_means_never(key: str) -> None:
    policy = parse_retry_policy(Node({"ExceptionType": THROTTLING, key: 0}))
    assert 0 in {policy.max_attempts, policy.expire_after_minutes}


def test_exception_type_may_be_a_string_as_in_the_published_schema() -> None:
    policy = parse_retry_policy(Node({"ExceptionType": "SageMaker.CAPACITY_ERROR"}))
    assert policy.exception_types == ("SageMaker.CAPACITY_ERROR",)


DOCUMENTED = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.JOB_CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
    "Emr.RESOURCE_LIMIT",
)
"""The developer guide's, of all its editions, and the last one of AWS's published schema."""


def test_no_other_exception_type_is_known() -> None:
    assert set(EXCEPTION_TYPES) == set(DOCUMENTED)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_exception_type_is_known(name: str) -> None:
    assert parse_retry_policy(Node({"ExceptionType": [name]})).exception_types == (name,)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (
            {},
            "$: 'ExceptionType' is missing; it is required, given are: none",
        ),
        (
            {"ExceptionType": []},
            "$.ExceptionType: no exception type; name at least one, such as Step.THROTTLING",
        ),
        (
            {"ExceptionType": ["Step.THROTLING", 1]},
            "$.ExceptionType[0]: unknown exception type 'Step.THROTLING'; "
            "did you mean 'Step.THROTTLING'?; known are: Emr.RESOURCE_LIMIT, "
            "SageMaker.CAPACITY_ERROR, SageMaker.JOB_CAPACITY_ERROR, "
            "SageMaker.JOB_INTERNAL_ERROR, SageMaker.RESOURCE_LIMIT, Step.SERVICE_FAULT, "
            "Step.THROTTLING\n"
            "$.ExceptionType[1]: the number 1 where a string is expected",
        ),
        (
            {
                "ExceptionType": THROTTLING,
                "IntervalSeconds": 43_201,
                "MaxAttempts": 21,
                "BackoffRate": -0.5,
                "ExpireAfterMin": -1,
                "Interval": 1,
            },
            "$.Interval: unknown key 'Interval'; did you mean 'IntervalSeconds'?; known are: "
            "ExceptionType, BackoffRate, IntervalSeconds, MaxAttempts, ExpireAfterMin\n"
            "$.BackoffRate: -0.5 is out of bounds; BackoffRate is 0 or more\n"
            "$.IntervalSeconds: 43201 is out of bounds; IntervalSeconds is 0 to 43200\n"
            "$.MaxAttempts: 21 is out of bounds; MaxAttempts is 0 to 20\n"
            "$.ExpireAfterMin: -1 is out of bounds; ExpireAfterMin is 0 to 14400",
        ),
        (
            {"ExceptionType": THROTTLING, "MaxAttempts": "3", "BackoffRate": {"Get": "x"}},
            "$.BackoffRate: an object where a number is expected; "
            "an expression may not stand here, write the value itself\n"
            "$.MaxAttempts: the string '3' where an integer is expected",
        ),
        (
            {"ExceptionType": THROTTLING, "MaxAttempts": 3, "ExpireAfterMin": 60},
            "$: both MaxAttempts and ExpireAfterMin; the service takes one of them",
        ),
    ],
)
def test_retry_policy_that_is_wrong_is_refused_with_all_its_problems(
    policy: Json, told: str
) -> None:
    assert refusal_of(policy) == told
