"""The container contract, sentence by sentence, each with the tests that hold it.

Sources: AWS's developer guide (build-your-own-processing-container, your-algorithms-training-algo,
your-algorithms-batch-code, automatic-model-tuning), and the SageMaker Training Toolkit. A sentence
that the local AWS keeps in another way is told in docs/local-runtime.md.
"""

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .calls import channel, processing_output

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HERE = Path(__file__).parent

PROCESSING = {
    "ContainerEntrypoint replaces the image's command, and ContainerArguments follow it": (
        "test_processing::test_arguments_follow_the_entry_point",
    ),
    "Without ContainerEntrypoint the image's own program runs": (
        "handlers/test_handled::test_a_handler_of_the_user_stands_for_the_program_of_an_image",
        "test_processing::test_what_is_not_there_fails_the_job_with_what_would_be_right",
    ),
    "processingjobconfig.json is the request with the job's ARN, and null for what is not set": (
        "test_processing::test_the_request_is_in_the_configuration_file_with_null_for_what_is_not_set",
    ),
    "resourceconfig.json names this host and all hosts": (
        "test_processing::test_the_one_host_is_named_in_the_resource_file",
        "test_hosts::test_each_host_has_its_own_opt_ml_and_knows_the_others",
    ),
    "Variables are those of the request, AWS_REGION and credentials": (
        "test_processing::test_nothing_of_the_surrounding_shell_reaches_a_job",
    ),
    "Objects below a prefix land below LocalPath without the prefix, one object by its name": (
        "test_processing::test_a_script_reads_its_inputs_and_its_outputs_reach_s3",
        "test_objects::test_a_key_lands_where_its_prefix_is_stripped",
    ),
    "LocalPath begins with /opt/ml/processing/": (
        "test_contradictions::test_a_processing_job_whose_inputs_and_outputs_clash_is_refused",
    ),
    "FullyReplicated gives each host all, ShardedByS3Key its share": (
        "test_channels::test_each_host_gets_its_share_of_a_sharded_processing_input",
    ),
    "S3CompressionType Gzip is undone": (
        "test_channels::test_gzip_of_a_processing_input_is_undone",
    ),
    "A manifest names the objects": (
        "test_channels::test_a_manifest_names_the_objects_of_a_processing_input",
    ),
    "An input without objects fails the job": (
        "test_processing::test_an_input_without_objects_fails_the_job",
    ),
    "An input in a bucket that is not there fails the job": (
        "test_processing::test_an_input_of_a_bucket_that_is_not_there_fails_the_job",
    ),
    "The folder of each output is there at the start": (
        "test_contract::test_the_folder_of_each_output_is_there_at_the_start",
    ),
    "EndOfJob uploads when the job has succeeded": (
        "test_processing::test_a_script_reads_its_inputs_and_its_outputs_reach_s3",
        "test_processing::test_a_failed_job_uploads_no_output_of_the_end_of_the_job",
    ),
    "Continuous uploads while the job runs": (
        "test_processing::test_a_continuous_output_is_in_s3_while_the_job_still_runs",
    ),
    "Links in outputs are not followed": (
        "test_processing::test_links_in_an_output_are_not_followed",
    ),
    "The job is Completed when all hosts have ended with 0": (
        "test_hosts::test_a_processing_job_is_completed_when_all_of_its_hosts_have_succeeded",
    ),
    "Another exit code is an AlgorithmError with that code": (
        "test_processing::test_a_failing_script_gives_its_exception_and_exit_code_as_the_reason",
    ),
    "The first kilobyte of output/message is ExitMessage, in whichever final status": (
        "test_processing::test_an_exit_message_is_a_kilobyte_at_most",
        "test_processing::test_the_message_file_becomes_the_exit_message_of_a_failed_job_too",
        "test_processing::test_a_stopped_job_has_its_exit_message_and_leaves_no_output",
    ),
    "ExitMessages of hosts are put together": (
        "test_hosts::test_exit_messages_of_the_hosts_are_put_together",
    ),
    "Stop is SIGTERM, then SIGKILL": (
        "test_jobs::test_stop_ends_the_process_and_everything_it_has_started",
        "test_jobs::test_a_script_that_ignores_the_request_to_stop_is_killed_after_the_grace",
    ),
    "The code of a FrameworkProcessor is unpacked and installed by its own shell script": (
        "test_image_commands::test_the_script_of_a_framework_processor_unpacks_installs_and_runs",
    ),
    "What a job installs is the job's alone": (
        "test_images::test_pip_does_not_install_into_a_shared_environment",
    ),
}

