"""Many runs of the pipelines while the processes of Airflow are killed, and what came of it.

rehearsal: a run of each pipeline, undisturbed --> runs, a few at a time, and kills --> counts
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice

from .counts import Row, count, made, table
from .kills import Killer
from .pipelines import SHAPES, Shape
from .world import Ended, World

REHEARSAL = "rehearsal"
LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many kills and runs, how many runs at once, and how long is waited between kills.

    Where the runs have ended before the last kill there are more of them.
    """

    kills: int
    runs: int
    at_once: int
    seed: int
    least_pause: float
    most_pause: float
    most_seconds: float


@dataclass(slots=True)
class Runs:
    """The runs that are to be, are and have been."""

    world: World
    waiting: list[tuple[Shape, str]]
    at_once: int
    going: list[tuple[Shape, str]] = field(default_factory=list, init=False)
    ended: list[Ended] = field(default_factory=list, init=False)

    def follow(self) -> bool:
        """Note what has ended and start what there is room for; whether there is more to come."""
        for shape, run in list(self.going):
            if ended := self.world.ended(shape.name, run):
                self.going.remove((shape, run))
                self.ended.append(ended)
        while self.waiting and len(self.going) < self.at_once:
            shape, run = self.waiting.pop(0)
            parameters = {"Run": run} if shape.definition["Parameters"] else {}
            self.world.trigger(shape.name, run, **parameters)
            self.going.append((shape, run))
        return bool(self.going)

    def follow_until(self, deadline: float) -> None:
        """Follow until all have ended, or the deadline; what of Airflow ends is started again."""
        while self.follow() and time.monotonic() < deadline:
            self.world.airflow.revive_ended()
            time.sleep(LOOK_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a storm has left."""

    rows: tuple[Row, ...]
    kills: Counter[str]
    seed: int
    ended_by_themselves: tuple[str, ...]
    unended: tuple[str, ...]
    unlike: tuple[str, ...]
    """Rehearsals that have not ended as their pipeline says."""
    stops: int
    """Requests to stop a job, whatever came of them."""
    seconds: float

    @property
    def broken(self) -> list[str]:
        """What is not as it is required to be."""
        return [*self.unlike, *self.unended, *(line for row in self.rows for line in row.broken)]

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(self.kills.items()))
        told = {
            "kills -9": f"{self.kills.total()} ({kinds}), seed {self.seed}",
            "parts that ended by themselves": ", ".join(self.ended_by_themselves) or "none",
            "requests to stop a job": str(self.stops),
            "seconds": f"{self.seconds:.0f}",
            "not as required": "".join(f"\n  {line}" for line in self.broken) or "nothing",
        }
        lines = [f"{key}: {value}" for key, value in told.items()]
        return "\n".join([table(self.rows), "", *lines])


def storm(world: World, plan: Plan, tell: Callable[[str], None]) -> Result:
    """Rehearse, run, kill and count."""
    began = time.monotonic()
    deadline = began + plan.most_seconds
    rehearsal = Runs(world, [(shape, REHEARSAL) for shape in SHAPES.values()], len(SHAPES))
    rehearsal.follow_until(deadline)
    tell(f"rehearsed after {time.monotonic() - began:.0f} s")
    named = ((shape, f"run-{n:03}") for n, shape in enumerate(cycle(SHAPES.values())))
    runs = Runs(world, [*islice(named, plan.runs)], plan.at_once)
    killer = Killer(world.airflow, plan.seed)
    _kill(runs, named, killer, plan, deadline, tell)
    runs.follow_until(deadline)
    rehearsed = {each.dag: each for each in rehearsal.ended}
    found = made(world.root, world.sagemaker())
    rows = [
        count(
            rehearsed[name],
            ended=[each for each in runs.ended if each.dag == name],
            made=[each for each in found if each.step_run.dag == name],
            at_once=SHAPES[name].max_parallel,
        )
        for name in rehearsed
    ]
    return Result(
        rows=tuple(rows),
        kills=Counter(kill.kind for kill in killer.kills),
        seed=plan.seed,
        ended_by_themselves=tuple(world.airflow.ended_by_themselves),
        unended=tuple(
            f"{shape.name} {run}: not ended"
            for shape, run in (*rehearsal.going, *runs.going, *runs.waiting)
        ),
        unlike=tuple(
            f"{name} {REHEARSAL}: {one.state} and not {SHAPES[name].ends}"
            for name, one in rehearsed.items()
            if one.state != SHAPES[name].ends
        ),
        stops=sum(1 for each in world.requests() if each["Operation"].startswith("Stop")),
        seconds=time.monotonic() - began,
    )


def _kill(
    runs: Runs,
    more: Iterator[tuple[Shape, str]],
    killer: Killer,
    plan: Plan,
    deadline: float,
    tell: Callable[[str], None],
) -> None:
    """Kill as often as planned; never are there fewer runs than planned at once."""
    began = time.monotonic()
    while len(killer.kills) < plan.kills and time.monotonic() < deadline:
        pause = time.monotonic() + killer.pause(plan.least_pause, plan.most_pause)
        while time.monotonic() < pause:
            if not runs.waiting and len(runs.going) < plan.at_once:
                runs.waiting.append(next(more))
            runs.follow()
            time.sleep(LOOK_SECONDS)
        runs.world.airflow.revive_ended()
        if killed := killer.kill():
            done = f"{len(killer.kills)} kills, {len(runs.ended)} runs ended"
            passed = f"{time.monotonic() - began:5.0f} s"
            tell(f"{passed}  {killed.kind} {killed.process.pid}; {done}")
