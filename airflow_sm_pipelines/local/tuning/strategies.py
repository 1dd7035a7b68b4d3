"""Which values the next training job has. To add a strategy: a class, and a row of `STRATEGIES`."""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from airflow_sm_pipelines.local.tuning.definition import Definition
from airflow_sm_pipelines.local.tuning.ranges import Categorical

Values = Mapping[str, str]

_DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a training job that has ended says: its values, and its objective, if it has one."""

    values: Values
    objective: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a strategy is made from.

    `seed` is RandomSeed; `resources` is the least and the largest number of epochs that Hyperband
    gives a job; `before` is what earlier tuning jobs have found.
    """

    definition: Definition
    seed: int | None = None
    resources: tuple[int, int] = (1, 1)
    before: tuple[Found, ...] = ()


class Strategy(Protocol):
    """A source of values for the training jobs of one definition."""

    def next(self, job: str) -> Values | None:
        """The values of the training job of that name; None where there are no more."""

    def end(self, job: str, objective: float | None) -> None:
        """Learn what became of a training job."""

    def hopeless(self, job: str, objectives: Iterable[float]) -> bool:
        """Whether a running job is to be stopped, by its objective after each epoch."""


class Random:
    """Values by chance, none of them twice as far as there are enough."""

    def __init__(self, settings: Settings) -> None:
        self._ranges = settings.definition.ranges
        self._chance = random.Random(settings.seed)
        self._seen = {_key(each.values) for each in settings.before}

    def next(self, job: str) -> Values | None:
        for _ in range(_DRAWS):
            values = {each.name: each.draw(self._chance) for each in self._ranges}
            if _key(values) not in self._seen:
                break
        self._seen.add(_key(values))
        return values

    def end(self, job: str, objective: float | None) -> None:
        """Nothing is learned."""

    def hopeless(self, job: str, objectives: Iterable[float]) -> bool:
        return False


@dataclass(slots=True)
class Grid:
    """Every combination of categories, once."""

    settings: Settings
    _combinations: Iterator[Values] = field(init=False)

    def __post_init__(self) -> None:
        self._combinations = _combinations(self.settings.definition)

    def next(self, job: str) -> Values | None:
        return next(self._combinations, None)

    def end(self, job: str, objective: float | None) -> None:
        """Nothing is learned."""

    def hopeless(self, job: str, objectives: Iterable[float]) -> bool:
        return False


def made(name: str, settings: Settings) -> Strategy:
    """The strategy of that name."""
    return STRATEGIES[name](settings)


def _combinations(definition: Definition) -> Iterator[Values]:
    ranges = [each for each in definition.ranges if isinstance(each, Categorical)]
    names = [each.name for each in ranges]
    for values in itertools.product(*(dict.fromkeys(each.values) for each in ranges)):
        yield dict(zip(names, values, strict=True))


def _key(values: Values) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(values.items()))


def _bayesian(settings: Settings) -> Strategy:
    # Optuna takes half a second to import: only a server that runs such a job pays for it.
    from airflow_sm_pipelines.local.tuning.model_based import Bayesian

    return Bayesian(settings)


def _hyperband(settings: Settings) -> Strategy:
    from airflow_sm_pipelines.local.tuning.model_based import Hyperband

    return Hyperband(settings)


STRATEGIES: dict[str, Callable[[Settings], Strategy]] = {
    "Random": Random,
    "Grid": Grid,
    "Bayesian": _bayesian,
    "Hyperband": _hyperband,
}
