"""A processing job on the local AWS against the bare script that it runs.

    python benchmarks/local_job.py

The job has one small input and one output, as the example's have; the bare run reads and writes the
same two files. What the job takes more, from CreateProcessingJob to the first Describe that says
Completed, is set against the limit of 100 ms. Pairs are run in turn, so that a change of the
machine's speed meets both.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images

ROUNDS = 20
LIMIT_SECONDS = 0.1
LOOK_SECONDS = 0.002
BUCKET = "sagemaker-us-east-1-123456789012"
IMAGE = "python:3"
SCRIPT = (
    "import json, pathlib, sys; source, target = map(pathlib.Path, sys.argv[1:]); "
    "rows = (source / 'rows.csv').read_text().splitlines(); "
    "(target / 'count.json').write_text(json.dumps({'rows': len(rows)}))"
)


def request(name: str) -> dict[str, Any]:
    """A CreateProcessingJob request with one input and one output."""
    return {
        "ProcessingJobName": name,
        "RoleArn": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            }
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


def run_job(sagemaker: Any) -> float:
    """Seconds from creating a job until it is described as completed."""
    name = f"bench-{uuid4().hex[:12]}"
    start = time.perf_counter()
    sagemaker.create_processing_job(**request(name))
    while True:
        described = sagemaker.describe_processing_job(ProcessingJobName=name)
        if described["ProcessingJobStatus"] not in {"InProgress"}:
            break
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - start
    if described["ProcessingJobStatus"] != "Completed":
        raise SystemExit(f"{name}: {described.get('FailureReason')}")
    return seconds


def run_bare(python: Path, folder: Path) -> float:
    """Seconds of the script alone, in the job's interpreter."""
    start = time.perf_counter()
    subprocess.run([python, "-c", SCRIPT, folder, folder], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the medians, and the difference as a share of the limit."""
    with tempfile.TemporaryDirectory() as temporary, LocalAWS(Path(temporary) / "aws") as aws:
        folder = Path(temporary) / "bare"
        folder.mkdir()
        rows = "1,2,3\n" * 1_000
        (folder / "rows.csv").write_text(rows)
        session = boto3.Session("local", "local", region_name="us-east-1")
        s3 = session.client("s3", endpoint_url=aws.endpoint_url)
        s3.put_object(Bucket=BUCKET, Key="bench/in/rows.csv", Body=rows.encode())
        sagemaker = session.client("sagemaker", endpoint_url=aws.endpoint_url)
        python = Images().runtime(IMAGE).python
        run_job(sagemaker)  # the first call of a service loads it
        run_bare(python, folder)
        pairs = [(run_job(sagemaker), run_bare(python, folder)) for _ in range(ROUNDS)]
    job, bare = (statistics.median(times) for times in zip(*pairs, strict=True))
    more = statistics.median(job - bare for job, bare in pairs)
    print(f"job {job * 1e3:.0f} ms, bare script {bare * 1e3:.0f} ms (medians of {ROUNDS})")
    print(f"the job takes {more * 1e3:.0f} ms more: {more / LIMIT_SECONDS:.2f} of the limit")
    print(f"python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
