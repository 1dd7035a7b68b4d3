"""The rows of expressions and of conditions."""

from airflow_sm_pipelines.fidelity.rows import Row

_EXPRESSIONS = "tests/definition/test_expressions.py::"
_SCOPE = "tests/test_scope.py::"
_VARIABLES = f"{_SCOPE}test_an_execution_variable_is_a_fact_of_the_run"
_CONDITIONS = "tests/definition/test_conditions.py::"
_ITERATION = "tests/fidelity/test_values.py::test_a_value_of_an_iteration_has_no_value_in_a_run"
_COMPUTED = "tests/fidelity/test_values.py::"

VALUES: tuple[Row, ...] = (
    Row(
        anchor="get-parameters",
        title="Get Parameters",
        features=("Get=Parameters",),
        level="same",
        reason="the typed value of the parameter in this run",
        text="An Integer stays a number. As in the service, it is not made a string where AWS "
        "wants one; wrap it in Std:Join.",
        proof=(
            f"{_SCOPE}test_a_parameter_has_the_value_of_the_run_or_its_default",
            "tests/runs/test_values.py::test_parameters_keep_their_types",
        ),
    ),
    Row(
        anchor="execution-id",
        title="Execution.PipelineExecutionId",
        features=("Get=Execution.PipelineExecutionId",),
        level="equivalent",
        reason="12 characters of the same alphabet, computed from the deployment, DAG and run",
        text="It is the same whenever the run is looked at again, also after tasks were cleared; "
        "two Airflows never share one, unless they are configured with the same deployment.",
        proof=(
            f"{_SCOPE}test_the_execution_id_is_the_runs_own",
            "tests/test_naming.py::test_the_execution_id_tells_deployments_dags_and_runs_apart",
        ),
    ),
    Row(
        anchor="arns",
        title="Execution.PipelineArn and PipelineExecutionArn",
        features=("Get=Execution.PipelineArn", "Get=Execution.PipelineExecutionArn"),
        level="different",
        reason="ARNs of the right form that SageMaker does not know: it has no such execution",
        text="They are put together from the account and region of the connection, the pipeline's "
        "name in lower case and the execution id. As names and tags they serve; a job that asks "
        "SageMaker about them is told that they do not exist.",
        proof=(f"{_SCOPE}test_the_arns_are_those_of_the_connections_account_and_region",),
    ),
    Row(
        anchor="pipeline-name",
        title="Execution.PipelineName",
        features=("Get=Execution.PipelineName",),
        level="same",
        reason="the name that DescribePipeline gave, the caller gave, or the file has",
        text="A bare definition does not hold its name; give `pipeline_name` where the name of "
        "the file is another.",
        proof=(
            _VARIABLES,
            "tests/test_dag.py::test_the_name_of_the_dag_and_of_the_pipeline_can_be_given",
        ),
    ),
    Row(
        anchor="times",
        title="Execution.StartDateTime and CurrentDateTime",
        features=("Get=Execution.StartDateTime", "Get=Execution.CurrentDateTime"),
        level="equivalent",
        reason="ISO 8601 text; CurrentDateTime is the same in all tries of one job",
        text="StartDateTime is the run's `run_after`, which does not change when tasks are "
        "cleared. CurrentDateTime is taken when a job is first tried, so that a retry attaches to "
        "the job instead of asking for another. The service's exact format is not documented.",
        proof=(
            _VARIABLES,
            "tests/test_operators.py::test_the_current_time_is_the_same_in_all_tries_of_a_job",
        ),
    ),
    Row(
        anchor="own-job-name",
        title="Execution.TrainingJobName and ProcessingJobName",
        features=("Get=Execution.TrainingJobName", "Get=Execution.ProcessingJobName"),
        level="same",
        reason="the name of the job that this step creates",
        text="The name is made first and is then put into the arguments that contain it.",
        proof=(
            f"{_SCOPE}test_the_jobs_own_name_is_known_once_it_is_made",
            "tests/test_requests.py::test_the_jobs_own_name_is_in_its_arguments_and_not_in_its_key",
        ),
    ),
    Row(
        anchor="get-steps",
        title="Get Steps",
        features=("Get=Steps",),
        level="same",
        reason="a member of what Describe said when the step had ended",
        text="Lists of outputs, inputs, channels and metrics are read by name as well as by "
        "position. Times are ISO 8601 text. A property that is absent or null fails the step that "
        "reads it, as does one of a step that did not run.",
        proof=(
            f"{_SCOPE}test_the_properties_of_a_step_are_what_it_handed_on",
            "tests/definition/test_references.py::test_path_without_a_value_fails_the_step_that_reads_it",
            "tests/definition/test_paths.py::test_path_leads_to_a_value",
        ),
    ),
    Row(
        anchor="get-steps-not-run",
        title="Get Steps of a step that no task can run",
        features=("Get=Steps of a step that is not run",),
        level="unsupported",
        reason="the step that is read fails, so the step that reads it never starts",
        text="This holds for whatever is read of Lineage, Cleanup and ForEach steps. The names are "
        "checked.",
        proof=(
            "tests/fidelity/test_graph.py::test_what_reads_a_step_that_is_not_run_waits_for_it",
        ),
    ),
    Row(
        anchor="outcome",
        title="Outcome of a Condition step",
        features=("Get=Steps.Outcome",),
        level="same",
        reason="`true` or `false`, also as text in Std:Join",
        text="A step that reads it waits for the decision and is not skipped with a branch.",
        proof=(
            f"{_SCOPE}test_the_property_of_a_condition_is_its_outcome",
            "tests/test_operators.py::test_a_condition_skips_the_steps_of_the_other_branch_and_nothing_else",
        ),
    ),
    Row(
        anchor="training-job-summaries",
        title="TrainingJobSummaries of a Tuning step",
        features=("Get=Steps.TrainingJobSummaries",),
        level="same",
        reason="the training jobs, the best by the objective first, up to 50",
        text="They are asked for when the tuning job has ended. BestTrainingJob is a member of "
        "DescribeHyperParameterTuningJob.",
        proof=(f"{_COMPUTED}test_the_training_jobs_of_a_tuning_step_are_ranked_by_aws",),
    ),
    Row(
        anchor="best-candidate-properties",
        title="BestCandidateProperties of an AutoML step",
        features=("Get=Steps.BestCandidateProperties",),
        level="equivalent",
        reason="the JSON reports in the folders that DescribeAutoMLJob names",
        text="How the service finds the files is not documented. A report that cannot be found is "
        "left out with a warning; the step that reads it fails. The connection's identity needs "
        "`s3:ListBucket`.",
        proof=(
            f"{_COMPUTED}test_the_report_of_the_best_candidate_is_the_json_object_in_its_folder",
        ),
    ),
    Row(
        anchor="property-files-elsewhere",
        title="PropertyFiles outside of Std:JsonGet",
        features=("Get=Steps.PropertyFiles",),
        level="different",
        reason="the S3 URI of the file; SageMaker documents it for Std:JsonGet alone",
        text="Whether the service takes it elsewhere is not documented; it is a warning.",
        proof=(f"{_SCOPE}test_a_property_file_is_below_its_output",),
    ),
    Row(
        anchor="get-experiment",
        title="Get PipelineExperimentConfig",
        features=("Get=PipelineExperimentConfig",),
        level="same",
        reason="the name that PipelineExperimentConfig gives, resolved",
        text="The name alone: see [experiments](#experiments).",
        proof=("tests/fidelity/test_values.py::test_the_names_of_an_experiment_are_resolved",),
    ),
    Row(
        anchor="iterations",
        title="ForEach.CurrentItem and IterationOutput",
        features=("Get=ForEach.CurrentItem", "Get=IterationOutput"),
        level="unsupported",
        reason="no ForEach step is run, so there is no iteration",
        text="The references are checked against the steps of the body.",
        proof=(f"{_ITERATION}[ForEach.CurrentItem]", f"{_ITERATION}[IterationOutput]"),
    ),
    Row(
        anchor="join",
        title="Std:Join",
        features=("Std:Join",),
        level="same",
        reason="text; numbers as JSON writes them, booleans `true` and `false`",
        text="Functions nest. A list, an object or null cannot be joined: a literal one is a "
        "problem, a property that turns out to be one fails the step. How the service writes a "
        "float is not documented, beyond that it can be read back.",
        proof=(f"{_EXPRESSIONS}test_join_is_the_text_of_its_values",),
    ),
    Row(
        anchor="json-get-property-file",
        title="Std:JsonGet of a property file",
        features=("Std:JsonGet.PropertyFile",),
        level="same",
        reason="the value at the path, typed, read when the consuming step starts",
        text="The object is the S3 URI of the step's output, `/` and FilePath. A missing object, "
        "broken JSON or a path that leads to no single string, number or boolean fails the step "
        "that reads it.",
        proof=(
            f"{_SCOPE}test_a_property_file_is_below_its_output",
            f"{_SCOPE}test_json_get_finds_the_value_at_a_path",
        ),
    ),
    Row(
        anchor="json-get-s3-uri",
        title="Std:JsonGet of an S3 URI",
        features=("Std:JsonGet.S3Uri",),
        level="same",
        reason="as for a property file, at the URI that S3Uri resolves to",
        text="An object is read once for all values that one attempt of a step takes from it.",
        proof=(
            f"{_EXPRESSIONS}test_json_get_is_the_typed_value_in_the_document",
            f"{_SCOPE}test_a_file_is_read_once_for_all_its_values",
        ),
    ),
    Row(
        anchor="wide-paths",
        title="JSON paths beyond names, positions and keys",
        features=("Std:JsonGet.Path beyond the grammar",),
        level="different",
        reason="read by jsonpath-ng; has to lead to exactly one value",
        text="Wildcards, filters, slices and `..` are no part of what AWS's examples show, and "
        "whether the service takes them is not documented. It is a warning.",
        proof=(f"{_SCOPE}test_a_path_that_does_not_lead_to_one_value_is_told",),
    ),
)

