import copy
import json
import re
import warnings
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ParamValidationError
from airflow.sdk import DAG
from airflow.sdk.definitions.param import ParamsDict

from airflow_sm_pipelines import aws, build_dag, load, load_dag
from airflow_sm_pipelines.definition.graph import downstream, unreported, upstream
from airflow_sm_pipelines.endings import EndOperator, is_gated_pipeline
from airflow_sm_pipelines.errors import ArgumentError
from airflow_sm_pipelines.naming import END_TASK
from airflow_sm_pipelines.operators import UnsupportedOperator
from tests.drawing import DEFINITIONS, GOLDEN, draw
from tests.serializing import DagSerialization

LARGEST_PAGE = 4096
SECRET = "hunter2"


def step(name: str, **keys: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Training", "Arguments": {}, **keys}


def condition(
    name: str, *, if_steps: list[Any] | None = None, else_steps: list[Any] | None = None
) -> dict[str, Any]:
    arguments = {"Conditions": [], "IfSteps": if_steps or [], "ElseSteps": else_steps or []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def dag_of(*steps: dict[str, Any], parameters: Any = None, **keys: Any) -> DAG:
    definition = {"Version": "2020-12-01", "Parameters": parameters or [], "Steps": steps}
    return build_dag(load(json.dumps(definition), name="p"), **keys)


def serialized(dag: DAG) -> str:
    return json.dumps(DagSerialization.to_dict(dag), sort_keys=True)


# The graph


def test_every_drawing_is_of_a_definition() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(DEFINITIONS)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_dag_of_a_definition_is_as_drawn(name: str) -> None:
    """`python -m tests.drawing` draws them again; read what changed."""
    drawn = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert draw(load_dag(DEFINITIONS[name])) == drawn


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_last_task_waits_for_leaves_and_for_what_leaves_do_not_report(name: str) -> None:
    path = DEFINITIONS[name]
    pipeline = load(path.read_bytes(), name=name)
    leaves = {each for each, after in downstream(upstream(pipeline)).items() if not after}
    end = load_dag(path).task_dict[END_TASK]
    expected = leaves | unreported(pipeline)
    if is_gated_pipeline(pipeline):
        expected = set(upstream(pipeline))
    assert end.upstream_task_ids == expected
    assert end.downstream_task_ids == set()


def test_a_pipeline_without_steps_is_its_last_task() -> None:
    assert dag_of().task_ids == [END_TASK]


def test_a_step_with_a_trigger_and_the_end_of_its_run_start_when_all_before_are_done() -> None:
    dag = dag_of(step("A"), step("B", DependsOn=[{"Step": "A", "Trigger": "Failed"}]), step("C"))
    rules = {task.task_id: task.trigger_rule.value for task in dag.tasks}
    assert rules == {"A": "all_success", "B": "all_done", "C": "all_success", END_TASK: "all_done"}
    assert dag.task_dict[END_TASK].upstream_task_ids == {"A", "B", "C"}
    assert isinstance(dag.task_dict[END_TASK], EndOperator)


def test_a_step_that_no_task_can_run_yet_is_a_task_that_says_so() -> None:
    lineage = {"Name": "L", "Type": "Lineage", "Arguments": {}}
    assert isinstance(dag_of(lineage).task_dict["L"], UnsupportedOperator)


def test_a_for_each_step_is_one_task_that_waits_for_what_its_body_reads() -> None:
    inner = step("Inner", Arguments={"HyperParameters": {"a": {"Get": "Steps.A.TrainingJobName"}}})
    arguments = {"IterableItems": ["x"], "MaxConcurrency": 1, "ForEachBody": [inner]}
    dag = dag_of(step("A"), {"Name": "F", "Type": "ForEach", "Arguments": arguments})
    assert set(dag.task_ids) == {"A", "F", END_TASK}
    assert dag.task_dict["F"].upstream_task_ids == {"A"}


def test_the_group_of_a_branch_never_has_the_id_of_a_step() -> None:
    dag = dag_of(
        condition("C", if_steps=[step("A")], else_steps=[step("B")]),
        step("C-if"),
        condition("C-else", if_steps=[step("D")]),
        step("C-if_"),
    )
    groups = {task.task_id: task.task_group.group_id for task in dag.tasks if task.task_group}
    assert (groups["A"], groups["B"], groups["D"]) == ("C-if__", "C-else_", "C-else-if")
    assert not set(groups.values()) & set(dag.task_ids)


def test_a_branch_without_steps_is_no_group() -> None:
    assert list(dag_of(condition("C")).task_group.children) == ["C", END_TASK]


def test_a_condition_keeps_what_waits_for_it_outside_its_branches() -> None:
    dag = dag_of(condition("C", if_steps=[step("A")]), step("B", DependsOn=["C"]))
    assert dag.task_dict["B"].upstream_task_ids == {"C"}
    assert dag.task_dict["B"].task_group.is_root  # type: ignore[union-attr]


# Names and what people read


def test_the_dag_is_named_like_the_pipeline() -> None:
    assert dag_of().dag_id == "p"


def test_the_name_of_the_dag_and_of_the_pipeline_can_be_given() -> None:
    dag: Any = dag_of(step("S"), dag_id="d", pipeline_name="q", role_arn="r")
    assert dag.dag_id == "d"
    assert dag.task_dict["S"].pipeline.name == "q"
    assert dag.task_dict["S"].pipeline.role_arn == "r"


def test_display_names_are_shown() -> None:
    dag = load_dag(DEFINITIONS["describe_pipeline"])
    assert dag.dag_display_name == "Abalone rings"
    assert dag_of(step("S", DisplayName="Train it")).task_dict["S"].task_display_name == "Train it"


def test_without_display_names_the_names_are_shown() -> None:
    dag = dag_of(step("S"))
    assert dag.dag_display_name == "p"
    assert dag.task_dict["S"].task_display_name == "S"


def test_the_pages_describe_the_pipeline_and_its_steps() -> None:
    dag = dag_of(step("S", Description="With care"))
    assert dag.doc_md is not None
    assert dag.doc_md.startswith("SageMaker pipeline **p**")
    assert str(dag.task_dict["S"].doc_md).startswith("With care\n\n```json")


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_pages_of_tasks_are_small(name: str) -> None:
    for task in load_dag(DEFINITIONS[name]).tasks:
        assert len((task.doc_md or "").encode()) <= LARGEST_PAGE


# The cache

KEPT = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}


def test_the_edges_of_a_cached_step_go_through_its_sensor() -> None:
    dag = dag_of(step("A"), step("B", DependsOn=["A"], **KEPT), step("C", DependsOn=["B"]))
    upstream_of = {task.task_id: task.upstream_task_ids for task in dag.tasks}
    assert upstream_of == {
        "A": set(),
        "B": {"B.cache"},
        "B.cache": {"A"},
        "C": {"B"},
        END_TASK: {"C"},
    }


def test_a_sensor_is_in_the_group_of_its_step() -> None:
    dag = dag_of(condition("C", if_steps=[step("A", **KEPT)]))
    assert dag.task_dict["A.cache"].task_group is dag.task_dict["A"].task_group
    assert dag.task_dict["A.cache"].upstream_task_ids == {"C"}


def test_the_sensor_of_a_step_with_a_trigger_waits_in_its_stead() -> None:
    dag = dag_of(step("A"), step("B", DependsOn=[{"Step": "A", "Trigger": "Failed"}], **KEPT))
    rules = {task.task_id: task.trigger_rule.value for task in dag.tasks}
    assert (rules["B.cache"], rules["B"]) == ("all_done", "all_success")


@pytest.mark.parametrize(
    "other",
    [
        step("S", CacheConfig={"Enabled": False}),
        step("S", Type="Model", **KEPT),
        step("S", Type="EMRServerless", **KEPT),
    ],
    ids=["off", "not cachable", "no key is documented"],
)
def test_a_step_that_is_not_cached_has_no_sensor_and_its_run_no_switch(other: Any) -> None:
    dag = dag_of(other)
    assert set(dag.task_ids) == {"S", END_TASK}
    assert "sm_pipelines.cache" not in dag.params


def test_a_run_of_cached_steps_has_a_switch_that_is_on() -> None:
    param: Any = dag_of(step("S", **KEPT)).params.get_param("sm_pipelines.cache")
    assert (param.value, param.schema["type"]) == (True, "boolean")


@pytest.mark.parametrize(
    ("given", "waiting"), [(False, set()), (True, {"A", "B"}), (["B"], {"B"}), ((), set())]
)
def test_steps_that_wait_for_a_twin_are_all_or_those_named(given: Any, waiting: set[str]) -> None:
    dag: Any = dag_of(step("A", **KEPT), step("B", **KEPT), step("C"), wait_for_twin=given)
    sensors = {name: dag.task_dict[f"{name}.cache"] for name in "AB"}
    assert {name for name, sensor in sensors.items() if sensor.wait_for_twin} == waiting


def test_a_step_that_is_not_cached_cannot_wait_for_a_twin() -> None:
    cure = "wait_for_twin: no cached step Trian; did you mean 'Train'?; cached are: Train"
    with pytest.raises(ValueError, match=re.escape(cure)):
        dag_of(step("Train", **KEPT), wait_for_twin=["Trian"])


# The caller's arguments


def test_the_callers_arguments_go_before_the_definitions() -> None:
    dag = load_dag(
        DEFINITIONS["describe_pipeline"], description="mine", doc_md="mine", max_active_tasks=7
    )
    assert (dag.description, dag.doc_md, dag.max_active_tasks) == ("mine", "mine", 7)


def test_the_callers_tags_are_added() -> None:
    assert dag_of(tags=("team-a",)).tags == {"sagemaker-pipeline", "team-a"}


def test_default_arguments_go_to_every_task() -> None:
    delay = timedelta(seconds=7)
    dag = dag_of(step("S"), default_args={"retry_delay": delay, "pool": "p"})
    assert {(task.retry_delay, task.pool) for task in dag.tasks} == {(delay, "p")}


def test_retries_of_all_tasks_are_none_of_a_steps() -> None:
    dag: Any = dag_of(step("S"), default_args={"retries": 7})
    task = dag.task_dict["S"]
    assert (task.retries, task.retry_failures) == (3, False)


def test_arguments_of_a_step_go_to_its_task_alone() -> None:
    given = {"B": {"retries": 2, "pool": "p", "execution_timeout": timedelta(hours=1)}}
    dag: Any = dag_of(step("A"), condition("C", if_steps=[step("B")]), step_args=given)
    task, other = dag.task_dict["B"], dag.task_dict["A"]
    assert (task.retries, task.retry_failures, task.pool) == (2, True, "p")
    assert task.execution_timeout == timedelta(hours=1)
    assert (other.retries, other.pool, other.execution_timeout) == (3, "default_pool", None)


def test_arguments_of_a_step_go_before_what_the_definition_says() -> None:
    connection = aws.Connection("other")
    dag: Any = dag_of(step("S"), step_args={"S": {"connection": connection, "doc_md": "mine"}})
    assert (dag.task_dict["S"].connection, dag.task_dict["S"].doc_md) == (connection, "mine")


def test_arguments_of_unknown_steps_and_of_what_is_defined_are_refused_together() -> None:
    given: Any = {"Trian": {}, "S": {"task_id": "x", "pool": "p", "dag": None}}
    with pytest.raises(ArgumentError) as raised:
        dag_of(step("Train"), step("S"), step_args=given)
    assert str(raised.value) == (
        "step_args['Trian']: no step has this name; did you mean 'Train'?; "
        "the steps are: Train, S\n"
        "step_args['S']['dag']: not to be given; the definition says it\n"
        "step_args['S']['task_id']: not to be given; the definition says it"
    )


def test_a_connection_and_a_region_can_be_given() -> None:
    dag: Any = dag_of(step("S"), aws_conn_id="other", region_name="eu-central-1")
    connection = dag.task_dict["S"].connection
    assert (connection.conn_id, connection.region_name) == ("other", "eu-central-1")


def test_an_argument_that_dag_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="shedule"):
        dag_of(shedule="@daily")


