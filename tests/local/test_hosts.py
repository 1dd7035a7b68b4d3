"""Jobs with more than one host, as their processes see it."""

import json
import os
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.hosts import Host, count_refusals, named
from airflow_sm_pipelines.local.images import Images
from airflow_sm_pipelines.local.sandbox import choose

from .calls import (
    channel,
    final_training_job,
    keys,
    processing_output,
    resources,
    text,
    until,
)
from .test_channels import put, s3_channel
from .test_logs import messages, streams
from .test_training import algorithm, members

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Run = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.skipif(not choose().together, reason="one job at a time has an /opt/ml")

ME = """
import json, os, signal, socket, sys, time
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
me, hosts = config["current_host"], config["hosts"]
"""
TWO = {**resources(), "InstanceCount": 2}
CLUSTER = {"ClusterConfig": TWO}
PROCESSING_ME = ME.replace("/input/config/", "/config/")


def group(name: str, count: int, kind: str = "ml.m5.large") -> dict[str, Any]:
    return {"InstanceGroupName": name, "InstanceCount": count, "InstanceType": kind}


def test_each_host_has_its_own_opt_ml_and_knows_the_others(trained: Run, job_folder: Path) -> None:
    job = trained(
        ME + "print(me, hosts, os.listdir('/opt/ml/model')); open(f'/opt/ml/model/{me}', 'w')",
        ResourceConfig=TWO,
    )
    assert job["TrainingJobStatus"] == "Completed"
    both = "['algo-1', 'algo-2'] []"
    assert (job_folder / "log.txt").read_text() == f"algo-1 {both}\n"
    assert (job_folder / "algo-2" / "log.txt").read_text() == f"algo-2 {both}\n"


def test_hosts_find_each_other_by_name(trained: Run, job_folder: Path) -> None:
    job = trained(
        ME
        + """
if me == "algo-1":
    server = socket.create_server(("algo-1", 29500))
    peer, address = server.accept()
    print(peer.recv(100).decode(), address[0] == socket.gethostbyname("algo-2"))
else:
    while True:
        try:
            with socket.create_connection(("algo-1", 29500), source_address=("algo-2", 0)) as peer:
                peer.sendall(b"hello from algo-2")
            break
        except ConnectionRefusedError:
            time.sleep(0.01)
""",
        ResourceConfig=TWO,
    )
    assert job["TrainingJobStatus"] == "Completed"
    assert (job_folder / "log.txt").read_text() == "hello from algo-2 True\n"


def test_jobs_at_the_same_time_have_addresses_of_their_own(
    sagemaker: "SageMakerClient", training_request: Run, name: str, job_folder: Path
) -> None:
    script = """
import socket, time
server = socket.create_server(("algo-1", 29501))
print("listens", flush=True)
time.sleep(60)
"""
    request = training_request(script)
    names = [name, f"{name}-too"]
    for each in names:
        sagemaker.create_training_job(**{**request, "TrainingJobName": each})
    for each in names:
        log = job_folder.with_name(each) / "log.txt"
        until(log.read_text, lambda said: said == "listens\n")
        sagemaker.stop_training_job(TrainingJobName=each)


def test_the_name_of_the_only_host_resolves_too(trained: Run, job_folder: Path) -> None:
    trained("import socket; print(socket.gethostbyname('algo-1').startswith('127.'))")
    assert (job_folder / "log.txt").read_text() == "True\n"


def test_the_names_of_the_machine_are_still_there(trained: Run, job_folder: Path) -> None:
    trained("print(open('/etc/hosts').read(), end='')")
    first, _, rest = (job_folder / "log.txt").read_text().partition("\n")
    assert first.endswith(" algo-1")
    assert rest == Path("/etc/hosts").read_text()


def test_instance_groups_are_hosts_that_are_numbered_through(
    trained: Run, job_folder: Path
) -> None:
    groups = [group("big", 1, "ml.p3.2xlarge"), group("small", 2)]
    trained(ResourceConfig={"VolumeSizeInGB": 1, "InstanceGroups": groups})
    file = job_folder / "algo-3" / "ml/input/config/resourceconfig.json"
    assert json.loads(file.read_text()) == {
        "current_host": "algo-3",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "small",
        "hosts": ["algo-1", "algo-2", "algo-3"],
        "instance_groups": [
            {
                "instance_group_name": "big",
                "instance_type": "ml.p3.2xlarge",
                "hosts": ["algo-1"],
            },
            {
                "instance_group_name": "small",
                "instance_type": "ml.m5.large",
                "hosts": ["algo-2", "algo-3"],
            },
        ],
        "network_interface_name": "lo",
    }