CONDITION_ROWS: tuple[Row, ...] = (
    Row(
        anchor="comparisons",
        title="Comparisons",
        features=(
            "Condition=Equals",
            "Condition=GreaterThan",
            "Condition=GreaterThanOrEqualTo",
            "Condition=LessThan",
            "Condition=LessThanOrEqualTo",
        ),
        level="same",
        reason="numbers with numbers, strings with strings in the order of their characters",
        text="An integer and a float are compared as numbers. Operands of two types, and NaN, fail "
        "the step. What the service does with two types is not documented; that strings are "
        "ordered is seen in AWS's own tests, by what is not.",
        proof=(
            f"{_CONDITIONS}test_numbers_and_strings_have_an_order",
            f"{_CONDITIONS}test_booleans_are_equal_or_not",
            f"{_CONDITIONS}test_values_of_two_types_and_nan_are_not_compared",
        ),
    ),
    Row(
        anchor="in",
        title="In",
        features=("Condition=In",),
        level="same",
        reason="equal to an element of the same type",
        text='`"1"` is not in `[1]`.',
        proof=(f"{_CONDITIONS}test_in_holds_for_an_equal_element_of_the_same_type",),
    ),
    Row(
        anchor="not-or",
        title="Not and Or",
        features=("Condition=Not", "Condition=Or"),
        level="same",
        reason="they nest as the SDK writes them",
        text="Or stops at the first condition that holds. There is no And: the list of a Condition "
        "step is one.",
        proof=(f"{_CONDITIONS}test_not_and_or_nest",),
    ),
    Row(
        anchor="schema-conditions",
        title="NotEquals and NotIn",
        features=("Condition=NotEquals", "Condition=NotIn"),
        level="different",
        reason="evaluated here; AWS's published schema alone has them, SageMaker may refuse them",
        text="No SDK writes them; use Not with Equals or In. It is a warning.",
        proof=(
            f"{_CONDITIONS}test_booleans_are_equal_or_not",
            f"{_CONDITIONS}test_in_holds_for_an_equal_element_of_the_same_type",
        ),
    ),
    Row(
        anchor="no-conditions",
        title="No conditions at all",
        features=("Conditions=[]", "Or=[]"),
        level="different",
        reason="no conditions are true and an Or of none is false; SageMaker does not document it",
        text="It is a warning.",
        proof=(
            "tests/fidelity/test_values.py::test_no_conditions_are_true_and_an_or_of_none_is_false",
        ),
    ),
)
