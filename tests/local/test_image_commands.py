"""Commands on the PATH of a job: those of its image's environment, and those of AWS's images."""

import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.image_commands import PROGRAMS, commands

from .calls import channel, processing_input, resources
from .test_channels import put

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Run = Callable[..., dict[str, Any]]

HERE = Path(__file__).parent


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """The interpreter of an environment with a few commands."""
    folder = tmp_path / "environment" / "bin"
    folder.mkdir(parents=True)
    (folder.parent / "pyvenv.cfg").touch()
    texts = {
        "torchrun": f"#!{sys.executable}\nprint('run')\n",
        "long": "#!/bin/sh\n'''exec' \"/a/long/path/python\" \"$0\" \"$@\"\n' '''\n",
        "spark-submit": "#!/bin/bash\necho\n",
        "pip": f"#!{sys.executable}\n",
        "python3": "",
        "activate": "# sourced",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "notes").write_text("no command")
    return folder / "python"


def test_scripts_of_an_environment_are_run_by_the_interpreter_of_the_job(
    environment: Path, tmp_path: Path
) -> None:
    folder = commands(environment, tmp_path)
    assert {file.name for file in folder.iterdir()} == {
        *PROGRAMS,
        "torchrun",
        "long",
        "spark-submit",
    }
    script = environment.parent / "torchrun"
    expected = f'#!/bin/sh\nexec "$VIRTUAL_ENV/bin/python" {script} "$@"\n'
    assert (folder / "torchrun").read_text() == expected
    assert "VIRTUAL_ENV" in (folder / "long").read_text()
    assert "VIRTUAL_ENV" not in (folder / "spark-submit").read_text()


def test_the_folder_is_made_anew_only_where_the_environment_has_changed(
    environment: Path, tmp_path: Path
) -> None:
    folder = commands(environment, tmp_path)
    assert commands(environment, tmp_path) == folder
    (environment.parent / "another").touch(mode=0o755)
    changed = commands(environment, tmp_path)
    assert changed != folder
    assert (changed / "another").exists()


def test_a_job_finds_the_commands_of_its_image(processed: Run, job_folder: Path) -> None:
    processed("import shutil; print(shutil.which('ruff'), shutil.which('smspark-submit'))")
    ruff, submit = (job_folder / "log.txt").read_text().split()
    assert Path(ruff).parent == Path(submit).parent


def test_every_program_is_there_and_needs_only_the_standard_library() -> None:
    folder = Path(sys.modules[commands.__module__].__file__ or "").parent
    for program in PROGRAMS.values():
        source = (folder / program).read_text()
        assert "airflow_sm_pipelines" not in source


SPARK = ["smspark-submit", "--local-spark-event-logs-dir", "/opt/ml/processing/events"]
FAKE_SPARK = """#!/bin/bash
printf '[%s]' "$@"
echo " $PYSPARK_PYTHON"
"""


