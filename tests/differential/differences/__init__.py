"""Where local mode and ours differ, and are meant to: what each does, and who says so.

Where a row applies to an operation, both sides have to do exactly what it says; where none does,
both have to do the same. Local mode evaluates as Python does, we as the service does. To document
a difference, add a row with examples to the table of its operation.
"""

from tests.differential.differences.conditions import COMPARE, DECIDE, IN
from tests.differential.differences.expressions import JOIN, VARIABLE
from tests.differential.differences.lookups import JSON_GET, PROPERTY
from tests.differential.differences.parameters import PARAMETER
from tests.differential.differences.row import Difference, Operands

__all__ = ["DIFFERENCES", "Difference", "Operands", "documented"]


def documented(operation: str, operands: Operands) -> Difference | None:
    """The row that applies to an operation; None where both sides have to agree."""
    return next((row for row in DIFFERENCES[operation] if row.applies(*operands)), None)


DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "join": JOIN,
    "variable": VARIABLE,
    "property": PROPERTY,
    "json_get": JSON_GET,
    "compare": COMPARE,
    "in": IN,
    "decide": DECIDE,
    "parameter": PARAMETER,
}
