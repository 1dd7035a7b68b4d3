"""One of the training jobs of a tuning job, as the tuning job sees it."""

import re
from dataclasses import dataclass, field
from typing import Any

from airflow_sm_pipelines.local import metrics
from airflow_sm_pipelines.local.job import Fields, Job
from airflow_sm_pipelines.local.tuning.definition import Definition
from airflow_sm_pipelines.local.tuning.epochs import Epochs
from airflow_sm_pipelines.local.tuning.strategies import Found, Values

_EVALUATED = ("Completed", "Stopped")


@dataclass(slots=True, kw_only=True)
class Trial:
    """A training job, and the values that it tries."""

    job: Job
    definition: Definition
    values: Values
    tuning: str
    _epochs: Epochs | None = field(default=None, init=False)

    @property
    def status(self) -> str:
        """TrainingJobStatus."""
        status: str = self.job.describe()["TrainingJobStatus"]
        return status

    @property
    def objective(self) -> float | None:
        """The last value of the objective metric of a job that has ended and not failed."""
        if self.status not in _EVALUATED:
            return None
        values = self.job.describe().get("FinalMetricDataList") or ()
        metric = self.definition.objective.metric
        return next((each["Value"] for each in values if each["MetricName"] == metric), None)

    @property
    def score(self) -> float | None:
        """What is larger the better the job did; None where it did not complete."""
        value = self.objective
        if value is None or self.status != "Completed":
            return None
        return self.definition.objective.score(value)

    @property
    def found(self) -> Found:
        """What a strategy learns from the job."""
        return Found(values=self.values, objective=self.objective)

    def epochs(self) -> list[float]:
        """The values of the objective metric so far, one for each epoch."""
        if self._epochs is None:
            pattern = self._pattern()
            if pattern is None:
                return []
            self._epochs = Epochs(self.job.log, pattern)
        return [*self._epochs.read()]

    def summary(self) -> Fields:
        """The job as List and Describe operations of tuning jobs have it."""
        described = self.job.describe()
        return {
            **({"TrainingJobDefinitionName": name} if (name := self.definition.name) else {}),
            "TuningJobName": self.tuning,
            "TunedHyperParameters": dict(self.values),
            "ObjectiveStatus": self._objective_status(),
            **{key: described[key] for key in _SHOWN if key in described},
            **self._final_metric(),
        }

    def _final_metric(self) -> dict[str, Any]:
        value = self.objective
        if value is None:
            return {}
        objective = self.definition.objective
        metric = {"Type": objective.kind, "MetricName": objective.metric, "Value": value}
        return {"FinalHyperParameterTuningJobObjectiveMetric": metric}

    def _objective_status(self) -> str:
        if not self.job.final:
            return "Pending"
        return "Failed" if self.objective is None else "Succeeded"

    def _pattern(self) -> re.Pattern[str] | None:
        """What finds the objective metric in the log; known when the job has begun."""
        algorithm = self.job.describe().get("AlgorithmSpecification") or {}
        definitions = algorithm.get("MetricDefinitions") or ()
        return metrics.compiled(definitions).get(self.definition.objective.metric)


_SHOWN = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingStartTime",
    "TrainingEndTime",
    "TrainingJobStatus",
    "FailureReason",
)
