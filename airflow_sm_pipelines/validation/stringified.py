"""Pipeline variables that have become text, by a slip in the program that wrote a definition.

A variable that goes through `str`, `repr`, an f-string or a template is a reference no more: the
job gets its Python name instead of its value. Only the standard library is needed here. A new
trace is a row of `TRACES`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from airflow_sm_pipelines.definition.expressions import Join
from airflow_sm_pipelines.definition.node import child_path
from airflow_sm_pipelines.definition.values import Value


@dataclass(frozen=True, slots=True)
class Trace:
    """How a stringified variable looks, and what should have been written."""

    pattern: re.Pattern[str]
    told: Callable[[re.Match[str]], str]
    """`what is wrong; what would be right`."""
    certain: bool = False
    """Whether nothing but an accident writes such a text."""
    in_commands: bool = True
    """Whether it is one in a command line too, where a shell has a use for `${}`."""


@dataclass(frozen=True, slots=True)
class Stringified:
    """A stringified variable in a text."""

    message: str
    certain: bool


def stringified(text: str, *, command: bool = False) -> Stringified | None:
    """The first stringified variable in a text; `command` tells that a shell may read the text."""
    if not _SUSPICIOUS.search(text):
        return None
    for trace in TRACES:
        if command and not trace.in_commands:
            continue
        if found := trace.pattern.search(text):
            return Stringified(trace.told(found), trace.certain)
    return None


def texts(value: Value, where: str) -> Iterator[tuple[str, str]]:
    """Every string in a value with its place, keys and the parts of a Join among them."""
    match value:
        case str():
            yield where, value
        case dict():
            for key, member in value.items():
                place = child_path(where, key)
                yield place, key
                yield from texts(member, place)
        case list():
            for index, element in enumerate(value):
                yield from texts(element, f"{where}[{index}]")
        case Join(values=values):
            for index, part in enumerate(values):
                yield from texts(part, f"{value.where}.Values[{index}]")


def _reference(path: str) -> str:
    return f'write {{"Get": "{path}"}}, and a Std:Join where text stands around it'


def _object(found: re.Match[str]) -> str:
    return (
        f"the Python object {found['class']!r} was written as text; hand the pipeline variable on "
        "as it is, and a Join(on='', values=[...]) where text stands around it"
    )


def _parameter(found: re.Match[str]) -> str:
    name = found["name"]
    return f"parameter {name!r} was written as text; {_reference(f'Parameters.{name}')}"


def _function(found: re.Match[str]) -> str:
    return (
        f"a {found['class']} was written as text; hand it on as it is, and put it among the values "
        "of a Join where text stands around it"
    )


def _property(found: re.Match[str]) -> str:
    path = f"Steps.{found['step']}.{found['path']}"
    return f"the property {path!r} was written as text; {_reference(path)}"


def _expression(found: re.Match[str]) -> str:
    return (
        f"{found['function']!r} in a text is not evaluated; write the object without quotation "
        "marks, and a Std:Join where text stands around it"
    )


def _braces(found: re.Match[str]) -> str:
    return f"{found[0]!r} is not filled in by SageMaker; {_reference(found['path'])}"


def _bare(found: re.Match[str]) -> str:
    return f"{found[0]!r} is a text and no reference; {_reference(found[0])}, if it is meant as one"


def _template(found: re.Match[str]) -> str:
    return (
        f"{found[0]!r} is not filled in by SageMaker; fill the template in, or use a parameter and "
        "a Std:Join"
    )


# Where any of them may begin; most texts have none, and need one search instead of eight.
_SUSPICIOUS = re.compile(r"[<$]|\{\s*['\"]|[A-Za-z]\(|(?:Parameters|Execution|Steps)\.")

# How far a search goes is bounded: a text may be as long as a definition.
# By `repr` of the SDK's objects (v2, workflow/entities.py, parameters.py, functions.py,
# properties.py); `str` and f-strings wrote the same until they were made to raise a TypeError.
TRACES: tuple[Trace, ...] = (
    Trace(
        re.compile(r"<(?P<class>sagemaker(?:\.\w+)+) object at 0x[0-9a-fA-F]+>"),
        _object,
        certain=True,
    ),
    Trace(
        re.compile(
            r"\b(?P<class>Parameter(?:String|Integer|Float|Boolean)?)"
            r"\(name='(?P<name>[^']*)', parameter_type="
        ),
        _parameter,
        certain=True,
    ),
    Trace(re.compile(r"\b(?P<class>Join)\(on=(?:'[^']*'|\"[^\"]*\"), values="), _function, True),
    Trace(re.compile(r"\b(?P<class>JsonGet)\(step_name=[^)]{,400}\bjson_path="), _function, True),
    Trace(
        re.compile(r"\b(?P<class>PropertyFile)\(name='[^']*', output_name='[^']*', path="),
        _function,
        certain=True,
    ),
    Trace(
        re.compile(r"\b(?P<class>Condition\w*)\(condition_type=<ConditionTypeEnum"),
        _function,
        certain=True,
    ),
    Trace(
        re.compile(
            r"'step_name': '(?P<step>[^']*)', 'path': (?P<mark>['\"])(?P<path>.*?)(?P=mark), "
            r"'_?shape_names?':"
        ),
        _property,
        certain=True,
    ),
    Trace(re.compile(r"\b(?P<class>Parameter(?:String|Integer|Float|Boolean))\("), _function),
    Trace(
        re.compile(r"\$\{\s*(?P<path>(?:Parameters|Execution|Steps)\.[^}]{1,200}?)\s*\}"),
        _braces,
    ),
    Trace(
        re.compile(r"\{\s*(['\"])(?P<function>Get|Std:Join|Std:JsonGet)\1\s*:"),
        _expression,
    ),
    # The SDK's bootstrap of a function step is told by such texts what stands beside them.
    Trace(
        re.compile(r"\A(?:Parameters|Execution|Steps)\.[\w.\[\]'-]+\Z"), _bare, in_commands=False
    ),
    Trace(re.compile(r"\$\{[^}]{1,200}\}"), _template, in_commands=False),
)