def test_a_channel_can_be_for_one_instance_group_alone(
    trained: Run, s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    put(s3, bucket, {"data/a": "a"})
    source = {"InstanceGroupNames": ["small"]}
    trained(
        ResourceConfig={
            "VolumeSizeInGB": 1,
            "InstanceGroups": [group("big", 1), group("small", 1)],
        },
        InputDataConfig=[s3_channel("train", f"s3://{bucket}/data", source=source)],
    )
    assert not (job_folder / "ml/input/data/train").exists()
    assert (job_folder / "algo-2/ml/input/data/train/a").read_text() == "a"


def test_an_instance_group_that_is_not_there_is_named(tmp_path: Path) -> None:
    hosts = [Host(name="algo-1", instance_type="t", group="big", folder=tmp_path)]
    with pytest.raises(JobError, match="where: no instance group 'small'; it would be one of big"):
        named(hosts, ["small"], "where")


def test_the_first_host_that_fails_ends_the_others_and_is_the_reason(
    trained: Run, job_folder: Path
) -> None:
    job = trained(
        ME
        + """
if me == "algo-2":
    raise ValueError("not enough rows")
time.sleep(60)
""",
        ResourceConfig=TWO,
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: ValueError: not enough rows, exit code: 1"


def test_the_failure_file_of_the_host_that_failed_counts(trained: Run) -> None:
    job = trained(
        ME + 'open("/opt/ml/output/failure", "w").write(me); exit(me == "algo-2")',
        ResourceConfig=TWO,
    )
    assert job["FailureReason"] == "AlgorithmError: algo-2, exit code: 1"


def test_each_host_has_a_log_stream(trained: Run, logs: "CloudWatchLogsClient", name: str) -> None:
    trained(ME + "print('I am', me)", ResourceConfig=TWO)
    group_name = "/aws/sagemaker/TrainingJobs"
    found = streams(logs, group_name, name)
    assert [stream.rpartition("-")[0] for stream in found] == [f"{name}/algo-1", f"{name}/algo-2"]
    said = [messages(logs, group_name, stream) for stream in found]
    assert said == [["I am algo-1"], ["I am algo-2"]]


def test_the_page_of_a_log_has_those_of_all_hosts(aws: LocalAWS, trained: Run, name: str) -> None:
    trained(ME + "print('I am', me)", ResourceConfig=TWO)
    page = f"{aws.endpoint_url}/_local/logs/TrainingJob/{name}"
    with urllib.request.urlopen(page) as answer:
        said = answer.read().decode()
    assert said == "==> algo-1\nI am algo-1\n\n==> algo-2\nI am algo-2\n\n"


def test_what_the_hosts_leave_is_put_together(
    trained: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    trained(
        ME
        + """
for folder in ("model", "output/data"):
    for file in (me, "both"):
        open(f"/opt/ml/{folder}/{file}", "w").write(me)
""",
        ResourceConfig=TWO,
    )
    for file in ("model", "output"):
        key = f"models/{name}/output/{file}.tar.gz"
        assert members(s3, bucket, key) == ["algo-1", "algo-2", "both"]


def test_where_names_clash_the_first_host_wins(
    trained: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    trained(
        ME + "open('/opt/ml/model/both', 'w').write(me)",
        ResourceConfig=TWO,
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models", "CompressionType": "NONE"},
    )
    assert text(s3, bucket, f"models/{name}/output/model/both") == "algo-1"


def test_hosts_share_the_time_they_have(trained: Run, job_folder: Path) -> None:
    job = trained(
        "import time; time.sleep(60)",
        ResourceConfig=TWO,
        StoppingCondition={"MaxRuntimeInSeconds": 1},
    )
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"


def test_a_stop_reaches_every_host(
    sagemaker: "SageMakerClient", training_request: Run, name: str, job_folder: Path
) -> None:
    script = (
        ME
        + """
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("asked to end")))
print("ready", flush=True)
time.sleep(60)
"""
    )
    sagemaker.create_training_job(**training_request(script, ResourceConfig=TWO))
    files = [job_folder / "log.txt", job_folder / "algo-2" / "log.txt"]
    for file in files:
        until(file.exists, bool)
        until(file.read_text, lambda said: said == "ready\n")
    sagemaker.stop_training_job(TrainingJobName=name)
    assert final_training_job(sagemaker, name)["TrainingJobStatus"] == "Stopped"
    assert [file.read_text() for file in files] == ["ready\nasked to end\n"] * 2


def test_pip_of_one_host_does_not_meet_that_of_another(trained: Run, job_folder: Path) -> None:
    trained("import os; print(os.environ['VIRTUAL_ENV'])", ResourceConfig=TWO)
    assert (job_folder / "log.txt").read_text() == f"{job_folder}/python\n"
    assert (job_folder / "algo-2/log.txt").read_text() == f"{job_folder}/algo-2/python\n"


def test_the_outputs_of_all_hosts_of_a_processing_job_reach_s3(
    processed: Run, s3: "S3Client", bucket: str
) -> None:
    job = processed(
        PROCESSING_ME
        + """
for folder in ("end", "always"):
    open(f"/opt/ml/processing/{folder}/{me}", "w").write(me)
""",
        ProcessingResources=CLUSTER,
        ProcessingOutputConfig={
            "Outputs": [
                processing_output("end", f"s3://{bucket}/end"),
                processing_output("always", f"s3://{bucket}/always", "Continuous"),
            ]
        },
    )
    assert job["ProcessingJobStatus"] == "Completed"
    for folder in ("end", "always"):
        assert keys(s3, bucket, folder) == [f"{folder}/algo-1", f"{folder}/algo-2"]


def test_exit_messages_of_the_hosts_are_put_together(processed: Run) -> None:
    job = processed(
        PROCESSING_ME + "open('/opt/ml/output/message', 'w').write(me + ' says so')",
        ProcessingResources=CLUSTER,
    )
    assert job["ExitMessage"] == "algo-1 says so\nalgo-2 says so"


def test_a_processing_job_is_completed_when_all_of_its_hosts_have_succeeded(
    processed: Run,
) -> None:
    job = processed(
        PROCESSING_ME + "time.sleep(0.2 if me == 'algo-2' else 0); exit(3 * (me == 'algo-2'))",
        ProcessingResources=CLUSTER,
    )
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: the command wrote no output, exit code: 3"


def test_nothing_of_a_job_is_left_behind(
    trained: Run, s3: "S3Client", bucket: str, job_folder: Path, name: str
) -> None:
    put(s3, bucket, {"data/a": "a" * 100_000})
    job = trained(
        ME + "open('/opt/ml/input/data/train_0').read(10); open('/opt/ml/checkpoints/' + me, 'w')",
        ResourceConfig=TWO,
        CheckpointConfig={"S3Uri": f"s3://{bucket}/c"},
        AlgorithmSpecification=algorithm(MetricDefinitions=[{"Name": "m", "Regex": "m=(.)"}]),
        InputDataConfig=[
            channel("code", f"s3://{bucket}/code/"),
            channel("train", f"s3://{bucket}/data/", InputMode="Pipe"),
        ],
    )
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    words = (name, "pipe train", f"s3://{bucket}", "host ")
    assert not [each.name for each in threading.enumerate() if each.name.startswith(words)]
    assert not [each.name for each in threading.enumerate() if name in each.name]
    opened = [os.readlink(each) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    assert not [path for path in opened if path.startswith(str(job_folder))]
    assert str(job_folder) not in Path("/proc/self/mountinfo").read_text()


def test_where_a_host_cannot_be_started_the_others_are_ended(
    tmp_path: Path, images: Images, training_request: Run, name: str, bucket: str
) -> None:
    chosen = choose()

    def prefix(ml: Path, hosts: Path | None) -> list[str]:
        return ["no-such-program"] if "algo-2" in str(ml) else chosen.means.prefix(ml, hosts)

    broken = replace(chosen, means=replace(chosen.means, prefix=prefix))
    with LocalAWS(tmp_path, images=images, isolation=broken) as aws:
        session = boto3.Session("key", "secret", region_name="us-east-1")
        sagemaker = session.client("sagemaker", endpoint_url=aws.endpoint_url)
        s3 = session.client("s3", endpoint_url=aws.endpoint_url)
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="code/script.py", Body=b"import time; time.sleep(60)")
        sagemaker.create_training_job(**training_request(ResourceConfig=TWO))
        job = final_training_job(sagemaker, name)
        sagemaker.close()
        s3.close()
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: [Errno 2] No such file")


def test_where_one_process_alone_can_have_an_opt_ml_several_hosts_are_refused() -> None:
    assert list(count_refusals(TWO, "ResourceConfig", together=False)) == [
        "ResourceConfig: 2 instances need an /opt/ml each, and here only one process at a time has "
        "it; `airflow-sm doctor` says what would be right"
    ]
    assert not list(count_refusals(resources(), "ResourceConfig", together=False))
