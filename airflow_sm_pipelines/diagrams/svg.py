"""A pipeline as an SVG image, readable on light and dark pages, for eyes and for screen readers."""

from xml.sax.saxutils import escape

from airflow_sm_pipelines.diagrams.chart import Box, Chart, paths
from airflow_sm_pipelines.diagrams.groups import CELL, LINE, TEXT_PAD
from airflow_sm_pipelines.diagrams.kinds import KINDS, Colours, kind
from airflow_sm_pipelines.diagrams.layout import Layout, Route, layout
from airflow_sm_pipelines.diagrams.sheet import Point
from airflow_sm_pipelines.diagrams.words import cells, clean


def svg(chart: Chart) -> str:
    """The text of an SVG file; the same chart gives the same text everywhere."""
    drawn = layout(chart)
    width, height = max(drawn.width, cells(chart.summary) * CELL + 2 * MARGIN), drawn.height + TITLE
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(chart.summary)}</title>',
            f'<desc id="desc">{escape(_described(chart))}</desc>',
            f"<style>{_style()}</style>",
            ARROW,
            f'<rect class="page" width="{width}" height="{height}"/>',
            f'<text class="name" x="{MARGIN}" y="{TITLE - 8}">{escape(chart.summary)}</text>',
            f'<g transform="translate(0 {TITLE})">',
            *(_group(box, drawn) for box in chart.walk() if box.members),
            *map(_line, drawn.routes),
            *(_step(box, drawn) for box in chart.walk() if not box.members),
            *(_word(route) for route in drawn.routes if route.edge.label),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _described(chart: Chart) -> str:
    """The whole graph in words."""
    waits: dict[str, list[str]] = {}
    for edge in chart.edges:
        how = f" ({edge.label})" if edge.label else ""
        waits.setdefault(edge.target, []).append(edge.source + how)
    boxes = {box.key: box for box in chart.walk()}
    sentences = []
    for key, around in paths(chart.boxes).items():
        parts = [key, *boxes[key].lines[1:]]
        parts += [f"in {holder}" for holder in around[-2:-1]]
        parts += [f"after {', '.join(waits[key])}"] if key in waits else []
        sentences.append(", ".join(parts))
    return ". ".join(sentences)


def _group(box: Box, drawn: Layout) -> str:
    return f'<g class="around {kind(box.type)}"><title>{_title(box)}</title>{_box(box, drawn)}</g>'


def _step(box: Box, drawn: Layout) -> str:
    return f'<g class="{kind(box.type)}"><title>{_title(box)}</title>{_box(box, drawn)}</g>'


def _title(box: Box) -> str:
    """What a page shows of a box under the pointer."""
    description = clean(box.step.description or "") if box.step else ""
    return escape(": ".join(filter(None, (box.key, description))))


def _box(box: Box, drawn: Layout) -> str:
    """The rectangle of a box and what is written in it."""
    x, y, width, height = drawn.boxes[box.key]
    rectangle = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>'
    left = x + (TEXT_PAD if box.members else width // 2)
    baseline = y + TEXT_PAD // 2 + BASELINE
    texts = []
    for rank, text in enumerate(drawn.texts[box.key]):
        for line in text:
            look = "" if rank or box.step is None else ' class="name"'
            texts.append(f'<text{look} x="{left}" y="{baseline}">{escape(line)}</text>')
            baseline += LINE
    return rectangle + "".join(texts)


def _line(route: Route) -> str:
    """The line of an edge: straight through rows, a curve between them."""
    start, *others = route.points
    path, before = [f"M{start.x} {start.y}"], start
    for point in others:
        path.append(_to(before, point))
        before = point
    edge = route.edge
    title = escape(f"{edge.source} to {edge.target}" + (f": {edge.label}" if edge.label else ""))
    return f'<g class="edge"><title>{title}</title><path d="{"".join(path)}"/></g>'


def _to(before: Point, point: Point) -> str:
    if before.x == point.x:
        return f"V{point.y}"
    middle = (before.y + point.y) // 2
    return f"C{before.x} {middle} {point.x} {middle} {point.x} {point.y}"


def _word(route: Route) -> str:
    """The label of an edge, above the lower end of its line."""
    end = max(route.points, key=lambda point: point.y)
    return f'<text class="word" x="{end.x}" y="{end.y - 12}">{escape(route.edge.label)}</text>'


def _style() -> str:
    light = "".join(_look(name, each.light) for name, each in KINDS.items())
    dark = "".join(_look(name, each.dark) for name, each in KINDS.items())
    return (
        f"text{{font:12px {FONT};text-anchor:middle}}"
        ".name{font-weight:bold}.around>text,svg>text{text-anchor:start}"
        ".edge path{fill:none;stroke-width:1.5;marker-end:url(#arrow)}"
        ".around>rect{stroke-dasharray:5 4}.word{font-size:11px;stroke-width:4;paint-order:stroke}"
        f"{PAGE_LIGHT}{light}@media (prefers-color-scheme:dark){{{PAGE_DARK}{dark}}}"
    )


def _look(name: str, colours: Colours) -> str:
    return (
        f".{name}>rect{{fill:{colours.fill};stroke:{colours.line}}}"
        f".{name}>text{{fill:{colours.text}}}"
    )


MARGIN, TITLE, BASELINE = 18, 36, 13
FONT = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
PAGE_LIGHT = (
    ".page{fill:#fff}.word{fill:#334155;stroke:#fff}svg>.name{fill:#0f172a}"
    ".edge path{stroke:#64748b}#arrow path{fill:#64748b}"
)
PAGE_DARK = (
    ".page{fill:#0b1120}.word{fill:#e2e8f0;stroke:#0b1120}svg>.name{fill:#f1f5f9}"
    ".edge path{stroke:#94a3b8}#arrow path{fill:#94a3b8}"
)
ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" '
    'markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)
