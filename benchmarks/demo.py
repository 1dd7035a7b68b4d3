"""The abalone example from the command to its end, against the limit of 30 seconds.

    python benchmarks/demo.py

What `make demo` runs when its environment is there: a local AWS, an Airflow home, Airflow itself
and the jobs of one run. The first run is not counted: it makes what is kept.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
LIMIT_SECONDS = 30.0
DEFINITION = Path(__file__).parents[1] / "dags" / "pipelines" / "abalone" / "definition.json"


def run(folder: str) -> float:
    """Seconds of one run, which has to succeed."""
    command = [str(Path(sys.executable).with_name("airflow-sm")), "run", str(DEFINITION)]
    start = time.perf_counter()
    subprocess.run(
        [*command, "--local-root", folder], check=True, cwd=folder, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def main() -> None:
    """Print the median and its share of the limit."""
    with tempfile.TemporaryDirectory() as folder:
        run(folder)
        times = [run(folder) for _ in range(ROUNDS)]
    median = statistics.median(times)
    print(f"demo {median:.1f} s (median of {ROUNDS}): {median / LIMIT_SECONDS:.2f} of the limit")


if __name__ == "__main__":
    main()
