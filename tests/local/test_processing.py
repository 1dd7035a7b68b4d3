"""The container contract of processing jobs, as a script sees it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.sandbox import choose

from .calls import (
    IMAGE,
    final_processing_job,
    keys,
    processing_input,
    processing_output,
    text,
    until,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Run = Callable[..., dict[str, Any]]


def test_a_script_reads_its_inputs_and_its_outputs_reach_s3(
    processed: Run, s3: "S3Client", bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="raw/a/one.csv", Body=b"1\n")
    s3.put_object(Bucket=bucket, Key="raw/two.csv", Body=b"2\n")
    job = processed(
        """
from pathlib import Path
raw, out = Path("/opt/ml/processing/raw"), Path("/opt/ml/processing/out")
(out / "sub").mkdir()
one, two = (raw / "a/one.csv").read_text(), (raw / "two.csv").read_text()
(out / "sub" / "sum.csv").write_text(one + two)
""",
        ProcessingInputs=[
            processing_input("code", f"s3://{bucket}/code/script.py"),
            processing_input("raw", f"s3://{bucket}/raw"),
        ],
        ProcessingOutputConfig={"Outputs": [processing_output("out", f"s3://{bucket}/out/")]},
    )
    assert job["ProcessingJobStatus"] == "Completed"
    assert text(s3, bucket, "out/sub/sum.csv") == "1\n2\n"


def test_the_request_is_in_the_configuration_file_with_null_for_what_is_not_set(
    processed: Run, job_folder: Path, name: str
) -> None:
    job = processed(Environment={"GREETING": "hello"})
    config = json.loads((job_folder / "ml/config/processingjobconfig.json").read_text())
    assert config["ProcessingJobArn"] == job["ProcessingJobArn"]
    assert config["Environment"] == {"GREETING": "hello"}
    assert config["StoppingCondition"] is None


def test_the_one_host_is_named_in_the_resource_file(processed: Run, job_folder: Path) -> None:
    processed()
    config = json.loads((job_folder / "ml/config/resourceconfig.json").read_text())
    assert config["current_host"] == "algo-1"
    assert config["hosts"] == ["algo-1"]
    assert config["current_instance_type"] == "ml.m5.large"


def test_nothing_of_the_surrounding_shell_reaches_a_job(
    processed: Run, job_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "1")
    processed("import os, json; print(json.dumps(dict(os.environ)))", Environment={"MINE": "yes"})
    environment = json.loads((job_folder / "log.txt").read_text())
    assert "SECRET_OF_THE_SHELL" not in environment
    assert environment["MINE"] == "yes"
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert environment["AWS_REGION"] == "us-east-1"


def test_arguments_follow_the_entry_point(processed: Run, job_folder: Path) -> None:
    processed(
        "import sys; print(sys.argv[1:])",
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/script.py"],
            "ContainerArguments": ["--size", "two words", "$HOME", "{{ 1/0 }}"],
        },
    )
    expected = "['--size', 'two words', '$HOME', '{{ 1/0 }}']\n"
    assert (job_folder / "log.txt").read_text() == expected


def test_the_message_file_becomes_the_exit_message_of_a_failed_job_too(processed: Run) -> None:
    job = processed(
        'open("/opt/ml/output/message", "w").write("about to fail"); raise SystemExit(3)'
    )
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["ExitMessage"] == "about to fail"


def test_an_exit_message_is_a_kilobyte_at_most(processed: Run) -> None:
    job = processed('open("/opt/ml/output/message", "w").write("x" * 2000)')
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ExitMessage"] == "x" * 1024


def test_a_stopped_job_has_its_exit_message_and_leaves_no_output(
    sagemaker: "SageMakerClient",
    processing_request: Run,
    s3: "S3Client",
    bucket: str,
    name: str,
    job_folder: Path,
) -> None:
    request = processing_request(
        """
import time
open("/opt/ml/output/message", "w").write("half way")
open("/opt/ml/processing/out/half.csv", "w").write("1")
print("ready", flush=True)
time.sleep(60)
""",
        ProcessingOutputConfig={"Outputs": [processing_output("out", f"s3://{bucket}/out")]},
    )
    sagemaker.create_processing_job(**request)
    until((job_folder / "log.txt").read_text, lambda log: log == "ready\n")
    sagemaker.stop_processing_job(ProcessingJobName=name)
    job = final_processing_job(sagemaker, name)
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Stopped", "half way")
    assert keys(s3, bucket, "out") == []


def test_a_failing_script_gives_its_exception_and_exit_code_as_the_reason(processed: Run) -> None:
    job = processed('print("before"); raise ValueError("column `rings` is missing")')
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "AlgorithmError: ValueError: column `rings` is missing, exit code: 1"
    )


def test_a_failed_job_uploads_no_output_of_the_end_of_the_job(
    processed: Run, s3: "S3Client", bucket: str
) -> None:
    processed(
        'open("/opt/ml/processing/out/half.csv", "w").write("1"); raise SystemExit(1)',
        ProcessingOutputConfig={"Outputs": [processing_output("out", f"s3://{bucket}/out")]},
    )
    assert keys(s3, bucket, "out") == []


def test_a_continuous_output_is_in_s3_while_the_job_still_runs(
    sagemaker: "SageMakerClient",
    processing_request: Run,
    s3: "S3Client",
    bucket: str,
    name: str,
) -> None:
    sagemaker.create_processing_job(
        **processing_request(
            """
