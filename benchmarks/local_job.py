"""A processing job and a training job on the local AWS against the bare script that they run.

    python benchmarks/local_job.py

The processing job has one small input and one output, as the example has them; the training job is
script mode with one channel, its code in a sourcedir.tar.gz, and has a model. The bare run reads
and writes the same two files. What a job takes more, from its creation to the first Describe that
says Completed, is set against the limit: 100 ms for processing, 150 ms for training. Pairs are run
in turn, so that a change of the machine's speed meets both.
"""

import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images

ROUNDS = 20
LOOK_SECONDS = 0.002
BUCKET = "sagemaker-us-east-1-123456789012"
IMAGE = "python:3"
SCRIPT = (
    "import json, pathlib, sys; source, target = map(pathlib.Path, sys.argv[1:]); "
    "rows = (source / 'rows.csv').read_text().splitlines(); "
    "(target / 'count.json').write_text(json.dumps({'rows': len(rows)}))"
)


RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
PROGRAM = f"""import os, sys
sys.argv[1:] = [os.environ["SM_CHANNEL_TRAIN"], os.environ["SM_MODEL_DIR"]]
{SCRIPT}
"""


def processing(name: str) -> dict[str, Any]:
    """A CreateProcessingJob request with one input and one output."""
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "ProcessingResources": {
            "ClusterConfig": RESOURCES,
        },
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "-c", SCRIPT],
            "ContainerArguments": ["/opt/ml/processing/in", "/opt/ml/processing/out"],
        },
        "ProcessingInputs": [
            {
                "InputName": "rows",
                "S3Input": {
                    "S3Uri": f"s3://{BUCKET}/bench/in",
                    "LocalPath": "/opt/ml/processing/in",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "count",
                    "S3Output": {
                        "S3Uri": f"s3://{BUCKET}/bench/{name}",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    }


def training(name: str) -> dict[str, Any]:
    """A CreateTrainingJob request of script mode with one channel."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/bench/in"}
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/bench"},
        "ResourceConfig": RESOURCES,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{BUCKET}/bench/sourcedir.tar.gz",
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of job: its name in operations, its request, and how much longer it may take."""

    noun: str
    request: Callable[[str], dict[str, Any]]
    limit_seconds: float


KINDS = (
    Kind(noun="processing", request=processing, limit_seconds=0.1),
    Kind(noun="training", request=training, limit_seconds=0.15),
)


def run_job(sagemaker: Any, kind: Kind) -> float:
    """Seconds from creating a job until it is described as completed."""
    name = f"bench-{uuid4().hex[:12]}"
    prefix = f"{kind.noun.capitalize()}Job"
    create = getattr(sagemaker, f"create_{kind.noun}_job")
    describe = getattr(sagemaker, f"describe_{kind.noun}_job")
    start = time.perf_counter()
    create(**kind.request(name))
    while True:
        described = describe(**{f"{prefix}Name": name})
        if described[f"{prefix}Status"] != "InProgress":
            break
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - start
    if described[f"{prefix}Status"] != "Completed":
        raise SystemExit(f"{name}: {described.get('FailureReason')}")
    return seconds


def run_bare(python: Path, folder: Path) -> float:
    """Seconds of the script alone, in the job's interpreter."""
    start = time.perf_counter()
    subprocess.run([python, "-c", SCRIPT, folder, folder], check=True)
    return time.perf_counter() - start


def source() -> bytes:
    """The code of the training job, packed as the SDK does it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("train.py")
        member.size = len(PROGRAM)
        tar.addfile(member, io.BytesIO(PROGRAM.encode()))
    return packed.getvalue()


def put_input(s3: Any, folder: Path) -> None:
    """Put what the jobs read into S3, and what the bare script reads into a folder."""
    rows = "1,2,3\n" * 1_000
    (folder / "rows.csv").write_text(rows)
    s3.put_object(Bucket=BUCKET, Key="bench/in/rows.csv", Body=rows.encode())
    s3.put_object(Bucket=BUCKET, Key="bench/sourcedir.tar.gz", Body=source())


def main() -> None:
    """Print the medians, and the differences as shares of the limits."""
    with tempfile.TemporaryDirectory() as temporary, LocalAWS(Path(temporary) / "aws") as aws:
        folder = Path(temporary) / "bare"
        folder.mkdir()
        session = boto3.Session("local", "local", region_name="us-east-1")
        s3 = session.client("s3", endpoint_url=aws.endpoint_url)
        put_input(s3, folder)
        sagemaker = session.client("sagemaker", endpoint_url=aws.endpoint_url)
        python = Images().runtime(IMAGE).python
        for kind in KINDS:
            run_job(sagemaker, kind)  # the first call of a service loads it
            run_bare(python, folder)
            report(
                kind,
                [(run_job(sagemaker, kind), run_bare(python, folder)) for _ in range(ROUNDS)],
            )
    print(f"python {sys.version.split()[0]}")


def report(kind: Kind, pairs: list[tuple[float, float]]) -> None:
    """Print the medians of jobs and bare scripts, run in pairs."""
    job, bare = (statistics.median(times) for times in zip(*pairs, strict=True))
    more = statistics.median(job - bare for job, bare in pairs)
    print(
        f"{kind.noun}: job {job * 1e3:.0f} ms, bare script {bare * 1e3:.0f} ms "
        f"(medians of {ROUNDS}): {more * 1e3:.0f} ms more, "
        f"{more / kind.limit_seconds:.2f} of the limit"
    )


if __name__ == "__main__":
    main()
