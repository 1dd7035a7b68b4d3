"""Work that goes on in a thread while a block runs, and ends with it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def following(work: Callable[[threading.Event], None], *, name: str) -> Iterator[None]:
    """Run `work` in a thread named `name`; its event is set when the block ends, which waits."""
    ended = threading.Event()
    thread = threading.Thread(target=work, args=(ended,), name=name)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
