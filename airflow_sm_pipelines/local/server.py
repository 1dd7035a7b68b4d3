"""The local AWS as a server that can be started and stopped."""

import fcntl
import json
import logging
import os
import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any, ClassVar, Self

from botocore.config import Config
from botocore.session import Session
from werkzeug.serving import ThreadedWSGIServer

from airflow_sm_pipelines.local import listening as places
from airflow_sm_pipelines.local import sdk_config, shapes, spark_job, transport
from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.api import Api
from airflow_sm_pipelines.local.auto_ml import auto_ml
from airflow_sm_pipelines.local.backend import Moto, start_over
from airflow_sm_pipelines.local.callbacks import Callbacks
from airflow_sm_pipelines.local.control.disruption import Disruption
from airflow_sm_pipelines.local.control.faults import Faults
from airflow_sm_pipelines.local.control.journal import Journal
from airflow_sm_pipelines.local.control.paths import Control, record, settable
from airflow_sm_pipelines.local.control.scripts import Scripts
from airflow_sm_pipelines.local.errors import LocalError
from airflow_sm_pipelines.local.executions.engine import Engine
from airflow_sm_pipelines.local.executions.findings import Findings
from airflow_sm_pipelines.local.executions.runner import Runner
from airflow_sm_pipelines.local.executions.service import Executions
from airflow_sm_pipelines.local.front import Front
from airflow_sm_pipelines.local.images import Images
from airflow_sm_pipelines.local.job import JobKind
from airflow_sm_pipelines.local.jobs import Jobs
from airflow_sm_pipelines.local.kept import Shelf
from airflow_sm_pipelines.local.lambdas.files import functions
from airflow_sm_pipelines.local.limits import Limited
from airflow_sm_pipelines.local.logs import Logs
from airflow_sm_pipelines.local.machine import Machine
from airflow_sm_pipelines.local.measured import Measured
from airflow_sm_pipelines.local.messages import remembered
from airflow_sm_pipelines.local.model_data import ModelData
from airflow_sm_pipelines.local.objects import Objects
from airflow_sm_pipelines.local.pages import Pages
from airflow_sm_pipelines.local.pipelines import Pipelines
from airflow_sm_pipelines.local.processing import processing
from airflow_sm_pipelines.local.registry import MODEL, Registry
from airflow_sm_pipelines.local.resent import Resent
from airflow_sm_pipelines.local.s3.service import S3
from airflow_sm_pipelines.local.s3.space import LEAST_FREE_BYTES, Space
from airflow_sm_pipelines.local.s3.store import Store
from airflow_sm_pipelines.local.sandbox import Isolation, choose
from airflow_sm_pipelines.local.seed import seed_role
from airflow_sm_pipelines.local.services import Services, services
from airflow_sm_pipelines.local.serving.endpoints import Endpoints
from airflow_sm_pipelines.local.serving.invocations import Invocations
from airflow_sm_pipelines.local.serving.transform import transform
from airflow_sm_pipelines.local.sessions import neutral_session
from airflow_sm_pipelines.local.training import training
from airflow_sm_pipelines.local.transport import WSGIApp
from airflow_sm_pipelines.local.tuning.kind import tuning
from airflow_sm_pipelines.local.unexecuted import unexecuted

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 120.0  # what SageMaker gives a job to end in
_CLOSING_GRACE_SECONDS = 2.0
_POLL_SECONDS = 0.1  # how soon the server sees that it is to end
_KEY = "local"


