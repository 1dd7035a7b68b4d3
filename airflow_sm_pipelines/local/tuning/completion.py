"""When a tuning job has done enough, and when it has failed.

That a job which meets one of its criteria is Completed is inferred: SageMaker documents that it
"stops the tuning job", and calls the criteria those of completion.
"""

from collections.abc import Callable, Iterable, Sequence

from airflow_sm_pipelines.local.job import Fields
from airflow_sm_pipelines.local.tuning.definition import Objective
from airflow_sm_pipelines.local.tuning.trial import Trial

# SageMaker gives a tuning job up after so many training jobs of which none was of use.
ATTEMPTS = 5

# "Fail to improve model performance by 1% or greater."
_IMPROVEMENT = 0.01


def enough(config: Fields, ended: Sequence[Trial]) -> str:
    """Which criterion of a HyperParameterTuningJobConfig is met, for the log; or ""."""
    criteria = config.get("TuningJobCompletionCriteria") or {}
    scores = [trial.score for trial in ended if trial.score is not None]
    if not scores:
        return ""
    target = criteria.get("TargetObjectiveMetricValue")
    if target is not None and _reached(target, ended):
        return f"the objective has reached TargetObjectiveMetricValue = {target}"
    allowed = (criteria.get("BestObjectiveNotImproving") or {}).get(
        "MaxNumberOfTrainingJobsNotImproving"
    )
    if allowed is not None and not_improving(scores) >= allowed:
        return f"{allowed} training jobs have not improved the objective by 1 %"
    return ""


def not_improving(scores: Iterable[float]) -> int:
    """How many jobs, up to the last one, have not bettered what was best before by 1 %."""
    best: float | None = None
    count = 0
    for score in scores:
        improved = best is None or (score - best >= _IMPROVEMENT * abs(best) and score > best)
        count = 0 if improved else count + 1
        best = score if best is None else max(best, score)
    return count


def failure(ended: Sequence[Trial], *, running: bool) -> str:
    """Why a tuning job fails that has these training jobs, in SageMaker's words; or ""."""
    if any(trial.objective is not None for trial in ended):
        return ""
    if running and len(ended) < ATTEMPTS:
        return ""
    if any(trial.status == "Completed" for trial in ended):
        return (
            f"No objective metrics found after running {len(ended)} training jobs. Please ensure "
            "that the custom algorithm is emitting the objective metric as defined by the regular "
            "expression provided."
        )
    return (
        f"No training job succeeded after {len(ended)} attempts. Please take a look at the "
        "training job failures to get more details."
    )


def best(trials: Iterable[Trial]) -> Trial | None:
    """The completed job that did best; of equals the first one."""
    ranked = [(trial.score, trial) for trial in trials if trial.score is not None]
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else None


def better(own: Fields | None, other: Fields) -> Fields:
    """The better one of two summaries of training jobs."""
    if own is None:
        return other
    metric = own["FinalHyperParameterTuningJobObjectiveMetric"]
    objective = Objective(metric=metric["MetricName"], kind=metric["Type"])
    scores = [
        objective.score(each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
        for each in (own, other)
    ]
    return own if scores[0] >= scores[1] else other


def _reached(target: float, ended: Iterable[Trial]) -> bool:
    def reached(trial: Trial) -> bool:
        objective: Objective = trial.definition.objective
        return trial.score is not None and trial.score >= objective.score(target)

    return any(map(reached, ended))


def counters(trials: Iterable[Trial]) -> Fields:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    summaries = [trial.summary() for trial in trials]
    return {
        member: {name: sum(map(holds, summaries)) for name, holds in counted.items()}
        for member, counted in COUNTERS.items()
    }


def _has(member: str, *statuses: str) -> Callable[[Fields], bool]:
    return lambda summary: summary[member] in statuses


def _failed(summary: Fields, *, retryable: bool) -> bool:
    reason = summary.get("FailureReason", "")
    internal = str(reason).startswith("InternalServerError")
    return summary["TrainingJobStatus"] == "Failed" and internal == retryable


_STATUS, _OBJECTIVE = "TrainingJobStatus", "ObjectiveStatus"

COUNTERS: dict[str, dict[str, Callable[[Fields], bool]]] = {
    "TrainingJobStatusCounters": {
        "Completed": _has(_STATUS, "Completed"),
        "InProgress": _has(_STATUS, "InProgress", "Stopping"),
        "RetryableError": lambda summary: _failed(summary, retryable=True),
        "NonRetryableError": lambda summary: _failed(summary, retryable=False),
        "Stopped": _has(_STATUS, "Stopped"),
    },
    "ObjectiveStatusCounters": {
        "Succeeded": _has(_OBJECTIVE, "Succeeded"),
        "Pending": _has(_OBJECTIVE, "Pending"),
        "Failed": _has(_OBJECTIVE, "Failed"),
    },
}
