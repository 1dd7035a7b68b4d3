"""The search of one tuning job: starts training jobs, looks at them, knows when to end.

It takes none of the workers, because its training jobs need them: with one worker, both would wait
for each other for ever.
"""

import math
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind
from airflow_sm_pipelines.local.jobs import Jobs
from airflow_sm_pipelines.local.tags import Tags
from airflow_sm_pipelines.local.tuning import completion
from airflow_sm_pipelines.local.tuning.definition import Definition
from airflow_sm_pipelines.local.tuning.epochs import falls_behind
from airflow_sm_pipelines.local.tuning.strategies import Strategy, Values
from airflow_sm_pipelines.local.tuning.trial import Trial

EPOCH_SECONDS = 0.2  # how soon a job is seen to fall behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """What makes training jobs: the engine, the kind of job, and the tags of the account."""

    jobs: Jobs
    kind: JobKind
    tags: Tags

    def start(self, request: Fields, tags: Iterable[Fields]) -> Job:
        """Start a training job; raises `AwsError` where it is refused."""
        job = self.jobs.create(self.kind, request)
        self.tags.add(job.arn, tags)
        return job

    def stop(self, job: Job) -> None:
        """Ask a training job to stop, unless it has ended."""
        with suppress(AwsError):
            self.jobs.stop(self.kind, {self.kind.name_key: job.name})