class LocalAWS:
    """A small AWS on 127.0.0.1 that really runs SageMaker's jobs, in folders below `root`.

    It runs code for whoever reaches it: give another `host` on a network of your own alone.
    `workers` bounds how many run at once (default: one per CPU). S3, jobs and what SageMaker keeps
    are there again at the next start. What is moto's lives in the memory of this process, shared
    by the servers in it; the first one starts afresh. With less than `least_free_bytes` left on
    the disk nothing is uploaded and no job is run.
    `scripts` says what becomes of jobs and endpoints instead of running them, `faults` what goes
    wrong with requests, `requests` which ones there were. `lambdas` is a `lambdas.toml`, see
    `lambdas.py`. `runner` runs executions of pipelines; without one none is started.
    """

    _running: ClassVar[list["LocalAWS"]] = []

    def __init__(
        self,
        root: Path,
        *,
        host: str = places.LOOPBACK,
        port: int = 0,
        region: str = "us-east-1",
        workers: int | None = None,
        images: Images | None = None,
        isolation: Isolation | None = None,
        grace_seconds: float = _GRACE_SECONDS,
        least_free_bytes: int = LEAST_FREE_BYTES,
        lambdas: Path | None = None,
        runner: Runner | None = None,
    ) -> None:
        self.root = root.resolve()
        self.account = Account(region)
        self.scripts = Scripts()
        self.faults = Faults()
        self.requests = Journal()
        self._host = host
        self._port = port
        self._workers = workers or os.cpu_count() or 1
        self._images = images or Images()
        self._isolation = isolation or choose()
        self._grace_seconds = grace_seconds
        self._least_free_bytes = least_free_bytes
        self._lambdas = functions(lambdas)
        self._runner = runner
        self._started: _Started | None = None

    def start(self) -> Self:
        """Answer requests from now on; raises `LocalError` where the root or the port is taken."""
        shapes.service()  # half a second that the first request need not wait
        with ExitStack() as held:
            lock = held.enter_context(_lock(self.root))
            sdk_config.write(self.root, self.account)
            with places.listen(self._host, self._port) as listening:
                self._port = listening.getsockname()[1]
                store = Store(self.root / "s3", region=self.account.region)
                held.callback(store.close)
                self._started = self._start(lock, listening, store)
            held.pop_all()
        self._running.append(self)
        if said := places.warning(self._host):
            logger.warning(said)
        return self

    def stop(self) -> None:
        """Stop every job, then answering; returns when the last process has ended."""
        started, self._started = self._started, None
        if started is not None:
            self._running.remove(self)
            started.stop()

    @property
    def endpoint_url(self) -> str:
        """Where to reach it; an address, so that S3 clients put the bucket into the path."""
        if self._started is None:
            raise LocalError("the local AWS is not running; call start() first")
        return self._url()

    @property
    def isolation(self) -> str:
        """By which means jobs get their own /opt/ml here, and why."""
        return f"{self._isolation.name}: {self._isolation.reason}"

    def shown(self, command: Sequence[str]) -> list[str]:
        """What to run so that a program of the user's is as in a notebook, where that can be.

        There the SageMaker SDK has the execution role from.
        """
        return self._isolation.shown(command, sdk_config.notebook(self.root))

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make boto3, the SageMaker SDK and Airflow use this server."""
        connection = {
            "conn_type": "aws",
            "login": _KEY,
            "password": _KEY,
            "extra": {"endpoint_url": self.endpoint_url, "region_name": self.account.region},
        }
        return {
            **self._variables(),
            "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
            sdk_config.VARIABLE: str(sdk_config.path(self.root)),
        }

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self, lock: IO[str], listening: socket.socket, store: Store) -> "_Started":
        space = Space(folder=self.root, least_free_bytes=self._least_free_bytes)
        objects = Objects(store)
        moto, logs, pipelines = self._kept_services(store, objects, space)
        store.create_bucket(self.account.bucket)
        machine = Machine(
            isolation=self._isolation,
            images=self._images,
            objects=objects,
            logs=logs,
            environment={**self._variables(), spark_job.S3: str(self.root / "s3")},
        )
        jobs = Jobs(
            self.account,
            self.root / "jobs",
            workers=self._workers,
            grace_seconds=self._grace_seconds,
            scripts=self.scripts,
            ready=space.check_job,
        )
        registry = Registry(self.account, self.scripts, self.root / "registry")
        registry.looks[MODEL.noun] = ModelData(objects, jobs).check
        kinds = _kinds(machine, jobs, registry)
        jobs.load(kinds)
        beside = self._services(machine, moto)
        endpoints = Endpoints(machine, registry, self.root / "endpoints")
        executions = self._executions(jobs, registry, pipelines, kinds)
        front = Front(
            Api(jobs, registry, kinds=kinds, faults=self.faults, executions=executions),
            moto,
            control=self._control(),
            disruption=Disruption(self.faults, self.requests),
            services=beside,
            invocations=Invocations(self.account, endpoints),
        )
        limited = Limited(front, spared=moto.concerns)
        pages = Pages(limited, jobs, registry, kinds=kinds, store=store)
        machine.entrance.open(partial(places.serve, pages))
        server = places.serve(pages, listening)
        return _Started(server, jobs, beside, endpoints, executions, store, lock)

    def _executions(
        self, jobs: Jobs, registry: Registry, pipelines: Pipelines, kinds: tuple[JobKind, ...]
    ) -> Executions:
        callbacks = Callbacks(registry.notes("Callback"))
        executions = Executions(
            self.account,
            self.root / "executions",
            stored=pipelines.stored,
            find=Findings(jobs, callbacks, kinds=kinds),
            callbacks=callbacks,
            engine=Engine(self._runner, lambda: self.environment) if self._runner else None,
        )
        pipelines.leave = executions.forget
        return executions

    def _control(self) -> Control:
        return Control(
            {
                "scripts": settable("Scripts", self.scripts),
                "faults": settable("Faults", self.faults),
                "requests": record("Requests", self.requests),
            }
        )

    def _services(self, machine: Machine, moto: WSGIApp) -> Services:
        return services(
            self.account,
            self.root,
            machine,
            moto=moto,
            client=lambda service: self._client(service, moto),
            lambdas=self._lambdas,
            grace_seconds=self._grace_seconds,
        )

    def _kept_services(
        self, store: Store, objects: Objects, space: Space
    ) -> tuple[S3, Logs, Pipelines]:
        """All services but SageMaker's own part: what is kept, before moto's, which is not."""
        if not self._running:
            start_over()
        others = Moto(lambda moto: seed_role(self.account, self._client("iam", moto)))
        logs = Logs(self._client("logs", others))
        kept = remembered(others, self.root / "services")
        pipelines = Pipelines(kept, objects, Shelf(self.root / "registry" / "Pipeline"))
        jobs = self.root / "jobs"
        measured = Measured(pipelines, lambda: self._client("cloudwatch", others), jobs)
        return S3(store, Resent(measured, logs, jobs), space=space), logs, pipelines

    def _url(self) -> str:
        return f"http://{places.reached(self._host)}:{self._port}"

    def _variables(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self._url(),
            "AWS_ACCESS_KEY_ID": _KEY,
            "AWS_SECRET_ACCESS_KEY": _KEY,
            "AWS_DEFAULT_REGION": self.account.region,
            "AWS_REGION": self.account.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @cached_property
    def _session(self) -> Session:
        """What makes the engine's clients; one, as each reads what all have in common anew."""
        return neutral_session()

    def _client(self, service: Any, moto: WSGIApp) -> Any:
        """A client of the engine's own, which reaches moto without a socket."""
        client = self._session.create_client(
            service,
            region_name=self.account.region,
            endpoint_url=self._url(),
            aws_access_key_id=_KEY,
            aws_secret_access_key=_KEY,
            config=Config(
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"max_attempts": 1},
                s3={"addressing_style": "path"},
            ),
        )
        transport.connect(client, moto)
        return client


