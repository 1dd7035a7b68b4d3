"""What `airflow-sm check` finds wrong with the real definitions, and what was reviewed as right.

`python -m tests.corpus.review` writes `problems.tsv` again; every line that changes is to be
read: a refusal has to be one that SageMaker would make too.
"""

from collections.abc import Iterable
from pathlib import Path

from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.errors import DefinitionError
from airflow_sm_pipelines.validation import validate
from tests.corpus.conftest import definitions, name_of

PROBLEMS = Path(__file__).parent / "problems.tsv"
HEAD = "file\tproblem"
MOST = 12
"""A toy definition can have thousands of problems of the same kind."""


def told(file: Path) -> list[str]:
    """The problems of a definition, the first of them where there are many."""
    try:
        problems = validate(load(file.read_bytes(), name=file.stem)).problems
    except DefinitionError as error:
        problems = error.problems
    lines = [str(problem) for problem in problems]
    return [*lines[:MOST], f"and {len(lines) - MOST} more"] if len(lines) > MOST else lines


def reviewed(files: Iterable[Path]) -> dict[str, list[str]]:
    """File -> its problems, as far as the files are there."""
    names = {name_of(file) for file in files}
    expected: dict[str, list[str]] = {}
    for line in PROBLEMS.read_text(encoding="utf-8").splitlines()[1:]:
        name, _, problem = line.partition("\t")
        if name in names:
            expected.setdefault(name, []).append(problem)
    return expected


def main() -> None:
    """Write what is told now."""
    lines = [f"{name_of(file)}\t{line}" for file in definitions() for line in told(file)]
    PROBLEMS.write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