class Tuner:
    """What runs one tuning job; `parents_best` is the best training job of its parents."""

    def __init__(
        self,
        job: Job,
        searches: Iterable[tuple[Definition, Strategy]],
        *,
        trainer: Trainer,
        parents_best: Fields | None = None,
    ) -> None:
        self._job = job
        self._config = job.request["HyperParameterTuningJobConfig"]
        self._searches = list(searches)
        self._trainer = trainer
        self._parents_best = parents_best
        self._began = time.monotonic()
        self._wake = threading.Event()
        self._trials: list[Trial] = []
        self._running: list[Trial] = []
        self._ended: list[Trial] = []  # in the order of their ends
        self._strategies: dict[str, Strategy] = {}
        self._started = 0
        self._over = False
        self._failure = ""

    def run(self) -> Ending:
        """Search until there is nothing left to try, or enough has been found."""
        self._job.told = self._wake.set
        self._start_more()
        while self._running:
            self._publish()
            self._wake.wait(self._seconds())
            self._wake.clear()
            self._collect()
            self._judge()
            self._stop([each for each in self._running if self._over or self._is_hopeless(each)])
            self._start_more()
        self._publish()
        return self._ending()

    def _ending(self) -> Ending:
        if self._job.stopped_by:
            return Ending(status="Stopped")
        reason = self._failure or completion.failure(self._ended, running=False)
        return Ending(status="Failed" if reason else "Completed", reason=reason)

    def _start_more(self) -> None:
        """Start training jobs, as many as may run at once and are left to try."""
        limits = self._config["ResourceLimits"]
        most = limits.get("MaxNumberOfTrainingJobs", math.inf)
        while (
            not self._over
            and self._searches
            and len(self._running) < limits["MaxParallelTrainingJobs"]
            and self._started < most
        ):
            self._started += 1
            name = f"{self._job.name}-{self._started:03d}-{uuid.uuid4().hex[:8]}"
            self._start_next(name)

    def _start_next(self, name: str) -> None:
        """Start the training job of that name; the definitions take turns."""
        while self._searches:
            definition, strategy = self._searches.pop(0)
            values = strategy.next(name)
            if values is not None:
                self._searches.append((definition, strategy))
                self._strategies[name] = strategy
                self._start(name, definition, values)
                return

    def _start(self, name: str, definition: Definition, values: Values) -> None:
        request = definition.request(name, values, tuning_arn=self._job.arn)
        try:
            job = self._trainer.start(request, self._job.request.get("Tags") or ())
        except AwsError as error:
            self._end(f"the training job {name} was refused: {error}", failure=error.message)
            return
        job.watched = self._wake.set
        self._wake.set()  # it may have ended before it was watched, or this job been stopped
        trial = Trial(job=job, definition=definition, values=values, tuning=self._job.name)
        self._trials.append(trial)
        self._running.append(trial)
        self._job.note(f"{name} tries {dict(values)}")

    def _collect(self) -> None:
        """Take note of the training jobs that have ended."""
        for trial in [each for each in self._running if each.job.final]:
            self._running.remove(trial)
            self._ended.append(trial)
            self._strategies[trial.job.name].end(trial.job.name, trial.objective)
            objective = "no objective" if trial.objective is None else trial.objective
            self._job.note(f"{trial.job.name} is {trial.status}: {objective}")

    def _judge(self) -> None:
        """Decide whether the search is over."""
        if self._over:
            return
        failure = completion.failure(self._ended, running=True)
        limit_seconds = self._config["ResourceLimits"].get("MaxRuntimeInSeconds", math.inf)
        if self._job.stopped_by:
            self._end("stopping its training jobs")
        elif failure:
            self._end(failure, failure=failure)
        elif criterion := completion.enough(self._config, self._ended):
            self._end(criterion)
        elif time.monotonic() - self._began >= limit_seconds:
            self._end(f"ended after MaxRuntimeInSeconds = {limit_seconds}")

    def _end(self, note: str, *, failure: str = "") -> None:
        self._over = True
        self._failure = failure
        self._job.note(note)

    def _is_hopeless(self, trial: Trial) -> bool:
        """Whether a running job is to be stopped early."""
        strategy = self._strategies[trial.job.name]
        if not self._watches_epochs or trial.status != "InProgress":
            return False
        epochs = trial.epochs()
        if self._stops_early:
            others = [each.epochs() for each in self._ended if each.definition is trial.definition]
            if falls_behind(epochs, others, trial.definition.objective):
                self._job.note(f"{trial.job.name} falls behind after {len(epochs)} epochs")
                return True
        return strategy.hopeless(trial.job.name, epochs)

    def _stop(self, trials: Sequence[Trial]) -> None:
        # Those first that may still wait for a worker: it goes to none that is to be stopped.
        for trial in reversed(trials):
            if trial.status == "InProgress":
                self._trainer.stop(trial.job)

    @property
    def _stops_early(self) -> bool:
        return bool(self._config.get("TrainingJobEarlyStoppingType") == "Auto")

    @property
    def _watches_epochs(self) -> bool:
        return self._stops_early or self._config["Strategy"] == "Hyperband"

    def _seconds(self) -> float | None:
        """How long to wait for news; None is for ever."""
        limit_seconds = self._config["ResourceLimits"].get("MaxRuntimeInSeconds")
        waits = [EPOCH_SECONDS] if self._watches_epochs else []
        if limit_seconds is not None and not self._over:
            waits.append(max(0.0, self._began + limit_seconds - time.monotonic()))
        return min(waits, default=None)

    def _publish(self) -> None:
        """Bring the description up to date, where there is news."""
        summaries = [trial.summary() for trial in self._trials]
        if summaries == self._job.describe().get("TrainingJobSummaries"):
            return
        scores = [trial.score for trial in self._ended if trial.score is not None]
        details = {
            "NumberOfTrainingJobsObjectiveNotImproving": completion.not_improving(scores),
        }
        fields = {
            **completion.counters(self._trials),
            **self._best(),
            "TrainingJobSummaries": summaries,
            "TuningJobCompletionDetails": details,
            "ConsumedResources": {"RuntimeInSeconds": round(time.monotonic() - self._began)},
        }
        self._job.update(lambda _: fields)

    def _best(self) -> Fields:
        """BestTrainingJob, and the best one of the parents and this."""
        best = completion.best(self._trials)
        own = best.summary() if best else None
        found = {"BestTrainingJob": own} if own else {}
        if self._parents_best is None:
            return found
        overall = completion.better(own, self._parents_best)
        return {**found, "OverallBestTrainingJob": overall}
