"""The `RetryPolicies` of a step as the retry policy of its task.

Airflow asks it about every error that ends a try in the worker: SageMaker's own exception type
decides, and each policy of the definition has a budget. What no policy allows is not retried. What
only cuts a try short (a lost worker, a triggerer's trouble) is, from the task's `retries`; the next
try attaches to the job.

How often a policy was used is kept in the task state store, where a user's clear starts anew. Where
Airflow has none, or no retry policies (before 3.3), the number of the try stands for it.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import AirflowTaskTimeout
from botocore.exceptions import ClientError

from airflow_sm_pipelines import exception_types, jobs
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.model import RetryPolicy
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import PipelineError, WaitInterruptedError
from airflow_sm_pipelines.features import (
    HAS_RETRY_POLICIES,
    AirflowRetryPolicy,
    AirflowRuntimeError,
    RetryDecision,
    StateStore,
    TaskDeferralTimeout,
    state_store,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one policy of a step allows: at most `retries` for any of `exception_types`."""

    policy: RetryPolicy
    exception_types: frozenset[str]
    retries: int

    @classmethod
    def of(cls, policy: RetryPolicy, *, retried: frozenset[str]) -> "Budget":
        """The budget of a policy, of the types for which steps of that type are retried."""
        names = retried.intersection(policy.exception_types)
        meant = frozenset(exception_types.ALIASES.get(name, name) for name in names)
        most = most_retries(policy) if meant else 0
        return cls(policy=policy, exception_types=meant, retries=most)

    def delay(self, retry: int) -> timedelta:
        """How long retry number `retry` waits; the first is 1."""
        return timedelta(seconds=min(self.policy.wait(retry), LONGEST_SECONDS))

    def allows(self, retry: int, *, since: datetime, now: datetime) -> bool:
        """Whether retry number `retry` may be made; `since` is when the step was first executed."""
        if retry > self.retries:
            return False
        minutes = self.policy.expire_after_minutes
        return minutes is None or now + self.delay(retry) <= since + timedelta(minutes=minutes)

    def told(self, retry: int, *, since: datetime) -> str:
        """Which retry it is, of how many, in words for people."""
        wait = f"in {self.delay(retry).total_seconds():g} s"
        minutes = self.policy.expire_after_minutes
        if minutes is None:
            return f"retry {retry} of {self.retries} {wait}"
        end = (since + timedelta(minutes=minutes)).astimezone(UTC)
        return f"retry {retry} {wait}; the policy expires at {end:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What is stored of a step's retries in a run, under the key `retries`.

    `since` is when the step was first executed; `spent` how often each policy, by its place in the
    definition, has been used.
    """

    max_tries: int
    since: str
    spent: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def opened(cls, store: StateStore, *, max_tries: int) -> "Ledger":
        """The stored one, or a new one: `max_tries` grows with a user's clear, never by a retry."""
        stored = store.get(KEY)
        if stored and stored["max_tries"] == max_tries:
            return cls(**stored)
        return cls(max_tries=max_tries, since=datetime.now(UTC).isoformat())

    def with_one_more(self, place: str) -> "Ledger":
        """The ledger after another retry by the policy of that place."""
        spent = {**self.spent, place: self.spent.get(place, 0) + 1}
        return Ledger(max_tries=self.max_tries, since=self.since, spent=spent)

    def save(self, store: StateStore) -> None:
        """Store it."""
        store.set(KEY, asdict(self))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an error is followed by another try; `delay` None leaves it to Airflow's own."""

    again: bool
    reason: str
    delay: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class StepRetryPolicy(AirflowRetryPolicy):
    """What Airflow asks after each error of a step's task.

    With `retry_failures` Airflow's plain `retries` serve the failures that no policy names.
    """

    budgets: tuple[Budget, ...]
    retries: int
    retry_failures: bool = False

    @classmethod
    def of(cls, step: Step, *, retries: int, retry_failures: bool = False) -> "StepRetryPolicy":
        """The policy of a step whose task has `retries`."""
        return cls(budgets=budgets(step), retries=retries, retry_failures=retry_failures)

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> Any:
        """Airflow's question in Airflow's words.

        A job that is followed by another is noted as ended only here: where nobody hears of its
        end, as when a scheduler dies, the next try attaches to it and fails by it again.
        """
        verdict = self.judge(exception, try_number, max_tries, context=context)
        again = verdict.again if verdict else try_number <= max_tries
        if again and not is_cut_short(exception):
            _note_ended(context or {})
        if verdict is None:
            return RetryDecision.default()
        if verdict.again:
            return RetryDecision.retry(delay=verdict.delay, reason=verdict.reason)
        return RetryDecision.fail(reason=verdict.reason)

    def judge(
        self, error: BaseException, try_number: int, max_tries: int, *, context: Any
    ) -> Verdict | None:
        """Whether there is to be another try; None where nothing but `retries` decides."""
        kind = exception_types.of(error)
        for budget in self.budgets:
            if kind in budget.exception_types:
                spent = self._spent(budget, try_number, max_tries, context=context)
                return Verdict(spent.again, f"{kind}: {spent.reason}", spent.delay)
        name = kind or type(error).__name__
        if is_cut_short(error):
            return Verdict(True, f"{name}: the try was cut short, the next one goes on from there")
        if self.retry_failures:
            return None
        cause = "no retry policy of the step names it" if kind else "no retry mends that"
        return Verdict(False, f"{name}: {cause}")

    def _spent(self, budget: Budget, try_number: int, max_tries: int, *, context: Any) -> Verdict:
        """What the policy of a budget allows now; a retry is written down."""
        store = state_store(context or {})
        if store is None:
            return self._approximated(budget, try_number, max_tries)
        try:
            ledger = Ledger.opened(store, max_tries=max_tries)
            again = ledger.with_one_more(budget.policy.where)
            verdict = _allowed(budget, again.spent[budget.policy.where], since=ledger.since)
            if verdict.again:
                again.save(store)
        except AirflowRuntimeError as error:
            log.warning("the number of the try stands for that of the retry: %s", error)
            return self._approximated(budget, try_number, max_tries)
        return verdict

    def _approximated(self, budget: Budget, try_number: int, max_tries: int) -> Verdict:
        """Every try counts as a retry by this policy, and the waits as all that time has gone by.

        A clear adds to `max_tries` what the tries before it have used.
        """
        retry = try_number - (max_tries - self.retries)
        return _allowed(budget, retry, since=datetime.now(UTC).isoformat())


