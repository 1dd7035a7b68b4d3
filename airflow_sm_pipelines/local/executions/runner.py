"""What runs executions: a program, which a `LocalAWS` is given from outside.

The program gets the folder of an execution as its last argument, and there

    pipeline.json   the pipeline as DescribePipeline answers, at the time of the start
    order.json      `PipelineExecutionArn`, `StartTime`, all `Parameters` with their values; `Kept`,
                    step -> what it has handed on before and does again; `Skipped`, the steps that
                    are not to run; `Times`, how often it was tried before

What it needs while it runs goes into a folder `work/` there, which is removed at the end. Its
environment leads to the local AWS. It prints a line of JSON for each change: of a step
`{"Step", "Status", "Time", "Attempt", "Reason", "Response", "Source"}`, the last three as far as
they are known, and at last `{"Status": "Succeeded"}` or `{"Status": "Failed", "Reason"}` for the
whole. `Response` is what the step hands on, `Source` the id of the execution whose job it has
adopted. With SIGTERM it stops the jobs of the execution and ends; when its standard input closes it
ends at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

PIPELINE = "pipeline.json"
ORDER = "order.json"
LOG = "log.txt"
WORK = "work"


class Runner(Protocol):
    """What runs executions."""

    @property
    def command(self) -> Sequence[str]:
        """The program and its arguments, all but the last one."""

    def execution_id(self, pipeline: str, started: datetime) -> str:
        """The id that an execution will have in the names of its jobs; the time is its own."""
