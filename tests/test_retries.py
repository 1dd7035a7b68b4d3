import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowTaskTimeout,
)
from airflow.sdk import DAG, RetryAction
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType, TaskDeferralError
from airflow.sdk.execution_time.comms import ErrorResponse
from airflow.serialization.serialized_objects import DagSerialization
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from airflow_sm_pipelines import build_dag, load, retries
from airflow_sm_pipelines.definition.model import RetryPolicy
from airflow_sm_pipelines.errors import (
    AccessDeniedError,
    JobError,
    JobLostError,
    WaitInterruptedError,
)
from airflow_sm_pipelines.features import TaskDeferralTimeout
from airflow_sm_pipelines.retries import CUT_SHORT, MOST_RETRIES, StepRetryPolicy
from tests.failures import failed, refusal
from tests.fakes import FakeStore, context

CAPACITY = "SageMaker.CAPACITY_ERROR"
INTERNAL = "SageMaker.JOB_INTERNAL_ERROR"
LIMIT = "SageMaker.RESOURCE_LIMIT"
FAULT = "Step.SERVICE_FAULT"
THROTTLING = "Step.THROTTLING"

NO_CAPACITY = failed("CapacityError: Unable to provision requested ML compute capacity")
INTERNAL_ERROR = failed("InternalServerError: We encountered an internal error.")
AT_LIMIT = refusal("ResourceLimitExceeded")

Policy = dict[str, Any]


def policy(*types: str, **keys: Any) -> Policy:
    return {"ExceptionType": [*types], **keys}


def dag_of(*policies: Policy, type_: str = "Training", **keys: Any) -> DAG:
    step = {"Name": "S", "Type": type_, "Arguments": {}, "RetryPolicies": [*policies]}
    definition = {"Version": "2020-12-01", "Steps": [step]}
    return build_dag(load(json.dumps(definition), name="p"), **keys)


def task_of(*policies: Policy, **keys: Any) -> Any:
    return dag_of(*policies, **keys).task_dict["S"]


class Task:
    """The task of a step and what Airflow counts of it, try after try."""

    def __init__(self, *policies: Policy, store: FakeStore | None = None, **keys: Any) -> None:
        self.task = task_of(*policies, **keys)
        self.store = FakeStore() if store is None else store
        self.tries = 1
        self.max_tries: int = self.task.retries

    def ends(self, error: BaseException) -> Any:
        """The decision about the error that a try ends with; the next try begins."""
        decision = self.task.retry_policy.evaluate(
            error, self.tries, self.max_tries, context(store=self.store)
        )
        self.tries += 1
        return decision

    def dies(self) -> None:
        """A try whose process dies: Airflow asks no policy."""
        self.tries += 1

    def clear(self) -> None:
        self.max_tries = self.tries - 1 + self.task.retries


# Budgets


def test_a_named_failure_is_retried_after_the_policys_delay_and_as_often() -> None:
    task = Task(policy(CAPACITY, IntervalSeconds=2, BackoffRate=3.0, MaxAttempts=3))
    decisions = [task.ends(NO_CAPACITY) for _ in range(4)]
    assert [decision.action for decision in decisions] == [RetryAction.RETRY] * 3 + [
        RetryAction.FAIL
    ]
    assert [decision.retry_delay for decision in decisions] == [
        timedelta(seconds=2),
        timedelta(seconds=6),
        timedelta(seconds=18),
        None,
    ]
    assert [decision.reason for decision in decisions] == [
        f"{CAPACITY}: retry 1 of 3 in 2 s",
        f"{CAPACITY}: retry 2 of 3 in 6 s",
        f"{CAPACITY}: retry 3 of 3 in 18 s",
        f"{CAPACITY}: not retried, $.Steps[0].RetryPolicies[0] allows no more: "
        "this would be retry 4",
    ]


