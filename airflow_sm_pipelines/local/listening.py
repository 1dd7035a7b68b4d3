"""Where the local AWS listens: on the loopback interface, unless it is told otherwise."""

import ipaddress
import os
import socket

from airflow_sm_pipelines.local.errors import LocalError

LOOPBACK = "127.0.0.1"
_ANY = "0.0.0.0"
_BACKLOG = 1024  # callers that may ask at the same moment; others would wait a second or more


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises `LocalError` where that is not possible."""
    if port not in range(1 << 16):
        raise LocalError(f"port {port}: no port; it would be 0 to 65535")
    _address(host)
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        # `strerror` would name the address once more.
        reason = os.strerror(error.errno) if error.errno else str(error)
        where = f"port {port}" if host == LOOPBACK else f"{host}, port {port}"
        raise LocalError(f"{where}: {reason}; 0 takes any port that is free") from error


def warning(host: str) -> str:
    """What whoever starts a server there has to know, or ""."""
    if _address(host).is_loopback:
        return ""
    return (
        f"{host}: the local AWS runs code for whoever reaches it, as {_user()}, and asks for no "
        "password; listen there on a network of your own alone"
    )


def reached(host: str) -> str:
    """The address at which this machine reaches a server that listens there."""
    return LOOPBACK if host == _ANY else host


def _address(host: str) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(host)
    except ValueError as error:
        raise LocalError(
            f"host {host!r}: no IPv4 address; it would be {LOOPBACK}, one of this machine's "
            f"addresses, or {_ANY} for all of them"
        ) from error


def _user() -> str:
    return "root" if os.getuid() == 0 else "you"
