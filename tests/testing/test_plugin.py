"""The fixture `sm_local` as users have it: in tests of their own project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "scoring"
PAGE = ROOT / "docs" / "testing.md"

APART = '''\
import os
import subprocess

import boto3
import pytest

from airflow_sm_pipelines.errors import LocalRunError, ParameterError, SourceError

SEEN = []
VARIABLES = {}
JOB = {
    "ProcessingJobName": "left-running",
    "RoleArn": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    },
    "AppSpecification": {"ImageUri": "any", "ContainerEntrypoint": ["sleep", "613.5"]},
}


def test_before():
    VARIABLES.update(os.environ)
    assert os.environ["AWS_PROFILE"] == "mine"
    assert os.environ["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:1"


def test_one_leaves_much_behind(sm_local):
    SEEN.append(sm_local.endpoint_url)
    sm_local.upload("s3://theirs/key", b"value")
    assert boto3.client("s3").get_object(Bucket="theirs", Key="key")["Body"].read() == b"value"
    assert sm_local.read("s3://theirs/key") == b"value"
    boto3.client("sqs").create_queue(QueueName="theirs")
    sm_local.faults.add({"Kind": "Throttling"})
    sm_local.faults.replace()
    boto3.client("sagemaker").create_processing_job(**JOB)
    assert [each["Operation"] for each in sm_local.requests.documents()] == ["CreateProcessingJob"]
    sm_local.scripts.add({"Kind": "ProcessingJob", "Moments": [{"Status": "Completed"}]})


def test_another_sees_nothing_of_it(sm_local):
    assert sm_local.endpoint_url == SEEN[0]
    assert "left-running" not in subprocess.run(["ps", "ax"], capture_output=True).stdout.decode()
    assert "sleep 613.5" not in subprocess.run(["ps", "ax"], capture_output=True).stdout.decode()
    names = [each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"]]
    assert names == [sm_local.bucket]
    assert "QueueUrls" not in boto3.client("sqs").list_queues()
    assert sm_local.scripts.documents() == []
    assert sm_local.requests.documents() == []
    assert boto3.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"] == []


def test_wrong_scripts_and_parameters_are_told(sm_local):
    with pytest.raises(LocalRunError, match="'TrainigJob' does not do"):
        sm_local.scripts.add({"Kind": "TrainigJob", "Moments": [{"Status": "Completed"}]})
    empty = {"Version": "2020-12-01", "Steps": []}
    with pytest.raises(ParameterError, match="parameter Rate: unknown"):
        sm_local.run_pipeline(empty, {"Rate": 1})
    with pytest.raises(SourceError, match="not on this machine"):
        sm_local.run_pipeline("s3://bucket/definition.json")
    with pytest.raises(SourceError, match="write s3://bucket/key"):
        sm_local.upload("bucket/key", b"")


def test_after():
    assert os.environ == {**VARIABLES, "PYTEST_CURRENT_TEST": os.environ["PYTEST_CURRENT_TEST"]}
    assert boto3.DEFAULT_SESSION is None


def test_that_fails_shows_the_run(sm_local):
    text = """{"Version": "2020-12-01", "Steps": [
        {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "enough of it"}}]}"""
    assert sm_local.run_pipeline(text).succeeded
'''


def run(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *options],
        cwd=folder,
        env={**own, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of the page's example and of tests that disturb each other."""
    folder = tmp_path_factory.mktemp("project") / "scoring"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "test_apart.py").write_text(APART)
    variables = {"AWS_PROFILE": "mine", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}
    done = run(folder, **variables)
    return done.stdout + done.stderr


def outcome(said: str, test: str) -> str:
    match = re.search(rf"^(PASSED|FAILED|ERROR) {re.escape(test)}(?: |$)", said, re.MULTILINE)
    assert match, said
    return match[1]


@pytest.mark.parametrize("test", re.findall(r"def (test_\w+)", PAGE.read_text()))
def test_the_example_of_the_page_passes(said: str, test: str) -> None:
    assert outcome(said, f"test_scoring.py::{test}") == "PASSED", said


def test_the_page_shows_the_example_as_it_is() -> None:
    assert f"```python\n{(EXAMPLE / 'test_scoring.py').read_text()}```\n" in PAGE.read_text()


@pytest.mark.parametrize(
    "test", [name for name in re.findall(r"def (test_\w+)", APART) if "fails" not in name]
)
def test_tests_do_not_see_each_other(said: str, test: str) -> None:
    assert outcome(said, f"test_apart.py::{test}") == "PASSED", said


def test_a_test_that_fails_shows_how_the_steps_have_ended(said: str) -> None:
    assert outcome(said, "test_apart.py::test_that_fails_shows_the_run") == "FAILED"
    assert "Captured sm_local call" in said
    assert "pipeline: Failed\n  Stop  Failed\n    enough of it\n" in said


def test_loading_the_plugin_imports_nothing_that_takes_time() -> None:
    program = "import airflow_sm_pipelines.testing.plugin, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"airflow", "boto3", "botocore", "moto", "rich", "typer", "urllib.request"}
    assert {name for name in loaded if name.startswith("airflow_sm")} == {
        "airflow_sm_pipelines",
        "airflow_sm_pipelines.testing",
        "airflow_sm_pipelines.testing.plugin",
    }


def test_the_plugin_does_not_disturb_the_tests_of_this_project(
    pytestconfig: pytest.Config,
) -> None:
    assert not pytestconfig.pluginmanager.has_plugin("sm_local")
