"""The scripts that are set: which one a new resource plays."""

import threading
from dataclasses import replace

from airflow_sm_pipelines.local.control.script import Fields, Script
from airflow_sm_pipelines.local.control.script_rules import parsed


class Scripts:
    """The scripts that are set; of several that fit, the one that was set last is played.

    What is wrong with a script is a `ScriptError`, and then none of its call is set.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts: list[Script] = []

    def documents(self) -> list[Fields]:
        """The scripts as they were written, in the order in which they were set."""
        with self._lock:
            return [script.document for script in self._scripts]

    def add(self, *documents: object) -> None:
        """Set further scripts."""
        scripts = parsed(documents)
        with self._lock:
            self._scripts += scripts

    def replace(self, *documents: object) -> None:
        """Set these scripts and no others; what has begun goes on as it was told."""
        scripts = parsed(documents)
        with self._lock:
            self._scripts = [*scripts]

    def take(self, noun: str, name: str, *, on: str = "Create") -> Script | None:
        """The script to play for a resource, which counts as one time; None where none fits."""
        with self._lock:
            for index, script in reversed(list(enumerate(self._scripts))):
                if script.times != 0 and script.concerns(noun, name, on=on):
                    if script.times:
                        self._scripts[index] = replace(script, times=script.times - 1)
                    return script
        return None
