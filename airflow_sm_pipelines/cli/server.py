"""Airflow with its UI on this machine: what `airflow standalone` starts, each part as our child.

Not `airflow standalone` itself: its log servers listen on all interfaces, which cannot be changed
there, and on Ctrl-C it leaves children for seconds. Task logs are read from disk without them.
"""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from airflow_sm_pipelines.cli.background import tail
from airflow_sm_pipelines.cli.errors import FAILED, CommandError

HOST = "127.0.0.1"
USER = "admin"
PASSWORDS = "simple_auth_manager_passwords.json.generated"
HEALTHY_SECONDS = 180.0
STOP_SECONDS = 10.0


def server_settings(port: int, *, secret: str) -> dict[str, str]:
    """Airflow's settings for a web server on `port` with one user, and for a small machine.

    The parts sign what they say to each other with what is derived from `secret`.
    """
    address = f"http://{HOST}:{port}"
    signature = hashlib.sha256(f"airflow-sm up {secret}".encode()).hexdigest()
    return {
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__SECRET_KEY": signature,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": signature,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        # An idle worker is a process of 100 MB; the default is 32 of them.
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
    }


def choose_port(wanted: int) -> int:
    """`wanted` where nobody listens there, else a free port; 0 is always a free one."""
    for port in (wanted, 0):
        # What uvicorn sets too: a port that was in use a moment ago is free.
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                return int(probe.getsockname()[1])
    raise CommandError(f"{HOST}: no free port; end a program that listens")


@dataclass(slots=True, kw_only=True)
class AirflowServer:
    """The parts of an Airflow, each a process in a session of its own."""

    home: Path
    environment: Mapping[str, str]
    address: str
    logs: Path
    python: str = sys.executable
    _parts: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, init=False)

    def migrate(self) -> None:
        """Bring the metadata database to the version of Airflow; about ten seconds."""
        process = self._parts["db-migrate"] = self._spawn("db-migrate", ("db", "migrate"))
        if process.wait() != 0:
            raise self._error("db-migrate", "the metadata database could not be migrated")
        del self._parts["db-migrate"]

    def start(self) -> None:
        """Start all parts; returns before they are healthy."""
        for name, arguments in PARTS.items():
            self._parts[name] = self._spawn(name, arguments)

    def wait_until_healthy(self) -> None:
        """Return when all parts are healthy; CommandError with the log's tail when they are not."""
        deadline = time.monotonic() + HEALTHY_SECONDS
        while (unhealthy := self._unhealthy()) and time.monotonic() < deadline:
            self.check()
            time.sleep(0.5)
        if unhealthy:
            raise self._error(unhealthy[0], f"not healthy after {HEALTHY_SECONDS:.0f} s")

    def check(self) -> None:
        """A CommandError when a part has ended by itself."""
        for name, process in self._parts.items():
            if process.poll() is not None:
                raise self._error(name, f"ended by itself with code {process.returncode}")

    @property
    def password(self) -> str:
        """The password that Airflow has made for the user `USER`."""
        passwords = json.loads((self.home / PASSWORDS).read_text(encoding="utf-8"))
        return str(passwords[USER])

    def stop(self) -> None:
        """Stop all parts with everything they have started; returns when all of that is gone."""
        parts, self._parts = self._parts, {}
        for process in parts.values():
            process.send_signal(signal.SIGTERM)
        # The web server keeps nothing that could be lost, and Airflow 3.3.2 stays for a minute
        # after it has said that it finished: nobody waits for it.
        patient = [process for name, process in parts.items() if name != "api-server"]
        _await_end(patient, time.monotonic() + STOP_SECONDS)
        for pid in _members(parts.values()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _await_end(parts.values(), float("inf"))

    def _spawn(self, name: str, arguments: Iterable[str]) -> subprocess.Popen[bytes]:
        with self._log(name).open("ab") as log:
            return subprocess.Popen(
                [self.python, "-m", "airflow", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **self.environment},
            )

    def _unhealthy(self) -> list[str]:
        try:
            with urllib.request.urlopen(f"{self.address}/api/v2/monitor/health", timeout=5) as said:
                health = json.load(said)
        except (OSError, json.JSONDecodeError):
            return ["api-server"]
        return [
            name
            for name, key in HEALTH_KEYS.items()
            if health.get(key, {}).get("status") != "healthy"
        ]

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _error(self, name: str, message: str) -> CommandError:
        log = self._log(name)
        return CommandError(
            f"Airflow's {name}: {message}; the last lines of {log}:", *tail(log), exit_code=FAILED
        )


def _await_end(leaders: Collection[subprocess.Popen[bytes]], deadline: float) -> None:
    while time.monotonic() < deadline:
        # `poll` also buries a leader; a dead one that is not buried still counts as a member.
        alive = [leader for leader in leaders if leader.poll() is None]
        if not alive and not _members(leaders):
            return
        time.sleep(0.1)


def _members(leaders: Iterable[subprocess.Popen[bytes]]) -> list[int]:
    """The processes in the sessions of `leaders`: what a leader starts stays in its session."""
    sessions = {leader.pid for leader in leaders}
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _session(pid) in sessions]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


PARTS = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}

HEALTH_KEYS = {
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}
