"""The rows of step types, and of what the SDK writes as one of them."""

from airflow_sm_pipelines.fidelity.rows import Row

_JOBS = "tests/fidelity/test_steps.py::test_a_step_creates_its_resource_and_hands_on_describe"
_UPDATED = "tests/fidelity/test_steps.py::test_what_exists_under_its_own_name_is_updated"
_FAILS = "tests/fidelity/test_steps.py::test_a_step_that_no_task_can_run_fails_at_once_and_says_so"
_SDK = "tests/fidelity/test_occurrences.py::test_what_the_sdk_writes_as_other_types_is_recognised"
_EMR = "tests/runs/test_emr.py"
_STEP_LOCALLY = (
    "tests/local/test_image_commands.py"
    "::test_the_driver_of_a_step_function_is_run_with_its_arguments"
)
_NOTEBOOK_LOCALLY = (
    "tests/local/test_notebook_job.py::test_the_hyperparameters_are_the_parameters_of_the_notebook"
)
_BASELINES = "tests/test_baselines.py::"
_NOT_RUN = "no task can run it: the DAG is built, the task fails at once"

STEPS: tuple[Row, ...] = (
    Row(
        anchor="processing",
        title="Processing",
        features=("Type=Processing",),
        level="same",
        reason="CreateProcessingJob, awaited; its properties are DescribeProcessingJob",
        text="The resolved Arguments are the request. The step has succeeded when the job is "
        "Completed; Failed and Stopped fail the task, with the job's FailureReason and the last "
        "lines of its log.",
        proof=(f"{_JOBS}[Processing]", "tests/runs/test_abalone.py::test_good_model_is_registered"),
    ),
    Row(
        anchor="training",
        title="Training",
        features=("Type=Training",),
        level="same",
        reason="CreateTrainingJob, awaited; its properties are DescribeTrainingJob",
        text="As Processing. Metrics are read by name: "
        "`Steps.<step>.FinalMetricDataList['validation:rmse'].Value`.",
        proof=(f"{_JOBS}[Training]", "tests/runs/test_abalone.py::test_good_model_is_registered"),
    ),
    Row(
        anchor="step-functions",
        title="@step functions",
        features=("@step function",),
        level="same",
        reason="the SDK writes a Training step; that job is created as it is",
        text="A function decorated with `@step` arrives as a Training step with the SDK's own "
        "bootstrap script. Its arguments and its result travel through S3 in the job itself, and "
        "other steps read `results.json` with Std:JsonGet. Nothing is needed in Airflow.",
        proof=(f"{_SDK}[@step function]", f"{_JOBS}[Training]", _STEP_LOCALLY),
    ),
    Row(
        anchor="notebook-jobs",
        title="Notebook jobs",
        features=("Notebook job",),
        level="same",
        reason="the SDK writes a Training step; that job is created as it is",
        text="A `NotebookJobStep` arrives as a Training step that runs "
        "`amazon_sagemaker_scheduler`; its TrainingJobName is a prefix as everywhere. The local "
        "AWS runs the notebook by papermill.",
        proof=(f"{_SDK}[Notebook job]", f"{_JOBS}[Training]", _NOTEBOOK_LOCALLY),
    ),
    Row(
        anchor="repack",
        title="Repacked models",
        features=("Repack",),
        level="same",
        reason="the SDK writes a Training step that repacks the model; that job is created",
        text="A model with an entry point gets a step `<name>-RepackModel-<n>` from the SDK, which "
        "is an ordinary Training step whose artifact the model then uses.",
        proof=(f"{_SDK}[Repack]", f"{_JOBS}[Training]"),
    ),
    Row(
        anchor="tuning",
        title="Tuning",
        features=("Type=Tuning",),
        level="equivalent",
        reason="CreateHyperParameterTuningJob, awaited; the job has a name of its own scheme",
        text="The request, the final statuses and the properties of "
        "DescribeHyperParameterTuningJob are those of the service. How the service fits its names "
        "into 32 characters is not documented; here it is the execution id, 6 characters of the "
        "step, a key and a number. Its properties include "
        "[ranked training jobs](#training-job-summaries).",
        proof=(f"{_JOBS}[Tuning]", "tests/test_naming.py::test_every_name_is_one_that_aws_takes"),
    ),
    Row(
        anchor="automl",
        title="AutoML",
        features=("Type=AutoML",),
        level="equivalent",
        reason="CreateAutoMLJob, awaited; the job has a name of its own scheme",
        text="As Tuning, with DescribeAutoMLJob. The service runs ENSEMBLING mode only; another "
        "mode is a warning. See also [reports of the best candidate](#best-candidate-properties).",
        proof=(f"{_JOBS}[AutoML]", "tests/test_naming.py::test_every_name_is_one_that_aws_takes"),
    ),
    Row(
        anchor="transform",
        title="Transform",
        features=("Type=Transform",),
        level="same",
        reason="CreateTransformJob, awaited; its properties are DescribeTransformJob",
        text="As Processing. A transform job takes no role.",
        proof=(
            f"{_JOBS}[Transform]",
            "tests/test_requests.py::test_what_has_no_role_gets_none",
            "tests/runs/test_transform.py::test_a_trained_model_scores_the_test_set",
        ),
    ),
    Row(
        anchor="monitor-batch-transform",
        title="MonitorBatchTransform",
        features=("MonitorBatchTransform",),
        level="equivalent",
        reason="a Transform step and a check",
        text="The SDK writes `<name>-transform` and `<name>-monitoring`, the latter a "
        "[QualityCheck](#quality-check) or [ClarifyCheck](#clarify-check) step.",
        proof=(f"{_SDK}[MonitorBatchTransform]", f"{_JOBS}[QualityCheck]"),
    ),
    Row(
        anchor="model",
        title="Model",
        features=("Type=Model",),
        level="same",
        reason="CreateModel; its properties are DescribeModel",
        text="A model is there when the call has returned. Where the step names no "
        "ExecutionRoleArn the pipeline's role is filled in.",
        proof=(
            f"{_JOBS}[Model]",
            "tests/test_requests.py::test_a_model_gets_its_role_under_its_own_name",
        ),
    ),
    Row(
        anchor="register-model",
        title="RegisterModel",
        features=("Type=RegisterModel",),
        level="equivalent",
        reason="CreateModelPackage, awaited; GeneratedBy is not filled in",
        text="The group is created where it is not there. A ClientToken makes a second create of "
        "the same attempt the same package. Empty objects in ModelMetrics are passed on. The "
        "service writes the execution's ARN into "
        "MetadataProperties.GeneratedBy; here that member is what the definition says.",
        proof=(
            f"{_JOBS}[RegisterModel]",
            "tests/test_operators.py::test_a_model_package_is_registered_once",
            "tests/fidelity/test_steps.py::test_empty_objects_are_passed_on",
        ),
    ),
    Row(
        anchor="condition",
        title="Condition",
        features=("Type=Condition",),
        level="same",
        reason="all conditions hold: IfSteps, else ElseSteps",
        text="The conditions are read with AND. The step succeeds whichever branch is taken, and "
        "`Steps.<step>.Outcome` is `true` or `false`. A condition that cannot be evaluated fails "
        "the step.",
        proof=(
            "tests/test_operators.py::test_a_condition_skips_the_steps_of_the_other_branch_and_nothing_else",
            "tests/test_operators.py::test_a_condition_that_cannot_be_evaluated_fails_for_good",
        ),
    ),
    Row(
        anchor="fail",
        title="Fail",
        features=("Type=Fail",),
        level="equivalent",
        reason="the task fails with the resolved message, is never retried, and the run fails",
        text="Steps that run beside it go on to their end. Airflow has no reason of a failed run: "
        "the message is the task's error. A run of SageMaker that ended in a Fail step cannot be "
        "retried; an Airflow task can be cleared at any time.",
        proof=(
            "tests/test_operators.py::test_a_fail_step_fails_with_its_message",
            "tests/runs/test_abalone.py::test_bad_model_ends_in_the_fail_step",
        ),
    ),
    Row(
        anchor="callback",
        title="Callback",
        features=("Type=Callback",),
        level="equivalent",
        reason="SendMessage, then a deferred wait; workers answer a plugin or the local AWS",
        text="The message has `token`, `pipelineExecutionArn`, `status` and `arguments`. SageMaker "
        "itself would not know the token: a worker sends SendPipelineExecutionStepSuccess or "
        "-Failure to `/sm-pipelines` of Airflow's API server as its endpoint, or to the local AWS. "
        "Outputs are converted to the declared types. When a user ends the task, the queue is told "
        "with the status Stopping, and nobody waits for an answer; the service does.",
        proof=(
            "tests/runs/test_callbacks.py::test_a_callback_is_told_to_a_worker_and_its_answer_handed_on",
            "tests/runs/test_callbacks.py::test_on_aws_the_plugin_takes_the_answer",
        ),
    ),
    Row(
        anchor="lambda",
        title="Lambda",
        features=("Type=Lambda",),
        level="equivalent",
        reason="Invoke, awaited in the worker; outputs are converted to the declared types",
        text="The event is the resolved Arguments. An output that is missing is left out, and a "
        "reference to it fails. How the service converts is not documented. A try that died while "
        "the function ran is followed by another invocation, with the same `sm_pipelines_token` in "
        "`context.client_context.custom`; an answer that was lost fails the step.",
        proof=(
            "tests/runs/test_lambdas.py::test_a_lambda_function_is_invoked_and_its_outputs_handed_on",
            "tests/runs/test_lambdas.py::test_a_lost_answer_fails_the_step_and_invokes_nothing_again",
        ),
    ),
    Row(
        anchor="quality-check",
        title="QualityCheck",
        features=("Type=QualityCheck",),
        level="equivalent",
        reason="CreateProcessingJob, awaited; its report on violations is read from S3",
        text="The job calculates a baseline. Unless SkipCheck is true, it is given the earlier one "
        "too, as inputs and variables of Model Monitor's container: what is supplied, or that of "
        "the latest approved package in ModelPackageGroupName. How the service hands it over is "
        "not documented. Violations fail the step unless FailOnViolation is false. Its properties "
        "are the four of the service and DescribeProcessingJob. An earlier job is adopted as "
        "[CacheConfig](#cacheconfig-checks) says.",
        proof=(
            f"{_JOBS}[QualityCheck]",
            "tests/runs/test_quality_checks.py::test_data_that_drifts_fails_the_step",
            f"{_BASELINES}test_the_baseline_is_that_of_the_latest_approved_package",
        ),
    ),
    Row(
        anchor="clarify-check",
        title="ClarifyCheck",
        features=("Type=ClarifyCheck",),
        level="equivalent",
        reason="CreateProcessingJob, awaited; its report on violations is read from S3",
        text="As QualityCheck, with a baseline of one file, the `analysis.json` of an earlier job: "
        "what is supplied, or of the latest approved package Bias.PreTrainingConstraints, "
        "Bias.PostTrainingConstraints or Explainability.Constraints. The job finds it by the "
        "variable `baseline_constraints`, which Clarify's container reads: an example of AWS has "
        "it (aws-samples), no documentation. What breaks the baseline is Clarify's judgement. "
        "ModelName is written into a copy of the job's `analysis_config.json`, beside the file: "
        "where the service puts it is not documented, and Clarify reads it nowhere else. "
        "An earlier job is adopted as [CacheConfig](#cacheconfig-checks) says.",
        proof=(
            f"{_JOBS}[ClarifyCheck]",
            "tests/runs/test_clarify_checks.py::test_more_bias_than_in_the_baseline_fails_the_step",
            "tests/test_analysis_configs.py::test_the_model_is_in_a_copy_of_the_configuration",
            f"{_BASELINES}test_the_baseline_is_that_of_the_latest_approved_package",
        ),
    ),
    Row(
        anchor="emr",
        title="EMR and EMRServerless",
        features=("Type=EMR", "Type=EMRServerless"),
        level="equivalent",
        reason="a step of a cluster, or a job run, awaited; properties are what EMR says",
        text="The step has a name of its own, by which it is found again, so that it is added "
        "once. Its properties are DescribeStep's Step and ClusterId, or GetJobRun's answer. On a "
        "cluster that is there it is told to let that go on where it fails (CONTINUE), if "
        "StepConfig says nothing else. A cluster of the step's own is started with the step, ends "
        "with it, and is terminated where the step is stopped. An EMR Serverless application of "
        "the step's own is created once in a run and left to its own autoStopConfiguration; what "
        "the service does with it is not documented. Whether the service retries as "
        "[Emr.RESOURCE_LIMIT](#retry-emr-faults) says is inferred.",
        proof=(
            f"{_EMR}::test_a_step_is_added_once_and_hands_on_what_emr_says",
            f"{_EMR}::test_a_step_is_added_once_though_the_call_goes_wrong",
            f"{_EMR}::test_a_cluster_of_the_steps_own_ends_with_it",
            f"{_EMR}::test_a_job_run_of_emrserverless_is_started_once_and_hands_on_what_get_job_run_"
            "says",
        ),
    ),
    Row(
        anchor="endpoint-config",
        title="EndpointConfig",
        features=("Type=EndpointConfig",),
        level="same",
        reason="CreateEndpointConfig; its properties are DescribeEndpointConfig",
        text="The configuration is there when the call has returned. Its name is made as that of a "
        "job, so an Endpoint step has to read `Steps.<step>.EndpointConfigName`.",
        proof=(f"{_JOBS}[EndpointConfig]",),
    ),
    Row(
        anchor="endpoint",
        title="Endpoint and InferenceComponent",
        features=("Type=Endpoint", "Type=InferenceComponent"),
        level="equivalent",
        reason="created, or updated where one of that name exists, and awaited until InService",
        text="The name in Arguments is the resource's own. What is as it was asked for already is "
        "left alone, an update in progress is waited for, and what no update can change is an "
        "error. An update that was rolled back has failed, although the endpoint is InService.",
        proof=(
            f"{_JOBS}[Endpoint]",
            f"{_JOBS}[InferenceComponent]",
            f"{_UPDATED}[Endpoint]",
            f"{_UPDATED}[InferenceComponent]",
        ),
    ),
    Row(
        anchor="job",
        title="Job",
        features=("Type=Job",),
        level="same",
        reason="CreateJob, awaited; its properties are DescribeJob",
        text="The job is told apart by its JobName and JobCategory.",
        proof=(f"{_JOBS}[Job]",),
    ),
    Row(
        anchor="lineage",
        title="Lineage",
        features=("Type=Lineage",),
        level="unsupported",
        reason=_NOT_RUN,
        text="No action, artifact, context or association is created.",
        proof=(f"{_FAILS}[Lineage]",),
    ),
    Row(
        anchor="cleanup",
        title="Cleanup",
        features=("Type=Cleanup",),
        level="unsupported",
        reason=_NOT_RUN,
        text="Nothing is deleted. The task waits for the steps whose outputs it names, see "
        "[sources of a Cleanup step](#cleanup-sources).",
        proof=(f"{_FAILS}[Cleanup]",),
    ),
    Row(
        anchor="foreach",
        title="ForEach",
        features=("Type=ForEach",),
        level="unsupported",
        reason=_NOT_RUN,
        text="The whole step is one task, whatever its body holds; see "
        "[steps of a body](#foreach-bodies).",
        proof=(f"{_FAILS}[ForEach]",),
    ),
)
