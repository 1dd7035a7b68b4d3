"""PipelineExperimentConfig: the experiment and the trial that the jobs of a run are part of.

The first task of a run makes them, the others find them there. A run never fails for them: where
AWS will not have an experiment, as in regions without SageMaker Experiments, its jobs are in none.
"""

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from airflow_sm_pipelines import aws, tagging
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.references import EXPERIMENT_NAMES
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.errors import AccessDeniedError
from airflow_sm_pipelines.scope import RunScope

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)

Names = dict[str, str]
"""`ExperimentName` and `TrialName`, as far as the pipeline gives them."""


def join(client: "BaseClient", job: Job, scope: RunScope) -> Names:
    """What the ExperimentConfig of a run's job names; both are there when this returns.

    Empty for a pipeline without an experiment, for a kind of resource that takes none, and, with a
    warning, where AWS refuses to make one.
    """
    given = scope.pipeline.experiment or {}
    wanted = [name for name in EXPERIMENT_NAMES if given.get(name) is not None]
    if not job.experiment or not wanted:
        return {}
    names = {name: entity_name(str(scope.experiment(name))) for name in wanted}
    try:
        _ensure(client, names, scope)
    except (AccessDeniedError, ClientError) as error:
        if aws.passes(error):
            raise
        log.warning("%s is not made, the job is in no experiment: %s", _listed(names), error)
        return {}
    return names


def entity_name(text: str) -> str:
    """`text` as the name of an experiment or a trial: `[a-z0-9](-*[a-z0-9]){0,119}`.

    SageMaker writes a pipeline's name in lower case when it names an experiment by it.
    """
    return _ILLEGAL.sub("-", text.lower()).strip("-")[:LONGEST_NAME].rstrip("-")


def _ensure(client: "BaseClient", names: Names, scope: RunScope) -> None:
    """Make the trial; where its experiment is missing, that first.

    In this order all tasks of a run but its first make one call, and no call twice.
    """
    pipeline = {"pipeline": scope.pipeline.name}
    run = {"dag": scope.context["dag"].dag_id, "run": scope.context["run_id"]}
    experiment = {"ExperimentName": names.get("ExperimentName"), **_tags(pipeline)}
    trial = {**names, **_tags({**pipeline, **run})}
    if set(names) == {"ExperimentName"}:
        aws.ensure(client, "CreateExperiment", experiment)
    if set(names) != set(EXPERIMENT_NAMES):
        return  # a trial is not made without an experiment, and may be there
    try:
        aws.ensure(client, "CreateTrial", trial)
    except ClientError as error:
        if not aws.is_unknown(error):
            raise
        aws.ensure(client, "CreateExperiment", experiment)
        aws.ensure(client, "CreateTrial", trial)


def _tags(origin: Mapping[str, str]) -> dict[str, Json]:
    tags = tagging.origin_tags(origin)
    return {"Tags": tags} if tags else {}


def _listed(names: Names) -> str:
    return " with ".join(f"{member} {name!r}" for member, name in names.items())


# API, ExperimentEntityName.
LONGEST_NAME = 120
_ILLEGAL = re.compile(r"[^a-z0-9-]")