def test_each_policy_has_a_budget_of_its_own() -> None:
    task = Task(policy(CAPACITY, MaxAttempts=1), policy(INTERNAL, LIMIT, MaxAttempts=2))
    errors = [INTERNAL_ERROR, NO_CAPACITY, AT_LIMIT, NO_CAPACITY, INTERNAL_ERROR]
    actions = [task.ends(error).action.value for error in errors]
    assert actions == ["retry", "retry", "retry", "fail", "fail"]


def test_the_first_policy_that_names_a_type_has_it() -> None:
    task = Task(policy(CAPACITY, MaxAttempts=0), policy(CAPACITY, MaxAttempts=5))
    assert task.ends(NO_CAPACITY).action is RetryAction.FAIL


def test_the_older_name_of_a_type_is_the_same_type() -> None:
    task = Task(policy("SageMaker.JOB_CAPACITY_ERROR", MaxAttempts=1))
    assert task.ends(NO_CAPACITY).reason == f"{CAPACITY}: retry 1 of 1 in 1 s"


def test_a_fraction_of_a_second_is_told() -> None:
    task = Task(policy(CAPACITY, IntervalSeconds=1, BackoffRate=0.5, MaxAttempts=2))
    assert [task.ends(NO_CAPACITY).reason for _ in "ab"] == [
        f"{CAPACITY}: retry 1 of 2 in 1 s",
        f"{CAPACITY}: retry 2 of 2 in 0.5 s",
    ]


def test_a_delay_beyond_all_bounds_is_the_longest() -> None:
    task = Task(policy(CAPACITY, IntervalSeconds=43_200, BackoffRate=1e300, MaxAttempts=3))
    delays = [task.ends(NO_CAPACITY).retry_delay for _ in range(3)]
    assert delays[1:] == [timedelta(days=10)] * 2


def test_counters_are_kept_in_the_state_store() -> None:
    store = FakeStore()
    error = NO_CAPACITY
    first = Task(policy(CAPACITY, MaxAttempts=2), store=store)
    first.ends(error)
    stored = json.loads(json.dumps(store[retries.KEY]))
    assert stored["spent"] == {"$.Steps[0].RetryPolicies[0]": 1}
    later = Task(policy(CAPACITY, MaxAttempts=2), store=FakeStore({retries.KEY: stored}))
    assert later.ends(error).reason == f"{CAPACITY}: retry 2 of 2 in 2 s"


def test_a_clear_starts_the_budgets_anew() -> None:
    task = Task(policy(CAPACITY, MaxAttempts=1))
    actions = [task.ends(NO_CAPACITY).action.value for _ in "ab"]
    task.clear()
    actions += [task.ends(NO_CAPACITY).action.value for _ in "ab"]
    assert actions == ["retry", "fail", "retry", "fail"]


def test_tries_that_were_cut_short_use_no_budget() -> None:
    task = Task(policy(CAPACITY, MaxAttempts=1))
    task.dies()
    task.ends(TaskDeferralError("Trigger failure"))
    assert task.ends(NO_CAPACITY).reason == f"{CAPACITY}: retry 1 of 1 in 1 s"


# Policies that expire


def expiring(store: FakeStore, *, minutes: int, began: timedelta) -> Task:
    """A task whose step was first executed some time ago."""
    task = Task(policy(CAPACITY, IntervalSeconds=30, ExpireAfterMin=minutes), store=store)
    retries.begin(task.task.step, context(store=store, max_tries=task.max_tries))
    store[retries.KEY]["since"] = (datetime.now(UTC) - began).isoformat()
    return task


def test_a_policy_that_expires_counts_from_the_first_execution() -> None:
    task = expiring(FakeStore(), minutes=10, began=timedelta(minutes=9))
    decision = task.ends(NO_CAPACITY)
    assert decision.action is RetryAction.RETRY
    since = datetime.fromisoformat(task.store[retries.KEY]["since"]) + timedelta(minutes=10)
    told = f"{since:%Y-%m-%d %H:%M:%S}"
    assert decision.reason == f"{CAPACITY}: retry 1 in 30 s; the policy expires at {told} UTC"


