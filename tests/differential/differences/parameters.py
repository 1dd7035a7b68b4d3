"""Differences in what a run may start with.

Operands: the parameter's type, its default or None, its EnumValues or None, and what is given: a
tuple of one value, or of none.
"""

import math
from collections.abc import Callable

from airflow_sm_pipelines.definition.node import Json
from tests.differential.differences.row import Difference, Operands, fails, is_number
from tests.differential.outcomes import FAILURE, Outcome, value

Enum = list[str] | None


def _bound(type_: str, default: Json, enum: Enum, given: Operands) -> Outcome:
    """What local mode makes of it: `isinstance`, and no empty text."""
    if not given:
        return FAILURE if default is None else value(default)
    fits = isinstance(given[0], PYTHON_TYPES[type_]) and given[0] != ""
    return value(given[0]) if fits else FAILURE


def _only_local(
    wrong: Callable[[str, Json, Enum], bool], *, default: bool
) -> Callable[[str, Json, Enum, Operands], bool]:
    """Whether local mode starts although the default, or else the given value, is wrong."""

    def applies(type_: str, declared: Json, enum: Enum, given: Operands) -> bool:
        values = (declared,) if default and declared is not None else given if not default else ()
        if not any(wrong(type_, each, enum) for each in values):
            return False
        return _bound(type_, declared, enum, given) != FAILURE

    return applies


def _only_ours(
    right: Callable[[str, Json, Enum], bool],
) -> Callable[[str, Json, Enum, Operands], bool]:
    """Whether we start although local mode does not: the declaration is sound, the value right."""

    def applies(type_: str, default: Json, enum: Enum, given: Operands) -> bool:
        sound = default is None or not any(
            wrong(type_, default, enum) for wrong in (_has_other_type, _is_outside, _is_infinite)
        )
        return sound and any(right(type_, each, enum) for each in given)

    return applies


def _has_other_type(type_: str, of: Json, enum: Enum) -> bool:
    return not (is_number(of) if type_ == "Float" else type(of) is PYTHON_TYPES[type_])


def _is_outside(type_: str, of: Json, enum: Enum) -> bool:
    return bool(enum) and of not in (enum or ())


def _is_infinite(type_: str, of: Json, enum: Enum) -> bool:
    return isinstance(of, float) and not math.isfinite(of)


def _is_allowed_empty_text(type_: str, of: Json, enum: Enum) -> bool:
    return type_ == "String" and of == "" and not _is_outside(type_, of, enum)


def _is_integer_for_float(type_: str, of: Json, enum: Enum) -> bool:
    return type_ == "Float" and type(of) is int


PYTHON_TYPES: dict[str, type] = {"String": str, "Integer": int, "Float": float, "Boolean": bool}

PARAMETER = (
    Difference(
        name="default of another type",
        reason="a default has its parameter's type",
        source="SDK, workflow/parameters.py: checks no default that is false, 0 or empty",
        applies=_only_local(_has_other_type, default=True),
        local=_bound,
        ours=fails,
        examples=(
            ("Integer", "", None, ()),
            ("String", 0, None, ("a",)),
            ("Integer", True, None, ()),
            ("Boolean", 0.0, None, (True,)),
        ),
    ),
    Difference(
        name="default outside EnumValues",
        reason="a default is one of the values",
        source="SDK, workflow/parameters.py: writes EnumValues, never reads them",
        applies=_only_local(_is_outside, default=True),
        local=_bound,
        ours=fails,
        examples=(("String", "c", ["a", "b"], ()), ("String", "c", ["a", "b"], ("a",))),
    ),
    Difference(
        name="default that JSON does not have",
        reason="a definition is JSON, which has neither NaN nor infinity",
        source="RFC 8259; SDK, workflow/parameters.py: isinstance(value, float)",
        applies=_only_local(_is_infinite, default=True),
        local=_bound,
        ours=fails,
        examples=(("Float", math.inf, None, ()), ("Float", math.nan, None, (1.5,))),
    ),
    Difference(
        name="boolean given for an integer",
        reason="types are those of the definition; the SDK's v3 has no such exception either",
        source="SDK, local/entities.py: isinstance; v3, local/pipeline_entities.py: type",
        applies=_only_local(_has_other_type, default=False),
        local=_bound,
        ours=fails,
        examples=(("Integer", None, None, (True,)), ("Integer", 3, None, (False,))),
    ),
    Difference(
        name="value outside EnumValues",
        reason="EnumValues are the values that a run may start with",
        source="AWS's published schema; SDK, local/entities.py: does not read them",
        applies=_only_local(_is_outside, default=False),
        local=_bound,
        ours=fails,
        examples=(("String", None, ["a", "b"], ("c",)), ("String", "a", ["a"], ("c",))),
    ),
    Difference(
        name="NaN or infinity given",
        reason="the value is used in JSON, which has neither",
        source="RFC 8259; SDK, local/entities.py: isinstance",
        applies=_only_local(_is_infinite, default=False),
        local=_bound,
        ours=fails,
        examples=(("Float", None, None, (math.nan,)), ("Float", 1.5, None, (-math.inf,))),
    ),
    Difference(
        name="empty text given",
        reason="the API's newest shape allows it",
        source="API, String1024: no least length; SDK, local/entities.py: too short",
        applies=_only_ours(_is_allowed_empty_text),
        local=fails,
        ours=lambda type_, default, enum, given: value(given[0]),
        examples=(("String", None, None, ("",)), ("String", "a", ["a", ""], ("",))),
    ),
    Difference(
        name="integer given for a float",
        reason="JSON has one kind of number",
        source="RFC 8259; SDK, local/entities.py: isinstance",
        applies=_only_ours(_is_integer_for_float),
        local=fails,
        ours=lambda type_, default, enum, given: value(given[0]),
        examples=(("Float", None, None, (1,)), ("Float", 0.5, None, (0,))),
    ),
)
