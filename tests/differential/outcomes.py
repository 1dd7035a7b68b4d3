"""What an evaluation comes to, on either side: a value or a failure."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_sm_pipelines.definition.node import Json


@dataclass(frozen=True, slots=True)
class Outcome:
    """A value, or a failure; two failures are equal whatever their reasons.

    The value is kept as JSON text, in which 1, 1.0 and true differ as they do for the service.
    """

    text: str | None
    reason: str = field(default="", compare=False)

    @property
    def value(self) -> Json:
        """The value; there has to be one."""
        assert self.text is not None, self.reason
        value: Json = json.loads(self.text)
        return value


def value(of: object) -> Outcome:
    """The outcome that is a value; what JSON does not have is named by its class."""
    return Outcome(json.dumps(of, sort_keys=True, default=lambda other: type(other).__name__))


def attempt(call: Callable[[], object], failures: tuple[type[Exception], ...]) -> Outcome:
    """What `call` returns, or that it failed with one of `failures`; others are errors of ours."""
    try:
        return value(call())
    except failures as error:
        return Outcome(None, f"{type(error).__name__}: {error}")


FAILURE = Outcome(None)
