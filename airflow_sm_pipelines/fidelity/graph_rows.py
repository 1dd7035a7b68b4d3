"""The rows of what waits for what, and of the form of a definition."""

from airflow_sm_pipelines.fidelity.rows import Row

_GRAPH = "tests/definition/test_graph.py::"
_RUNS = "tests/runs/test_trigger_dependencies.py"
_TRIGGER = (
    "tests/fidelity/test_graph.py::test_a_step_with_a_trigger_starts_however_the_other_has_ended"
)

GRAPH: tuple[Row, ...] = (
    Row(
        anchor="order",
        title="Steps that wait for nothing",
        features=("Step without dependencies",),
        level="same",
        reason="they start at once; the order in the definition does not matter",
        text="Steps run side by side as far as Airflow's own limits allow, see "
        "[parallel steps](#parallelism).",
        proof=("tests/fidelity/test_graph.py::test_the_order_of_steps_does_not_matter",),
    ),
    Row(
        anchor="depends-on",
        title="DependsOn",
        features=("DependsOn",),
        level="same",
        reason="the step starts when all of them have succeeded",
        text="Names may be those of steps outside a branch, inside it, or of other branches. What "
        "waits for a Fail step is a problem. A failed step leaves those below it unstarted "
        "(`upstream_failed`) and the run fails, also where a leaf was skipped before.",
        proof=(
            f"{_GRAPH}test_step_waits_for_what_depends_on_names",
            "tests/runs/test_branches.py::test_failed_step_above_a_skipped_leaf_fails_the_run",
        ),
    ),
    Row(
        anchor="references",
        title="References as dependencies",
        features=("Step that reads another",),
        level="same",
        reason="a step waits for every step that its expressions read",
        text="The operands of a Condition step count, the contents of its branches do not.",
        proof=(
            f"{_GRAPH}test_step_waits_for_the_steps_that_its_expressions_read",
            f"{_GRAPH}test_condition_waits_for_what_its_operands_read_and_not_for_its_branches",
        ),
    ),
    Row(
        anchor="depends-on-condition",
        title="DependsOn a Condition step",
        features=("DependsOn a Condition",),
        level="different",
        reason="waits until the condition is decided; SageMaker was seen to refuse it",
        text="The SDK writes it, and in 2023 the service refused it. Here the step does not wait "
        "for a branch and is not skipped with one. It is a warning.",
        proof=("tests/test_dag.py::test_a_condition_keeps_what_waits_for_it_outside_its_branches",),
    ),
    Row(
        anchor="triggers",
        title="Trigger Failed, Stopped and Any",
        features=("Trigger=Failed", "Trigger=Stopped", "Trigger=Any"),
        level="equivalent",
        reason="the step runs where the other has ended so; such a failure does not fail the run",
        text="The task looks itself how the other has ended, and is skipped where that is not as "
        "its trigger says. A step that has not started counts for none of them. Where SageMaker "
        "ends a run as CompletedWithFailures, the DAG run succeeds, with the failed task in it. A "
        "task that a user marks as failed counts as Failed.",
        proof=(
            f"{_TRIGGER}[Failed]",
            f"{_TRIGGER}[Stopped]",
            f"{_TRIGGER}[Any]",
            f"{_RUNS}::test_a_step_runs_when_another_has_ended_as_its_trigger_says",
            f"{_RUNS}::test_a_stopped_job_is_told_from_a_failed_one",
            f"{_RUNS}::test_a_failure_that_no_step_has_run_on_fails_the_run",
        ),
    ),
    Row(
        anchor="branches",
        title="IfSteps and ElseSteps",
        features=("Branch",),
        level="equivalent",
        reason="the branch not taken is skipped, with what waits for it; the run succeeds",
        text="SageMaker does not list such steps at all; Airflow shows them as skipped. Steps "
        "outside a branch that wait for one inside are skipped with it.",
        proof=(
            f"{_GRAPH}test_step_in_a_branch_waits_for_its_condition",
            "tests/runs/test_branches.py::test_skip_reaches_steps_outside_the_branch",
        ),
    ),
    Row(
        anchor="both-branches",
        title="A step that needs both branches",
        features=("Step that needs both branches",),
        level="same",
        reason="it never runs, since all that it waits for has to succeed",
        text="It is a warning, because it is hardly ever meant.",
        proof=("tests/fidelity/test_graph.py::test_a_step_that_needs_both_branches_is_told",),
    ),
    Row(
        anchor="nested-conditions",
        title="A Condition step inside a branch",
        features=("Condition in a branch",),
        level="different",
        reason="it works here; SageMaker's documentation says that it is not supported",
        text="The SDK writes it all the same. It is a warning.",
        proof=(
            "tests/fidelity/test_graph.py::test_the_entry_of_an_inner_branch_waits_for_its_own_condition",
        ),
    ),
    Row(
        anchor="foreach-bodies",
        title="Steps of a ForEach body",
        features=("ForEachBody",),
        level="unsupported",
        reason="they have no tasks: the ForEach step is one task, which fails",
        text="The ForEach task waits for all that the steps of its body wait for outside.",
        proof=(
            "tests/fidelity/test_graph.py::test_a_foreach_step_is_one_task_that_waits_for_its_body",
        ),
    ),
    Row(
        anchor="cleanup-sources",
        title="Sources of a Cleanup step",
        features=("Cleanup.Resources",),
        level="same",
        reason="a Cleanup step waits for the steps whose outputs it names",
        text="The edges are there; the [Cleanup](#cleanup) task itself fails.",
        proof=("tests/fidelity/test_graph.py::test_a_cleanup_step_waits_for_its_sources",),
    ),
)

FORM: tuple[Row, ...] = (
    Row(
        anchor="names",
        title="Keys and names",
        features=("Definition",),
        level="same",
        reason="unknown keys, names given twice, cycles and references to nothing are refused",
        text="Names are unique over all branches and bodies. All problems are told at once, each "
        "with its place. `null` stands for an absent key wherever the SDK writes it.",
        proof=(
            "tests/definition/test_checks.py::test_check_tells_every_fault_of_its_kind",
            "tests/definition/test_parse.py::test_keys_of_a_pipeline_are_known",
            "tests/definition/test_parse.py::test_null_stands_for_absent_wherever_the_sdk_writes_it",
        ),
    ),
    Row(
        anchor="arguments",
        title="Arguments",
        features=("Arguments",),
        level="equivalent",
        reason="`airflow-sm check` compares them with botocore's model; a DAG is built without",
        text="SageMaker compares types and literal values with its own copy of the API model when "
        "a pipeline is created: a parameter of type Integer where a string is wanted, a name that "
        "is too long, a value outside an enumeration. What is not seen by a check fails the task "
        "when its request is made.",
        proof=(
            "tests/cli/test_check.py::test_what_aws_refuses_is_told",
            "tests/test_operators.py::test_a_request_that_botocore_refuses_fails_for_good",
        ),
    ),
    Row(
        anchor="texts",
        title="DisplayName, Description and Metadata",
        features=("DisplayName", "Description", "Metadata"),
        level="equivalent",
        reason="shown in Airflow's UI; Metadata has no effect",
        text="A step's DisplayName is the task's, its Description is on the task's page.",
        proof=(
            "tests/test_dag.py::test_display_names_are_shown",
            "tests/test_dag.py::test_the_pages_describe_the_pipeline_and_its_steps",
        ),
    ),
)
