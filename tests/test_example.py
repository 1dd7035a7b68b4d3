"""The Abalone example: its definition is what the SDK emits, from what is in its folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest

from airflow_sm_pipelines.local import LocalAWS

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "dags" / "pipelines" / "abalone"
SDK_PYTHON = ROOT / ".venvs" / "sdk" / "bin" / "python"
DEFINITION = json.loads((EXAMPLE / "definition.json").read_text())
STEPS = {step["Name"]: step for step in DEFINITION["Steps"]}
OBJECTS = tomllib.loads((EXAMPLE / "local.toml").read_text())["objects"]
WRITTEN = ("definition.json", "local.toml")


@dataclass(frozen=True, slots=True)
class Build:
    """What a run of pipeline.py left on disk and in the network."""

    folder: Path
    scratch: Path
    requests: list[str]


@pytest.fixture(scope="module")
def sdk() -> Path:
    """The interpreter of the SDK's environment."""
    if not SDK_PYTHON.exists():
        reason = ".venvs/sdk is missing: make it from constraints-sdk.txt"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
    return SDK_PYTHON


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAWS]:
    """The local AWS that the SDK uploads to."""
    with LocalAWS(tmp_path_factory.mktemp("aws")) as server:
        yield server


@pytest.fixture(scope="module")
def build(sdk: Path, aws: LocalAWS, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The example built in another folder, with a proxy that notices every call to the outside."""
    base = tmp_path_factory.mktemp("build")
    folder, scratch = base / "elsewhere", base / "scratch"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(*WRITTEN, "__pycache__"))
    scratch.mkdir()
    with proxy() as (proxy_url, requests):
        environment = {
            **aws.environment,
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "HTTP_PROXY": proxy_url,
            "HTTPS_PROXY": proxy_url,
            "NO_PROXY": "127.0.0.1",
        }
        run([sdk, folder / "pipeline.py"], environment)
    return Build(folder=folder, scratch=scratch, requests=requests)


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """The address of a proxy that forwards nothing, and the requests it has refused."""
    requests: list[str] = []

    class Refusal(StreamRequestHandler):
        def handle(self) -> None:
            requests.append(self.rfile.readline().decode())

    with ThreadingTCPServer(("127.0.0.1", 0), Refusal) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", requests
        finally:
            server.shutdown()
            thread.join()


def run(command: Sequence[Path | str], environment: dict[str, str]) -> None:
    """Run `command`, which has to succeed."""
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN)
def test_committed_file_is_what_the_sdk_emits(build: Build, name: str) -> None:
    assert (build.folder / name).read_bytes() == (EXAMPLE / name).read_bytes()


@pytest.mark.slow
def test_build_calls_nothing_but_its_endpoint(build: Build) -> None:
    assert build.requests == []


@pytest.mark.slow
def test_build_leaves_nothing_but_its_two_files(build: Build) -> None:
    assert files(build.folder) == files(EXAMPLE)
    assert files(build.scratch) == set()


def files(folder: Path) -> set[Path]:
    """Every file below `folder`, but for what Python keeps for itself."""
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if "__pycache__" not in path.parts}


@pytest.mark.slow
def test_build_refuses_to_upload_to_the_placeholder_bucket_of_the_real_aws(
    sdk: Path, tmp_path: Path
) -> None:
    result = subprocess.run(
        [sdk, EXAMPLE / "pipeline.py", "--output", tmp_path],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "is a placeholder: set AWS_ENDPOINT_URL to a local AWS, or --bucket" in result.stderr


def test_example_has_parameters_of_all_four_types() -> None:
    types = {parameter["Type"] for parameter in DEFINITION["Parameters"]}
    assert types == {"String", "Integer", "Float", "Boolean"}


def test_every_object_of_local_toml_is_a_file_of_the_example() -> None:
    assert [path for path in OBJECTS.values() if not (EXAMPLE / path).is_file()] == []


def test_every_object_that_no_step_produces_is_in_local_toml() -> None:
    defaults = {
        f"Parameters.{parameter['Name']}": parameter["DefaultValue"]
        for parameter in DEFINITION["Parameters"]
    }
    sources = [uri if isinstance(uri, str) else uri["Get"] for uri in s3_sources()]
    read = {defaults.get(source, source) for source in sources if not source.startswith("Steps.")}
    assert read == set(OBJECTS)


def s3_sources() -> Iterator[str | dict[str, str]]:
    """The S3Uri of every input of a job."""
    for step in STEPS.values():
        for processing_input in step["Arguments"].get("ProcessingInputs", []):
            yield processing_input["S3Input"]["S3Uri"]
        for channel in step["Arguments"].get("InputDataConfig", []):
            yield channel["DataSource"]["S3DataSource"]["S3Uri"]
