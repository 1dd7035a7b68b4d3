"""Models for the tests: programs that serve, packed as a training job would."""

import io
import tarfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .calls import keys, text, until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
SCRIPT_MODE, OWN_PORT, OWN_NETWORK = "my/script-mode:1", "my/own-port:1", "my/own-network:1"

# Answers each line with what `line` makes of it. `parameters` are its execution parameters.
SERVER = """
import json, os, sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parameters = None

def healthy():
    return True

def line(text):
    return text.upper()

def answer(body, headers):
    return "".join(line(each) + "\\n" for each in body.decode().splitlines()).encode()

{code}

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path == "/ping":
            self.send(200 if healthy() else 503, b"")
        elif parameters is None:
            self.send(404, b"")
        else:
            self.send(200, json.dumps(parameters).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = answer(body, self.headers)
        self.send(*(told if isinstance(told, tuple) else (200, told)))

    def send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

print("serving", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def server(code: str = "") -> dict[str, str]:
    """The files of a model that serves itself; `code` redefines what the program defines."""
    return {"server.py": SERVER.replace("{code}", code)}


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """A tar.gz file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path, content in files.items():
            raw = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(path)
            member.size = len(raw)
            tar.addfile(member, io.BytesIO(raw))
    return out.getvalue()


def make_model(
    sagemaker: "SageMakerClient",
    s3: "S3Client",
    bucket: str,
    files: Mapping[str, str | bytes],
    *,
    name: str,
    image: str = OWN_PORT,
    **environment: str,
) -> str:
    key = f"models/{name}/model.tar.gz"
    s3.put_object(Bucket=bucket, Key=key, Body=packed(files))
    container: Any = {
        "Image": image,
        "ModelDataUrl": f"s3://{bucket}/{key}",
        "Environment": environment,
    }
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    return name


def transform_request(name: str, model: str, bucket: str) -> dict[str, Any]:
    """A CreateTransformJob request that reads `in/` and writes `out/`, by lines."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in/"}
    return {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{bucket}/out",
            "AssembleWith": "Line",
            "Accept": "text/csv",
        },
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    }


def final_transform_job(sagemaker: "SageMakerClient", name: str) -> dict[str, Any]:
    return until(
        lambda: dict(sagemaker.describe_transform_job(TransformJobName=name)),
        lambda job: job["TransformJobStatus"] not in ("InProgress", "Stopping"),
    )


def outputs(s3: "S3Client", bucket: str) -> dict[str, str]:
    """What a job has written, by the name below `out/`."""
    return {key.removeprefix("out/"): text(s3, bucket, key) for key in keys(s3, bucket, "out/")}
