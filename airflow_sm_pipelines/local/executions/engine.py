"""Runs executions, a few at once: each by a program of its own."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from airflow_sm_pipelines.local.executions.execution import STEP_FAILURE, Execution
from airflow_sm_pipelines.local.executions.process import Event, Program
from airflow_sm_pipelines.local.executions.runner import LOG, Runner

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""How many are run at once: each is a process that holds some 300 MB."""
GRACE_SECONDS = 60.0
DIED = "InternalServerError: the local AWS ended while the execution was in progress"


class Engine:
    """Runs executions by the program of a `Runner`, in the environment that leads to this server.

    Those for which there is no room wait. They are Executing without a step, as one of the service
    is for its first seconds.
    """

    def __init__(self, runner: Runner, environment: Callable[[], Mapping[str, str]]) -> None:
        self.execution_id = runner.execution_id
        self._command = runner.command
        self._environment = environment
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="execution")
        self._going: dict[Execution, Future[None]] = {}
        self._closed = False

    def run(self, execution: Execution) -> None:
        """Run an execution as soon as there is room."""
        future = self._going[execution] = self._pool.submit(self._run, execution)
        future.add_done_callback(partial(self._let_go, execution))

    def stop(self, execution: Execution) -> None:
        """Stop an execution and its jobs; returns before they have ended."""
        execution.stop(grace_seconds=GRACE_SECONDS)
        future = self._going.get(execution)
        if future is not None and future.cancel():  # it has waited for room until now
            execution.finish("Stopped")

    def close(self) -> None:
        """End every execution at once; returns when the last program has ended."""
        self._closed = True
        going = list(self._going)
        self._pool.shutdown(wait=False, cancel_futures=True)
        for execution in going:
            execution.kill()
        self._pool.shutdown(wait=True)
        for execution in going:
            if not execution.final:
                execution.finish("Failed", DIED)

    def _let_go(self, execution: Execution, ended: "Future[None]") -> None:
        """Keep a future no longer; its execution may already be tried again."""
        if self._going.get(execution) is ended:
            del self._going[execution]

    def _run(self, execution: Execution) -> None:
        try:
            if execution.stopping:
                execution.finish("Stopped")
                return
            told, code = self._told(execution)
            execution.finish(*self._ending(execution, told, code))
        except Exception as error:  # the last net: none is left in progress
            logger.error("%s: the local AWS failed", execution.arn, exc_info=error)
            execution.finish("Failed", f"InternalServerError: the local AWS failed: {error!r}")

    def _told(self, execution: Execution) -> tuple[Event, int]:
        """Run the program; what it has told of the whole, and its exit code."""
        told: Event = {}
        program = Program(
            [*self._command, str(execution.folder)],
            environment=self._environment(),
            folder=execution.folder,
            log=execution.folder / LOG,
        )
        execution.run_by(program, grace_seconds=GRACE_SECONDS)
        if self._closed:
            program.kill()
        for event in program.events():
            if "Step" in event:
                execution.tell(event)
            else:
                told = event
        execution.run_by(None)
        return told, program.wait()

    def _ending(self, execution: Execution, told: Event, code: int) -> tuple[str, str]:
        """How an execution has ended, and why where it has failed."""
        status = told.get("Status")
        if status == "Succeeded":
            return status, ""
        if self._closed:
            return "Failed", DIED
        if execution.stopping:
            return "Stopped", ""
        if status is not None:
            return "Failed", str(told.get("Reason") or STEP_FAILURE)
        log = execution.folder / LOG
        return "Failed", f"InternalServerError: the program has ended, exit code: {code}; see {log}"
