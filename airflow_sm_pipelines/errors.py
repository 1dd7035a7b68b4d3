"""The exceptions of the package.

* PipelineError
  + DefinitionError       the definition is wrong; carries every Problem of the file
  + SourceError           there is no definition where one was asked for
  + ArgumentError         build_dag's arguments do not fit the definition; carries every Problem
  + ParameterError        the values given at start are wrong; carries every Problem
  + ExpressionError       an expression has no value in this run
  + AccessDeniedError     AWS refused a call; names the action
  + JobError              a job did not do what its step asked for
    - JobFailedError      it ended in another status than success
    - JobLostError        AWS does not know it any more
    - WaitInterruptedError  the worker was told to end before the job had
    - NameTakenError      AWS has a resource of its name already
    - UnseenError         ... which AWS does not describe yet
      NotReadyError       AWS has what a step needs, but it cannot be used yet
  + LocalRunError         a test's local AWS or Airflow did not do what was asked of it
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `where: what is wrong; what would be right`."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class PipelineError(Exception):
    """Anything that this package raises on purpose."""


class _ProblemsError(PipelineError):
    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class DefinitionError(_ProblemsError):
    """The definition is wrong; `problems` holds everything that was found."""


class SourceError(PipelineError):
    """No definition could be had from a reference: `reference: what is wrong; what to do`."""

    def __init__(self, where: str, message: str) -> None:
        self.where = where
        super().__init__(where, message)

    def __str__(self) -> str:
        return ": ".join(self.args)


class ArgumentError(_ProblemsError):
    """Arguments of `build_dag` do not fit the definition; `problems` holds all."""


class ParameterError(_ProblemsError):
    """Values given at start do not fit the declared parameters; `problems` holds all."""


class ExpressionError(PipelineError):
    """An expression has no value in this run; the message names its place in the definition."""


class AccessDeniedError(PipelineError):
    """AWS refused a call.

    `action` is the IAM action (`sagemaker:CreateTrainingJob`), `resource` what it was asked for.
    """

    def __init__(self, *, action: str, resource: str, message: str) -> None:
        self.action = action
        self.resource = resource
        super().__init__(
            f"{action} on {resource}: access denied; allow the action for the connection's "
            f"identity. AWS says: {message}"
        )


class JobError(PipelineError):
    """A job did not do what its step asked for.

    `exception_type` is what retry policies call that, such as `SageMaker.CAPACITY_ERROR`; "" where
    it is nothing that a retry may mend.
    """

    exception_type = ""


class JobFailedError(JobError):
    """A resource ended in another status than success.

    `noun` is its kind as in its operations (`TrainingJob`), `reason` is SageMaker's FailureReason
    ("" where it gave none), `log_tail` the last lines of the job's log, oldest first.
    """

    def __init__(
        self,
        *,
        step: str,
        noun: str,
        job_name: str,
        status: str,
        reason: str,
        exception_type: str = "",
        log_tail: Sequence[str] = (),
    ) -> None:
        self.step = step
        self.noun = noun
        self.job_name = job_name
        self.status = status
        self.reason = reason
        self.exception_type = exception_type
        self.log_tail = tuple(log_tail)
        super().__init__(f"{step}: {noun} {job_name} is {status}: {reason or 'no reason given'}")


class JobLostError(JobError):
    """AWS does not know the job any more."""


class WaitInterruptedError(JobError):
    """The worker was told to end before the job had."""


class NameTakenError(JobError):
    """AWS has a resource of the name that was to be created."""


class UnseenError(JobError):
    """AWS has a resource of a name but does not describe it yet; seconds later it does."""

    exception_type = "Step.SERVICE_FAULT"


class NotReadyError(UnseenError):
    """AWS has what a step needs, but it cannot be used yet; seconds later it can."""


class LocalRunError(PipelineError):
    """A test's local AWS or Airflow did not do what was asked of it; the message says why."""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` for the nearest of `known`, or "" where none is near."""
    close = difflib.get_close_matches(str(word), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def listed(names: Iterable[str]) -> str:
    """The names with commas between, the first of them where they are many; `none` for none."""
    all_names = tuple(names)
    if len(all_names) > LONGEST_LIST:
        return f"{', '.join(all_names[:LONGEST_LIST])} and {len(all_names) - LONGEST_LIST} more"
    return ", ".join(all_names) or "none"


LONGEST_LIST = 30
