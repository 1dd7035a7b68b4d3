"""The servers behind an endpoint: those of every model of one endpoint configuration."""

import queue
import shutil
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local.errors import JobError, StoppedError
from airflow_sm_pipelines.local.machine import Machine
from airflow_sm_pipelines.local.registry import Registry
from airflow_sm_pipelines.local.serving.caller import Reply
from airflow_sm_pipelines.local.serving.containers import Container, containers
from airflow_sm_pipelines.local.serving.model_server import (
    STARTUP_SECONDS,
    ModelServer,
    Place,
    start,
)

Fields = Mapping[str, Any]

_GRACE_SECONDS = 2.0


@dataclass(slots=True, kw_only=True)
class Variant:
    """One production variant: how much of the traffic it gets, and its servers in their order."""

    name: str
    model: str
    weight: float
    startup_seconds: float
    containers: tuple[Container, ...] = ()
    servers: list[ModelServer] = field(default_factory=list)
    credit: float = 0.0

    def invoke(self, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> Reply:
        """What the variant answers: each container gets the answer of the one before it."""
        reply = Reply(status=200, body=body, headers=headers)
        for server in self.servers:
            kind = {"Content-Type": reply.headers.get("content-type", "")}
            passed = {**headers, **(kind if kind["Content-Type"] else {})}
            reply = server.invoke(reply.body, passed, timeout_seconds=timeout_seconds)
            if not reply.fine:
                break
        return reply


class Deployment:
    """The running servers of an endpoint configuration, from their start to `close`.

    A thread of its own starts them, since they end with it, and calls `settled` with the reason
    why they cannot run, or "" when all of them answer.
    """

    def __init__(
        self,
        machine: Machine,
        registry: Registry,
        *,
        endpoint: str,
        config: Fields,
        folder: Path,
        settled: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.config = config
        self.variants = [_variant(each) for each in config["ProductionVariants"]]
        self.reason = ""
        self._machine = machine
        self._registry = registry
        self._endpoint = endpoint
        self._folder = folder
        self._settled = settled
        self._ready = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[Variant | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"endpoint {endpoint}", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when all servers answer; raises `JobError` where they cannot run."""
        self._ready.wait()
        if self.reason:
            raise JobError(self.reason)

    def choose(self, target: str, weights: Mapping[str, float]) -> Variant | None:
        """The variant of a name, or the one whose turn it is by `weights`; None for no such.

        Variants without one there have the weight of their configuration.
        """
        if target:
            return next((each for each in self.variants if each.name == target), None)
        with self._lock:
            for each in self.variants:
                each.weight = weights.get(each.name, each.weight)
                each.credit += each.weight
            weighty = [each for each in self.variants if each.weight > 0] or self.variants
            chosen = max(weighty, key=lambda each: each.credit)
            chosen.credit -= sum(each.weight for each in self.variants)
        return chosen

    def mend(self, variant: Variant) -> None:
        """Start the servers of a variant again, if one of them has ended."""
        self._work.put(variant)

    def close(self) -> None:
        """End the servers; returns when the last process has ended."""
        self._closing.set()
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        with ExitStack() as running:
            running.callback(shutil.rmtree, self._folder, ignore_errors=True)
            try:
                for variant in self.variants:
                    running.callback(self._end, variant)
                    self._start(variant, running)
            except (JobError, OSError) as error:
                self.reason = f"Production variant {variant.name}: {error}"
            except StoppedError:
                self.reason = "the endpoint has been deleted or updated"
            self._ready.set()
            if not self._closing.is_set():
                self._settled(self.reason)
            while not self.reason and (broken := self._work.get()):
                self._mend(broken, running)

    def _start(self, variant: Variant, running: ExitStack) -> None:
        """Start the servers of a variant, and wait until they answer."""
        if not variant.model:
            return  # a place for inference components
        folder = self._folder / variant.name
        log = folder / "log.txt"
        if not folder.exists():
            folder.mkdir(parents=True)
            log.touch()
            stream = f"{variant.name}/i-{uuid.uuid4().hex[:17]}"
            group = f"/aws/sagemaker/Endpoints/{self._endpoint}"
            running.enter_context(self._machine.logs.follow(log, group=group, stream=stream))
        # Once: what is served stays, although its model may be deleted.
        variant.containers = variant.containers or containers(self._registry, variant.model)
        for number, container in enumerate(variant.containers, start=1):
            place = folder / f"container-{number}"
            shutil.rmtree(place, ignore_errors=True)
            variant.servers.append(start(self._machine, container, Place(folder=place, log=log)))
        for server in variant.servers:
            server.await_ping(seconds=variant.startup_seconds, go_on=self._go_on)

    def _mend(self, variant: Variant, running: ExitStack) -> None:
        if variant.servers and not any(server.dies() for server in variant.servers):
            return
        self._end(variant)
        try:
            self._start(variant, running)
        except (JobError, OSError, StoppedError):
            return  # the next invocation tries again

    def _go_on(self) -> None:
        if self._closing.is_set():
            raise StoppedError("the endpoint has been deleted")

    def _end(self, variant: Variant) -> None:
        servers, variant.servers = variant.servers, []
        for server in servers:
            server.terminate(grace_seconds=_GRACE_SECONDS)
        for server in servers:
            server.wait()


def _variant(variant: Fields) -> Variant:
    return Variant(
        name=variant["VariantName"],
        model=variant.get("ModelName") or "",
        weight=variant.get("InitialVariantWeight", 1.0),
        startup_seconds=variant.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_SECONDS),
    )