TRAINING = {
    "The image's train runs": (
        "test_script_mode::test_the_program_runs_in_the_directory_of_its_code",
    ),
    "ContainerEntrypoint and ContainerArguments stand for train": (
        "test_training::test_an_entry_point_of_the_request_replaces_that_of_the_image",
    ),
    "The SDK's drivers in channels, of ModelTrainer and of @step functions, run as they are": (
        "test_image_commands::test_a_driver_in_a_channel_is_made_executable_and_run",
        "test_image_commands::test_the_driver_of_a_step_function_is_run_with_its_arguments",
    ),
    "hyperparameters.json has strings": (
        "test_training::test_hyperparameters_arrive_as_the_strings_they_are",
    ),
    "inputdataconfig.json tells mode, distribution, wrapper and content type of each channel": (
        "test_training::test_channels_are_folders_that_the_configuration_describes",
        "test_pipes::test_the_configuration_says_that_a_channel_is_piped",
    ),
    "resourceconfig.json tells hosts, instance types and groups": (
        "test_training::test_the_only_host_is_described",
        "test_hosts::test_instance_groups_are_hosts_that_are_numbered_through",
    ),
    "File channels are folders below input/data": (
        "test_training::test_channels_are_folders_that_the_configuration_describes",
    ),
    "FastFile channels are the same files": (
        "test_channels::test_gzip_is_undone_in_the_modes_that_give_files",
        "test_contract::test_a_fast_file_channel_has_the_files_of_a_file_channel",
    ),
    "Pipe channels are a named pipe for each epoch": (
        "test_pipes::test_every_epoch_has_a_pipe_with_all_of_the_data",
    ),
    "code, model, output/data, output/intermediate and checkpoints are there at the start": (
        "test_training::test_the_folders_of_the_contract_are_there_at_the_start",
    ),
    "TRAINING_JOB_NAME and TRAINING_JOB_ARN name the job": (
        "test_training::test_the_job_is_named_in_the_environment",
    ),
    "Variables of the request reach the job": (
        "test_training::test_the_environment_of_the_request_reaches_the_job",
    ),
    "Script mode fetches sagemaker_submit_directory into /opt/ml/code": (
        "test_script_mode::test_code_in_s3_is_fetched_from_the_endpoint",
    ),
    "requirements.txt is installed": (
        "test_script_mode::test_requirements_are_installed_for_this_job_only",
    ),
    "Hyperparameters are sorted arguments, of one letter with one dash, those of the service not": (
        "test_script_mode::test_hyperparameters_are_arguments_by_name",
    ),
    "A package runs as a module, another file by the shell": (
        "test_script_mode::test_code_with_a_setup_is_installed_and_run_as_a_module",
        "test_script_mode::test_a_shell_script_is_run_with_the_arguments",
    ),
    "The SM_ variables are those of the toolkit": (
        "test_script_mode::test_the_variables_are_those_of_the_toolkit",
        "test_script_mode::test_hosts_and_their_groups_are_in_the_variables",
    ),
    "model becomes model.tar.gz without a folder, output/data output.tar.gz": (
        "test_training::test_the_model_is_uploaded_as_a_flat_archive_where_describe_says",
        "test_training::test_other_output_is_uploaded_beside_the_model",
    ),
    "CompressionType NONE uploads the files": (
        "test_training::test_without_compression_the_files_are_uploaded_as_they_are",
    ),
    "What hosts leave is put together": ("test_hosts::test_what_the_hosts_leave_is_put_together",),
    "The exit code decides, and output/failure is the reason": (
        "test_training::test_the_failure_file_counts_as_far_as_its_first_1024_bytes",
        "test_training::test_the_failure_file_wins_over_the_log",
    ),
    "Artifacts of failed and stopped jobs are uploaded too": (
        "test_training::test_a_failed_job_leaves_what_it_had_written",
        "test_training::test_a_stopped_job_can_save_its_model_in_the_time_of_grace",
    ),
    "The last value that a metric's expression finds is final": (
        "test_training::test_metrics_are_the_last_values_that_the_log_has",
    ),
    "Stopped and MaxRuntimeExceeded are told apart": (
        "test_training::test_a_stopped_job_can_save_its_model_in_the_time_of_grace",
        "test_training::test_a_job_that_runs_too_long_is_stopped_and_says_so",
    ),
    "Secondary statuses go from Starting to Completed": (
        "test_training::test_the_secondary_status_goes_through_the_stages_of_the_service",
    ),
    "Checkpoints are there at the start and are uploaded meanwhile": (
        "test_checkpoints::test_checkpoints_of_an_earlier_job_are_there_at_the_start",
        "test_checkpoints::test_checkpoints_reach_s3_while_the_job_runs_and_when_it_is_stopped",
    ),
    "Spot jobs are billed for their time": (
        "test_training::test_a_spot_job_is_billed_for_the_time_it_trained",
        "test_training::test_a_time_to_wait_for_spot_capacity_that_makes_no_sense_is_refused",
    ),
    "Hosts have an /opt/ml each and find each other by name": (
        "test_hosts::test_each_host_has_its_own_opt_ml_and_knows_the_others",
        "test_hosts::test_hosts_find_each_other_by_name",
    ),
}

