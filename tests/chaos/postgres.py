"""A PostgreSQL of its own for Airflow, from Debian's package, beside the service of the system."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow_sm_pipelines.cli.server import HOST, choose_port

PROGRAMS = Path("/usr/lib/postgresql")
USER = "postgres"
DATABASE = "airflow"
PASSWORD = "airflow"
READY_SECONDS = 60.0

# A scheduler with its workers, an API server and two more parts, each with a pool of its own.
CONNECTIONS = 200

# The idle workers of a LocalExecutor outlive a scheduler that is killed, and keep its connections
# open: the transaction that it was in would hold its locks for ever, and no other scheduler go on.
IDLE_SECONDS = 10


@contextmanager
def postgres(log: Path) -> Iterator[str]:
    """SQLAlchemy's address of a new database, which is gone after the block.

    PostgreSQL refuses to run as root; it is then the user that Debian's package has made for it.
    """
    programs = _programs()
    user = USER if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="chaos-postgres-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        _initialize(programs, folder, user)
        port = choose_port(0)
        server = _start(programs, folder, user, port=port, log=log)
        try:
            _create_database(programs, port=port)
            yield f"postgresql+psycopg2://{DATABASE}:{PASSWORD}@{HOST}:{port}/{DATABASE}"
        finally:
            server.send_signal(signal.SIGINT)  # ends connections that are still there
            server.wait()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    found = sorted(PROGRAMS.glob("*/bin/initdb"))
    if not found:
        raise FileNotFoundError(f"{PROGRAMS}: no PostgreSQL; apt-get install -y postgresql")
    return found[-1].parent


def _initialize(programs: Path, folder: Path, user: str | None) -> None:
    secret = folder / "password"
    secret.write_text(PASSWORD)
    if user is not None:
        os.chown(secret, pwd.getpwnam(user).pw_uid, -1)
    arguments = (f"--pgdata={folder / 'data'}", f"--username={DATABASE}", f"--pwfile={secret}")
    subprocess.run(
        [programs / "initdb", *arguments, "--auth=scram-sha-256", "--encoding=UTF8"],
        user=user,
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _start(
    programs: Path, folder: Path, user: str | None, *, port: int, log: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [
                *(programs / "postgres", "-D", folder / "data", "-h", HOST, "-p", str(port)),
                *("-k", folder, "-c", f"max_connections={CONNECTIONS}", "-c", "fsync=off"),
                *("-c", f"idle_in_transaction_session_timeout={IDLE_SECONDS}s"),
            ],
            user=user,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _create_database(programs: Path, *, port: int) -> None:
    """Create the database as soon as the server takes connections."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        done = subprocess.run(
            [programs / "createdb", "-h", HOST, "-p", str(port), "-U", DATABASE, DATABASE],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL takes no connection: {done.stderr}")
        time.sleep(0.2)
