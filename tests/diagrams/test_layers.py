"""Rows and the order within them."""

from itertools import pairwise

from airflow_sm_pipelines.diagrams.layers import FAR, Bend, Stretch, Vertex, layered


def stretch(upper: str, lower: str) -> Stretch:
    return Stretch((upper, False), upper, lower)


def rows(items: str, *pairs: str) -> list[tuple[Vertex, ...]]:
    return list(layered(items, [stretch(*pair) for pair in pairs]).rows)


def test_each_box_is_one_row_below_the_lowest_above_it() -> None:
    assert rows("ABCD", "AB", "BC", "AC")[3] == ("C",)
    assert rows("ABC", "AB", "AC")[1:3] == [("A",), ("B", "C")]


def test_a_source_stands_no_higher_than_it_has_to() -> None:
    assert rows("ABXC", "AB", "BC", "XC")[2] == ("B", "X")


def test_a_line_past_a_row_has_a_bend_there() -> None:
    bend = Bend(("A", False), 2)
    assert set(rows("ABC", "AB", "BC", "AC")[2]) == {"B", bend}


def test_lines_of_one_source_share_their_bends() -> None:
    found = rows("ABCDE", "AB", "BC", "CD", "CE", "AD", "AE")
    assert sum(isinstance(vertex, Bend) for row in found for vertex in row) == 2


def test_lines_that_can_be_untangled_are() -> None:
    layers = layered("ABCD", [stretch("A", "D"), stretch("B", "C")])
    assert layers.rows[1:3] in {(("A", "B"), ("D", "C")), (("B", "A"), ("C", "D"))}


def test_what_comes_in_and_leads_out_keeps_its_order() -> None:
    one, other = ("X", False), ("Y", False)
    layers = layered(
        "AB",
        [
            Stretch(one, None, "A"),
            Stretch(other, None, "B"),
            Stretch(("A", False), "A", None),
            Stretch(("B", False), "B", None),
        ],
        entering=[other, one],
        leaving=[("B", False), ("A", False)],
    )
    assert layers.rows == (
        (Bend(other, 0), Bend(one, 0)),
        ("B", "A"),
        (Bend(("B", False), 2), Bend(("A", False), 2)),
    )


def test_a_line_past_too_many_rows_has_no_bends() -> None:
    chain = [f"S{at}" for at in range(FAR + 3)]
    stretches = [Stretch((a, False), a, b) for a, b in pairwise(chain)]
    long = Stretch((chain[0], False), chain[0], chain[-1])
    layers = layered(chain, [*stretches, long])
    assert not any(isinstance(vertex, Bend) for row in layers.rows for vertex in row)
    assert [wire.upper for wire in layers.above[chain[-1]]] == [chain[-2], chain[0]]


def test_wires_are_sorted_by_where_they_come_from() -> None:
    layers = layered("ABC", [stretch("B", "C"), stretch("A", "C")])
    assert [wire.upper for wire in layers.above["C"]] == list(layers.rows[1])
