"""With what a command of EMR's is run."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_sm_pipelines.local.emr.bench import Bench
from airflow_sm_pipelines.local.emr.commands import Commands
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.images import Images
from airflow_sm_pipelines.local.objects import Objects
from airflow_sm_pipelines.local.s3.store import Store
from tests.spark import RULE, mapped


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """All that is on PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


@pytest.fixture
def bench(tmp_path: Path, tools: Path) -> Iterator[Callable[[str], Bench]]:
    """Make a bench with these rules of the user's."""
    store = Store(tmp_path / "s3")
    (tmp_path / "work").mkdir()

    def made(rules: str) -> Bench:
        config = tmp_path / "images.toml"
        config.write_text(rules)
        images = Images(tmp_path / "cache", config=config)
        commands = Commands(images, {"PATH": str(tools)})
        objects = Objects(store)
        folder = tmp_path / "work"
        return Bench(commands=commands, objects=objects, release="emr-7.0.0", folder=folder)

    yield made
    store.close()


def test_without_java_spark_says_so(
    bench: Callable[[str], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(JobError, match="Spark needs Java, and there is none on PATH"):
        bench("").spark()


def test_spark_is_that_of_the_users_rule_then_of_this_machine(
    bench: Callable[[str], Bench], tmp_path: Path, tools: Path
) -> None:
    own = mapped(tmp_path / "own").read_text()
    shutil.copy(tmp_path / "own" / "bin" / "spark-submit", tools)
    assert bench(own).spark().argv == [str(tmp_path / "own" / "bin" / "spark-submit")]
    assert bench("").spark().argv == [str(tools / "spark-submit")]


def test_an_environment_of_the_users_without_spark_is_told(bench: Callable[[str], Bench]) -> None:
    rules = RULE.format(python=Path(sys.executable).parent / "python")
    with pytest.raises(
        JobError, match=r"no spark-submit on .*; map 'emr:emr-7.0.0' in images.toml"
    ):
        bench(rules).spark()


def test_a_rule_that_all_images_are_containers_is_none_for_emr(
    bench: Callable[[str], Bench], tools: Path
) -> None:
    assert bench('isolation = "container"').path() == str(tools)


def test_a_program_that_is_not_there_is_told(bench: Callable[[str], Bench], tools: Path) -> None:
    with pytest.raises(JobError, match=f"no program hive on {tools}"):
        bench("").command("hive", "-e", "show tables")


def test_a_prefix_is_no_object(bench: Callable[[str], Bench], tmp_path: Path) -> None:
    (tmp_path / "s3" / "my-bucket" / "main.py").mkdir(parents=True)
    (tmp_path / "s3" / "my-bucket" / "main.py" / "part").write_text("")
    with pytest.raises(JobError, match="there is no such object"):
        bench("").fetched("s3n://my-bucket/main.py")
    assert bench("").fetched("local:///main.py") == "local:///main.py"
