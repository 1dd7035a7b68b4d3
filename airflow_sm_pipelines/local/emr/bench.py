"""Where a command of EMR's is made ready: with what programs, with which files of S3."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from airflow_sm_pipelines.local.emr.commands import Commands
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.fetching import fetch
from airflow_sm_pipelines.local.objects import Objects
from airflow_sm_pipelines.local.spark_job import SCHEMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A command that can be run, and its variables."""

    argv: list[str]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a command may run with, and a folder for what it reads."""

    commands: Commands
    objects: Objects
    release: str
    folder: Path

    @property
    def image(self) -> str:
        """What the user's `images.toml` can map: `emr:<release label>`."""
        return f"emr:{self.release}"

    def path(self) -> str:
        """PATH: that of the user's own environment for the release first."""
        runtime = self.commands.mapped(self.image)
        own = self.commands.environment()["PATH"]
        return f"{runtime.python.parent}:{own}" if runtime else own

    def command(self, name: str, *words: str) -> Ready:
        """A program and its arguments; a `JobError` says where it was looked for."""
        path = self.path()
        found = shutil.which(name, path=path)
        if found is None:
            raise JobError(
                f"command-runner.jar {name}: no program {name} on {path}; install it there"
            )
        return Ready(argv=[found, *words], variables={"PATH": path})

    def spark(self) -> Ready:
        """`spark-submit`: of the user's own environment, of this machine, or of ours.

        Ours is made when it is not there yet.
        """
        path = self.path()
        if found := shutil.which(SUBMIT, path=path):
            return Ready(argv=[found], variables={"PATH": path})
        if self.commands.mapped(self.image):
            raise JobError(
                f"no {SUBMIT} on {path}; map {self.image!r} in images.toml to a python that has "
                "pyspark, or to none"
            )
        if not (shutil.which("java", path=path) or "JAVA_HOME" in self.commands.environment()):
            raise JobError(
                "Spark needs Java, and there is none on PATH; install a Java runtime, such as "
                "Debian's default-jre-headless"
            )
        folder = self.commands.runtime(self.image).python.parent
        return Ready(
            argv=[str(folder / SUBMIT)],
            variables={"PATH": f"{folder}:{path}", "PYSPARK_PYTHON": str(folder / "python")},
        )

    def fetched(self, uri: str) -> str:
        """The object of an S3 URI as a file of this machine; anything else stays as it is."""
        scheme, bucket, key, *_ = urlsplit(uri)
        if scheme not in SCHEMES:
            return uri
        file = self.folder / Path(key).name
        if not fetch(self.objects, f"s3://{bucket}{key}", file):
            raise JobError(f"{uri}: there is no such object; upload it first")
        return str(file)


SUBMIT = "spark-submit"