# How many at once


def test_a_pipeline_without_a_limit_has_airflows() -> None:
    dag: Any = dag_of(step("S"))
    assert dag.max_active_tasks == 16


def test_a_limit_is_for_jobs_and_not_for_tasks() -> None:
    dag: Any = load_dag(DEFINITIONS["describe_pipeline"])
    assert dag.task_dict["Prepare"].pipeline.max_parallel_steps == 2
    assert dag.max_active_tasks == 16


# Params


def params(*parameters: dict[str, Any]) -> ParamsDict:
    return dag_of(parameters=list(parameters)).params


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("String", "x", 1),
        ("Integer", 3, 3.5),
        ("Integer", 3, "3"),
        ("Float", 3, "3"),
        ("Float", 0.5, True),
        ("Boolean", False, 0),
    ],
)
def test_a_param_has_the_type_of_its_parameter(type_: str, good: Any, bad: Any) -> None:
    made = params({"Name": "P", "Type": type_, "DefaultValue": good})
    assert (made["P"], type(made["P"])) == (good, type(good))
    made.validate()
    with pytest.raises(ParamValidationError):
        made["P"] = bad


def test_a_parameter_without_a_default_is_required() -> None:
    made = params({"Name": "P", "Type": "Integer"})
    with pytest.raises(ParamValidationError):
        made.validate()
    made["P"] = 3
    assert made.validate() == {"P": 3}