def test_a_retry_that_would_begin_after_its_policy_expires_is_not_made() -> None:
    task = expiring(FakeStore(), minutes=10, began=timedelta(minutes=9, seconds=40))
    assert task.ends(NO_CAPACITY).action is RetryAction.FAIL


def test_the_first_execution_is_that_of_the_first_try_and_again_after_a_clear() -> None:
    store = FakeStore()
    task = expiring(store, minutes=10, began=timedelta(hours=1))
    before = store[retries.KEY]["since"]
    retries.begin(task.task.step, context(store=store, max_tries=task.max_tries))
    assert store[retries.KEY]["since"] == before
    retries.begin(task.task.step, context(store=store, max_tries=task.max_tries + 1))
    assert store[retries.KEY]["since"] > before


@pytest.mark.parametrize("store", [FakeStore(), None])
def test_nothing_is_stored_of_a_step_whose_policies_do_not_expire(store: FakeStore | None) -> None:
    retries.begin(task_of(policy(CAPACITY)).step, context(store=store))
    assert not store


# How many retries a task has


@pytest.mark.parametrize(
    ("policies", "allowed"),
    [
        ([], 0),
        ([policy(CAPACITY)], 5),
        ([policy(CAPACITY, MaxAttempts=20), policy(FAULT, THROTTLING, MaxAttempts=3)], 23),
        ([policy(CAPACITY, MaxAttempts=0)], 0),
        ([policy(CAPACITY, ExpireAfterMin=0)], 0),
        ([policy(CAPACITY, ExpireAfterMin=0, IntervalSeconds=0)], 0),
        ([policy(CAPACITY, ExpireAfterMin=1, IntervalSeconds=20, BackoffRate=1.0)], 3),
        # 1 + 2 + 4 + 8 + 16 is 31, and 32 more would be 63.
        ([policy(CAPACITY, ExpireAfterMin=1)], 5),
        ([policy(CAPACITY, ExpireAfterMin=1, IntervalSeconds=61)], 0),
        ([policy(CAPACITY, ExpireAfterMin=14_400, BackoffRate=1.0)], MOST_RETRIES),
        ([policy(CAPACITY, ExpireAfterMin=1, BackoffRate=0)], MOST_RETRIES),
        ([policy(CAPACITY, ExpireAfterMin=14_400, BackoffRate=1e308)], 1),
    ],
)
def test_a_task_has_as_many_retries_as_its_policies_allow_and_three(
    policies: list[Policy], allowed: int
) -> None:
    assert task_of(*policies).retries == allowed + CUT_SHORT


@pytest.mark.parametrize("type_", ["Tuning", "AutoML"])
def test_searches_are_not_retried_for_internal_errors(type_: str) -> None:
    named = Task(policy(INTERNAL, MaxAttempts=9), type_=type_)
    assert named.max_tries == CUT_SHORT
    assert named.ends(INTERNAL_ERROR).action is RetryAction.FAIL
    both = Task(policy(INTERNAL, CAPACITY, MaxAttempts=9), type_=type_)
    assert both.ends(INTERNAL_ERROR).action is RetryAction.FAIL
    assert both.ends(NO_CAPACITY).action is RetryAction.RETRY


def test_the_serialised_task_has_its_number_of_retries_and_no_policy() -> None:
    policies = [policy(CAPACITY, MaxAttempts=4), policy(LIMIT, ExpireAfterMin=10)]
    texts = [json.dumps(DagSerialization.to_dict(dag_of(*policies)), sort_keys=True) for _ in "ab"]
    assert texts[0] == texts[1]
    (task,) = [
        each["__var"]
        for each in json.loads(texts[0])["dag"]["tasks"]
        if each["__var"]["task_id"] == "S"
    ]
    assert (task["retries"], task["has_retry_policy"]) == (4 + 9 + CUT_SHORT, True)
    assert "retry_policy" not in task


