"""Every row of the tables fires, and says exactly what either side does."""

import pytest

from tests.differential.differences import DIFFERENCES, Difference, Operands, documented
from tests.differential.oracle import confirm
from tests.differential.probes import PROBES

EXAMPLES = [
    pytest.param(operation, row, operands, id=f"{operation}-{row.name}-{number}")
    for operation, rows in DIFFERENCES.items()
    for row in rows
    for number, operands in enumerate(row.examples)
]


def test_every_operation_of_the_tables_has_a_probe() -> None:
    assert DIFFERENCES.keys() == PROBES.keys()


@pytest.mark.parametrize("operation", DIFFERENCES)
def test_every_row_has_a_name_of_its_own_and_an_example(operation: str) -> None:
    rows = DIFFERENCES[operation]
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.examples and row.reason and row.source for row in rows)


@pytest.mark.parametrize(("operation", "row", "operands"), EXAMPLES)
def test_row_fires_and_both_sides_do_what_it_says(
    operation: str, row: Difference, operands: Operands
) -> None:
    assert documented(operation, operands) is row
    assert row.local(*operands) != row.ours(*operands)
    confirm(row, operation, operands)
