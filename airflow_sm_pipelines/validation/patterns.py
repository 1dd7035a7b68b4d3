"""The patterns of AWS's models, which are Java's, as Python's.

A pattern has to match the whole value, and a dot matches every character. What Python cannot
express is not checked. Where the two differ, Python's accepts more: refusing a value that AWS
accepts would be worse.
"""

import re
from functools import cache


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern for `fullmatch`; None where Python has no equal that accepts at least as much."""
    if not _PROPERTY.search(pattern):
        # Java's \\d, \\w and \\s are those of ASCII.
        return _compile(pattern, re.ASCII)
    if set(_PROPERTY.findall(pattern)) <= CLASSES.keys():
        return _compile(_PROPERTY.sub(lambda found: CLASSES[found[1]], pattern), re.UNICODE)
    return None


def _compile(pattern: str, flags: re.RegexFlag) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern, flags | re.DOTALL)
    except re.error:
        return None


_PROPERTY = re.compile(r"\\p\{(\w+)\}")

# Java's classes of characters by what Python has inside brackets: each the same, or a little more.
CLASSES = {
    "Alnum": "a-zA-Z0-9",
    "L": r"\w",
    "N": r"\w",
    "Z": r"\s",
}
