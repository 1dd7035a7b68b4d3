"""Drawings in `tests/golden/diagrams/`, to be read beside their definitions and after a change.

`python -m tests.diagrams.golden` draws all of them again, and the picture of the documentation.
"""

from collections.abc import Callable
from pathlib import Path

from airflow_sm_pipelines.diagrams import Chart, mermaid, svg, tree
from tests.diagrams.cases import FILES, ROOT, fixture

GOLDEN = Path(__file__).parents[1] / "golden" / "diagrams"
PICTURE = ROOT / "docs" / "images" / "abalone.svg"
WIDTH = 100


def text(chart: Chart) -> str:
    lines = ("".join(span.text for span in line) for line in tree(chart, WIDTH))
    return "\n".join([*lines, ""])


FORMATS: dict[str, Callable[[Chart], str]] = {"txt": text, "mmd": mermaid, "svg": svg}


def drawings() -> dict[Path, str]:
    """File -> what is to be in it."""
    return {
        PICTURE: svg(fixture("abalone")),
        **{
            GOLDEN / f"{name}.{suffix}": draw(fixture(name))
            for name in FILES
            for suffix, draw in FORMATS.items()
            if suffix != "svg" or name in IMAGES
        },
    }


def main() -> None:
    """Write all drawings."""
    for file, drawing in drawings().items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(drawing, encoding="utf-8")


IMAGES = ("everything", "nested_conditions")

if __name__ == "__main__":
    main()
