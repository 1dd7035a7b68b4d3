"""Training on several hosts, which find each other by XGBoost's own tracker."""

import logging
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sm_toolkits.environment import wait_hostname_resolution
from xgboost import collective, tracker  # type: ignore[import-not-found, unused-ignore]

__all__ = ["rabit_run", "wait_hostname_resolution"]

log = logging.getLogger(__name__)

_PORT = 9099
_CONNECT_SECONDS = 300.0
_LOOK_SECONDS = 0.1


def rabit_run(
    exec_fun: Callable[..., Any],
    args: dict[str, Any],
    include_in_training: bool,
    hosts: Sequence[str],
    current_host: str,
    first_port: int | None = None,
    second_port: int | None = None,
    update_rabit_args: bool = False,
) -> None:
    """Call `exec_fun(**args)` on every host that has data, as one training.

    The hosts tell each other first which of them have. With `update_rabit_args` the argument
    `is_master` is added, which is True on one host.
    """
    wait_hostname_resolution(hosts)
    first = first_port or _PORT
    with _cluster(sorted(hosts), current_host, first):
        told = _told_by_all({"host": current_host, "has": include_in_training})
    members = sorted(each["host"] for each in told if each["has"])
    if not include_in_training:
        log.warning("Host %s has no data and takes no part in the training.", current_host)
        sys.exit(0)
    if update_rabit_args:
        args["is_master"] = current_host == members[0]
    if len(members) == 1:
        exec_fun(**args)
        return
    with _cluster(members, current_host, second_port or first + 1):
        exec_fun(**args)


@contextmanager
def _cluster(hosts: Sequence[str], current_host: str, port: int) -> Iterator[None]:
    """The hosts as one, while the block runs; the tracker is on the first of them."""
    tracked = None
    if current_host == hosts[0]:
        address = socket.gethostbyname(hosts[0])
        tracked = tracker.RabitTracker(n_workers=len(hosts), host_ip=address, port=port)
        tracked.start()
    _await_tracker(hosts[0], port)
    with collective.CommunicatorContext(
        dmlc_tracker_uri=socket.gethostbyname(hosts[0]),
        dmlc_tracker_port=port,
        dmlc_task_id=current_host,
    ):
        yield
    if tracked is not None:
        tracked.wait_for()


def _await_tracker(host: str, port: int) -> None:
    deadline = time.monotonic() + _CONNECT_SECONDS
    while not _listens(host, port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{host}:{port}: no tracker after {_CONNECT_SECONDS:g} seconds")
        time.sleep(_LOOK_SECONDS)


def _listens(host: str, port: int) -> bool:
    """Whether a port is taken: a connection would be one of a worker to the tracker."""
    with socket.socket() as taken:
        try:
            taken.bind((host, port))
        except OSError:
            return True
    return False


def _told_by_all(own: dict[str, Any]) -> list[dict[str, Any]]:
    """What every host tells, by rank."""
    rank = collective.get_rank()
    return [
        collective.broadcast(own if root == rank else None, root)
        for root in range(collective.get_world_size())
    ]
