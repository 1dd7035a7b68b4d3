"""Everything that can be said of one definition without running it.

A finding is of a kind, see `KINDS`; to look for one more kind, add a row and find it in `_judge`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from airflow_sm_pipelines import definition, fidelity
from airflow_sm_pipelines.cli.errors import CommandError
from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.definition.checks import check
from airflow_sm_pipelines.definition.document import read
from airflow_sm_pipelines.definition.node import Problems
from airflow_sm_pipelines.definition.parse import parse
from airflow_sm_pipelines.errors import DefinitionError, Problem
from airflow_sm_pipelines.sources import Source

KindName = Literal["text", "form", "graph", "value", "doubtful-value", "caution"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of finding: whether it is a problem or a warning, and what it means."""

    problem: bool
    short: str
    long: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem or a warning, and its kind."""

    kind: KindName
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found in one definition.

    `unreadable` says why there was nothing to inspect. `entries` are the fidelity report, None
    where the definition has problems of form.
    """

    where: str
    text: str = ""
    name: str | None = None
    findings: tuple[Finding, ...] = ()
    entries: tuple[fidelity.Entry, ...] | None = None
    unreadable: tuple[str, ...] = ()

    @property
    def problems(self) -> list[Problem]:
        """What has to be mended."""
        return [each.problem for each in self.findings if KINDS[each.kind].problem]

    @property
    def warnings(self) -> list[Problem]:
        """What may work otherwise than it is meant."""
        return [each.problem for each in self.findings if not KINDS[each.kind].problem]


def inspect(reference: str, find: Callable[[str], Source]) -> Inspection:
    """What is found at a reference, whose text `find` reads. Raises nothing."""
    try:
        source = find(reference)
    except CommandError as error:
        return Inspection(where=reference, unreadable=error.lines)
    blank = Inspection(where=source.where, text=_decoded(source.text))
    try:
        return _judge(source, blank)
    except Exception as error:  # a fault of ours in one file must not hide what is in the others
        told = f"{source.where}: cannot be checked, {type(error).__name__}: {error}; report this"
        return replace(blank, unreadable=(told,))


def _decoded(text: str | bytes) -> str:
    return text.decode("utf-8-sig", "replace") if isinstance(text, bytes) else text


def _judge(source: Source, blank: Inspection) -> Inspection:
    try:
        document = read(source.text)
    except DefinitionError as error:
        return replace(blank, findings=tuple(_of("text", error.problems)))
    form, graph = Problems(), Problems()
    pipeline = parse(document, form, name=source.name)
    with graph.caught():
        check(pipeline)
    findings = [*_of("form", _raised(form)), *_of("graph", _raised(graph))]
    entries = None
    if not findings:
        findings += _of("caution", definition.warnings(pipeline))
        entries = fidelity.report(pipeline)
    return replace(
        blank,
        name=pipeline.name,
        findings=tuple(dict.fromkeys([*findings, *_against_aws(pipeline)])),
        entries=entries,
    )


def _against_aws(pipeline: Pipeline) -> Iterator[Finding]:
    # It reads botocore's models, which takes longer than starting the command line.
    from airflow_sm_pipelines.validation import validate

    found = validate(pipeline)
    yield from _of("value", found.problems)
    yield from _of("doubtful-value", found.warnings)


def _raised(problems: Problems) -> tuple[Problem, ...]:
    try:
        problems.raise_any()
    except DefinitionError as error:
        return error.problems
    return ()


def _of(kind: KindName, problems: Iterable[Problem]) -> Iterator[Finding]:
    return (Finding(kind, problem) for problem in problems)


KINDS: dict[KindName, Kind] = {
    "text": Kind(
        problem=True,
        short="Text that is no definition",
        long="The file is not the JSON of a SageMaker pipeline definition.",
    ),
    "form": Kind(
        problem=True,
        short="Form that the definition language does not have",
        long="A key, a type or a value is not one that SageMaker Pipelines knows.",
    ),
    "graph": Kind(
        problem=True,
        short="Names and references that do not fit together",
        long="A name is given twice or is unknown, or steps wait for each other.",
    ),
    "value": Kind(
        problem=True,
        short="Value that AWS refuses",
        long="An argument does not fit the model of the AWS operation that it is for.",
    ),
    "doubtful-value": Kind(
        problem=False,
        short="Value that AWS may refuse",
        long="An argument is unlike what this botocore knows of the AWS operation.",
    ),
    "caution": Kind(
        problem=False,
        short="Something that may work otherwise than meant",
        long="The definition is accepted, but a part of it has no effect, another effect, or is "
        "not documented by AWS.",
    ),
}