class _Started:
    """What a running server holds, to be given back in the right order."""

    def __init__(
        self,
        server: ThreadedWSGIServer,
        jobs: Jobs,
        services: Services,
        endpoints: Endpoints,
        executions: Executions,
        store: Store,
        lock: IO[str],
    ) -> None:
        self._server = server
        self._store = store
        self._endpoints = endpoints
        self._executions = executions
        self._jobs = jobs
        self._services = services
        self._lock = lock
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_POLL_SECONDS,), name="local AWS", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        # Before jobs, of which they would start more.
        self._executions.close()
        # Jobs before the rest: while they end they may still write to S3.
        self._services.close(grace_seconds=_CLOSING_GRACE_SECONDS)
        self._jobs.close(grace_seconds=_CLOSING_GRACE_SECONDS)
        self._endpoints.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._store.close()
        self._lock.close()


def _kinds(machine: Machine, jobs: Jobs, registry: Registry) -> tuple[JobKind, ...]:
    """The kinds of job that there are."""
    trained = training(machine)
    return (
        processing(machine),
        trained,
        tuning(machine, jobs, trained, tags=registry.tags),
        transform(machine, registry),
        auto_ml(machine),
        *unexecuted(),
    )


def _lock(root: Path) -> IO[str]:
    """Claim the root for this server."""
    root.mkdir(parents=True, exist_ok=True)
    lock = (root / ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise LocalError(f"{root}: another local AWS uses it; give this one its own") from error
    return lock
