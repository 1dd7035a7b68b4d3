"""The local AWS in networks that are not the machine's: those that a model's server is alone in."""

import socket
import threading
from collections.abc import Callable

from werkzeug.serving import ThreadedWSGIServer

Serve = Callable[[socket.socket], ThreadedWSGIServer]


class Entrance:
    """Attends to sockets that listen elsewhere; `open` says how, once the local AWS has started."""

    def __init__(self) -> None:
        self._serve: Serve | None = None

    def open(self, serve: Serve) -> None:
        """Let `serve` make a server of each socket that is admitted from now on."""
        self._serve = serve

    def admit(self, listening: socket.socket) -> Callable[[], None]:
        """Answer on `listening` until the function that is returned is called."""
        with listening:
            if self._serve is None:
                return lambda: None
            server = self._serve(listening)
        left = threading.Event()

        def attend() -> None:
            while not left.is_set():  # not serve_forever, which wakes up to look
                server.handle_request()

        thread = threading.Thread(target=attend, name="entrance", daemon=True)
        thread.start()

        def leave() -> None:
            left.set()
            server.socket.shutdown(socket.SHUT_RDWR)  # what waits for a connection goes on
            thread.join()
            server.server_close()

        return leave
