"""`smspark-submit`: runs a Spark application on this machine, by the spark-submit of pyspark.

A plain script that runs in the job's environment. In AWS's image it submits to YARN on the hosts of
the job; here the first host runs Spark with one thread per CPU, the others have nothing to do.
What an application reads and writes in S3 are the folders of the buckets
(`docs/decisions/spark-on-folders.md`).
The options are those of smspark-submit. Of the configuration that the SDK gives, the classification
`spark-defaults` counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

RESOURCES = Path("/opt/ml/config/resourceconfig.json")
CONFIGURATION = Path("/opt/ml/processing/input/conf/configuration.json")
FILES = ("jars", "py_files", "files")

# Where the buckets are; a container does not see them.
S3 = "AIRFLOW_SM_LOCAL_S3"
SCHEMES = ("s3", "s3a", "s3n")
COMMITTER = "org.apache.hadoop.mapreduce.lib.output.FileOutputCommitterFactory"
# Hadoop's table of mounts, under the name of another file system.
MOUNTED = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"


def main(arguments: Sequence[str]) -> int:
    """Run the application; its exit code."""
    options = _parser().parse_args(arguments)
    host = json.loads(RESOURCES.read_text())["current_host"]
    if host != "algo-1":
        _say(f"{host}: Spark runs on algo-1 alone, with a thread for each CPU of this machine")
        return 0
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        return _refuse(
            "Spark needs Java, and there is none on PATH; install a Java runtime, such as Debian's "
            "default-jre-headless"
        )
    if not shutil.which("spark-submit"):
        return _refuse(
            "there is no spark-submit; map an environment that has pyspark in images.toml"
        )
    try:
        command = ["spark-submit", "--master", "local[*]", *_options(options), *options.app]
    except (OSError, ValueError) as error:
        return _refuse(str(error))
    _say(f"running {' '.join(command)}")
    environment = {"PYSPARK_PYTHON": sys.executable, **HERE}
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


def on_folders(folders: Mapping[str, Path]) -> dict[str, str]:
    """The properties with which Spark finds buckets as folders, without a client of S3."""
    schemes = {f"spark.hadoop.fs.{scheme}.impl": MOUNTED for scheme in SCHEMES}
    buckets = {
        f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback": folder.as_uri()
        for bucket, folder in sorted(folders.items())
    }
    return {
        "spark.ui.enabled": "false",
        # Hadoop's other way to write files leaves one with a checksum beside each, an object too.
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        # For this scheme Hadoop names one of the jar that is not there.
        "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a": COMMITTER,
        **schemes,
        **buckets,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="smspark-submit", allow_abbrev=False)
    parser.add_argument("--class", dest="main_class")
    parser.add_argument("--jars")
    parser.add_argument("--py-files")
    parser.add_argument("--files")
    parser.add_argument("--spark-event-logs-s3-uri")
    parser.add_argument("--local-spark-event-logs-dir")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("app", nargs=argparse.REMAINDER)
    return parser


def _options(options: argparse.Namespace) -> Iterator[str]:
    """The options of spark-submit."""
    if not options.app:
        raise ValueError("no application; name a Python or jar file after the options")
    if options.main_class:
        yield from ("--class", options.main_class)
    for name in FILES:
        value = getattr(options, name)
        if value:
            yield from (f"--{name.replace('_', '-')}", ",".join(_listed(value)))
    yield from _event_logs(options)
    for name, value in {**on_folders(_folders()), **_defaults()}.items():
        yield from ("--conf", f"{name}={value}")
    if options.verbose:
        yield "--verbose"


def _event_logs(options: argparse.Namespace) -> Iterator[str]:
    if options.local_spark_event_logs_dir:
        folder = Path(options.local_spark_event_logs_dir)
        folder.mkdir(parents=True, exist_ok=True)
        yield from ("--conf", "spark.eventLog.enabled=true")
        yield from ("--conf", f"spark.eventLog.dir={folder.as_uri()}")
    elif options.spark_event_logs_s3_uri:
        _say("--spark-event-logs-s3-uri: event logs are not published here; it has no effect")


def _listed(value: str) -> Iterator[str]:
    """The files of an option, of which each may be a folder of files."""
    for path in value.split(","):
        if "://" in path:
            yield path
        elif Path(path).is_dir():
            yield from sorted(str(each) for each in Path(path).iterdir() if each.is_file())
        elif Path(path).is_file():
            yield path
        else:
            raise ValueError(f"{path} is not there; it would be a file or a folder of files")


def _folders() -> dict[str, Path]:
    """The buckets and their folders, where this process sees them."""
    root = Path(os.environ.get(S3, ""))
    there = S3 in os.environ and root.is_dir()
    names = [each.name for each in root.iterdir() if each.is_dir()] if there else []
    return {name: root / name for name in names if not name.startswith(".")}


def _defaults() -> dict[str, str]:
    """The properties that the job's configuration sets for Spark."""
    if not CONFIGURATION.exists():
        return {}
    content = json.loads(CONFIGURATION.read_text())
    properties: dict[str, str] = {}
    for each in content if isinstance(content, list) else [content]:
        if each.get("Classification") == "spark-defaults":
            properties.update(each.get("Properties") or {})
        else:
            name = each.get("Classification")
            _say(f"configuration of {name}: only spark-defaults has an effect here")
    return properties


# Else Spark listens on all addresses of the machine.
HERE = {"SPARK_LOCAL_HOSTNAME": "localhost", "SPARK_LOCAL_IP": "127.0.0.1"}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _refuse(why: str) -> int:
    sys.stderr.write(f"smspark-submit: {why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
