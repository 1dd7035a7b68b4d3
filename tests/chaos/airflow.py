"""A whole Airflow on this machine whose parts can be killed and started again, and its REST API."""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen
from typing import Any

from airflow_sm_pipelines.cli import home
from airflow_sm_pipelines.cli.server import (
    HEALTH_KEYS,
    HOST,
    PARTS,
    USER,
    AirflowServer,
    choose_port,
    server_settings,
)

API_SERVER = "api-server"
REVIVED_SECONDS = 180.0
ANSWER_SECONDS = 120.0
SECRET = "0" * 43 + "="


@dataclass(slots=True, kw_only=True)
class Airflow(AirflowServer):
    """The parts of an Airflow, each of which may be ended from outside and is revived then.

    `ended_by_themselves` are those that nobody here has killed: Airflow's own crashes.
    """

    ended_by_themselves: list[str] = field(default_factory=list, init=False)
    _former: list[Popen[bytes]] = field(default_factory=list, init=False)
    _token: str = field(default="", init=False)

    def leader(self, part: str) -> Popen[bytes]:
        """The process that a part was started with."""
        return self._parts[part]

    def leaders(self, part: str) -> list[Popen[bytes]]:
        """That process and those before it, whose children may live on."""
        before = [process for process in self._former if process.args == self.leader(part).args]
        return [*before, self.leader(part)]

    def revive(self, part: str) -> None:
        """Start a part again whose process has ended; returns when it is at work."""
        began = datetime.now(UTC)
        self._former.append(self._parts[part])
        self._parts[part] = self._spawn(part, PARTS[part])
        self.wait_until_at_work(part, since=began)

    def revive_ended(self) -> None:
        """Start again what has ended by itself."""
        for part, process in list(self._parts.items()):
            if process.poll() is not None:
                self.ended_by_themselves.append(f"{part} (code {process.returncode})")
                self.revive(part)

    def wait_until_at_work(self, part: str, *, since: datetime) -> None:
        """Return when a part has said after `since` that it lives, and all parts are healthy."""
        deadline = time.monotonic() + REVIVED_SECONDS
        while time.monotonic() < deadline:
            if self.leader(part).poll() is not None:
                break
            if self._last_heartbeat(part) > since and not self._unhealthy():
                return
            time.sleep(0.3)
        raise self._error(part, f"not at work {REVIVED_SECONDS:.0f} s after it was started")

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What Airflow's REST API answers below /api/v2; asked again while nobody answers.

        An answer of 400 and above is an `urllib.error.HTTPError`.
        """
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                if not self._token:
                    identity = {"username": USER, "password": self.password}
                    self._token = self._ask("POST", "/auth/token", identity)["access_token"]
                return self._ask(method, f"/api/v2{path}", body)
            except urllib.error.HTTPError as error:
                if error.code < 500 or time.monotonic() > deadline:
                    raise
            except OSError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.5)

    def stop(self) -> None:
        """Stop all parts, and what those that were killed have left."""
        for number, process in enumerate(self._former):
            self._parts[f"former-{number}"] = process
        self._former = []
        # super() without arguments needs the class that dataclass(slots=True) has replaced.
        AirflowServer.stop(self)

    def _last_heartbeat(self, part: str) -> datetime:
        """When a part has last said that it lives; the API server does so by its answer."""
        try:
            health = self._ask("GET", "/api/v2/monitor/health", None)
        except OSError:
            return datetime.min.replace(tzinfo=UTC)
        if part == API_SERVER:
            return datetime.now(UTC)
        key = HEALTH_KEYS[part]
        said = health.get(key, {}).get(f"latest_{key}_heartbeat")
        return datetime.fromisoformat(said) if said else datetime.min.replace(tzinfo=UTC)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        request = urllib.request.Request(
            f"{self.address}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {self._token}"} if self._token else {}),
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def airflow(
    folder: Path,
    *,
    dags: Path,
    settings: Mapping[str, str],
    database: str = "",
    python: str = sys.executable,
) -> Airflow:
    """An Airflow with all it needs below `folder`, not yet started.

    `settings` are variables that lead to the local AWS, and others; `database` is SQLAlchemy's
    address, an SQLite file of its own by default; `python` is of the environment to run it from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = choose_port(0)
    own = home.airflow_environment(folder, dags=dags, fernet_key=SECRET)
    if database:
        own["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = database
    return Airflow(
        home=folder,
        address=f"http://{HOST}:{port}",
        logs=folder,
        python=python,
        environment={
            **own,
            **server_settings(port, secret=SECRET),
            **home.local_role(),
            **settings,
        },
    )


def start(server: Airflow) -> None:
    """Start all parts; returns when they are healthy. The database is migrated where it is new."""
    own_file = server.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("sqlite")
    if not (own_file and home.is_migrated(server.home)):
        server.migrate()
    server.start()
    server.wait_until_healthy()
