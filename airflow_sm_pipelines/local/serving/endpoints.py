"""Endpoints that really serve: which deployment is behind each, and what becomes of its status."""

import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local.errors import AwsError, JobError
from airflow_sm_pipelines.local.machine import Machine
from airflow_sm_pipelines.local.registry import ENDPOINT, ENDPOINT_CONFIG, Registry
from airflow_sm_pipelines.local.serving.deployment import Deployment

Fields = Mapping[str, Any]

HALTED = "the local AWS ended before the servers of the endpoint had answered"


class Endpoints:
    """The deployments of all endpoints; the registry tells of what happens to an endpoint."""

    def __init__(self, machine: Machine, registry: Registry, folder: Path) -> None:
        self.objects = machine.objects
        self.registry = registry
        self._machine = machine
        self._folder = folder
        self._lock = threading.Lock()
        self._closed = False
        self._ending: list[threading.Thread] = []
        self._serving: dict[str, Deployment] = {}
        self._coming: dict[str, Deployment] = {}
        registry.hosts[ENDPOINT.noun] = self
        for endpoint in registry.halted(ENDPOINT):
            new = endpoint["EndpointStatus"] == "Creating"
            fields = {"EndpointStatus": "Failed" if new else "InService", "FailureReason": HALTED}
            registry.update(ENDPOINT, endpoint["EndpointArn"], fields=fields)

    def deploy(self, endpoint: Fields, *, on: str, gained: Fields) -> None:
        """Start what an operation asks for; the endpoint has `gained` when that has ended well.

        Where it has not, a new endpoint is Failed; one that was updated is what it was before.
        """
        arn = endpoint["EndpointArn"]

        def settled(reason: str) -> None:
            with self._lock:
                if self._coming.get(arn) is not deployment:
                    return
                del self._coming[arn]
                old = self._serving.pop(arn, None) if not reason else None
                if not reason:
                    self._serving[arn] = deployment
            status = "Failed" if reason and on == "Create" else "InService"
            fields = {"EndpointStatus": status, "FailureReason": reason or None}
            with suppress(AwsError):  # it has been deleted in this moment
                self.registry.update(ENDPOINT, arn, fields={**({} if reason else gained), **fields})
            if old is not None:
                old.close()

        with self._lock:
            if self._closed:
                return
            deployment = self._start(endpoint, gained["EndpointConfigName"], settled)
            self._coming[arn] = deployment

    def remove(self, arn: str) -> None:
        """End what is behind an endpoint; in the background, the caller holds the registry."""
        with self._lock:
            ended = [each.pop(arn, None) for each in (self._serving, self._coming)]
        for deployment in filter(None, ended):
            thread = threading.Thread(target=deployment.close, name="endpoint's end")
            thread.start()
            with self._lock:
                self._ending = [*(each for each in self._ending if each.is_alive()), thread]

    def serving(self, name: str) -> Deployment:
        """What is behind an endpoint; started now, where a script has said that it is there."""
        endpoint = self.registry.get(ENDPOINT, name)
        arn = endpoint["EndpointArn"]
        with self._lock:
            known = self._serving.get(arn)
            if known is None:
                config = endpoint["EndpointConfigName"]
                known = self._serving[arn] = self._start(endpoint, config)
        try:
            known.wait()
        except JobError:
            with self._lock:  # so that the next invocation tries again
                if self._serving.get(arn) is known:
                    del self._serving[arn]
            raise
        return known

    def close(self) -> None:
        """End everything."""
        with self._lock:
            self._closed = True
            ending = self._ending
            deployments = [*self._serving.values(), *self._coming.values()]
            self._serving.clear()
            self._coming.clear()
        for deployment in deployments:
            deployment.close()
        for thread in ending:
            thread.join()

    def _start(
        self, endpoint: Fields, config: str, settled: Any = lambda reason: None
    ) -> Deployment:
        name = endpoint["EndpointName"]
        return Deployment(
            self._machine,
            self.registry,
            endpoint=name,
            config=self.registry.get(ENDPOINT_CONFIG, config),
            folder=self._folder / f"{name}-{uuid.uuid4().hex[:8]}",
            settled=settled,
        )
