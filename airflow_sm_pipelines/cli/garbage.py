"""Python's cyclic garbage collector, kept from what never becomes garbage.

Airflow and the API server that it makes in this process are about a million objects, all of which
stay until the end. To look through them again and again takes a quarter of the time until the
first task starts, and seconds more when the interpreter ends.
"""

import gc


def pause() -> None:
    """Collect nothing while much is made that will stay."""
    gc.disable()


def resume() -> None:
    """Collect what is made from now on; what is there already is never looked at again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def leave() -> None:
    """Look at nothing when the interpreter ends: the system takes all memory at once."""
    gc.disable()
    gc.freeze()
