"""A pipeline as an Airflow DAG.

    Pipeline --tasks, one per step--> --edges--> --branch groups--> --the last task--> DAG

To run a new kind of step, write its operator and add a row to `OPERATORS`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, BaseOperator, Param, TaskGroup, TriggerRule
from airflow.sdk.definitions.param import ParamsDict

from airflow_sm_pipelines import aws, endings, markdown, naming, retries
from airflow_sm_pipelines.callback_operator import CallbackOperator
from airflow_sm_pipelines.check_operator import CheckOperator
from airflow_sm_pipelines.connections import connect
from airflow_sm_pipelines.definition import Parameter, Pipeline, Step
from airflow_sm_pipelines.definition.caching import is_cached
from airflow_sm_pipelines.definition.graph import downstream, unreported, upstream
from airflow_sm_pipelines.definition.parameters import PARAMETER_TYPES
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import ArgumentError, Problem, did_you_mean, listed
from airflow_sm_pipelines.hits import sensor_id
from airflow_sm_pipelines.job_operator import JobOperator
from airflow_sm_pipelines.lambda_operator import LambdaOperator
from airflow_sm_pipelines.operators import (
    ConditionOperator,
    FailOperator,
    StepOperator,
    UnsupportedOperator,
)
from airflow_sm_pipelines.scope import CACHE_SWITCH
from airflow_sm_pipelines.sensors import StepCacheSensor
from airflow_sm_pipelines.sources import require_file
from airflow_sm_pipelines.submission_operator import SubmissionOperator

StepArguments = Mapping[str, Mapping[str, Any]]
"""Step name -> arguments of its task."""


def build_dag(
    pipeline: Pipeline,
    *,
    dag_id: str | None = None,
    pipeline_name: str | None = None,
    role_arn: str | None = None,
    aws_conn_id: str | None = "aws_default",
    region_name: str | None = None,
    default_args: Mapping[str, Any] | None = None,
    step_args: StepArguments | None = None,
    tags: tuple[str, ...] = (),
    step_connections: Mapping[str, str] | None = None,
    wait_for_twin: bool | Collection[str] = False,
    **dag_arguments: Any,
) -> DAG:
    """The DAG of a pipeline: a task per step, named like the step, and one that ends the run.

    `dag_id` is the pipeline's name by default; `pipeline_name`, and `role_arn` for steps that name
    none, are what the service knows beside a definition. `default_args` go to every task, all but
    their `retries`: a step's are what its retry policies allow. `step_args` go to single tasks:
    `{"Train": {"retries": 2}}` lets any failure of that step be tried again. `step_connections`:
    step name -> connection id. `wait_for_twin`: cached steps, all or those named, await a job in
    progress that does the same. `dag_arguments` (`schedule` ...) go to DAG(), whose errors rise.
    """
    pipeline = _named(pipeline, pipeline_name, role_arn)
    dag = DAG(
        dag_id=dag_id or pipeline.name,
        params=_params(pipeline),
        default_args={**RETRIES, **(default_args or {})},
        tags=[TAG, *tags],
        **{**_dag_arguments(pipeline), **dag_arguments},
    )
    # DAG() has to see the params, but each task would copy them, which takes most of the time.
    params, dag.params = dag.params, ParamsDict()
    connection = aws.Connection(aws_conn_id, region_name)
    tasks = _tasks(dag, pipeline, connection, _checked(step_args or {}, pipeline))
    _connect(dag, tasks, _sensors(tasks, pipeline, connection, wait_for_twin), pipeline)
    dag.params = params
    connect(dag, step_connections or {}, region_name=region_name)
    return dag


def _named(pipeline: Pipeline, name: str | None, role_arn: str | None) -> Pipeline:
    """The pipeline with what the service knows beside its definition, as far as it is given."""
    require_file(pipeline, Pipeline)
    return replace(pipeline, name=name or pipeline.name, role_arn=role_arn or pipeline.role_arn)


def _dag_arguments(pipeline: Pipeline) -> dict[str, Any]:
    """What the definition says of the DAG; the caller's arguments go before."""
    arguments: dict[str, Any] = {
        "schedule": None,
        "description": pipeline.description,
        "doc_md": markdown.pipeline_page(pipeline),
    }
    if pipeline.display_name:
        arguments["dag_display_name"] = pipeline.display_name
    return arguments


def _params(pipeline: Pipeline) -> dict[str, Param]:
    params = {parameter.name: _param(parameter) for parameter in pipeline.parameters}
    if any(map(is_cached, pipeline.walk())):
        params[CACHE_SWITCH] = Param(
            True,
            type="boolean",
            title="Use the step cache",
            description="Let cached steps adopt an earlier job that did the same.",
        )
    return params


def _param(parameter: Parameter) -> Param:
    schema: dict[str, Any] = {"type": PARAMETER_TYPES[parameter.type].json_schema}
    if parameter.enum:
        schema["enum"] = list(parameter.enum)
    if parameter.required:
        return Param(description=parameter.description, **schema)
    return Param(parameter.default, description=parameter.description, **schema)


def _checked(step_args: StepArguments, pipeline: Pipeline) -> StepArguments:
    """The arguments of single tasks, refused where they name no step or what is not theirs."""
    names = [step.name for step in pipeline.walk()]
    problems = [
        Problem(
            f"step_args[{name!r}]",
            f"no step has this name{did_you_mean(name, names)}; the steps are: {listed(names)}",
        )
        for name in step_args
        if name not in names
    ]
    problems += [
        Problem(f"step_args[{name!r}][{key!r}]", "not to be given; the definition says it")
        for name, given in step_args.items()
        for key in sorted(DEFINED & given.keys())
    ]
    if problems:
        raise ArgumentError(problems)
    return step_args


