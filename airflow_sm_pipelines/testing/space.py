"""What a test gets: an AWS of its own, and the means to run pipelines there."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from airflow_sm_pipelines import definition, sources
from airflow_sm_pipelines.cli import seeding
from airflow_sm_pipelines.errors import SourceError
from airflow_sm_pipelines.sources import HasDefinition
from airflow_sm_pipelines.testing import runs
from airflow_sm_pipelines.testing.child import Message
from airflow_sm_pipelines.testing.control import Record, Settable
from airflow_sm_pipelines.testing.runs import PipelineRun

Definition = Mapping[str, Any] | str | Path | HasDefinition
"""An object, its JSON text, the path of its file, or a Pipeline of the SageMaker SDK."""

LONGEST_SECONDS = 600.0


@dataclass(slots=True, kw_only=True)
class SmLocal:
    """An AWS of a test's own; nothing of it is there in the next test.

    `environment` are the variables that lead to it, set during the test. `root` is its folder:
    `jobs/<job>/` has what a job saw and printed. `bucket` and the role `role_arn` are there from
    the start.
    """

    endpoint_url: str
    environment: Mapping[str, str] = field(repr=False)
    account_id: str
    region: str
    role_arn: str
    bucket: str
    root: Path
    run: Callable[[Message, float], dict[str, Any]] = field(repr=False)
    tell: Callable[[str], None] = field(default=lambda text: None, repr=False)
    """Called with the report of each run; pytest shows it where the test fails."""

    @property
    def scripts(self) -> Settable:
        """What becomes of jobs and endpoints instead of running them: docs/local-runtime.md."""
        return Settable(f"{self.endpoint_url}/_local/scripts", "Scripts")

    @property
    def faults(self) -> Settable:
        """What goes wrong with requests: docs/local-runtime.md."""
        return Settable(f"{self.endpoint_url}/_local/faults", "Faults")

    @property
    def requests(self) -> Record:
        """Which requests there were."""
        return Record(f"{self.endpoint_url}/_local/requests")

    def client(self, service: Any) -> Any:
        """A boto3 client; `boto3.client(service)` is one as well."""
        return boto3.Session(region_name=self.region).client(service)

    def upload(self, uri: str, content: bytes | str | Path) -> None:
        """Put an object to S3: bytes, text, or a file's content; its bucket is made."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not key:
            raise SourceError(uri, "not the URI of an object; write s3://bucket/key")
        s3 = self.client("s3")
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=bucket)
        if isinstance(content, Path):
            s3.upload_file(str(content), bucket, key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=content)

    def read(self, uri: str) -> bytes:
        """What an object of S3 holds."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def run_pipeline(
        self,
        pipeline: Definition,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: float = LONGEST_SECONDS,
    ) -> PipelineRun:
        """Run a pipeline to its end, as an Airflow DAG, and say how each step has ended.

        A run that fails is an answer; an error is what `airflow-sm run` would refuse: a
        DefinitionError, a ParameterError, or a LocalRunError where it takes longer. What the
        `local.toml` files beside a definition's file name is uploaded before.
        """
        source = _source(pipeline)
        found = definition.load(source.text, name=source.name)
        values = definition.bind(found, params or {})
        if source.path:
            seeding.seed(self.environment, source.path.resolve().parent)
        types = {step.name: step.type for step in found.walk()}
        before = len(self.requests.documents())
        question = {
            "Definition": str(self._on_disk(source, found.name)),
            "Values": values,
            "Steps": types,
            "Environment": dict(self.environment),
        }
        run = runs.told(
            self.run(question, timeout_seconds),
            name=found.name,
            types=types,
            jobs=self.root / "jobs",
            requests=tuple(self.requests.documents()[before:]),
        )
        self.tell(run.report())
        return run

    def _on_disk(self, source: sources.Source, name: str) -> Path:
        """A file of the definition: as it is at this moment, and called like the pipeline."""
        path = self.root / "definitions" / name / "definition.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = source.text
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path


def _source(pipeline: Definition) -> sources.Source:
    match pipeline:
        case Mapping():
            return _text(json.dumps(pipeline))
        case str() if pipeline.lstrip().startswith("{"):
            return _text(pipeline)
        case str() if sources.is_remote(pipeline):
            raise SourceError(
                pipeline, "not on this machine; give a definition's path, its text or an object"
            )
        case _:
            return sources.fetch(pipeline)


def _text(text: str) -> sources.Source:
    return sources.Source(text=text, name="pipeline", where="definition")