TRANSFORM = {
    "Nothing is sent before /ping is answered with 200": (
        "serving/test_transform::test_nothing_is_sent_before_the_ping_is_answered_with_200",
    ),
    "/execution-parameters say what the job does not": (
        "serving/test_transform::test_the_container_says_what_the_job_does_not",
    ),
    "model.tar.gz is unpacked in /opt/ml/model": (
        "serving/test_transform::test_each_line_is_answered_and_stored_below_the_output_path",
        "test_unpacking::test_a_model_that_leads_out_of_its_folder_is_refused",
    ),
    "Variables of the model and of the job, and SAGEMAKER_BATCH and others": (
        "serving/test_transform::test_the_container_is_told_of_the_job_by_its_environment",
        "serving/test_transform::test_what_the_job_does_not_say_is_not_in_the_environment",
    ),
    "SplitType None, Line, RecordIO and TFRecord": (
        "serving/test_records::test_a_file_is_split_into_its_records",
    ),
    "MultiRecord packs up to MaxPayloadInMB, SingleRecord sends one": (
        "serving/test_transform::test_a_request_has_what_the_strategy_says",
        "serving/test_transform::test_a_request_is_no_larger_than_the_payload",
    ),
    "A result is <key>.out, assembled by line or not": (
        "serving/test_transform::test_each_line_is_answered_and_stored_below_the_output_path",
        "serving/test_transform::test_a_request_has_what_the_strategy_says",
    ),
    "Filters are JSON paths, and choose columns of CSV": (
        "serving/test_filters::test_a_path_selects_a_part",
    ),
    "JoinSource Input appends columns, and adds members to JSON": (
        "serving/test_transform::test_results_of_filtered_rows_are_joined_with_the_whole_ones",
        "serving/test_transform::test_json_lines_are_joined_by_their_members",
        "serving/test_association::test_a_document_is_joined_with_its_result",
    ),
    "Joining needs fitting SplitType, AssembleWith and types": (
        "serving/test_transform::test_a_job_that_cannot_be_is_refused",
    ),
    "Servers listen on 8080, each on its own, or where they are told": (
        "serving/test_transform::test_servers_of_one_port_run_at_once_and_do_not_meet",
        "serving/test_transform::test_without_networks_a_server_is_told_another_port",
    ),
    "inference.py has model_fn, input_fn, predict_fn and output_fn, or transform_fn": (
        "serving/test_script_serving::test_the_functions_of_the_code_in_the_model_answer",
        "serving/test_script_serving::test_transform_fn_answers_alone",
        "serving/test_script_serving::test_code_comes_from_where_the_submit_directory_says",
    ),
}

