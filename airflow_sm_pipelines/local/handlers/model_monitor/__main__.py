"""The analyzer: reads a dataset, writes statistics, constraints and what breaks a baseline's.

It is configured by environment variables, as AWS's is: `dataset_source`, `dataset_format`,
`output_path`, `baseline_constraints`, `baseline_statistics`.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..container import (
    ClientError,
    Table,
    compared,
    fail,
    leave,
    read_csv,
    read_json,
    read_json_lines,
)
from ..container import write_json as write
from .columns import statistics
from .constraints import constraints
from .violations import violations

_OUTPUT = "/opt/ml/processing/output"


def main() -> int:
    """Analyse; the exit code of the job."""
    try:
        leave(analyse(os.environ))
    except ClientError as error:
        return fail(error)
    return 0


def analyse(environment: Mapping[str, str]) -> str:
    """Write the reports; what becomes the ExitMessage."""
    _refuse(environment)
    source = environment.get("dataset_source") or ""
    if not source:
        raise ClientError("the variable dataset_source is missing; it is the path of the dataset")
    table = _read(Path(source), environment.get("dataset_format") or "")
    output = Path(environment.get("output_path") or _OUTPUT)
    current = statistics(table)
    write(output / "statistics.json", current)
    write(output / "constraints.json", constraints(table))
    if "baseline_constraints" not in environment:
        return compared(0)
    found = violations(
        table,
        read_json(Path(environment["baseline_constraints"])),
        current=current,
        baseline=_baseline(environment),
    )["violations"]
    write(output / "constraint_violations.json", {"violations": found})
    return compared(len(found))


def _baseline(environment: Mapping[str, str]) -> Any:
    path = environment.get("baseline_statistics")
    return read_json(Path(path)) if path else None


def _read(source: Path, described: str) -> Table:
    """The dataset in the format that a `dataset_format` describes."""
    try:
        given = json.loads(described)
    except ValueError as error:
        raise ClientError(f"the variable dataset_format is no JSON: {described!r}") from error
    match given:
        case {"csv": dict(options)}:
            return read_csv(source, header=options.get("header") is True)
        case {"json": {"lines": True}}:
            return read_json_lines(source)
        case _:
            raise ClientError(
                f"dataset_format {described} is not there in the local AWS; it would be "
                '{"csv": {"header": true}} or {"json": {"lines": true}}'
            )


def _refuse(environment: Mapping[str, str]) -> None:
    analysis = environment.get("analysis_type") or "DATA_QUALITY"
    if analysis != "DATA_QUALITY":
        raise ClientError(f"the analysis {analysis} is not there in the local AWS; {_ADVICE}")
    for name in ("record_preprocessor_script", "post_analytics_processor_script"):
        if environment.get(name):
            raise ClientError(f"{name} is not there in the local AWS; {_ADVICE}")


_ADVICE = (
    "only the data-quality check is; map a handler of your own for "
    "sagemaker-model-monitor-analyzer in images.toml, or run it on AWS"
)

if __name__ == "__main__":
    sys.exit(main())
