"""The JSON text of a definition, read with care.

A definition comes as the text that `Pipeline.definition()` returns, as the output of
`DescribePipeline`, which holds that text as a string, or as that string alone. Text that would not
survive being handled later is refused here: too long, too deep, keys given twice, numbers that JSON
does not have. What is something else than a definition is named by `foreign.py`.
"""

import json
import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial

from airflow_sm_pipelines.definition import foreign
from airflow_sm_pipelines.definition.node import Json, Node, Problems, child_path, raise_all
from airflow_sm_pipelines.errors import DefinitionError, Problem

_Trail = tuple[str | int, ...]
"""Keys and positions that lead to a value, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A definition and what the resource that carried it says.

    Of `DescribePipeline` come `name`, `role_arn`, `description`, `display_name` and
    `max_parallel_steps`; a bare definition has none of them.
    """

    definition: Node
    name: str | None = None
    role_arn: str | None = None
    description: str | None = None
    display_name: str | None = None
    max_parallel_steps: int | None = None


def read(text: str | bytes) -> Document:
    """The definition in `text`; a DefinitionError says where the text is at fault."""
    node = read_json(text)
    match node.value:
        # As `aws sagemaker describe-pipeline --query PipelineDefinition` prints it.
        case str(inner) if inner.lstrip().startswith("{"):
            node = _inner(node)
    foreign.refuse(node)
    return _unwrap(node) if "PipelineDefinition" in node.object() else Document(definition=node)


def read_json(text: str | bytes) -> Node:
    """The JSON value in `text`, checked for what a definition may not be."""
    decoded = _decode(text)
    twice: list[str] = []
    try:
        value: Json = json.loads(
            decoded,
            object_pairs_hook=partial(_object, twice),
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        raise _problem(
            foreign.sentence(decoded)
            or f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}; "
            "a definition is the JSON that Pipeline.definition() returns"
        ) from error
    except ValueError as error:  # int() does not read more than 4,300 digits
        raise _problem("an integer of thousands of digits; write a number AWS can take") from error
    except RecursionError as error:
        raise _problem(_TOO_DEEP) from error
    if twice or _is_too_deep(value):
        _tell_places(value)
    if r"\ud" in decoded.lower():
        _check_surrogates(value)
    return Node(value)


def _decode(text: str | bytes) -> str:
    if len(text) > LARGEST_TEXT:
        raise _problem(
            f"a text of length {len(text):,}; a definition is at most 1 MiB, "
            f"and up to {LARGEST_TEXT:,} is read"
        )
    if isinstance(text, bytes) and (binary := foreign.binary(text)):
        raise _problem(binary)
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.lstrip("\ufeff")
        decoded.encode()
    except UnicodeError as error:
        raise _problem(f"not UTF-8: {error}; a definition is UTF-8 text") from error
    return decoded


class _KeysTwice(dict[str, Json]):
    """A JSON object in which keys were given more than once: those are `twice`."""

    __slots__ = ("twice",)

    def __init__(self, pairs: list[tuple[str, Json]]) -> None:
        super().__init__(pairs)
        self.twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]


def _object(twice: list[str], pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """The object of these members; keys that were given more than once are added to `twice`."""
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    told = _KeysTwice(pairs)
    twice += told.twice
    return told


def _refuse_constant(constant: str) -> Json:
    raise _problem(f"{constant} is not JSON; write a number or a string")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _problem("a number beyond 1.8e308; write one that fits a double")
    return number


def _is_too_deep(root: Json) -> bool:
    """Whether something is nested deeper than `DEEPEST`, seen level by level without recursion."""
    level: list[Json] = [root]
    for _ in range(DEEPEST + 1):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return bool(level)


def _tell_places(root: Json) -> None:
    """Raise what is wrong with depth and keys, with its places in the order of the text."""
    errors: list[DefinitionError] = []
    todo: list[tuple[Json, _Trail]] = [(root, ())]
    while todo:
        value, trail = todo.pop()
        if isinstance(value, _KeysTwice):
            errors += [_at(trail).error(TWICE.format(key)) for key in value.twice]
        elements = enumerate(value) if isinstance(value, list) else ()
        inner = value.items() if isinstance(value, dict) else elements
        deeper = [(v, (*trail, key)) for key, v in inner if isinstance(v, dict | list)]
        if deeper and len(trail) == DEEPEST - 1:
            raise _at(deeper[0][1]).error(_TOO_DEEP)
        todo += reversed(deeper)
    raise_all(errors)


def _at(trail: _Trail) -> Node:
    path = "$"
    for key in trail:
        path = child_path(path, key) if isinstance(key, str) else f"{path}[{key}]"
    return Node(None, path)


def _check_surrogates(value: Json) -> None:
    """Half a character, as JSON's escapes allow, could be neither stored nor sent."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise _problem(f"not Unicode: {error.reason}; write whole characters") from error


def _unwrap(node: Node) -> Document:
    """The definition inside the output of DescribePipeline."""
    problems = Problems()
    with problems.caught():
        definition = _inner(node["PipelineDefinition"])
    with problems.caught():
        max_parallel_steps = node.read("ParallelismConfiguration", _max_parallel_steps)
    texts: dict[str, str | None] = {}
    for key in TEXT_KEYS:
        with problems.caught():
            texts[key] = node.read(key, Node.text)
    problems.raise_any()
    return Document(
        definition=definition,
        name=texts["PipelineName"],
        role_arn=texts["RoleArn"],
        description=texts["PipelineDescription"],
        display_name=texts["PipelineDisplayName"],
        max_parallel_steps=max_parallel_steps,
    )


def _inner(node: Node) -> Node:
    text = node.text()
    try:
        inner = read_json(text)
        foreign.refuse(inner)
    except DefinitionError as error:
        raise DefinitionError(
            [replace(p, where=f"{node.path} > {p.where}") for p in error.problems]
        ) from error
    return inner


def _max_parallel_steps(node: Node) -> int | None:
    limit = node.get("MaxParallelExecutionSteps")
    if limit and limit.integer() < 1:
        raise limit.error(f"{limit.value} steps at once; MaxParallelExecutionSteps is at least 1")
    return limit.integer() if limit else None


def _problem(message: str) -> DefinitionError:
    return DefinitionError([Problem("$", message)])


# A definition is at most 1 MiB (botocore, PipelineDefinition); DescribePipeline escapes it, which
# at worst makes six characters of one.
LARGEST_TEXT = 8 * 1024 * 1024
DEEPEST = 100
TWICE = "key {!r} is given twice; keep one"
TEXT_KEYS = ("PipelineName", "RoleArn", "PipelineDescription", "PipelineDisplayName")
_TOO_DEEP = f"nested deeper than {DEEPEST} levels; a definition needs about 20"
