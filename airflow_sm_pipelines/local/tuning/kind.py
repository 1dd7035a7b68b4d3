"""The kind of job that CreateHyperParameterTuningJob creates."""

from airflow_sm_pipelines.local import listing
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.algorithms.metrics import BUILT_IN_METRICS
from airflow_sm_pipelines.local.errors import invalid
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind
from airflow_sm_pipelines.local.jobs import Jobs
from airflow_sm_pipelines.local.machine import Machine
from airflow_sm_pipelines.local.tags import Tags
from airflow_sm_pipelines.local.tuning import checks, completion, warm_start
from airflow_sm_pipelines.local.tuning.definition import (
    OBJECTIVE_KEY,
    Definition,
    definitions,
    objective_of,
    resources_of,
    static_of,
)
from airflow_sm_pipelines.local.tuning.strategies import Settings, Strategy, made
from airflow_sm_pipelines.local.tuning.tuner import Trainer, Tuner

_NOUN = "HyperParameterTuningJob"
_TRAINING_JOBS = "ListTrainingJobsForHyperParameterTuningJob"


# Rules of the image map that stand for built-in algorithms, whose metrics SageMaker knows.
_BUILT_IN = frozenset({*BUILT_IN_METRICS, "built-in algorithm"})


def tuning(machine: Machine, jobs: Jobs, trained: JobKind, *, tags: Tags) -> JobKind:
    """The kind of job whose training jobs are of the kind `trained`."""
    trainer = Trainer(jobs=jobs, kind=trained, tags=tags)

    def describe(name: str) -> Fields:
        return jobs.get(kind, {f"{_NOUN}Name": name}).describe()

    def built_in(image: str) -> bool:
        return machine.images.rule(image).name in _BUILT_IN

    # Not of a job that plays a script: it is not searched, so it need not be one that can be.
    def look(request: Fields) -> None:
        checks.check(request, built_in=built_in)
        _look(trained, describe, request)

    kind = JobKind(
        noun=_NOUN,
        slug="hyper-parameter-tuning-job",
        unknown="Amazon SageMaker can't find a tuning job with the name {name}.",
        unknown_code="ResourceNotFound",
        check=checks.check_definitions,
        look=look,
        opened=_opened,
        stopping=lambda fields: {f"{_NOUN}Status": "Stopping"},
        ended=_ended,
        run=lambda job: _run(trainer, describe, job),
        waits=True,
        deletes=True,
        reads={_TRAINING_JOBS: _training_jobs},
    )
    return kind


def _look(trained: JobKind, describe: warm_start.Describe, request: Fields) -> None:
    """Refuse parents that are not there or do not fit, and channels without data."""
    found = list(warm_start.problems(request, describe))
    if found:
        raise invalid("; ".join(found))
    for definition in definitions(request):
        trained.look(definition.request("any", {}, tuning_arn=""))


def _opened(request: Fields) -> Fields:
    config = request["HyperParameterTuningJobConfig"]
    return {
        **_described_definitions(request),
        **completion.counters(()),
        # Members of a summary that a description has inside its configuration.
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
    }


def _described_definitions(request: Fields) -> Fields:
    """The definitions, with what `HyperparameterTuner.attach()` takes for granted.

    SageMaker adds the objective to the static hyperparameters. That it tells a ResourceConfig
    where the SDK has sent the other form is inferred: the SDK reads nothing else.
    """
    config = request["HyperParameterTuningJobConfig"]
    single = request.get("TrainingJobDefinition")
    several = request.get("TrainingJobDefinitions")
    return {
        **({"TrainingJobDefinition": _described(single, config)} if single else {}),
        **(
            {"TrainingJobDefinitions": [_described(each, config) for each in several]}
            if several
            else {}
        ),
    }


def _described(definition: Fields, config: Fields) -> Fields:
    resources = definition.get("HyperParameterTuningResourceConfig")
    metric = objective_of(definition, config).get("MetricName")
    objective = {OBJECTIVE_KEY: metric} if metric else {}
    return {
        **({"ResourceConfig": resources_of(resources)} if resources else {}),
        **definition,
        "StaticHyperParameters": {**static_of(definition), **objective},
    }


def _ended(fields: Fields, ending: Ending) -> Fields:
    reason = {"FailureReason": ending.reason} if ending.reason else {}
    return {
        f"{_NOUN}Status": ending.status,
        "HyperParameterTuningEndTime": now(),
        **reason,
        **ending.fields,
    }


def _run(trainer: Trainer, describe: warm_start.Describe, job: Job) -> Ending:
    request = job.request
    ancestors = warm_start.parents(request, describe)
    config = request["HyperParameterTuningJobConfig"]
    for line in _said(config):
        job.note(line)

    def strategy(definition: Definition) -> Strategy:
        settings = Settings(
            definition=definition,
            seed=config.get("RandomSeed"),
            resources=checks.resources(request) if config["Strategy"] == "Hyperband" else (1, 1),
            before=warm_start.found(definition, ancestors),
        )
        return made(config["Strategy"], settings)

    return Tuner(
        job,
        [(each, strategy(each)) for each in definitions(request)],
        trainer=trainer,
        parents_best=warm_start.best(request, ancestors),
    ).run()


def _said(config: Fields) -> list[str]:
    """What the log says of how far this is SageMaker's search."""
    convergence = (config.get("TuningJobCompletionCriteria") or {}).get("ConvergenceDetected") or {}
    asked = convergence.get("CompleteOnConvergence") == "Enabled"
    return [
        *SAID.get(config["Strategy"], ()),
        *((_CONVERGENCE,) if asked else ()),
    ]


def _training_jobs(fields: Fields, request: Fields) -> Fields:
    return listing.page(_TRAINING_JOBS, request, fields.get("TrainingJobSummaries") or ())


_CONVERGENCE = (
    "CompleteOnConvergence: how SageMaker detects convergence is not documented, and it is not "
    "detected here; the other criteria and limits hold"
)

SAID = {
    "Bayesian": (
        "Bayesian: Optuna's tree-structured Parzen estimator chooses the values, where SageMaker "
        "has an algorithm of its own",
    ),
    "Hyperband": (
        "Hyperband: Optuna chooses the values and which jobs are stopped, where SageMaker has an "
        "algorithm of its own",
    ),
}
