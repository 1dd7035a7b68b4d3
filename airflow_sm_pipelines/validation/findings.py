"""What validation finds: problems, which stop a definition, and warnings, which do not.

A finding is a problem where it is certain that AWS refuses the definition or that the step
fails; where that is only likely, or depends on the age of a model, it is a warning.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from airflow_sm_pipelines.errors import Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, at one place."""

    where: str
    message: str
    certain: bool
    """Whether it is a problem; else it is a warning."""

    @property
    def problem(self) -> Problem:
        """The place and the message alone."""
        return Problem(self.where, self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that is wrong with a pipeline, and what is only suspicious."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def refused(where: str, message: str) -> Finding:
    """A finding that is a problem; `message` is `what is wrong; what would be right`."""
    return Finding(where, message, certain=True)


def doubted(where: str, message: str) -> Finding:
    """A finding that is a warning."""
    return Finding(where, message, certain=False)


def collect(findings: Iterable[Finding]) -> Findings:
    """The findings, each once and in their order, by whether they are certain."""
    each = tuple(findings)
    problems = dict.fromkeys(finding.problem for finding in each if finding.certain)
    warnings = dict.fromkeys(finding.problem for finding in each if not finding.certain)
    return Findings(
        problems=tuple(problems),
        warnings=tuple(warning for warning in warnings if warning not in problems),
    )
