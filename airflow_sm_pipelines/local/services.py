"""Services beside SageMaker that the local AWS runs itself; every other one is moto's.

To run another service, write a `Service` and give it to `Services` where the server is made.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.calls import Call
from airflow_sm_pipelines.local.control.disruption import Answer
from airflow_sm_pipelines.local.emr.bench import Bench
from airflow_sm_pipelines.local.emr.commands import Commands
from airflow_sm_pipelines.local.emr.operations import Emr
from airflow_sm_pipelines.local.emr.serverless import EmrServerless
from airflow_sm_pipelines.local.kept import Shelf
from airflow_sm_pipelines.local.lambdas.files import LocalFunction
from airflow_sm_pipelines.local.lambdas.functions import Functions
from airflow_sm_pipelines.local.lambdas.mappings import Mappings
from airflow_sm_pipelines.local.machine import Machine
from airflow_sm_pipelines.local.transport import WSGIApp


class Service(Protocol):
    """A service, or a part of one."""

    def concern(self, call: Call) -> bool:
        """Whether a request is one that is answered here."""

    def answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """The answer to a request."""

    def close(self, *, grace_seconds: float) -> None:
        """End all that runs, and return when the last process has ended."""


class Services:
    """Several services as one; the first that a request concerns answers it."""

    def __init__(self, *services: Service) -> None:
        self._services: Sequence[Service] = services

    def concern(self, call: Call) -> bool:
        """Whether a request is for one of them."""
        return any(service.concern(call) for service in self._services)

    def answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """The answer to a request that concerns one of them."""
        service = next(each for each in self._services if each.concern(call))
        return service.answer(call, environ)

    def close(self, *, grace_seconds: float) -> None:
        """End all that runs in any of them."""
        for service in self._services:
            service.close(grace_seconds=grace_seconds)


def services(
    account: Account,
    root: Path,
    machine: Machine,
    *,
    moto: WSGIApp,
    client: Callable[[str], Any],
    lambdas: Sequence[LocalFunction],
    grace_seconds: float,
) -> Services:
    """The services of a server whose folder is `root`; `client` makes clients of moto's."""
    commands = Commands(machine.images, machine.environment)

    def bench(release: str, folder: Path) -> Bench:
        return Bench(commands=commands, objects=machine.objects, release=release, folder=folder)

    functions = Functions(
        account,
        root / "lambda",
        moto=moto,
        client=client("lambda"),
        s3=client("s3"),
        commands=commands,
        logs=machine.logs,
        local=lambdas,
    )
    return Services(
        Emr(account, root / "emr", bench=bench, grace_seconds=grace_seconds),
        EmrServerless(account, root / "emr-serverless", bench=bench, grace_seconds=grace_seconds),
        functions,
        Mappings(
            functions,
            sqs=lambda: client("sqs"),
            shelf=Shelf(root / "services" / "mappings" / account.region),
        ),
    )
