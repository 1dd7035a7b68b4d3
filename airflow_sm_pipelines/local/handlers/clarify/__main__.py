"""The bias analysis: reads analysis_config.json and a dataset, writes analysis.json."""

import sys
from pathlib import Path

from ..container import ML, ClientError, fail, leave, read_json, write_json
from .configuration import configured, read_dataset
from .report import analysis

_PROCESSING = ML / "processing"


def main() -> int:
    """Analyse; the exit code of the job."""
    try:
        analyse(_PROCESSING)
    except ClientError as error:
        return fail(error)
    leave("Completed: the bias analysis is in analysis.json")
    return 0


def analyse(processing: Path) -> None:
    """Write the report on what is in the folder of a processing job."""
    config = read_json(processing / "input" / "config" / "analysis_config.json")
    table = read_dataset(config, processing / "input" / "data")
    write_json(processing / "output" / "analysis.json", analysis(table, configured(config, table)))


if __name__ == "__main__":
    sys.exit(main())
