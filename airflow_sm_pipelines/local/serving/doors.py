"""How the local AWS reaches the web server of a model.

A server that takes its port from us listens on a free one of this machine. One that listens on 8080
whatever we say, as the contract has it, gets a network of its own; `launch.py` hands out sockets
that were made there, and whoever holds one is connected with that network.
"""

import ctypes
import os
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar, Protocol

_HOST = "127.0.0.1"
CONTAINER_PORT = 8080

_libc = ctypes.CDLL(None, use_errno=True)
_ADDRESS_BYTES = 16  # of a struct sockaddr; all zero is AF_UNSPEC


class Doors(Protocol):
    """Ways to a server: each is taken for a connection and given back after it."""

    def connect(self, timeout_seconds: float) -> socket.socket:
        """A connection; raises `OSError` where nobody listens."""

    def give_back(self, connection: socket.socket) -> None:
        """End a connection."""

    def close(self) -> None:
        """Take none any more."""


class PortDoors:
    """A server on a port of this machine."""

    _taken: ClassVar[set[int]] = set()
    _lock = threading.Lock()

    def __init__(self) -> None:
        with self._lock:
            self.port = self._free()
            self._taken.add(self.port)

    def connect(self, timeout_seconds: float) -> socket.socket:
        return socket.create_connection((_HOST, self.port), timeout_seconds)

    def give_back(self, connection: socket.socket) -> None:
        connection.close()

    def close(self) -> None:
        with self._lock:
            self._taken.discard(self.port)

    def _free(self) -> int:
        """A port that is free, and that no server of ours is about to listen on."""
        while True:
            with socket.create_server((_HOST, 0)) as listening:
                port: int = listening.getsockname()[1]
            if port not in self._taken:
                return port


class NetworkDoors:
    """A server on port 8080 of another network, from which these sockets are.

    `closed` is called when the last use of the network has ended.
    """

    def __init__(
        self, sockets: Sequence[socket.socket], *, closed: Callable[[], None] = lambda: None
    ) -> None:
        self._then = closed
        self._closed = False
        self._held: dict[int, socket.socket] = {}
        self._free: queue.LifoQueue[socket.socket] = queue.LifoQueue()
        for each in sockets:
            self._free.put(each)

    def connect(self, timeout_seconds: float) -> socket.socket:
        try:
            door = self._free.get(timeout=timeout_seconds)
        except queue.Empty as error:
            raise TimeoutError(f"all doors taken for {timeout_seconds} s") from error
        try:
            door.settimeout(timeout_seconds)
            door.connect((_HOST, CONTAINER_PORT))
            connection = door.dup()
        except OSError:
            self._free.put(_disconnected(door))
            raise
        self._held[id(connection)] = door
        return connection

    def give_back(self, connection: socket.socket) -> None:
        door = self._held.pop(id(connection))
        connection.close()
        self._free.put(_disconnected(door))
        if self._closed:  # while this one was in use
            self._empty()

    def close(self) -> None:
        self._closed = True
        self._empty()
        self._then()

    def _empty(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._free.get_nowait().close()


def _disconnected(door: socket.socket) -> socket.socket:
    """The socket as it was before it was connected, which is what AF_UNSPEC means in connect(2)."""
    if _libc.connect(door.fileno(), bytes(_ADDRESS_BYTES), _ADDRESS_BYTES) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"connect: {os.strerror(number)}")
    return door
