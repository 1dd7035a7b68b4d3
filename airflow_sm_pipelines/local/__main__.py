"""`python -m airflow_sm_pipelines.local`: the local AWS as a process of its own.

When it answers, it prints one line of JSON. It ends with SIGINT or SIGTERM, and its jobs with it.
"""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from airflow_sm_pipelines.local.errors import LocalError
from airflow_sm_pipelines.local.executions.runner import Runner
from airflow_sm_pipelines.local.listening import LOOPBACK
from airflow_sm_pipelines.local.s3.space import LEAST_FREE_BYTES
from airflow_sm_pipelines.local.sandbox import SandboxError
from airflow_sm_pipelines.local.server import LocalAWS


def main(runner: Runner | None = None) -> int:
    """Serve until told to end, with what runs executions of pipelines; the exit code."""
    options = _options()
    told, tell = os.pipe()
    _tell_of_signals(tell)
    if options.until_stdin_closes:
        threading.Thread(target=_tell_of_end_of_stdin, args=(tell,), daemon=True).start()
    try:
        with LocalAWS(
            options.root,
            host=options.host,
            port=options.port,
            region=options.region,
            least_free_bytes=options.least_free_mib << 20,
            lambdas=options.lambdas,
            runner=runner,
        ) as aws:
            _announce(aws)
            os.read(told, 1)
    except (LocalError, SandboxError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m airflow_sm_pipelines.local")
    parser.add_argument("--root", type=Path, required=True, help="folder for jobs and their logs")
    parser.add_argument("--host", default=LOOPBACK, help="an address; default: %(default)s")
    parser.add_argument("--port", type=int, default=0, help="default: any port that is free")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument(
        "--least-free-mib",
        type=int,
        default=LEAST_FREE_BYTES >> 20,
        help="what uploads and jobs leave free on the disk; default: %(default)s",
    )
    parser.add_argument("--lambdas", type=Path, help="a lambdas.toml: functions that are files")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the caller")
    return parser.parse_args()


def _announce(aws: LocalAWS) -> None:
    line = {
        "endpoint_url": aws.endpoint_url,
        "isolation": aws.isolation,
        "root": str(aws.root),
        "environment": aws.environment,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _tell_of_signals(tell: int) -> None:
    """Write to a pipe when a signal comes.

    Waiting for an Event would not do: the signal may reach another thread, and Python's handlers
    run in the main thread, which nothing wakes then.
    """
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)


def _tell_of_end_of_stdin(tell: int) -> None:
    # Not sys.stdin: a thread that waits with its lock aborts the interpreter when that ends.
    while os.read(0, 4096):
        pass
    os.write(tell, b".")


if __name__ == "__main__":
    sys.exit(main())