@pytest.fixture
def submitted(
    processed: Run, s3: "S3Client", bucket: str, tmp_path: Path, job_folder: Path
) -> Callable[..., tuple[dict[str, Any], str]]:
    """Run a Spark job with a spark-submit that prints its arguments; the job and its log."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {"spark-submit": FAKE_SPARK, "java": "#!/bin/sh\n"}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)

    def run(*words: str, without: str = "", **changes: Any) -> tuple[dict[str, Any], str]:
        if without:
            (tools / without).unlink()
        put(s3, bucket, {"lib/a.py": "", "lib/b.py": "", "conf/configuration.json": CONFIGURATION})
        job = processed(
            AppSpecification={
                "ImageUri": "spark",
                "ContainerEntrypoint": [
                    "/bin/bash",
                    "-c",
                    f'own=$(dirname "$(command -v smspark-submit)"); PATH={tools}:$own; exec "$@"',
                    "bash",
                    *SPARK,
                    *words,
                ],
            },
            ProcessingInputs=[
                processing_input("code", f"s3://{bucket}/code/script.py"),
                processing_input("lib", f"s3://{bucket}/lib"),
                {
                    **processing_input("conf", f"s3://{bucket}/conf/"),
                    "S3Input": {
                        "S3Uri": f"s3://{bucket}/conf/configuration.json",
                        "LocalPath": "/opt/ml/processing/input/conf",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                },
            ],
            **changes,
        )
        return job, (job_folder / "log.txt").read_text()

    return run


CONFIGURATION = json.dumps(
    [
        {"Classification": "spark-defaults", "Properties": {"spark.executor.memory": "1g"}},
        {"Classification": "core-site", "Properties": {}},
    ]
)


def test_a_spark_application_is_submitted_to_this_machine(
    submitted: Callable[..., tuple[dict[str, Any], str]],
    job_folder: Path,
    aws: LocalAWS,
    bucket: str,
) -> None:
    app = ["--py-files", "/opt/ml/processing/lib", "/opt/ml/processing/code/script.py", "--x", "1"]
    job, log = submitted(*app)
    assert job["ProcessingJobStatus"] == "Completed", log
    submitted_with = log.splitlines()[-1]
    assert submitted_with.startswith(
        "[--master][local[*]][--py-files]"
        "[/opt/ml/processing/lib/a.py,/opt/ml/processing/lib/b.py]"
        "[--conf][spark.eventLog.enabled=true]"
        "[--conf][spark.eventLog.dir=file:///opt/ml/processing/events]"
    )
    mounted = f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback"
    assert f"[--conf][{mounted}=file://{aws.root}/s3/{bucket}]" in submitted_with
    assert ".store" not in submitted_with
    assert submitted_with.endswith(
        "[--conf][spark.executor.memory=1g][/opt/ml/processing/code/script.py][--x][1] "
        f"{job_folder}/python/bin/python"
    )
    assert "configuration of core-site: only spark-defaults has an effect here\n" in log


@pytest.mark.parametrize(
    ("without", "reason"),
    [
        ("java", "Spark needs Java, and there is none on PATH; install a Java runtime"),
        ("spark-submit", "there is no spark-submit; map an environment that has pyspark"),
    ],
)
def test_a_machine_without_spark_fails_the_job_at_once_and_says_so(
    submitted: Callable[..., tuple[dict[str, Any], str]], without: str, reason: str
) -> None:
    job, _ = submitted("/opt/ml/processing/code/script.py", without=without)
    assert job["FailureReason"].startswith(f"AlgorithmError: smspark-submit: {reason}")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--verbose"], "no application; name a Python or jar file after the options"),
        (["--jars", "/none.jar", "app"], "/none.jar is not there; it would be a file or a folder"),
    ],
)
def test_an_application_that_is_not_there_fails_the_job(
    submitted: Callable[..., tuple[dict[str, Any], str]], words: list[str], reason: str
) -> None:
    job, _ = submitted(*words)
    assert job["FailureReason"].startswith(f"AlgorithmError: smspark-submit: {reason}")


def test_the_other_hosts_of_a_spark_job_have_nothing_to_do(
    submitted: Callable[..., tuple[dict[str, Any], str]], job_folder: Path
) -> None:
    cluster = {"ClusterConfig": {**resources(), "InstanceCount": 2}}
    job, _ = submitted(
        "--class", "com.Main", "--files", "s3://b/f", "app.jar", ProcessingResources=cluster
    )
    assert job["ProcessingJobStatus"] == "Completed"
    assert (job_folder / "algo-2/log.txt").read_text() == (
        "algo-2: Spark runs on algo-1 alone, with a thread for each CPU of this machine\n"
    )


def packed(file: Path, **texts: str) -> bytes:
    with tarfile.open(file, "w:gz") as tar:
        for name, text in texts.items():
            source = file.with_name(name)
            source.write_text(text)
            tar.add(source, arcname=name.replace("_", "."))
    return file.read_bytes()


# What the SDKs give a job to run, in our own words: a shell script in an input.
RUN_CODE = """#!/bin/bash
cd /opt/ml/processing/input/code/
tar -xzf sourcedir.tar.gz
[[ -f 'requirements.txt' ]] && pip install -r requirements.txt
python script.py "$@"
"""


def test_the_script_of_a_framework_processor_unpacks_installs_and_runs(
    processed: Run, s3: "S3Client", bucket: str, job_folder: Path, tmp_path: Path
) -> None:
    code = packed(
        tmp_path / "sourcedir.tar.gz",
        script_py="import own, sys; print('RUN', own.NAME, sys.argv[1:])",
        own_py="NAME = 'mine'",
    )
    put(s3, bucket, {"in/sourcedir.tar.gz": code, "entry/runproc.sh": RUN_CODE})
    inputs = [processing_input("code", f"s3://{bucket}/in/sourcedir.tar.gz")]
    inputs.append(processing_input("entrypoint", f"s3://{bucket}/entry/runproc.sh"))
    for each in inputs:
        each["S3Input"]["LocalPath"] = f"/opt/ml/processing/input/{each['InputName']}"
    job = processed(
        ProcessingInputs=inputs,
        AppSpecification={
            "ImageUri": "image",
            "ContainerEntrypoint": ["/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"],
            "ContainerArguments": ["--rows", "a b"],
        },
    )
    log = (job_folder / "log.txt").read_text()
    assert job["ProcessingJobStatus"] == "Completed", log
    assert "RUN mine ['--rows', 'a b']\n" in log


DRIVER = """#!/bin/bash
set -e
python3 /opt/ml/input/data/sm_drivers/environment.py
source /opt/ml/input/sm_training.env
cd /opt/ml/input/data/code
echo "ran $SM_WHERE in $PWD of $TRAINING_JOB_NAME"
pip --version | cut -d ' ' -f 1
"""
ENVIRONMENT = """
import json
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
with open("/opt/ml/input/sm_training.env", "w") as file:
    file.write(f"export SM_WHERE='{config['current_host']}'\\n")
