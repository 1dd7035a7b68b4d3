"""Whose turn it is to have a job in progress, where a pipeline limits its parallel steps.

Airflow's own limit of a run counts tasks that hold a worker: a task that waits deferred is not
counted, a condition is. So the steps of a run queue among themselves by Lamport's bakery
algorithm, with `limit` customers served at once: each takes a number above all that it sees, says
while it looks for one that it is choosing, and has its turn as soon as fewer than `limit` are
before it. Only its own step writes a ticket, so nothing has to be locked.

L. Lamport, "A New Solution of Dijkstra's Concurrent Programming Problem", CACM 17(8), 1974.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from airflow_sm_pipelines import naming
from airflow_sm_pipelines.definition import Pipeline, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A step's place in the queue; without a number it has none."""

    number: int = 0
    choosing: bool = False
    epoch: int = 0
    """The task instance's `max_tries`: a ticket from before a clear is worth nothing."""


class Tickets(Protocol):
    """The tickets of a run, which outlive the tries of their tasks."""

    def read(self, step: str) -> Ticket:
        """The ticket of a step, without a number where it has taken none."""

    def write(self, step: str, ticket: Ticket) -> None:
        """Let all others see the ticket of a step."""

    def rivals(self, step: str) -> Iterable[str]:
        """The other steps that may have a job in progress or queue for one, at this moment."""


class Turn:
    """A step's turn to have its job in progress, at most `limit` of a run at once."""

    def __init__(self, tickets: Tickets, *, step: str, limit: int, epoch: int) -> None:
        self._tickets = tickets
        self._step = step
        self._limit = limit
        self._epoch = epoch

    def places_before(self) -> int:
        """How many places are before the step's turn, 0 if it has come; queues it at first.

        It has still come when this is asked again, as by the retry of a try that died.
        """
        own = self._tickets.read(self._step)
        if not own.number or own.epoch != self._epoch:
            own = self._choose()
        # Two that chose at the same time have the same number: the name decides.
        before = [
            rival
            for rival, ticket in self._others()
            if ticket.choosing
            or (ticket.number and (ticket.number, rival) < (own.number, self._step))
        ]
        return max(0, len(before) - self._limit + 1)

    def give_back(self) -> None:
        """Let the next have its turn: the job is no longer in progress."""
        self._tickets.write(self._step, Ticket(epoch=self._epoch))

    def _choose(self) -> Ticket:
        self._tickets.write(self._step, Ticket(choosing=True, epoch=self._epoch))
        highest = max((ticket.number for _, ticket in self._others()), default=0)
        own = Ticket(number=highest + 1, epoch=self._epoch)
        self._tickets.write(self._step, own)
        return own

    def _others(self) -> list[tuple[str, Ticket]]:
        # Who begins after this look at the rivals sees our ticket and takes a higher number.
        return [(rival, self._tickets.read(rival)) for rival in self._tickets.rivals(self._step)]


def turn_of(context: Any, pipeline: Pipeline, step: Step) -> Turn | None:
    """The turn of a step in a run; None where it need not wait for one."""
    if pipeline.max_parallel_steps is None or not _is_counted(step):
        return None
    return Turn(
        RunTickets(context, pipeline),
        step=step.name,
        limit=pipeline.max_parallel_steps,
        epoch=context["ti"].max_tries,
    )


class RunTickets:
    """The tickets of an Airflow run: XComs of its last task, which no retry of a step clears."""

    def __init__(self, context: Any, pipeline: Pipeline) -> None:
        self._ti = context["ti"]
        self._pipeline = pipeline

    def read(self, step: str) -> Ticket:
        stored: Mapping[str, Any] | None = self._ti.xcom_pull(
            task_ids=naming.END_TASK, key=_key(step)
        )
        return Ticket(**stored) if stored else Ticket()

    def write(self, step: str, ticket: Ticket) -> None:
        # Known at run time alone: it is the backend that Airflow is configured with.
        from airflow.providers.common.compat.sdk import XCom

        XCom.set(
            _key(step),
            asdict(ticket),
            dag_id=self._ti.dag_id,
            run_id=self._ti.run_id,
            task_id=naming.END_TASK,
        )

    def rivals(self, step: str) -> Iterable[str]:
        ti = self._ti
        states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
        return [
            other.name
            for other in self._pipeline.walk()
            if other.name != step and _is_counted(other) and states.get(other.name) in ACTIVE
        ]


def _is_counted(step: Step) -> bool:
    """Whether a step has a job that is in progress for a while; a model is there at once."""
    return step.job is not None and step.job.status is not None


def _key(step: str) -> str:
    return f"turn:{step}"


# States of a task whose job may be in progress; what is cleared and not yet scheduled has none.
ACTIVE = frozenset(
    {
        "scheduled",
        "queued",
        "running",
        "restarting",
        "deferred",
        "up_for_retry",
        "up_for_reschedule",
    }
)
