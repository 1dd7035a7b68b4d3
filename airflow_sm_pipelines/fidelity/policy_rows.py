"""The rows of policies, parameters, and what the service fills in."""

from airflow_sm_pipelines.fidelity.rows import Row

_PARAMETERS = "tests/definition/test_parameters.py::"
_NOT_RETRIED = "tests/fidelity/test_policies.py::test_a_retry_policy_is_not_applied"
_REQUESTS = "tests/test_requests.py::"

POLICIES: tuple[Row, ...] = (
    Row(
        anchor="cacheconfig",
        title="CacheConfig",
        features=("CacheConfig",),
        level="different",
        reason="not applied yet: every run runs the job",
        text="No earlier job is looked for, so a run costs what its first run cost. The policy is "
        "read and its duration checked; a later release applies it.",
        proof=("tests/fidelity/test_policies.py::test_a_cached_step_is_run_again_in_every_run",),
    ),
    Row(
        anchor="cacheconfig-off",
        title="CacheConfig without effect",
        features=("CacheConfig without effect",),
        level="same",
        reason="off, or on a type of step that SageMaker does not cache",
        text="A CacheConfig that is not Enabled, and one of a step outside the documented list, "
        "changes nothing in the service either.",
        proof=(
            "tests/fidelity/test_policies.py::test_a_policy_without_effect_is_not_said_to_have_one",
        ),
    ),
    Row(
        anchor="retry-step-faults",
        title="RetryPolicies of Step.THROTTLING and Step.SERVICE_FAULT",
        features=("ExceptionType=Step.THROTTLING", "ExceptionType=Step.SERVICE_FAULT"),
        level="different",
        reason="not applied yet: a call that AWS turns away is tried five times more, then fails",
        text="Intervals, rates and numbers of the policy are read and checked. Calls are retried "
        "by botocore in its standard mode, and a try that such an error ends is repeated by "
        "Airflow's `retries`.",
        proof=(
            f"{_NOT_RETRIED}[Step.THROTTLING]",
            f"{_NOT_RETRIED}[Step.SERVICE_FAULT]",
            "tests/test_aws.py::test_a_client_tries_five_times_more",
        ),
    ),
    Row(
        anchor="retry-job-faults",
        title="RetryPolicies of SageMaker.*",
        features=(
            "ExceptionType=SageMaker.JOB_INTERNAL_ERROR",
            "ExceptionType=SageMaker.CAPACITY_ERROR",
            "ExceptionType=SageMaker.JOB_CAPACITY_ERROR",
            "ExceptionType=SageMaker.RESOURCE_LIMIT",
        ),
        level="different",
        reason="not applied yet: a failed job is not tried again, unless the DAG has `retries`",
        text="Airflow's `retries` in `default_args` try every kind of failure again, each with a "
        "new job. The service retries the named kinds alone.",
        proof=(
            f"{_NOT_RETRIED}[SageMaker.JOB_INTERNAL_ERROR]",
            f"{_NOT_RETRIED}[SageMaker.CAPACITY_ERROR]",
            f"{_NOT_RETRIED}[SageMaker.JOB_CAPACITY_ERROR]",
            f"{_NOT_RETRIED}[SageMaker.RESOURCE_LIMIT]",
            "tests/test_operators.py::test_a_failed_job_is_not_tried_again_unless_retries_are_asked_for",
        ),
    ),
    Row(
        anchor="retry-emr-faults",
        title="RetryPolicies of Emr.RESOURCE_LIMIT",
        features=("ExceptionType=Emr.RESOURCE_LIMIT",),
        level="unsupported",
        reason="no task can run an EMR step",
        text="See [EMR](#emr).",
        proof=(f"{_NOT_RETRIED}[Emr.RESOURCE_LIMIT]",),
    ),
    Row(
        anchor="no-retries",
        title="No RetryPolicies",
        features=("RetryPolicies absent",),
        level="equivalent",
        reason="AWS that is too busy is asked again; a failed job is not tried again",
        text="The service, too, repeats throttled calls and faults of its own without a policy; "
        "how often is not documented. Beside that a DAG has three retries for tries that were cut "
        "short, which attach to the job and never start a second one.",
        proof=(
            "tests/test_aws.py::test_a_client_tries_five_times_more",
            "tests/test_operators.py::test_a_worker_that_dies_after_the_create_leads_to_one_job",
        ),
    ),
    Row(
        anchor="parallelism",
        title="ParallelismConfiguration",
        features=("ParallelismConfiguration",),
        level="equivalent",
        reason="steps queue for their turn to have a job in progress; conditions do not count",
        text="MaxParallelExecutionSteps comes with the output of DescribePipeline. A place that "
        "gets free is noticed after seconds, at most five minutes "
        "([why](decisions/turns.md)). Without it SageMaker has no limit and Airflow has its own, "
        "`max_active_tasks_per_dag`, which deferred tasks do not count for.",
        proof=(
            "tests/test_turns.py::test_no_order_of_moves_lets_more_than_the_limit_run",
            "tests/test_operators.py::test_a_step_whose_turn_has_not_come_is_deferred_and_creates_nothing",
            "tests/runs/test_values.py::test_steps_have_their_turn_one_by_one",
        ),
    ),
    Row(
        anchor="experiments",
        title="PipelineExperimentConfig",
        features=("PipelineExperimentConfig",),
        level="different",
        reason="no experiment and no trial is created, and jobs are not associated with them",
        text="The names are read and can be referred to. `null` means none, as in the service.",
        proof=(
            "tests/fidelity/test_policies.py::test_no_experiment_is_created_and_no_job_names_one",
        ),
    ),
    Row(
        anchor="mlflow",
        title="MlflowConfig",
        features=("MlflowConfig",),
        level="different",
        reason="not applied: jobs are not told of the tracking server",
        text="The names are read and checked. Give the job what it needs in its Environment.",
        proof=("tests/fidelity/test_policies.py::test_no_job_is_told_of_mlflow",),
    ),
)

