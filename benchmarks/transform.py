"""A transform job of 10,000 lines on the local AWS against the bare model's loop.

    python benchmarks/transform.py

The model adds the numbers of a line. The bare loop is a process that loads the model's module and
puts each line through it, file to file; the job does the same behind the image's server, by HTTP in
payloads of up to 6 MB. Both kinds of network are measured: a port of the machine, and port 8080 in
a network of the server's own. All are run in turn, so that a change of the machine's speed meets
them alike. What a request costs is seen by 1,000 lines that are sent alone (SingleRecord).
"""

import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3

from airflow_sm_pipelines import local
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images

ROUNDS = 5
LINES, SINGLES = 10_000, 1_000
LOOK_SECONDS = 0.002
BUCKET = "sagemaker-us-east-1-123456789012"
INFERENCE = """
def model_fn(folder):
    return sum

def transform_fn(model, data, content_type, accept):
    lines = data.splitlines()
    return "\\n".join(str(model(map(float, line.split(",")))) for line in lines), accept
"""
BARE = """
import sys
sys.path.insert(0, sys.argv[1])
from inference import model_fn, transform_fn
model = model_fn("")
with open(sys.argv[2]) as lines, open(sys.argv[3], "w") as out:
    for line in lines:
        out.write(transform_fn(model, line, "text/csv", "text/csv")[0] + "\\n")
"""
LOCAL = Path(local.__file__).parent
# The toolkit's own server, on the port that containers have.
IMAGES = f"""
[[image]]
match = "own-network"
name = "port 8080"
python = "{sys.executable}"
serve = ["{{python}}", "-I", "{LOCAL / "serving" / "script_serving.py"}", "arrays", "8080"]

[[image]]
match = "^port$"
name = "port of ours"
python = "{sys.executable}"
serve = "script-mode"
"""


def request(name: str, model: str, *, single: bool) -> dict[str, Any]:
    """A CreateTransformJob request of the lines."""
    key = "singles.csv" if single else "lines.csv"
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/bench/{key}"}
    return {
        "TransformJobName": name,
        "ModelName": model,
        "BatchStrategy": "SingleRecord" if single else "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{BUCKET}/bench/out",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    }


def run_job(sagemaker: Any, model: str, *, single: bool = False) -> float:
    """Seconds from creating a job until it is described as completed."""
    name = f"bench-{uuid4().hex[:12]}"
    start = time.perf_counter()
    sagemaker.create_transform_job(**request(name, model, single=single))
    while True:
        described = sagemaker.describe_transform_job(TransformJobName=name)
        if described["TransformJobStatus"] != "InProgress":
            break
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - start
    if described["TransformJobStatus"] != "Completed":
        raise SystemExit(f"{name}: {described.get('FailureReason')}")
    return seconds


def run_bare(folder: Path) -> float:
    """Seconds of the loop alone."""
    start = time.perf_counter()
    files = [folder, folder / "lines.csv", folder / "out.csv"]
    subprocess.run([sys.executable, "-c", BARE, *files], check=True)
    return time.perf_counter() - start


def make_model(s3: Any, sagemaker: Any, image: str) -> str:
    """A model that serves by `inference.py`; its name."""
    content = INFERENCE.encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    s3.put_object(Bucket=BUCKET, Key="bench/model.tar.gz", Body=packed.getvalue())
    container = {"Image": image, "ModelDataUrl": f"s3://{BUCKET}/bench/model.tar.gz"}
    sagemaker.create_model(ModelName=image, PrimaryContainer=container)
    return image


def put_lines(s3: Any, folder: Path) -> int:
    """Put the lines into S3, and with the model's module into a folder; how many there are."""
    lines = "".join(f"{number},1,2\n" for number in range(LINES))
    (folder / "lines.csv").write_text(lines)
    (folder / "inference.py").write_text(INFERENCE)
    s3.put_object(Bucket=BUCKET, Key="bench/lines.csv", Body=lines.encode())
    return LINES


def main() -> None:
    """Print the medians, and each as a ratio to the bare loop's."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "images.toml").write_text(IMAGES)
        images = Images(folder / "cache", config=folder / "images.toml")
        with LocalAWS(folder / "aws", images=images) as aws:
            session: Any = boto3.Session("local", "local", region_name="us-east-1")
            s3, sagemaker = (
                session.client(service, endpoint_url=aws.endpoint_url)
                for service in ("s3", "sagemaker")
            )
            put_lines(s3, folder)
            singles = "1,2,3\n" * SINGLES
            s3.put_object(Bucket=BUCKET, Key="bench/singles.csv", Body=singles.encode())
            models = [make_model(s3, sagemaker, image) for image in ("port", "own-network")]
            run_job(sagemaker, models[0])  # the first call of a service loads it
            rounds = [
                (run_bare(folder), *(run_job(sagemaker, model) for model in models))
                for _ in range(ROUNDS)
            ]
            each = run_job(sagemaker, models[0], single=True) / SINGLES
            scored = s3.get_object(Bucket=BUCKET, Key="bench/out/lines.csv.out")["Body"].read()
    if len(scored.splitlines()) != LINES:
        raise SystemExit(f"{len(scored.splitlines())} lines of {LINES}")
    bare, *jobs = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    print(f"bare loop of {LINES:,} lines: {bare * 1e3:.0f} ms (medians of {ROUNDS})")
    for model, job in zip(models, jobs, strict=True):
        print(f"transform job, {model}: {job * 1e3:.0f} ms, {job / bare:.1f} times the loop")
    print(f"a request for each line: {each * 1e3:.2f} ms a line")
    print(f"python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
