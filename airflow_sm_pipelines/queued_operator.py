"""What steps do whose jobs may be too many at once: they queue, see `turns.py`."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

from airflow_sm_pipelines import settings
from airflow_sm_pipelines.errors import WaitInterruptedError
from airflow_sm_pipelines.operators import StepOperator
from airflow_sm_pipelines.triggers import SETTLE_SECONDS
from airflow_sm_pipelines.turns import turn_of

if TYPE_CHECKING:
    from botocore.client import BaseClient


class QueuedOperator(StepOperator):
    """Has its job in progress when it is the step's turn, and can be told to end meanwhile.

    What derives from it goes on at its method `start` after a deferred wait for the turn.
    """

    _killed = False

    def on_kill(self) -> None:
        """Note that the process is told to end; whether the job is to be stopped is asked later.

        Airflow calls this in a signal handler and for any reason: a user's decision, a rolling
        deploy of the workers, an API server that did not answer.
        """
        self._killed = True

    def _await_turn(self, client: "BaseClient", context: Any, *, at_most: float) -> None:
        """Return when the step may have its job in progress; deferred after `at_most` seconds.

        Whoever is far from its turn asks less often: each time costs a start of the task.
        """
        if (turn := turn_of(context, self.pipeline, self.step)) is None:
            return
        limit = self.pipeline.max_parallel_steps or 1
        deadline = time.monotonic() + at_most
        while places := turn.places_before():
            if self._killed:
                raise WaitInterruptedError("the worker is told to end; no job was started")
            if time.monotonic() < deadline:
                time.sleep(KILL_CHECK_SECONDS)
                continue
            self.log.info("%s jobs of this run at once are allowed: %s before", limit, places)
            seconds = max(SETTLE_SECONDS, settings.poll_seconds(client.meta.endpoint_url))
            wait_seconds = min(seconds * (1 + places // limit), LONGEST_TURN_SECONDS)
            self.defer(
                trigger=TimeDeltaTrigger(timedelta(seconds=wait_seconds)), method_name="start"
            )

    def _leave_turn(self, context: Any, *, when: bool = True) -> None:
        """Let the next step have its job in progress."""
        if when and (turn := turn_of(context, self.pipeline, self.step)):
            turn.give_back()


KILL_CHECK_SECONDS = 0.5
LONGEST_TURN_SECONDS = 300.0