def budgets(step: Step) -> tuple[Budget, ...]:
    """What each policy of a step allows."""
    retried = STEP_TYPES[step.type].retried
    return tuple(Budget.of(policy, retried=retried) for policy in step.retries)


def most_retries(policy: RetryPolicy) -> int:
    """How many retries a policy allows; where it expires, how many waits fit in its time."""
    if policy.expire_after_minutes is None:
        return policy.max_attempts or 0
    left = policy.expire_after_minutes * 60.0
    count = 0
    while left > 0 and count < MOST_RETRIES and policy.wait(count + 1) <= left:
        count += 1
        left -= policy.wait(count)
    return count


def task_arguments(step: Step, given: Mapping[str, Any]) -> dict[str, Any]:
    """The retries of a step's task, beside what is `given` for that task alone.

    `retries` is the sum of what the policies allow and three more: Airflow counts the deaths of
    processes among them and asks no policy about them.
    """
    allowed = [budget for budget in budgets(step) if budget.retries]
    retries = given.get("retries", sum(budget.retries for budget in allowed) + CUT_SHORT)
    failures = "retries" in given
    arguments: dict[str, Any] = {"retries": retries, "retry_failures": failures}
    if HAS_RETRY_POLICIES:
        policy = StepRetryPolicy.of(step, retries=retries, retry_failures=failures)
        return {**arguments, "retry_policy": policy}
    if allowed:
        longest = max(budget.delay(1) for budget in allowed)
        return {**arguments, "retry_delay": longest}
    return arguments


def begin(step: Step, context: Any) -> None:
    """Write down when a step is first executed, if one of its policies expires after that."""
    store = state_store(context)
    expires = any(policy.expire_after_minutes for policy in step.retries)
    if store is not None and expires:
        Ledger.opened(store, max_tries=context["ti"].max_tries).save(store)


def is_cut_short(error: BaseException) -> bool:
    """Whether an error has ended the try and not the step: what another try goes on from.

    Everything that is not known as a failure is: Airflow and its processes have many ways to fail.
    """
    if exception_types.of(error) in exception_types.IMPLICIT or exception_types.is_expired(error):
        return True
    return isinstance(error, WaitInterruptedError) or not isinstance(error, FAILURES)


def _note_ended(context: Any) -> None:
    try:
        jobs.note_failure(state_store(context))
    except AirflowRuntimeError as error:
        log.warning("the next try will find the same job: %s", error)


def _allowed(budget: Budget, retry: int, *, since: str) -> Verdict:
    start = datetime.fromisoformat(since)
    if budget.allows(retry, since=start, now=datetime.now(UTC)):
        return Verdict(True, budget.told(retry, since=start), budget.delay(retry))
    where = budget.policy.where
    return Verdict(False, f"not retried, {where} allows no more: this would be retry {retry}")


KEY = "retries"
CUT_SHORT = 3
MOST_RETRIES = 1000
"""Of a policy that expires: one second between two tries and ten days would be 864,000."""
LONGEST_SECONDS = 14_400 * 60.0
"""The longest that a policy can last; what waits longer waits for ever."""

FAILURES = (PipelineError, ClientError, AirflowTaskTimeout, TaskDeferralTimeout)
"""What ends a step unless a policy says otherwise."""