def _tasks(
    dag: DAG, pipeline: Pipeline, connection: aws.Connection, step_args: StepArguments
) -> dict[str, BaseOperator]:
    """Step name -> its task; the steps of a branch are in a group of their own.

    A ForEach step is one task, whatever its body holds.
    """
    tasks: dict[str, BaseOperator] = {}
    taken = {step.name for step in pipeline.walk()}

    def make(step: Step, group: TaskGroup) -> None:
        given = step_args.get(step.name, {})
        arguments = {
            "connection": connection,
            "doc_md": markdown.step_page(step),
            "task_display_name": step.display_name,
            "trigger_rule": STARTS if is_cached(step) else _starts(step),
            **retries.task_arguments(step, given),
            **given,
        }
        tasks[step.name] = _operator(step)(
            task_id=step.name, pipeline=pipeline, step=step, dag=dag, task_group=group, **arguments
        )
        for outcome, children in _branches(step):
            group_id = naming.branch_group(step.name, outcome=outcome, taken=taken)
            taken.add(group_id)
            branch = TaskGroup(
                group_id,
                group_display_name=f"{step.name} is {str(outcome).lower()}",
                prefix_group_id=False,
                dag=dag,
                parent_group=group,
            )
            for child in children:
                make(child, branch)

    for step in pipeline.steps:
        make(step, dag.task_group)
    return tasks


def _sensors(
    tasks: Mapping[str, BaseOperator],
    pipeline: Pipeline,
    connection: aws.Connection,
    wait_for_twin: bool | Collection[str],
) -> dict[str, BaseOperator]:
    """Step name -> the sensor that waits for what a cached step waits for, in its stead."""
    cached = {step.name: step for step in pipeline.walk() if step.name in tasks and is_cached(step)}
    waiting = cached.keys() if wait_for_twin is True else frozenset(wait_for_twin or ())
    if unknown := sorted(waiting - cached.keys()):
        raise ValueError(
            f"wait_for_twin: no cached step {listed(unknown)}{did_you_mean(unknown[0], cached)}; "
            f"cached are: {listed(cached)}"
        )
    return {
        name: StepCacheSensor(
            task_id=sensor_id(name),
            pipeline=pipeline,
            step=step,
            dag=tasks[name].dag,
            task_group=tasks[name].task_group,
            trigger_rule=_starts(step),
            wait_for_twin=name in waiting,
            connection=connection,
        )
        for name, step in cached.items()
    }


def _starts(step: Step) -> TriggerRule:
    """When the first task of a step starts."""
    return STARTS_AFTER_ANY if endings.is_gated(step) else STARTS


def _operator(step: Step) -> type[StepOperator]:
    if not STEP_TYPES[step.type].runs:
        return UnsupportedOperator
    return OPERATORS.get(step.type, JobOperator)


def _connect(
    dag: DAG,
    tasks: Mapping[str, BaseOperator],
    sensors: Mapping[str, BaseOperator],
    pipeline: Pipeline,
) -> None:
    """Let each task wait for what its step waits for, and END_TASK for whatever may have failed.

    A cached step's task waits for its sensor alone, and the sensor for the rest.

    Where a step may run on a failure, END_TASK asks whether one has: a failure that a step has run
    on does not fail the run.
    """
    waits = upstream(pipeline)
    for name, before in waits.items():
        if before:
            first = sensors.get(name, tasks[name])
            first.set_upstream([tasks[other] for other in sorted(before)])
    for name, sensor in sensors.items():
        sensor.set_downstream(tasks[name])
    if endings.is_gated_pipeline(pipeline):
        end: BaseOperator = endings.EndOperator(
            task_id=naming.END_TASK, dag=dag, pipeline=pipeline, trigger_rule=STARTS_AFTER_ANY
        )
        end.set_upstream([tasks[name] for name in sorted(tasks)])
        return
    leaves = {name for name, after in downstream(waits).items() if not after}
    end = EmptyOperator(task_id=naming.END_TASK, dag=dag, trigger_rule=ENDS)
    end.set_upstream([tasks[name] for name in sorted(leaves | unreported(pipeline))])


def _branches(step: Step) -> Iterator[tuple[bool, tuple[Step, ...]]]:
    """The branches of a step that have steps, with the outcome that leads there."""
    if step.branches:
        for outcome, children in (
            (True, step.branches.if_steps),
            (False, step.branches.else_steps),
        ):
            if children:
                yield outcome, children


TAG = "sagemaker-pipeline"

# What a task has for tries that were cut short, as by the death of a worker; the next one attaches
# to the job. That of a step has as many more as its retry policies allow.
RETRIES: dict[str, Any] = {"retries": retries.CUT_SHORT, "retry_delay": timedelta(seconds=10)}
DEFINED = frozenset({"dag", "pipeline", "step", "task_group", "task_id"})
STARTS = TriggerRule.ALL_SUCCESS
STARTS_AFTER_ANY = TriggerRule.ALL_DONE
ENDS = TriggerRule.NONE_FAILED

OPERATORS: dict[str, type[StepOperator]] = {
    "Callback": CallbackOperator,
    "ClarifyCheck": CheckOperator,
    "Condition": ConditionOperator,
    "EMR": SubmissionOperator,
    "EMRServerless": SubmissionOperator,
    "Fail": FailOperator,
    "Lambda": LambdaOperator,
    "QualityCheck": CheckOperator,
}
"""The operators of steps that are no job of SageMaker, or more; the rest is `JobOperator`'s."""
