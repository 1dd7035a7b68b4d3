"""Where the vertices of a layered drawing stand from left to right.

Each row in turn is moved to where its neighbours want it, as near as its order and widths allow:
the least squares under these bounds, found by merging blocks (pool adjacent violators). Everything
is whole numbers, so that every machine draws the same.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from airflow_sm_pipelines.diagrams.layers import Bend, Layers, Vertex, Wire, sweeps

Hook: TypeAlias = Callable[[Wire], tuple[int, int]]
"""How far right of the middle of its upper and of its lower vertex a wire is attached."""


def columns(layers: Layers, width: Mapping[Vertex, int], hook: Hook) -> dict[Vertex, int]:
    """Vertex -> its middle; the leftmost vertex begins at 0."""
    middles: dict[Vertex, int] = {}
    for row in layers.rows:
        middles |= zip(
            row, settled([0] * len(row), _apart(row, width), [1] * len(row)), strict=True
        )
    rounds = sweeps(len(middles))
    for sweep in range(rounds):
        both = sweep >= rounds - 2
        for row in layers.rows if sweep % 2 == 0 else reversed(layers.rows):
            wishes = [
                _wish(
                    vertex,
                    middles,
                    layers,
                    hook,
                    up=both or sweep % 2 == 0,
                    down=both or sweep % 2 == 1,
                )
                for vertex in row
            ]
            wanted, weights = [wish for wish, _ in wishes], [weight for _, weight in wishes]
            middles |= zip(row, settled(wanted, _apart(row, width), weights), strict=True)
    left = min((middles[each] - width[each] // 2 for each in middles), default=0)
    return {vertex: middle - left for vertex, middle in middles.items()}


def settled(wanted: Sequence[int], apart: Sequence[int], weights: Sequence[int]) -> list[int]:
    """The places nearest to the wanted ones of which each is `apart` from the one before it.

    `apart[0]` is not looked at. Nearest: the weighted squares of the distances are least.
    """
    blocks: list[tuple[int, int, int]] = []  # weight, weighted sum, how many
    offset = 0
    offsets = []
    for index, (place, weight) in enumerate(zip(wanted, weights, strict=True)):
        offset += apart[index] if index else 0
        offsets.append(offset)
        block = (weight, weight * (place - offset), 1)
        # Two blocks that would overlap share the place that is best for both.
        while blocks and blocks[-1][1] * block[0] > block[1] * blocks[-1][0]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    starts = [total // weight for weight, total, count in blocks for _ in range(count)]
    return [start + offset for start, offset in zip(starts, offsets, strict=True)]


def _apart(row: Sequence[Vertex], width: Mapping[Vertex, int]) -> list[int]:
    """How far the middle of each vertex is at least from that of the one before it."""
    gaps = [0]
    for before, vertex in pairwise(row):
        gap = BEND_GAP if isinstance(before, Bend) or isinstance(vertex, Bend) else ITEM_GAP
        gaps.append((width[before] + 1) // 2 + gap + (width[vertex] + 1) // 2)
    return gaps


def _wish(
    vertex: Vertex,
    middles: Mapping[Vertex, int],
    layers: Layers,
    hook: Hook,
    *,
    up: bool,
    down: bool,
) -> tuple[int, int]:
    """Where a vertex would like to be, and how much."""
    total = weight = 0
    for wire in layers.above.get(vertex, ()) if up else ():
        upper, lower = hook(wire)
        stiff = _stiffness(wire)
        total += stiff * (middles[wire.upper] + upper - lower)
        weight += stiff
    for wire in layers.below.get(vertex, ()) if down else ():
        upper, lower = hook(wire)
        stiff = _stiffness(wire)
        total += stiff * (middles[wire.lower] + lower - upper)
        weight += stiff
    return (total // weight, weight) if weight else (middles[vertex], 1)


def _stiffness(wire: Wire) -> int:
    """How much a wire wants to be straight: the more, the longer the line that it is a part of."""
    return STIFFNESS[isinstance(wire.upper, Bend) + isinstance(wire.lower, Bend)]


ITEM_GAP, BEND_GAP = 28, 14
STIFFNESS = (1, 2, 8)