import pathlib, time
pathlib.Path("/opt/ml/processing/out/first.txt").write_text("1")
while not pathlib.Path("/opt/ml/processing/out/go").exists(): time.sleep(0.01)
pathlib.Path("/opt/ml/processing/out/last.txt").write_text("2")
raise SystemExit(1)
""",
            ProcessingOutputConfig={
                "Outputs": [processing_output("out", f"s3://{bucket}/out", "Continuous")]
            },
        )
    )
    until(lambda: keys(s3, bucket, "out"), lambda found: found == ["out/first.txt"])
    running = sagemaker.describe_processing_job(ProcessingJobName=name)
    assert running["ProcessingJobStatus"] == "InProgress"


def test_links_in_an_output_are_not_followed(processed: Run, s3: "S3Client", bucket: str) -> None:
    processed(
        """
import os
os.symlink("/etc/hostname", "/opt/ml/processing/out/file")
os.symlink("/etc", "/opt/ml/processing/out/folder")
""",
        ProcessingOutputConfig={"Outputs": [processing_output("out", f"s3://{bucket}/out")]},
    )
    assert keys(s3, bucket, "out") == []


def test_an_input_without_objects_fails_the_job(processed: Run, bucket: str) -> None:
    job = processed(ProcessingInputs=[processing_input("raw", f"s3://{bucket}/none/")])
    assert job["FailureReason"] == (
        f"ClientError: No S3 objects found under S3 URL 's3://{bucket}/none/' given in input "
        "data source"
    )


def test_an_input_of_a_bucket_that_is_not_there_fails_the_job(processed: Run) -> None:
    job = processed(ProcessingInputs=[processing_input("raw", "s3://no-such-bucket-here/x")])
    assert job["FailureReason"].startswith(
        "ClientError: cannot list s3://no-such-bucket-here/x: An error occurred (NoSuchBucket)"
    )


def test_a_command_that_is_not_there_fails_the_job(processed: Run) -> None:
    job = processed(
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["no-such-command"]}
    )
    assert job["ProcessingJobStatus"] == "Failed"
    assert "no-such-command" in job["FailureReason"]
    assert job["FailureReason"].endswith(", exit code: 127")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"ProcessingResources": {"ClusterConfig": {"VolumeSizeInGB": 1}}},
            "ProcessingResources.ClusterConfig.InstanceType: missing; it would be such as "
            "'ml.m5.large'",
        ),
        (
            {"ProcessingInputs": [{"InputName": "rows", "DatasetDefinition": {}}]},
            "ProcessingInputs[0].DatasetDefinition: Athena and Redshift are not there in the "
            "local AWS; it would be an S3Input with what the query has put into S3",
        ),
        (
            {"ProcessingInputs": [{"InputName": "rows"}]},
            "ProcessingInputs[0]: only S3Input with a LocalPath is there in the local AWS",
        ),
        (
            {
                "ProcessingOutputConfig": {
                    "Outputs": [
                        {
                            "OutputName": "features",
                            "FeatureStoreOutput": {"FeatureGroupName": "f"},
                            "AppManaged": True,
                        },
                        {"OutputName": "nothing", "AppManaged": True},
                    ]
                }
            },
            "ProcessingOutputConfig.Outputs[0].FeatureStoreOutput: the feature store is not there "
            "in the local AWS; it would be an S3Output; ProcessingOutputConfig.Outputs[1]: only "
            "S3Output with a LocalPath is there in the local AWS",
        ),
        (
            {"AppSpecification": {"ImageUri": IMAGE}},
            "AppSpecification.ContainerEntrypoint is missing, and the local AWS does not know "
            'the image\'s own; it would be such as ["python3", '
            '"/opt/ml/processing/input/code/script.py"]',
        ),
    ],
)
def test_what_is_not_there_fails_the_job_with_what_would_be_right(
    processed: Run, changes: dict[str, Any], reason: str
) -> None:
    job = processed(**changes)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == f"ClientError: {reason}"


def test_the_reason_of_a_job_that_could_not_start_is_in_its_log(
    processed: Run, job_folder: Path, bucket: str
) -> None:
    job = processed(ProcessingInputs=[processing_input("raw", f"s3://{bucket}/none/")])
    assert (job_folder / "log.txt").read_text() == f"[local AWS] {job['FailureReason']}\n"


def test_a_description_has_every_member_that_the_service_model_requires(processed: Run) -> None:
    model = shapes.service().operation_model("DescribeProcessingJob").output_shape
    assert model is not None
    assert set(model.required_members) <= processed().keys()


def test_two_jobs_at_once_each_see_their_own_folder(
    sagemaker: "SageMakerClient", processing_request: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    request = processing_request(
        """
import os, pathlib, time
mine = pathlib.Path("/opt/ml/processing/out/name")
mine.write_text(os.environ["ME"])
time.sleep(0.2)
assert mine.read_text() == os.environ["ME"]
"""
    )
    for me in ("a", "b"):
        output = processing_output("out", f"s3://{bucket}/{me}")
        sagemaker.create_processing_job(
            **{
                **request,
                "ProcessingJobName": f"{name}-{me}",
                "Environment": {"ME": me},
                "ProcessingOutputConfig": {"Outputs": [output]},
            }
        )
    for me in ("a", "b"):
        job = final_processing_job(sagemaker, f"{name}-{me}")
        assert job["ProcessingJobStatus"] == "Completed"
        assert text(s3, bucket, f"{me}/name") == me


@pytest.mark.skipif(choose().name != "namespace", reason="needs a mount namespace")
def test_a_script_starts_in_the_root_as_in_a_container(processed: Run, job_folder: Path) -> None:
    processed("from pathlib import Path; Path('../model').touch(); print(Path('model').resolve())")
    assert (job_folder / "log.txt").read_text().startswith("/model\n")
    assert [each.name for each in (job_folder / "work").iterdir()] == ["model"]
