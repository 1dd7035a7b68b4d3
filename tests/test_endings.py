"""How the steps of a run have ended, and what follows from it."""

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from airflow.sdk import TaskInstanceState

from airflow_sm_pipelines import build_dag, endings
from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.definition.parse_steps import TRIGGERS
from tests.definition.cases import definition, loaded, training
from tests.fakes import context


def pipeline(*dependencies: Any, **keys: Any) -> Pipeline:
    """Steps A and B, and C with those dependencies."""
    return loaded(definition(training("A"), training("B"), last(*dependencies, **keys)))


def last(*dependencies: Any, **keys: Any) -> Any:
    return training("C", DependsOn=list(dependencies), **keys)


def on(trigger: str, step: str = "A") -> dict[str, str]:
    return {"Step": step, "Trigger": trigger}


def unmet(made: Pipeline, **ended: str) -> list[str]:
    return endings.unmet(made, made.step("C"), ended)


def test_every_trigger_of_a_definition_has_a_row() -> None:
    assert set(endings.TRIGGERS) == set(TRIGGERS)


@pytest.mark.parametrize(
    ("trigger", "met_by"),
    [
        ("Failed", {"Failed"}),
        ("Stopped", {"Stopped"}),
        ("Any", {"Completed", "Failed", "Stopped"}),
    ],
)
def test_a_trigger_is_met_by_its_endings_and_by_no_step_that_has_not_started(
    trigger: str, met_by: set[str]
) -> None:
    made = pipeline(on(trigger))
    ends = ("Completed", "Failed", "Stopped")
    assert {ending for ending in ends if not unmet(made, A=ending)} == met_by
    assert unmet(made) == [f"step 'A' has not started; 'C' waits for {trigger}"]


def test_all_dependencies_have_to_be_met() -> None:
    made = pipeline(on("Failed"), "B")
    assert unmet(made, A="Failed", B="Completed") == []
    assert unmet(made, A="Completed", B="Failed") == [
        "step 'A' is Completed; 'C' waits for Failed",
        "step 'B' is Failed; 'C' waits for Completed",
    ]


def test_a_step_whose_output_is_read_has_to_complete() -> None:
    reads = {"HyperParameters": {"b": {"Get": "Steps.B.TrainingJobName"}}}
    made = pipeline(on("Failed"), arguments=reads)
    assert unmet(made, A="Failed", B="Failed") == ["step 'B' is Failed; 'C' waits for Completed"]


# The end


@pytest.mark.parametrize(
    ("dependency", "ended", "untaken"),
    [
        (on("Failed"), {"A": "Failed", "B": "Completed", "C": "Completed"}, []),
        (on("Any"), {"A": "Stopped", "C": "Completed"}, []),
        (on("Failed"), {"A": "Failed"}, ["A"]),
        (on("Failed"), {"A": "Failed", "B": "Stopped", "C": "Completed"}, ["B"]),
        (on("Failed"), {"A": "Failed", "C": "Failed"}, ["C"]),
        ("A", {"A": "Failed", "C": "Completed"}, ["A"]),
        (on("Failed"), {"A": "Completed", "B": "Completed"}, []),
    ],
)
def test_a_failure_is_taken_by_a_step_that_has_run_on_it(
    dependency: Any, ended: dict[str, str], untaken: list[str]
) -> None:
    assert endings.untaken(pipeline(dependency), ended) == untaken


# In Airflow


class Run:
    """A run of A, B and C in which A and B have ended; what A's job was left as."""

    def __init__(self, *dependencies: Any, status: str = "Failed", **states: str | None) -> None:
        self.dag = build_dag(pipeline(*dependencies))
        self.context = context(dag=self.dag, dag_id=self.dag.dag_id)
        ti = self.context["ti"]
        ti.xcoms["A", endings.STATUS] = status
        ti.states = {name: state and TaskInstanceState(state) for name, state in states.items()}

    def execute(self, task_id: str) -> None:
        task: Any = self.dag.task_dict[task_id]
        task.execute(self.context)


@pytest.mark.parametrize(
    ("state", "status", "ending"),
    [
        ("success", "", {"A": "Completed"}),
        ("failed", "Failed", {"A": "Failed"}),
        ("failed", "Stopped", {"A": "Stopped"}),
        ("skipped", "", {}),
        ("upstream_failed", "", {}),
        (None, "", {}),
    ],
)
def test_an_ending_is_that_of_the_task_and_of_the_job(
    state: str | None, status: str, ending: dict[str, str]
) -> None:
    run = Run("A", A=state, status=status)
    assert endings.read(run.context, pipeline("A")) == ending


def test_a_step_whose_sensor_has_failed_has_failed() -> None:
    run = Run("A", **{"A": "upstream_failed", "A.cache": "failed"})
    assert endings.read(run.context, pipeline("A")) == {"A": "Failed"}


def test_a_step_is_skipped_where_another_has_ended_otherwise() -> None:
    with pytest.raises(AirflowSkipException) as raised:
        Run(on("Stopped"), A="failed").execute("C")
    assert str(raised.value) == "step 'A' is Failed; 'C' waits for Stopped"


STEPS: list[dict[str, Any]] = [
    {"Type": "Training", "Arguments": {}},
    {"Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [], "ElseSteps": []}},
    {"Type": "Fail", "Arguments": {"ErrorMessage": "no"}},
    {"Type": "Lambda", "Arguments": {}, "FunctionArn": "arn:f"},
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step["Type"])
def test_every_kind_of_step_looks_before_it_starts(step: dict[str, Any]) -> None:
    named = {"Name": "C", "DependsOn": [on("Failed")], **step}
    run = Run("A", A="success")
    run.dag = build_dag(loaded(definition(training("A"), named)))
    with pytest.raises(AirflowSkipException):
        run.execute("C")


def test_the_end_of_a_run_fails_for_a_failure_that_no_step_has_run_on() -> None:
    with pytest.raises(AirflowFailException, match="no step has run on that: A; see their tasks"):
        Run(on("Stopped"), A="failed", B="success", C="skipped").execute("pipeline.end")


def test_the_end_of_a_run_is_well_where_a_step_has_run_on_the_failure() -> None:
    Run(on("Failed"), A="failed", B="success", C="success").execute("pipeline.end")