START: tuple[Row, ...] = (
    Row(
        anchor="parameters",
        title="Parameters",
        features=("Parameter=String", "Parameter=Integer", "Parameter=Float", "Parameter=Boolean"),
        level="equivalent",
        reason="Airflow params of that type; a start sends JSON values, not text",
        text="StartPipelineExecution takes text and reads it by the declared type. The trigger "
        "form and the conf of a run take values of the type itself; `airflow-sm run -p` takes text "
        "and also the `True` and `False` of the SDK. Names that are unknown, values of another "
        "type and missing ones are refused before the first job starts.",
        proof=(
            "tests/test_dag.py::test_a_param_has_the_type_of_its_parameter",
            f"{_PARAMETERS}test_text_is_read_as_the_declared_type",
            f"{_PARAMETERS}test_value_of_another_type_or_outside_the_enum_is_told",
            "tests/runs/test_values.py::test_wrong_parameters_are_refused_before_a_job_starts",
        ),
    ),
    Row(
        anchor="required-parameters",
        title="Parameters without a DefaultValue",
        features=("Parameter without a default",),
        level="same",
        reason="a run cannot start without a value, and a schedule is refused",
        text='A default of `false`, `0` or `""` is a default.',
        proof=(
            "tests/test_dag.py::test_a_parameter_without_a_default_is_required",
            "tests/test_dag.py::test_a_schedule_with_a_required_parameter_is_refused_by_dag_itself",
        ),
    ),
    Row(
        anchor="enum-values",
        title="EnumValues",
        features=("EnumValues",),
        level="same",
        reason="another value is refused; the trigger form offers these",
        text="They are for String parameters alone.",
        proof=(
            "tests/test_dag.py::test_the_values_of_an_enum_are_the_choices",
            f"{_PARAMETERS}test_value_of_another_type_or_outside_the_enum_is_told",
        ),
    ),
    Row(
        anchor="job-names",
        title="Names of jobs",
        features=("Job names",),
        level="equivalent",
        reason="the service's scheme, with a key and a number instead of 10 random characters",
        text="`pipelines-<execution id>-<step, 20 characters>-<key>-<number>`. The name is the "
        "same whenever a try is repeated, so that a job is found again and never created twice. A "
        "name in Arguments is a prefix, as in the service: "
        "`<prefix>-<execution id>-<key>-<number>`; that of an Endpoint or InferenceComponent is "
        "its own.",
        proof=(
            "tests/test_naming.py::test_a_name_is_what_the_service_writes",
            f"{_REQUESTS}test_a_name_in_arguments_is_a_prefix",
        ),
    ),
    Row(
        anchor="roles",
        title="Roles",
        features=("Roles",),
        level="equivalent",
        reason="jobs run with the same role; the connection's identity makes the calls",
        text="A step's own role goes before the pipeline's, which DescribePipeline, `build_dag` or "
        "the configuration gives. SageMaker makes the calls and reads the files of Std:JsonGet "
        "with the pipeline's role; here the identity of the Airflow connection needs those "
        "permissions, and `iam:PassRole`.",
        proof=(
            f"{_REQUESTS}test_the_pipelines_role_stands_in_for_none",
            f"{_REQUESTS}test_the_steps_own_role_goes_before_the_pipelines",
            "tests/fidelity/test_policies.py::test_calls_are_made_with_the_connection",
        ),
    ),
    Row(
        anchor="tags",
        title="Tags",
        features=("Tags",),
        level="equivalent",
        reason="the step's own are kept; four that name pipeline, step, DAG and run are added",
        text="At most 50 in all: own tags go first. `[sm_pipelines] tags = false` adds none.",
        proof=(
            f"{_REQUESTS}test_own_tags_are_kept",
            f"{_REQUESTS}test_a_job_is_tagged_with_where_it_comes_from",
        ),
    ),
)
