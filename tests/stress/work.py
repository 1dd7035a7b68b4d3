"""Short pieces of work of every kind that the local AWS runs: what each asks for, what it answers.

A job marks its /opt/ml with its name, all meet in a folder of the machine, and each tells which
marks it sees: a job its own alone, a Lambda function, which has no /opt/ml of its own, none.
"""

import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.local.calls import processing_input, processing_output, resources, text
from tests.local.models import (
    make_model,
    packed,
    server,
    transform_request,
)

BUCKET = "stress"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
FUNCTION, MODEL = "stress", "stress"
SECONDS = int(os.environ.get("SM_PIPELINES_STRESS_SECONDS", "60"))  # at most, for any of it
LOOK_SECONDS = 0.05

# What each of them does.
MEET = """
import os, pathlib, time
ml = pathlib.Path("/opt/ml")

def mark_and_meet(name, folder, count):
    (ml / f"mark-{name}").touch()
    return meet(name, folder, count)

def meet(name, folder, count):
    if folder:
        pathlib.Path(folder, name).touch()
        deadline = time.monotonic() + SECONDS
        while len(os.listdir(folder)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"of {count} only {os.listdir(folder)} have come")
            time.sleep(0.05)
    return ",".join(sorted(each.name for each in ml.glob("mark-*")))
""".replace("SECONDS", str(SECONDS))
PROCESSING = f"""{MEET}
seen = mark_and_meet(os.environ["NAME"], os.environ["FOLDER"], int(os.environ["COUNT"]))
(ml / "processing" / "out" / "seen").write_text(seen)
"""
TRAINING = f"""{MEET}
seen = mark_and_meet(os.environ["NAME"], os.environ["FOLDER"], int(os.environ["COUNT"]))
pathlib.Path(os.environ["SM_MODEL_DIR"], "seen").write_text(seen)
"""
# The one line of a transform job's input is what the others find among their variables.
SERVING = f"""{MEET}
def line(text):
    name, folder, count = json.loads(text)
    return mark_and_meet(name, folder, count)
"""
LAMBDA = f"""{MEET}
def handler(event, context):
    return meet(*event)
"""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where work meets, and how many pieces there are; none where no folder is given."""

    folder: Path | None = None
    count: int = 0

    def of(self, name: str) -> list[Any]:
        """What a piece of work is told."""
        return [name, str(self.folder or ""), self.count]

    def variables(self, name: str) -> dict[str, str]:
        """The same as variables."""
        name, folder, count = self.of(name)
        return {"NAME": name, "FOLDER": folder, "COUNT": str(count)}


class Clients:
    """The clients of a server, and what the work needs in it."""

    def __init__(self, url: str) -> None:
        session: Any = boto3.Session("key", "secret", region_name="us-east-1")
        config = Config(max_pool_connections=64, read_timeout=SECONDS, retries={"max_attempts": 1})
        self.s3, self.sagemaker, self.functions = (
            session.client(service, endpoint_url=url, config=config)
            for service in ("s3", "sagemaker", "lambda")
        )

    def prepare(self) -> None:
        """Make the bucket, the model, the function, the code."""
        self.s3.create_bucket(Bucket=BUCKET)
        files = server(SERVING)
        make_model(self.sagemaker, self.s3, BUCKET, files, name=MODEL, image="own-network")
        self.s3.put_object(Bucket=BUCKET, Key="code/process.py", Body=PROCESSING.encode())
        code = {"train.py": TRAINING}
        self.s3.put_object(Bucket=BUCKET, Key="sourcedir.tar.gz", Body=packed(code))
        packed_code = io.BytesIO()
        with zipfile.ZipFile(packed_code, "w") as archive:
            archive.writestr("main.py", LAMBDA)
        self.functions.create_function(
            FunctionName=FUNCTION,
            Runtime="python3.11",
            Role=ROLE,
            Handler="main.handler",
            Timeout=SECONDS,
            Code={"ZipFile": packed_code.getvalue()},
        )

    def await_end(self, noun: str, name: str) -> None:
        """Return when a job has completed."""
        describe = getattr(self.sagemaker, f"describe_{noun.lower().replace('job', '_job')}")
        deadline = time.monotonic() + SECONDS
        while (job := describe(**{f"{noun}Name": name}))[f"{noun}Status"] == "InProgress":
            assert time.monotonic() < deadline, f"{name}: still {job}"
            time.sleep(LOOK_SECONDS)
        assert job[f"{noun}Status"] == "Completed", job


def process(clients: Clients, name: str, meeting: Meeting) -> str:
    """Run a processing job; the marks that it has seen."""
    output = processing_output("out", f"s3://{BUCKET}/{name}")
    clients.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        ProcessingResources={"ClusterConfig": resources()},
        AppSpecification={
            "ImageUri": "image",
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/process.py"],
        },
        ProcessingInputs=[processing_input("code", f"s3://{BUCKET}/code/")],
        Environment=meeting.variables(name),
        ProcessingOutputConfig={"Outputs": [output]},
        StoppingCondition={"MaxRuntimeInSeconds": SECONDS},
    )
    clients.await_end("ProcessingJob", name)
    return text(clients.s3, BUCKET, f"{name}/seen")


def train(clients: Clients, name: str, meeting: Meeting) -> str:
    """Run a training job in script mode; the marks that it has seen."""
    clients.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": "script-mode", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}", "CompressionType": "NONE"},
        ResourceConfig=resources(),
        StoppingCondition={"MaxRuntimeInSeconds": SECONDS},
        Environment=meeting.variables(name),
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{BUCKET}/sourcedir.tar.gz",
        },
    )
    clients.await_end("TrainingJob", name)
    return text(clients.s3, BUCKET, f"{name}/output/model/seen")


def transform(clients: Clients, name: str, meeting: Meeting) -> str:
    """Run a transform job, whose server listens on port 8080; the marks that it has seen."""
    source = f"in/{name}/line"
    clients.s3.put_object(Bucket=BUCKET, Key=source, Body=json.dumps(meeting.of(name)).encode())
    request = transform_request(name, MODEL, BUCKET)
    request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/{source}"
    request["TransformOutput"]["S3OutputPath"] = f"s3://{BUCKET}/out/{name}"
    clients.sagemaker.create_transform_job(**request)
    clients.await_end("TransformJob", name)
    return text(clients.s3, BUCKET, f"out/{name}/line.out").strip()


def invoke(clients: Clients, name: str, meeting: Meeting) -> str:
    """Invoke a Lambda function; the marks that it has seen."""
    event = json.dumps(meeting.of(name)).encode()
    answered = clients.functions.invoke(FunctionName=FUNCTION, Payload=event)
    told = answered["Payload"].read().decode()
    assert "FunctionError" not in answered, told
    return str(json.loads(told))


Kind = Callable[[Clients, str, Meeting], str]

# The kinds of ten pieces of work.
MIX: tuple[Kind, ...] = (
    process,
    train,
    invoke,
    transform,
    process,
    process,
    train,
    process,
    invoke,
    process,
)