# What is retried: one row for each way in which a try can end


def runtime_error() -> AirflowRuntimeError:
    return AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={}))


URL = "https://api.sagemaker.us-east-1.amazonaws.com"
DENIED = AccessDeniedError(action="sagemaker:CreateTrainingJob", resource="job", message="no")

ENDS: dict[str, tuple[BaseException, str]] = {
    # A step that has failed.
    "AlgorithmError": (failed("AlgorithmError: no luck"), "fail"),
    "a stopped job": (failed(status="Stopped"), "fail"),
    "CapacityError": (NO_CAPACITY, "fail"),
    "InternalServerError": (INTERNAL_ERROR, "fail"),
    "ResourceLimitExceeded": (AT_LIMIT, "fail"),
    "a lost job": (JobLostError("gone"), "fail"),
    "no name is left": (JobError("100 names are taken"), "fail"),
    "access denied": (DENIED, "fail"),
    "a request that AWS refuses": (refusal("ValidationException"), "fail"),
    "execution_timeout in the worker": (AirflowTaskTimeout("too long"), "fail"),
    "execution_timeout while deferred": (TaskDeferralTimeout("Trigger timeout"), "fail"),
    # A try that was cut short.
    "throttled": (refusal("ThrottlingException"), "retry"),
    "a fault of the service": (refusal("InternalFailure", 500), "retry"),
    "expired credentials": (refusal("ExpiredTokenException"), "retry"),
    "no credentials": (NoCredentialsError(), "retry"),
    "connection refused": (EndpointConnectionError(endpoint_url=URL), "retry"),
    "connection reset": (ConnectionClosedError(endpoint_url=URL), "retry"),
    "an answer that did not come": (ReadTimeoutError(endpoint_url=URL), "retry"),
    "a trigger that failed": (TaskDeferralError("Trigger failure"), "retry"),
    "a worker that is told to end": (WaitInterruptedError("goes on"), "retry"),
    "a process that leaves": (SystemExit(1), "retry"),
    "Airflow's API": (runtime_error(), "retry"),
    "Airflow itself": (AirflowException("no such connection"), "retry"),
    "anything unforeseen": (OSError("no space left"), "retry"),
}


@pytest.mark.parametrize("end", ENDS)
def test_without_a_policy_only_a_try_that_was_cut_short_is_retried(end: str) -> None:
    error, action = ENDS[end]
    decision = Task().ends(error)
    assert decision.action.value == action
    assert decision.retry_delay is None
    assert decision.reason


@pytest.mark.parametrize("end", ENDS)
def test_where_the_user_gives_a_step_retries_its_failures_are_retried(end: str) -> None:
    error, action = ENDS[end]
    task = Task(step_args={"S": {"retries": 2}})
    assert task.max_tries == 2
    decision = task.ends(error)
    assert decision.action.value == {"fail": "default", "retry": "retry"}[action]


@pytest.mark.parametrize(
    ("end", "name"),
    [
        ("CapacityError", CAPACITY),
        ("InternalServerError", INTERNAL),
        ("ResourceLimitExceeded", LIMIT),
        ("throttled", THROTTLING),
        ("a fault of the service", FAULT),
    ],
)
def test_a_policy_governs_what_it_names(end: str, name: str) -> None:
    task = Task(policy(name, MaxAttempts=1, IntervalSeconds=7))
    decisions = [task.ends(ENDS[end][0]) for _ in "ab"]
    assert [decision.action.value for decision in decisions] == ["retry", "fail"]
    assert decisions[0].reason == f"{name}: retry 1 of 1 in 7 s"


@pytest.mark.parametrize("end", [end for end in ENDS if ENDS[end][1] == "retry"])
def test_what_cuts_a_try_short_is_retried_whatever_policies_say(end: str) -> None:
    store = FakeStore()
    task = Task(policy(CAPACITY, INTERNAL, LIMIT, MaxAttempts=0), store=store)
    assert task.ends(ENDS[end][0]).action is RetryAction.RETRY
    assert store == {}


