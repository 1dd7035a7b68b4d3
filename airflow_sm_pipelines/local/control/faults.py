"""The faults that are set: what goes wrong with a request."""

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from airflow_sm_pipelines.local.calls import Call
from airflow_sm_pipelines.local.control.fault import Fault, Fields, Stage
from airflow_sm_pipelines.local.control.fault_rules import parsed


class Faults:
    """The faults that are set; of several that fit one stage, the one that was set last happens.

    What is wrong with a fault is a `FaultError`, and then none of its call is set. `chance` gives
    numbers from 0 to 1 that probabilities are measured against; by default the same ones each time.
    """

    def __init__(self, chance: Callable[[], float] | None = None) -> None:
        self._chance = chance or random.Random(0).random
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._unseen: dict[str, float] = {}

    def documents(self) -> list[Fields]:
        """The faults as they were written, in the order in which they were set."""
        with self._lock:
            return [fault.document for fault in self._faults]

    def add(self, *documents: object) -> None:
        """Set further faults."""
        faults = parsed(documents)
        with self._lock:
            self._faults += faults

    def replace(self, *documents: object) -> None:
        """Set these faults and no others; what was unseen is seen."""
        faults = parsed(documents)
        with self._lock:
            self._faults = [*faults]
            self._unseen = {}

    def take(self, call: Call, stage: Stage) -> Fault | None:
        """The fault that happens to a request now, which counts as one time; None for none."""
        with self._lock:
            for index, fault in reversed(list(enumerate(self._faults))):
                if fault.stage is stage and fault.times != 0 and fault.concerns(call):
                    if self._chance() >= fault.probability:
                        continue
                    if fault.times:
                        self._faults[index] = replace(fault, times=fault.times - 1)
                    return fault
        return None

    def hide(self, arn: str, seconds: float) -> None:
        """Let nobody see what has that ARN for so long."""
        moment = time.monotonic()
        with self._lock:
            others = {each: until for each, until in self._unseen.items() if until > moment}
            self._unseen = {**others, arn: moment + seconds}

    def seen(self, rows: Iterable[Fields], *, arn: str) -> Iterable[Fields]:
        """The descriptions, which have their ARN in that member, without what is not to be seen."""
        return [row for row in rows if not self.hides(row[arn])] if self._unseen else rows

    def hides(self, arn: str) -> bool:
        """Whether what has that ARN is not to be seen yet."""
        return self._unseen.get(arn, 0.0) > time.monotonic()
