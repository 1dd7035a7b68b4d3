"""What EMR would run, as a command of this machine, or why there is none.

A new jar is a function and a row of `JARS`.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from airflow_sm_pipelines.local.emr.commands import Commands
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.objects import Objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where a command is made ready: what it may run with, and a folder for what it reads."""

    commands: Commands
    objects: Objects
    release: str
    folder: Path

    @property
    def image(self) -> str:
        """What the user's `images.toml` can map: `emr:<release label>`."""
        return f"emr:{self.release}"

    def path(self) -> str:
        """PATH: that of the mapped environment first."""
        runtime = self.commands.mapped(self.image)
        own = self.commands.environment()["PATH"]
        return f"{runtime.python.parent}:{own}" if runtime else own

    def program(self, name: str) -> str:
        """The path of a program; a `JobError` says where it was looked for."""
        found = shutil.which(name, path=self.path())
        if found is None:
            raise JobError(
                MISSING[name if name in MISSING else ""].format(
                    name=name, image=self.image, path=self.path()
                )
            )
        return found

    def fetched(self, uri: str) -> str:
        """A file that S3 has, as a file of this machine; anything else stays as it is."""
        if not uri.startswith(S3):
            return uri
        uri = uri.replace("s3a://", "s3://").replace("s3n://", "s3://")
        self.objects.download(uri, self.folder)
        file = self.folder / uri.rpartition("/")[2]
        if not file.is_file():
            raise JobError(f"{uri}: there is no such object; upload it first")
        return str(file)


def of_jar(bench: Bench, jar: str, arguments: Sequence[str]) -> list[str]:
    """The command of a HadoopJarStep; a `JobError` where this machine has none."""
    name = jar.rpartition("/")[2]
    if name not in JARS:
        raise JobError(
            f"{jar}: a jar of one's own needs Hadoop, which the local AWS does not have; "
            f"it runs {', '.join(JARS)}"
        )
    if not arguments:
        raise JobError(f"{name}: no arguments; the first one is what it runs")
    return JARS[name](bench, arguments)


def spark_submit(bench: Bench, arguments: Sequence[str]) -> list[str]:
    """`spark-submit` on this machine alone, with what it is to run taken from S3."""
    program = bench.program("spark-submit")
    words, kept = list(arguments), ["--master", "local[*]"]
    while words and words[0].startswith("-"):
        option, *words = words
        option, equals, value = option.partition("=")
        if not equals and option not in FLAGS and words:
            value, *words = words
        if option in ELSEWHERE:
            continue
        if option in FILES:
            value = ",".join(bench.fetched(each) for each in value.split(","))
        kept += [option] if option in FLAGS else [option, value]
    if not words:
        raise JobError("spark-submit: no application; name a .py or .jar file")
    application, *rest = words
    return [program, *kept, bench.fetched(application), *rest]


def _command_runner(bench: Bench, arguments: Sequence[str]) -> list[str]:
    program, *rest = arguments
    if program == "spark-submit":
        return spark_submit(bench, rest)
    return [bench.program(program), *rest]


def _script_runner(bench: Bench, arguments: Sequence[str]) -> list[str]:
    script, *rest = arguments
    return [bench.program("bash"), bench.fetched(script), *rest]


S3 = ("s3://", "s3a://", "s3n://")

# Where Spark runs: here, whatever the cluster's way is.
ELSEWHERE = frozenset({"--master", "--deploy-mode"})
FLAGS = frozenset({"--verbose", "-v", "--supervise", "--help", "--version"})
FILES = frozenset({"--py-files", "--files", "--jars", "--archives", "--properties-file"})

JARS: dict[str, Callable[[Bench, Sequence[str]], list[str]]] = {
    "command-runner.jar": _command_runner,
    "script-runner.jar": _script_runner,
}

MISSING = {
    "spark-submit": (
        "no spark-submit here: install Java, and map '{image}' in images.toml to a python that has "
        "pyspark"
    ),
    "": "command-runner.jar {name}: no program {name} on {path}; install it there",
}
