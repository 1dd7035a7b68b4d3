"""The bias analysis: reads analysis_config.json and a dataset, writes analysis.json.

With the variable `baseline_constraints`, the path of an earlier analysis.json, it also writes what
is worse than there, constraint_violations.json.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..container import ML, ClientError, Table, compared, fail, leave, read_json, write_json
from .configuration import POST_TRAINING, configured, read_dataset
from .report import analysis
from .violations import violations

_PROCESSING = ML / "processing"


def main() -> int:
    """Analyse; the exit code of the job."""
    try:
        leave(analyse(_PROCESSING, os.environ))
    except ClientError as error:
        return fail(error)
    return 0


def analyse(processing: Path, environment: Mapping[str, str]) -> str:
    """Write the reports on what is in the folder of a processing job; the ExitMessage."""
    config = read_json(processing / "input" / "config" / "analysis_config.json")
    table = read_dataset(config, processing / "input" / "data")
    if POST_TRAINING in (config.get("methods") or {}):
        config, table = _with_predictions(config, table, environment)
    output = processing / "output"
    report = analysis(table, configured(config, table))
    write_json(output / "analysis.json", report)
    if not (baseline := environment.get("baseline_constraints")):
        return "Completed: the bias analysis is in analysis.json"
    found = violations(report, read_json(Path(baseline)))
    if found:  # no report where there is nothing, as AWS's image
        write_json(output / "constraint_violations.json", {"version": "1.0", "violations": found})
    return compared(len(found))


def _with_predictions(
    config: Mapping[str, Any], table: Table, environment: Mapping[str, str]
) -> tuple[Mapping[str, Any], Table]:
    # Of HTTP alone the start of most analyses would take twice as long.
    from .endpoint import service
    from .predictions import added, needed

    return added(config, table, service(environment)) if needed(config) else (config, table)


if __name__ == "__main__":
    sys.exit(main())
