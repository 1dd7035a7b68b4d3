"""`make chaos`: many kills over many runs, by hand; the exit code is 1 where anything is broken."""

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from .pipelines import scripts, write
from .postgres import postgres
from .storm import Plan, storm
from .timeouts import timeouts
from .world import world


def main() -> int:
    """Run the storm; 1 where a requirement is not met."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=options.folder))
    tell(f"logs: {folder}")
    plan = Plan(
        kills=options.kills,
        runs=options.runs,
        at_once=options.at_once,
        seed=options.seed,
        least_pause=options.least_pause,
        most_pause=options.most_pause,
        most_seconds=options.minutes * 60,
    )
    with ExitStack() as stack:
        database = "" if options.sqlite else stack.enter_context(postgres(folder / "postgres.log"))
        found = stack.enter_context(
            world(folder, dags=write, scripts=scripts(), settings=timeouts(), database=database)
        )
        tell("Airflow is healthy")
        result = storm(found, plan, tell)
    tell(str(result))
    return 1 if result.broken or result.kills.total() < plan.kills else 0


def tell(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _end(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least-pause", type=float, default=4.0)
    parser.add_argument("--most-pause", type=float, default=14.0)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL")
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="where logs are kept")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
