"""What can go wrong in the local AWS.

LocalError          the local AWS cannot be started or used like this
  JobError          a job cannot go on; the text becomes its FailureReason
  StoppedError      a job has been asked to stop
  KeptError         what an earlier server has written cannot be read
  DocumentError     what a test sets is wrong; carries every problem
    ScriptError       a script cannot be played
    FaultError        a fault cannot happen
AwsError            an answer to a caller, in AWS's own shape
"""

from collections.abc import Iterable


class LocalError(Exception):
    """The local AWS cannot do what was asked; the text says what would be right."""


class JobError(LocalError):
    """A job cannot go on; the text becomes its FailureReason, so it starts with AWS's own kind."""


class StoppedError(LocalError):
    """A job has been asked to stop before its next part."""


class KeptError(LocalError):
    """A file of an earlier server's is damaged, or of a version that is not known."""


class DocumentError(LocalError):
    """What cannot be set; `problems` holds everything that was found."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class ScriptError(DocumentError):
    """Scripts that cannot be played."""


class FaultError(DocumentError):
    """Faults that cannot happen."""


class AwsError(Exception):
    """An error that AWS would answer: its code, its message, the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> AwsError:
    """SageMaker's ValidationException, its answer to nearly everything."""
    return AwsError("ValidationException", message)
