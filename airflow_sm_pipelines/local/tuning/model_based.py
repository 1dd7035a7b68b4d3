"""Bayesian and Hyperband by Optuna: the same kinds of search as SageMaker's, not the same ones.

Bayesian is Optuna's tree-structured Parzen estimator, where SageMaker has a Gaussian process.
Hyperband is Optuna's pruner of that name over the same estimator. An epoch is a value of the
objective metric in the log.
"""

from collections.abc import Iterable
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from airflow_sm_pipelines.local.tuning.ranges import Categorical, Continuous, Integer, Range
from airflow_sm_pipelines.local.tuning.strategies import Found, Settings, Values

_BY_CHANCE = 5  # how many jobs come before the first one that is chosen by a model
_REDUCTION = 3  # Hyperband lets a third of the jobs go on


class Bayesian:
    """Values that do best by a model of what has been tried."""

    def __init__(self, settings: Settings, pruner: optuna.pruners.BasePruner | None = None) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._ranges = settings.definition.ranges
        self._objective = settings.definition.objective
        self._space = {each.name: _distribution(each) for each in self._ranges}
        self._study = optuna.create_study(
            direction="maximize" if self._objective.kind == "Maximize" else "minimize",
            sampler=optuna.samplers.TPESampler(seed=settings.seed, n_startup_trials=_BY_CHANCE),
            pruner=pruner or optuna.pruners.NopPruner(),
        )
        self._trials: dict[str, optuna.Trial] = {}
        self._reported: dict[str, int] = {}
        for found in settings.before:
            self._learn(found)

    def next(self, job: str) -> Values | None:
        trial = self._trials[job] = self._study.ask(self._space)
        return {each.name: _text(each, trial.params[each.name]) for each in self._ranges}

    def end(self, job: str, objective: float | None) -> None:
        trial = self._trials.pop(job)
        if objective is None:
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, objective)

    def hopeless(self, job: str, objectives: Iterable[float]) -> bool:
        return False

    def _learn(self, found: Found) -> None:
        """Begin with what an earlier tuning job found, where these ranges have its values."""
        if found.objective is None or any(each.name not in found.values for each in self._ranges):
            return
        try:
            params = {each.name: _number(each, found.values[each.name]) for each in self._ranges}
            trial = optuna.trial.create_trial(
                params=params, distributions=self._space, value=found.objective
            )
        except ValueError:
            return  # outside of the ranges
        self._study.add_trial(trial)


class Hyperband(Bayesian):
    """Bayesian, and the jobs that do worst are stopped after few epochs."""

    def __init__(self, settings: Settings) -> None:
        least, most = settings.resources
        super().__init__(
            settings,
            optuna.pruners.HyperbandPruner(
                min_resource=least, max_resource=most, reduction_factor=_REDUCTION
            ),
        )
        self._most = most

    def hopeless(self, job: str, objectives: Iterable[float]) -> bool:
        trial = self._trials[job]
        values = list(objectives)
        for epoch in range(self._reported.get(job, 0), len(values)):
            self._reported[job] = epoch + 1
            trial.report(values[epoch], epoch + 1)
            # "Once a job reaches the MaxResource value, it is stopped."
            if trial.should_prune() or epoch + 1 > self._most:
                return True
        return False


def _distribution(given: Range) -> BaseDistribution:
    match given:
        case Categorical():
            return CategoricalDistribution(tuple(dict.fromkeys(given.values)))
        case Integer():
            return IntDistribution(given.least, given.most, log=given.scale == "Logarithmic")
        case Continuous(scale="ReverseLogarithmic"):
            # What is 1 less each value has a logarithmic scale.
            return FloatDistribution(1 - given.most, 1 - given.least, log=True)
        case Continuous():
            return FloatDistribution(given.least, given.most, log=given.scale == "Logarithmic")
        case _:
            raise TypeError(f"{given!r} is no range that Optuna knows")


def _text(given: Range, value: Any) -> str:
    match given:
        case Continuous(scale="ReverseLogarithmic"):
            return repr(min(given.most, max(given.least, 1 - value)))
        case Continuous():
            return repr(value)
        case _:
            return str(value)


def _number(given: Range, text: str) -> Any:
    """What Optuna has for a value; ValueError where it is none of the range."""
    match given:
        case Integer():
            return int(text)
        case Continuous(scale="ReverseLogarithmic"):
            return 1 - float(text)
        case Continuous():
            return float(text)
        case _:
            return text
