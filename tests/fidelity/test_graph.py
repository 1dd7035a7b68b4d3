import json

import pytest
from airflow.sdk import TriggerRule

from airflow_sm_pipelines import load
from airflow_sm_pipelines.definition import warnings
from airflow_sm_pipelines.definition.graph import upstream
from tests.fidelity.cases import TRAINING, condition, dag_of, pipeline_of, step


def test_the_order_of_steps_does_not_matter() -> None:
    steps = [step("Training", "A"), step("Training", "B", DependsOn=["A"]), step("Training", "C")]
    edges = [
        {task.task_id: task.upstream_task_ids for task in dag_of(*order).tasks}
        for order in (steps, steps[::-1])
    ]
    assert edges[0] == edges[1]
    assert edges[0]["C"] == set()


@pytest.mark.parametrize("trigger", ["Failed", "Stopped", "Any"])
def test_a_step_with_a_trigger_starts_however_the_other_has_ended(trigger: str) -> None:
    after = step("Training", DependsOn=[{"Step": "T", "Trigger": trigger}])
    task = dag_of(step("Training", "T"), after).task_dict["S"]
    assert task.upstream_task_ids == {"T"}
    assert task.trigger_rule == TriggerRule.ALL_DONE


def test_a_step_that_needs_both_branches_is_told() -> None:
    both = step("Training", DependsOn=["A", "B"])
    decision = condition(yes=[step("Training", "A")], no=[step("Training", "B")])
    pipeline = pipeline_of(decision, both)
    (told,) = (each for each in warnings(pipeline) if "never runs" in each.message)
    assert told.where == "$.Steps[1]"
    assert upstream(pipeline)["S"] == {"A", "B"}


def test_the_entry_of_an_inner_branch_waits_for_its_own_condition() -> None:
    inner = condition("Inner", yes=[step("Training")])
    dag = dag_of(condition("Outer", yes=[inner]))
    assert dag.task_dict["Inner"].upstream_task_ids == {"Outer"}
    assert dag.task_dict["S"].upstream_task_ids == {"Inner"}


def test_a_foreach_step_is_one_task_that_waits_for_its_body() -> None:
    body = {"Name": "Body", "Type": "Training", "Arguments": TRAINING, "DependsOn": ["T"]}
    loop = step("ForEach")
    loop["Arguments"]["ForEachBody"] = [body]
    dag = dag_of(step("Training", "T"), loop)
    assert dag.task_dict["S"].upstream_task_ids == {"T"}
    assert "Body" not in dag.task_dict


def test_a_cleanup_step_waits_for_its_sources() -> None:
    dag = dag_of(step("Training", "T"), step("Cleanup"))
    assert dag.task_dict["S"].upstream_task_ids == {"T"}


def test_what_reads_a_step_that_is_not_run_waits_for_it() -> None:
    read = {"Get": "Steps.S.ActionArns['a']"}
    reader = step("Training", "R", Arguments={**TRAINING, "RoleArn": read})
    task = dag_of(step("Lineage"), reader).task_dict["R"]
    assert task.upstream_task_ids == {"S"}
    assert task.trigger_rule == TriggerRule.ALL_SUCCESS


def test_definitions_of_these_tests_survive_being_written() -> None:
    pipeline = pipeline_of(step("Training", "T"), step("Cleanup"))
    assert load(json.dumps(pipeline.to_json()), name="p") == pipeline