@pytest.mark.parametrize("falsy", [{"Type": "Integer", "DefaultValue": 0}, {"DefaultValue": ""}])
def test_a_default_that_is_falsy_is_a_default(falsy: dict[str, Any]) -> None:
    made = params({"Name": "P", **falsy})
    assert made["P"] == falsy["DefaultValue"]


def test_the_values_of_an_enum_are_the_choices() -> None:
    made = params({"Name": "P", "EnumValues": ["a", "b"], "Description": "one of two"})
    param: Any = made.get_param("P")
    assert (param.schema["enum"], param.description) == (["a", "b"], "one of two")
    with pytest.raises(ParamValidationError):
        made["P"] = "c"


def test_a_schedule_with_a_required_parameter_is_refused_by_dag_itself() -> None:
    with pytest.raises(ValueError, match="required params without default values"):
        dag_of(parameters=[{"Name": "P"}], schedule="@daily")


def test_a_schedule_with_defaults_is_taken() -> None:
    dag: Any = dag_of(parameters=[{"Name": "P", "DefaultValue": "x"}], schedule="@daily")
    assert dag.schedule == "@daily"


# Serialisation


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_dag_is_serialised_to_the_same_text_twice(name: str) -> None:
    first, second = (serialized(load_dag(DEFINITIONS[name])) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_serialised_dag_can_be_read_again(name: str) -> None:
    dag = load_dag(DEFINITIONS[name])
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert again.task_dict.keys() == dag.task_dict.keys()


def secretive(environment: dict[str, Any]) -> dict[str, Any]:
    return step("S", Arguments={"Environment": environment, "HyperParameters": environment})


def test_a_serialised_dag_has_no_values_of_environments_and_hyperparameters() -> None:
    branches = condition("C", if_steps=[{**secretive({"A": SECRET}), "Name": "T"}])
    after = step("U", DependsOn=[{"Step": "S", "Trigger": "Any"}])
    text = serialized(dag_of(secretive({"A": SECRET, "B": [SECRET]}), branches, after))
    assert SECRET not in text


def test_a_definition_is_not_touched_by_jinja() -> None:
    template = "{{ 1/0 }} {% raw %}"
    dag: Any = dag_of(secretive({"A": template}))
    task = dag.task_dict["S"]
    task.render_template_fields({}, dag.get_template_env())
    assert task.template_fields == ()
    assert task.step.arguments["Environment"] == {"A": template}
    assert "1/0" not in serialized(dag)


def test_a_template_in_a_description_is_not_rendered() -> None:
    dag: Any = dag_of(step("S", Description="{{ 1/0 }}"), description="{{ 1/0 }}")
    task = dag.task_dict["S"]
    task.render_template_fields({}, dag.get_template_env())
    assert "{{ 1/0 }}" in task.doc_md
    assert dag.description == "{{ 1/0 }}"


def test_a_dag_can_be_copied() -> None:
    dag: Any = dag_of(step("S"))
    again: Any = copy.deepcopy(dag)
    assert again.task_dict["S"].step == dag.task_dict["S"].step


def test_a_dag_is_built_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dag_of(condition("C", if_steps=[step("A")]), step("B", DependsOn=["C"]))