TUNING = {
    "Training jobs have the static and the sampled values, and the metric": (
        "tuning/test_tuning::test_a_training_job_has_the_values_the_metric_and_the_tags_of_its_search",
    ),
    "No more jobs than ResourceLimits say, at once and in all": (
        "tuning/test_tuning::test_no_more_jobs_run_at_once_than_the_limit_says",
        "tuning/test_tuning::test_every_combination_is_trained_and_the_best_one_is_found",
    ),
    "Both counters are always there": (
        "tuning/test_completion::test_there_is_a_counter_for_each_that_the_service_has",
    ),
    "BestTrainingJob has its value and its hyperparameters": (
        "tuning/test_tuning::test_every_combination_is_trained_and_the_best_one_is_found",
    ),
    "Grid tries each combination once, Random none twice": (
        "tuning/test_strategies::test_a_grid_has_every_combination_of_different_categories_once",
        "tuning/test_strategies::test_random_tries_nothing_twice_and_nothing_that_parents_tried",
    ),
    "Values follow the scaling types": (
        "tuning/test_ranges::test_half_of_the_values_are_below_the_middle_of_the_scale",
        "tuning/test_ranges::test_every_whole_number_is_as_likely_the_ends_too",
        "tuning/test_ranges::test_categories_are_passed_on_as_they_are",
    ),
    "Bayesian learns, Hyperband stops early": (
        "tuning/test_strategies::test_bayesian_comes_closer_to_the_best_value_than_chance",
        "tuning/test_strategies::test_hyperband_stops_most_jobs_early_and_lets_the_best_go_on",
    ),
    "An AutoML job without a handler fails and says what to map": (
        "handlers/test_handled::test_an_auto_ml_job_without_a_handler_says_what_to_map",
    ),
}

SENTENCES = {**PROCESSING, **TRAINING, **TRANSFORM, **TUNING}


def test_a_sentence_is_about_one_kind_of_job() -> None:
    assert len(SENTENCES) == sum(map(len, (PROCESSING, TRAINING, TRANSFORM, TUNING)))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_of_the_contract_is_held_by_tests(sentence: str) -> None:
    tests = SENTENCES[sentence]
    assert tests
    for test in tests:
        file, _, name = test.partition("::")
        assert name in set(_tests(HERE / f"{file}.py")), test


def _tests(file: Path) -> Iterator[str]:
    """The names of the tests of a file."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def test_the_folder_of_each_output_is_there_at_the_start(
    processed: Callable[..., dict[str, Any]], bucket: str, job_folder: Path
) -> None:
    outputs = [
        processing_output("model", f"s3://{bucket}/model"),
        processing_output("deep/er", f"s3://{bucket}/deep", mode="Continuous"),
    ]
    processed(
        "import os; print([*os.listdir('/opt/ml/processing/deep')])",
        ProcessingOutputConfig={"Outputs": outputs},
    )
    assert (job_folder / "log.txt").read_text() == "['er']\n"
    assert (job_folder / "ml/processing/model").is_dir()


def test_a_fast_file_channel_has_the_files_of_a_file_channel(
    trained: Callable[..., dict[str, Any]], s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    s3.put_object(Bucket=bucket, Key="data/a/b.csv", Body=b"1")
    uri = f"s3://{bucket}/data/"
    trained(
        InputDataConfig=[
            channel("code", f"s3://{bucket}/code/"),
            channel("slow", uri, InputMode="File"),
            channel("fast", uri, InputMode="FastFile"),
        ]
    )
    data = job_folder / "ml/input/data"
    for name in ("slow", "fast"):
        assert (data / name / "a/b.csv").read_text() == "1"
    config = json.loads((job_folder / "ml/input/config/inputdataconfig.json").read_text())
    assert config["fast"]["TrainingInputMode"] == "FastFile"
