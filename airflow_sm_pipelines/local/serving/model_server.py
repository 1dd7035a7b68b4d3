"""A model's server: the image's `serve`, from its start to the end of its process.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from airflow_sm_pipelines.local import engines, reasons
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.images import ImageError, Runtime
from airflow_sm_pipelines.local.machine import Machine
from airflow_sm_pipelines.local.process import Process
from airflow_sm_pipelines.local.serving import networks
from airflow_sm_pipelines.local.serving.caller import Caller, Reply
from airflow_sm_pipelines.local.serving.containers import Container, put_model
from airflow_sm_pipelines.local.serving.doors import Doors, NetworkDoors, PortDoors

STARTUP_SECONDS = 480.0  # how long a server may take to answer /ping with 200
_PING_SECONDS = 2.0
_LOOK_SECONDS = 0.02
_PARAMETERS_SECONDS = 60.0
_DYING_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server runs: its folder, its log, and the variables that its caller adds."""

    folder: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    connections: int = 16


class ModelServer:
    """A running server of one container. It ends with the thread that started it."""

    def __init__(self, container: Container, process: Process, *, log: Path, doors: Doors) -> None:
        self._container = container
        self._process = process
        self._log = log
        self._doors = doors
        self._caller = Caller(doors)

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.running

    def dies(self) -> bool:
        """Whether the process has ended, or does so in a moment: its sockets are closed first."""
        deadline = time.monotonic() + _DYING_SECONDS
        while self.running and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        return not self.running

    def await_ping(
        self, *, seconds: float = STARTUP_SECONDS, go_on: Callable[[], None] = lambda: None
    ) -> None:
        """Return when /ping is answered with 200; `go_on` may raise what ends the wait."""
        deadline = time.monotonic() + seconds
        while not self._healthy():
            go_on()
            if not self.running:
                raise JobError(self.death())
            if time.monotonic() > deadline:
                raise JobError(
                    f"AlgorithmError: {self._container.image} did not pass the ping health check "
                    f"in {seconds:g} seconds: {reasons.last_error(self._log)}"
                )
            time.sleep(_LOOK_SECONDS)

    def parameters(self) -> Mapping[str, object]:
        """The execution parameters that the server asks for; none where it has none."""
        try:
            reply = self._caller.ask("GET", _PARAMETERS, timeout_seconds=_PARAMETERS_SECONDS)
        except OSError:
            return {}
        try:
            told = json.loads(reply.body) if reply.fine else {}
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}

    def invoke(self, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> Reply:
        """What /invocations answers; raises `OSError` where nothing does."""
        return self._caller.ask(
            "POST", "/invocations", body=body, headers=headers, timeout_seconds=timeout_seconds
        )

    def _healthy(self) -> bool:
        try:
            return self._caller.ask("GET", "/ping", timeout_seconds=_PING_SECONDS).status == 200
        except OSError:
            return False

    def death(self) -> str:
        """Why the server is no more, as a FailureReason."""
        return reasons.algorithm_error(reasons.last_error(self._log), self._process.wait())

    def terminate(self, *, grace_seconds: float) -> None:
        """Ask the server to end."""
        self._process.terminate(grace_seconds=grace_seconds)

    def wait(self) -> int:
        """Wait for the end of the process; its exit code."""
        code = self._process.wait()
        self._caller.close()
        self._doors.close()
        return code


def start(machine: Machine, container: Container, place: Place) -> ModelServer:
    """Start the server of a container; raises `JobError` where that is not possible."""
    runtime = _runtime(machine, container, place)
    put_model(machine.objects, container, place.folder / "ml" / "model")
    (place.folder / "work").mkdir(exist_ok=True)
    if not runtime.serve:
        raise JobError(
            f"ClientError: {container.image} has no serve command in the local AWS; give serve in "
            "the image map"
        )
    if runtime.is_unknown and not _scripted(container, place.folder / "ml" / "model"):
        raise JobError(f"ClientError: {machine.images.missing(container.image, 'serve')}")
    contained = engines.IMAGE in runtime.environment
    own = not (contained or _takes_port(runtime.serve)) and networks.available(machine.isolation)
    launch = _in_own_network if own else _on_free_port
    process, doors = launch(machine, container, place, runtime)
    return ModelServer(container, process, log=place.log, doors=doors)


def _scripted(container: Container, model: Path) -> bool:
    """Whether there is a script to serve the model with."""
    return "SAGEMAKER_PROGRAM" in container.environment or (model / "code").is_dir()


def _runtime(machine: Machine, container: Container, place: Place) -> Runtime:
    try:
        return machine.images.runtime(container.image).for_job(place.folder / "python")
    except ImageError as error:
        raise JobError(f"ClientError: {error}") from error


def _takes_port(command: Sequence[str]) -> bool:
    return any(_PORT in word for word in command)


def _on_free_port(
    machine: Machine, container: Container, place: Place, runtime: Runtime
) -> tuple[Process, Doors]:
    """The server in the machine's network, on a port that it is told.

    A container listens on 8080 in its own, and its engine on the port.
    """
    doors = PortDoors()
    ml, port = place.folder / "ml", str(doors.port)
    serve = [word.replace(_PORT, port) for word in runtime.serve or ()]
    variable = engines.PORT if engines.IMAGE in runtime.environment else "SAGEMAKER_BIND_TO_PORT"
    environment = {**_environment(machine, container, place, runtime), variable: port}
    process = Process(
        engines.command(environment, ml, serve) or machine.isolation.command(serve, ml),
        environment=environment,
        folder=place.folder / "work",
        log=place.log,
    )
    return process, doors


def _in_own_network(
    machine: Machine, container: Container, place: Place, runtime: Runtime
) -> tuple[Process, Doors]:
    """The server alone in a network, where it listens on 8080."""
    url = networks.inner_url(machine.environment["AWS_ENDPOINT_URL"])
    environment = _environment(machine, container, place, runtime, AWS_ENDPOINT_URL=url)

    def run(argv: list[str], descriptors: Sequence[int]) -> Process:
        return Process(
            argv,
            environment=environment,
            folder=place.folder / "work",
            log=place.log,
            descriptors=descriptors,
        )

    inside = networks.run_inside(
        machine.isolation,
        runtime.serve or (),
        ml=place.folder / "ml",
        port=urlsplit(url).port or 0,
        count=place.connections,
        run=run,
    )
    leave = machine.entrance.admit(inside.listening)
    return inside.process, NetworkDoors(inside.sockets, closed=leave)


def _environment(
    machine: Machine, container: Container, place: Place, runtime: Runtime, **contract: str
) -> dict[str, str]:
    requested = {**container.environment, **place.environment}
    return machine.process_environment(runtime, requested, **contract)


_PARAMETERS = "/execution-parameters"
_PORT = "{port}"
