"""The rows of policies, parameters, and what the service fills in."""

from airflow_sm_pipelines.fidelity.rows import Row

_PARAMETERS = "tests/definition/test_parameters.py::"
_CHECKS = "tests/caching/test_checks.py::"
_EMR_STEPS = "tests/caching/test_emr_steps.py::"
_RETRIED = "tests/fidelity/test_policies.py::test_a_retry_policy_is_applied"
_RETRIES = "tests/test_retries.py::"
_RUNS = "tests/runs/test_retries.py::"
_REQUESTS = "tests/test_requests.py::"

POLICIES: tuple[Row, ...] = (
    Row(
        anchor="cacheconfig",
        title="CacheConfig",
        features=("CacheConfig",),
        level="equivalent",
        reason="a sensor before the step looks for an earlier job in AWS's own list",
        text="The key attributes are those that the developer guide lists, on resolved values; "
        "contents of S3 are not looked at. The newest job of the same pipeline and step that has "
        "completed is adopted if it was created within ExpireAfter, in calendar months and years "
        "of UTC; without ExpireAfter any age is good. The task hands on what the job's Describe "
        "says. The log of `<step>.cache` names the run of a hit and, for a miss, what differs. A "
        "list that is denied, throttled or longer than `[sm_pipelines] cache_pages` is a miss. "
        "As in the service a job in progress is not waited for, unless `wait_for_twin` says so.",
        proof=(
            "tests/runs/test_cache.py::test_a_second_run_adopts_the_job_of_the_first",
            "tests/runs/test_emr.py::test_a_second_run_adopts_the_step_of_the_first",
            "tests/caching/test_attributes.py::test_a_key_attribute_that_changes_misses_and_is_named",
            "tests/caching/test_attributes.py::test_another_attribute_that_changes_hits",
            "tests/caching/test_candidates.py::test_a_job_is_good_up_to_the_moment_it_expires",
            "tests/caching/test_candidates.py::test_a_job_that_failed_is_never_adopted",
            "tests/test_sensors.py::test_two_runs_at_once_run_two_jobs",
        ),
    ),
    Row(
        anchor="cacheconfig-checks",
        title="CacheConfig of checks",
        features=("CacheConfig of a check",),
        level="different",
        reason="the earlier job also has to have the same baseline, and no violations",
        text="The key is the documented one, the CheckType included, in the name of the job. The "
        "service compares no more than the ModelPackageGroupName: here a job that was compared "
        "with the baseline of another model than the latest that is approved is a miss. The "
        "service adopts a step that has Succeeded; here the report of the job is judged again, by "
        "the present FailOnViolation. A job of which it is not known what it has found, since a "
        "later one has overwritten its outputs, is a miss, and so is one before the last job that "
        "did the same and found violations ([why](decisions/job-list-cache.md#checks)).",
        proof=(
            f"{_CHECKS}test_a_job_that_was_compared_with_a_model_before_the_latest_is_a_miss",
            f"{_CHECKS}test_a_job_with_violations_is_a_miss_and_the_log_says_why",
            f"{_CHECKS}test_what_came_before_a_job_with_violations_is_outdated",
            "tests/runs/test_quality_checks.py::test_a_second_run_adopts_a_check_that_has_passed",
            "tests/runs/test_clarify_checks.py::test_a_second_run_adopts_a_check_that_has_passed",
        ),
    ),
    Row(
        anchor="cacheconfig-clusters",
        title="CacheConfig of an EMR step with a ClusterConfig",
        features=("CacheConfig of a ClusterConfig",),
        level="different",
        reason="no earlier step is looked for: every run starts its cluster",
        text="The documented key is ClusterId and StepConfig. What the service compares of a step "
        "that has no ClusterId, or whether it caches it, is not documented; here the sensor says "
        "so and looks for none. With a ClusterId the steps of that cluster are the list.",
        proof=(f"{_EMR_STEPS}test_a_step_with_a_cluster_of_its_own_is_never_looked_for",),
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
        level="equivalent",
        reason="the task itself asks again for five minutes, then the policy governs",
        text="The create is first repeated inside the task, as without a policy; how that and a "
        "policy go together in the service is not documented. Then the policy's own interval, rate "
        "and number or time hold; the next try attaches where the call has taken effect.",
        proof=(
            f"{_RETRIED}[Step.THROTTLING]",
            f"{_RETRIED}[Step.SERVICE_FAULT]",
            f"{_RETRIES}test_a_policy_governs_what_it_names",
            "tests/test_patience.py::test_a_create_that_is_turned_away_is_asked_again_inside_the_task",
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
        level="equivalent",
        reason="each retry is a new job, after the policy's delay, as often as it allows",
        text="The kind is told by the FailureReason, whose texts AWS does not document in full. Of "
        "several policies for one kind the first holds. The time of ExpireAfterMin counts from the "
        "first execution of the step. The delay is exact, and the scheduler adds its seconds. "
        "Before Airflow 3.3 it is fixed, and the number of the try stands for that of the retry.",
        proof=(
            f"{_RETRIED}[SageMaker.JOB_INTERNAL_ERROR]",
            f"{_RETRIED}[SageMaker.CAPACITY_ERROR]",
            f"{_RETRIED}[SageMaker.JOB_CAPACITY_ERROR]",
            f"{_RETRIED}[SageMaker.RESOURCE_LIMIT]",
            f"{_RETRIES}test_a_named_failure_is_retried_after_the_policys_delay_and_as_often",
            f"{_RETRIES}test_a_policy_that_expires_counts_from_the_first_execution",
            f"{_RETRIES}test_searches_are_not_retried_for_internal_errors",
            f"{_RETRIES}test_where_airflow_asks_no_policy_the_tries_are_the_budget",
            f"{_RUNS}test_a_job_without_capacity_is_followed_by_new_jobs",
        ),
    ),
    Row(
        anchor="retry-emr-faults",
        title="RetryPolicies of Emr.RESOURCE_LIMIT",
        features=("ExceptionType=Emr.RESOURCE_LIMIT",),
        level="equivalent",
        reason="a full cluster, a quota of EMR Serverless, a cluster that EC2 refuses instances",
        text="What the service calls so is not documented. Here it is AddJobFlowSteps on a cluster "
        "that has 256 steps in progress, ServiceQuotaExceededException of EMR Serverless, and a "
        "cluster of the step's own that could not be had because of a limit of EC2.",
        proof=(
            f"{_RETRIED}[Emr.RESOURCE_LIMIT]",
            "tests/test_exception_types.py::test_limits_of_emr_are_told_from_other_refusals",
        ),
    ),
    Row(
        anchor="no-retries",
        title="No RetryPolicies",
        features=("RetryPolicies absent",),
        level="equivalent",
        reason="AWS that is too busy is asked again; a failed job is not tried again",
        text="The service, too, repeats throttled calls and faults of its own without a policy, "
        "from one second on; how long is not documented, here it is five minutes, "
        "`[sm_pipelines] create_patience_seconds`. Beside that a task has three retries for tries "
        "that were cut short, which attach to the job and never start a second one. "
        '`step_args={"Train": {"retries": 2}}` of `build_dag` lets any failure of a step be tried '
        "again.",
        proof=(
            "tests/test_patience.py::test_a_create_that_is_turned_away_is_asked_again_inside_the_task",
            f"{_RETRIES}test_without_a_policy_only_a_try_that_was_cut_short_is_retried",
            f"{_RUNS}test_a_failure_that_no_policy_names_is_not_retried",
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
        level="equivalent",
        reason="the experiment and the trial are made once, and jobs are in them",
        text="The first task of a run makes both; Processing, Training and Transform jobs carry "
        "them in their ExperimentConfig, beside the display name that the step's own gives. Names "
        "are in lower case, and what the service does not take in one is `-`. Where AWS refuses, "
        "as in regions without SageMaker Experiments, there is a warning and the job is in none. "
        "`null` means none, as in the service.",
        proof=(
            "tests/fidelity/test_policies.py::test_the_jobs_of_a_run_are_in_its_experiment",
            "tests/fidelity/test_policies.py::test_without_a_config_there_is_no_experiment",
            "tests/test_experiments.py"
            "::test_where_aws_will_have_no_experiment_the_job_is_in_none_with_one_warning",
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
        text="At most 50 in all: own tags go first. `[sm_pipelines] tags = false` adds none. "
        "Versions of a model package, which take no tags, have none.",
        proof=(
            f"{_REQUESTS}test_own_tags_are_kept",
            f"{_REQUESTS}test_a_job_is_tagged_with_where_it_comes_from",
        ),
    ),
)
