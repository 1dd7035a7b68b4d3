"""What validation finds in the real definitions: `python -m tests.validation.survey [folder]`.

One line for each kind of message: how often, in how many files, and the first place.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.errors import DefinitionError, Problem
from airflow_sm_pipelines.validation import validate
from tests.definition.cases import DEFINITIONS

QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


def survey(folder: Path) -> Iterator[tuple[str, Path, Problem]]:
    """Every finding with its level and its file; a definition that is not loaded is one, too."""
    for file in sorted(folder.rglob("*.json")):
        try:
            pipeline = load(file.read_text())
        except DefinitionError as error:
            yield "unread", file, error.problems[0]
            continue
        found = validate(pipeline)
        yield from (("problem", file, problem) for problem in found.problems)
        yield from (("warning", file, warning) for warning in found.warnings)


def grouped(
    findings: Iterator[tuple[str, Path, Problem]],
) -> dict[tuple[str, str], list[tuple[Path, Problem]]]:
    """The findings by level and by what is left of a message without names and numbers."""
    groups: dict[tuple[str, str], list[tuple[Path, Problem]]] = {}
    for level, file, problem in findings:
        what = QUOTED.sub("_", problem.message.partition(";")[0])
        groups.setdefault((level, what), []).append((file, problem))
    return groups


def main(folder: Path) -> None:
    """Print the groups, those of a level together, the largest first."""
    groups = grouped(survey(folder))
    for (level, what), found in sorted(
        groups.items(), key=lambda item: (item[0][0], -len(item[1]))
    ):
        file, problem = found[0]
        files = len({path for path, _ in found})
        sys.stdout.write(
            f"{level}  {len(found):5} in {files:3} files  {what}\n"
            f"    {file.relative_to(folder)}  {problem}\n"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFINITIONS)