"""


def test_a_driver_in_a_channel_is_made_executable_and_run(
    trained: Run, s3: "S3Client", bucket: str, job_folder: Path, name: str
) -> None:
    put(s3, bucket, {"d/sm_train.sh": DRIVER, "d/environment.py": ENVIRONMENT})
    driver = "/opt/ml/input/data/sm_drivers/sm_train.sh"
    job = trained(
        AlgorithmSpecification={
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash"],
            "ContainerArguments": ["-c", f"chmod +x {driver} && {driver}"],
        },
        InputDataConfig=[
            channel("code", f"s3://{bucket}/code/"),
            channel("sm_drivers", f"s3://{bucket}/d/"),
        ],
    )
    log = (job_folder / "log.txt").read_text()
    assert job["TrainingJobStatus"] == "Completed", log
    assert log == f"ran algo-1 in /opt/ml/input/data/code of {name}\npip\n"


BOOTSTRAP = """#!/bin/bash
set -eu
python "$(dirname "$0")/bootstrap.py" "$@"
printf 'done in '; python -c 'import os; print(os.access(os.getcwd(), os.W_OK))'
"""


def test_the_driver_of_a_step_function_is_run_with_its_arguments(
    trained: Run, s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    bootstrap = "import pip, sys; print(sys.argv[1:])"
    put(s3, bucket, {"b/job_driver.sh": BOOTSTRAP, "b/bootstrap.py": bootstrap})
    place = "sagemaker_remote_function_bootstrap"
    trained(
        AlgorithmSpecification={
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", f"/opt/ml/input/data/{place}/job_driver.sh"],
            "ContainerArguments": ["--s3_base_uri", "s3://b/steps", "--dependency_settings", "{}"],
        },
        InputDataConfig=[channel(place, f"s3://{bucket}/b/")],
    )
    assert (job_folder / "log.txt").read_text() == (
        "['--s3_base_uri', 's3://b/steps', '--dependency_settings', '{}']\ndone in True\n"
    )
