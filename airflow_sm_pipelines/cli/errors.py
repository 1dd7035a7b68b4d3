"""What ends a command early."""

from collections.abc import Iterable

from airflow_sm_pipelines.errors import PipelineError

FAILED = 1
REFUSED = 2


class CommandError(PipelineError):
    """A command cannot go on: the lines to print, and the code to exit with.

    `FAILED` where the work was tried, `REFUSED` where nothing was started.
    """

    def __init__(self, *lines: str, exit_code: int = REFUSED) -> None:
        self.lines = lines
        self.exit_code = exit_code
        super().__init__("\n".join(lines))

    @classmethod
    def of(cls, lines: Iterable[object], *, exit_code: int) -> "CommandError":
        """The error that prints each of `lines`."""
        return cls(*map(str, lines), exit_code=exit_code)
