"""Training on several hosts, which find each other by XGBoost's own tracker."""

import json
import logging
import socket
import sys
import threading
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
    if current_host != hosts[0]:
        with _member(current_host, _asked(hosts[0], port)):
            yield
        return
    address = socket.gethostbyname(hosts[0])
    # It chooses a port by itself: XGBoost 2.1 takes none that it is given.
    tracked = tracker.RabitTracker(n_workers=len(hosts), host_ip=address)
    tracked.start()
    told = tracked.worker_args()
    with socket.create_server((address, port)) as doors:
        telling = threading.Thread(target=_tell, args=(doors, told, len(hosts) - 1), daemon=True)
        telling.start()
        with _member(current_host, told):
            yield
    tracked.wait_for()


def _member(host: str, told: dict[str, Any]) -> Any:
    return collective.CommunicatorContext(**told, dmlc_task_id=host)


def _tell(doors: socket.socket, told: dict[str, Any], times: int) -> None:
    """Tell so many hosts where the tracker is."""
    for _ in range(times):
        asking, _ = doors.accept()
        with asking:
            asking.sendall(json.dumps(told).encode())


def _asked(host: str, port: int) -> dict[str, Any]:
    """Where the tracker is, which the first host tells at that port as soon as it is there."""
    deadline = time.monotonic() + _CONNECT_SECONDS
    while True:
        try:
            with socket.create_connection((host, port)) as asking, asking.makefile("rb") as answer:
                told: dict[str, Any] = json.loads(answer.read())
                return told
        except (OSError, ValueError) as error:
            if time.monotonic() > deadline:
                message = f"{host}:{port}: no tracker after {_CONNECT_SECONDS:g} seconds"
                raise TimeoutError(message) from error
        time.sleep(_LOOK_SECONDS)


def _told_by_all(own: dict[str, Any]) -> list[dict[str, Any]]:
    """What every host tells, by rank."""
    rank = collective.get_rank()
    return [
        collective.broadcast(own if root == rank else None, root)
        for root in range(collective.get_world_size())
    ]