def test_what_nobody_names_is_told_with_its_type() -> None:
    assert Task().ends(NO_CAPACITY).reason == (f"{CAPACITY}: no retry policy of the step names it")
    assert Task().ends(failed()).reason == "JobFailedError: no retry mends that"
    assert Task().ends(refusal("ThrottlingException")).reason == (
        f"{THROTTLING}: the try was cut short, the next one goes on from there"
    )


def test_a_users_own_retry_policy_goes_before() -> None:
    class Own(StepRetryPolicy):
        pass

    own = Own(budgets=(), retries=1)
    assert task_of(policy(CAPACITY), step_args={"S": {"retry_policy": own}}).retry_policy is own


# Where Airflow cannot say how often a policy was used


class BrokenStore(FakeStore):
    def get(self, key: str, default: Any = None) -> Any:
        raise runtime_error()


Store = Callable[[], FakeStore | None]


@pytest.mark.parametrize("store", [lambda: None, BrokenStore])
def test_without_a_store_the_number_of_the_try_stands_for_that_of_the_retry(store: Store) -> None:
    policies = [policy(CAPACITY, MaxAttempts=2), policy(INTERNAL, ExpireAfterMin=1)]
    asked = task_of(*policies)
    most = asked.retries

    def action(error: Exception, try_number: int, max_tries: int = most) -> str:
        given = context(store=store())
        decided = asked.retry_policy.evaluate(error, try_number, max_tries, given)
        return str(decided.action.value)

    assert [action(NO_CAPACITY, number) for number in (1, 2, 3)] == ["retry", "retry", "fail"]
    assert [action(INTERNAL_ERROR, number) for number in (1, 5, 6)] == ["retry", "retry", "fail"]
    # A clear after three tries.
    assert [action(NO_CAPACITY, number, most + 3) for number in (4, 5, 6)] == [
        "retry",
        "retry",
        "fail",
    ]


def test_a_policy_without_a_context_still_judges() -> None:
    asked = task_of(policy(CAPACITY, MaxAttempts=1)).retry_policy
    assert asked.evaluate(NO_CAPACITY, 1, 4).action is RetryAction.RETRY
    assert asked.evaluate(failed(), 1, 4).action is RetryAction.FAIL


def ended(task: Any, error: BaseException, *, try_number: int = 1) -> BaseException:
    """What a try of a task ends with whose Airflow asks no policy."""
    task.retry_policy = None
    running = context(try_number=try_number, max_tries=task.retries)
    with pytest.raises(BaseException) as raised, task.judging(running):  # noqa: PT011
        raise error
    return raised.value


FAILURES = [end for end in ENDS if isinstance(ENDS[end][0], retries.FAILURES)]


@pytest.mark.parametrize("end", FAILURES)
def test_where_airflow_asks_no_policy_the_operator_decides(end: str) -> None:
    error, action = ENDS[end]
    last = ended(task_of(), error)
    assert isinstance(last, AirflowFailException) == (action == "fail")
    assert error in {last, last.__cause__}


def test_where_airflow_asks_no_policy_the_tries_are_the_budget() -> None:
    error = NO_CAPACITY
    task = task_of(policy(CAPACITY, MaxAttempts=2))
    assert [type(ended(task, error, try_number=number)).__name__ for number in (1, 2, 3)] == [
        "JobFailedError",
        "JobFailedError",
        "AirflowFailException",
    ]
    assert str(ended(task, error, try_number=3)).endswith("this would be retry 3")


def test_where_airflow_asks_no_policy_the_users_retries_are_for_any_failure() -> None:
    error = failed()
    assert ended(task_of(step_args={"S": {"retries": 1}}), error) is error


def test_a_policy_of_the_model_alone_has_as_many_retries() -> None:
    assert retries.most_retries(RetryPolicy(exception_types=(CAPACITY,), max_attempts=4)) == 4
