import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG

from airflow_sm_pipelines import load_dag, load_dags
from airflow_sm_pipelines.errors import DefinitionError
from airflow_sm_pipelines.files import definition_files, pipeline_name
from tests.drawing import DEFINITIONS
from tests.serializing import DagSerialization

GOOD = json.dumps({"Version": "2020-12-01", "Steps": [], "Parameters": []})
NEEDY = json.dumps({"Version": "2020-12-01", "Steps": [], "Parameters": [{"Name": "P"}]})
UNKNOWN_TYPE = json.dumps(
    {"Version": "2020-12-01", "Steps": [{"Name": "S", "Type": "Trainign", "Arguments": {}}]}
)


def described(name: str, definition: str = GOOD) -> str:
    return json.dumps({"PipelineName": name, "PipelineDefinition": definition})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.json").write_text(GOOD)
    return tmp_path


def problem(dag: DAG) -> str:
    """What a DAG that stands for a broken definition says when it is run."""
    assert dag.tags == {"sagemaker-pipeline", "broken-definition"}
    task: Any = dag.task_dict["definition"]
    with pytest.raises(AirflowFailException) as raised:
        task.execute({})
    message = str(raised.value)
    assert message.splitlines()[0] in str(dag.doc_md)
    assert message.splitlines()[0] in str(task.doc_md)
    DagSerialization.to_dict(dag)
    return message


# What becomes a DAG


def test_every_definition_of_a_folder_is_a_dag(folder: Path) -> None:
    (folder / "deep/er").mkdir(parents=True)
    (folder / "deep/er/other.json").write_text(GOOD)
    made = load_dags(folder)
    assert sorted(made) == ["good", "other"]
    assert all(dag.dag_id == dag_id for dag_id, dag in made.items())


def test_another_file_is_another_dag(folder: Path) -> None:
    before = load_dags(folder)
    (folder / "second.json").write_text(GOOD)
    assert set(load_dags(folder)) - set(before) == {"second"}


def test_the_examples_are_dags() -> None:
    made = load_dags(DEFINITIONS["abalone"].parent.parent)
    assert list(made) == ["abalone"]
    assert "broken-definition" not in made["abalone"].tags


def test_hidden_files_and_folders_are_none(folder: Path) -> None:
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints/good.json").write_text("")
    (folder / ".hidden.json").write_text("")
    assert list(load_dags(folder)) == ["good"]


def test_a_hidden_folder_above_hides_nothing(tmp_path: Path) -> None:
    folder = tmp_path / ".airflow/pipelines"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(GOOD)
    assert list(load_dags(folder)) == ["a"]


def test_a_folder_that_is_named_like_a_file_is_none(folder: Path) -> None:
    (folder / "folder.json").mkdir()
    assert definition_files(folder) == [folder / "good.json"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError) as raised:
        load_dags(tmp_path / "piplines")
    assert str(raised.value) == (
        f"{tmp_path}/piplines: no such folder; give the one that definitions are in"
    )


def test_arguments_go_to_every_dag(folder: Path) -> None:
    made = load_dags(folder, tags=("team-a",), default_args={"retries": 3})
    assert "team-a" in made["good"].tags


# Names


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("abalone.json", "abalone"),
        ("abalone/definition.json", "abalone"),
        ("abalone/pipeline.json", "abalone"),
        ("abalone/pipeline_definition.json", "abalone"),
        ("abalone/train.v2.json", "train.v2"),
    ],
)
def test_a_definition_is_named_by_its_file_or_folder(path: str, name: str) -> None:
    assert pipeline_name(Path("/dags/pipelines") / path) == name


def test_the_name_of_describe_pipeline_goes_before_the_files(folder: Path) -> None:
    (folder / "definition.json").write_text(described("Abalone"))
    made: Any = load_dags(folder)["Abalone"]
    assert made.task_dict["pipeline.end"]
    assert made.doc_md.startswith("SageMaker pipeline **Abalone**")


def test_a_name_that_airflow_does_not_take_is_cleaned(folder: Path) -> None:
    (folder / "my pipeline (1) é.json").write_text(GOOD)
    made = load_dags(folder)["my_pipeline__1___"]
    assert "**my pipeline (1) é**" in str(made.doc_md)


def test_a_file_name_that_is_no_text_harms_nobody(folder: Path) -> None:
    for text, name in ((GOOD, b"\xffgood.json"), ("{", b"\xffbad.json")):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(text)
    made = load_dags(folder)
    assert sorted(made) == ["_bad", "_good", "good"]
    assert problem(made["_bad"]).startswith("?bad.json: $: line 1, column 2: not JSON")
    DagSerialization.to_dict(made["_good"])


def test_a_long_name_is_shortened(folder: Path) -> None:
    name = "n" * 240
    (folder / f"{name}.json").write_text(GOOD)
    assert "n" * 200 in load_dags(folder)


def test_of_two_definitions_with_one_name_the_later_is_told(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other/good.json").write_text(GOOD)
    (folder / "zoo.json").write_text(described("good"))
    made = load_dags(folder)
    assert len(made) == 3
    assert "broken-definition" not in made["good"].tags
    told = {problem(dag) for dag_id, dag in made.items() if dag_id != "good"}
    assert told == {
        "other/good.json: another definition is named 'good'; rename one",
        "zoo.json: another definition is named 'good'; rename one",
    }
    assert sorted(load_dags(folder)) == sorted(made)


# What is wrong


def write(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (write(""), "bad.json: $: line 1, column 1: not JSON: Expecting value; "),
        (write("{'a': 1}"), "bad.json: $: line 1, column 2: not JSON: "),
        (write("[]"), "bad.json: $: an array where an object is expected"),
        (write('{"Version": "2021"}'), "bad.json: $.Version: "),
        (
            write(UNKNOWN_TYPE),
            "bad.json: $.Steps[0].Type: unknown step type 'Trainign'; did you mean 'Training'?",
        ),
        (write("[" * 10_000), "bad.json: $: nested deeper than 100 levels"),
        (lambda path: path.write_bytes(b"\xff"), "bad.json: $: not UTF-8: "),
        (
            lambda path: path.symlink_to(path.parent / "nothing"),
            "bad.json: $: cannot be read: No such file or directory",
        ),
        (
            lambda path: path.symlink_to(path),
            "bad.json: $: cannot be read: Too many levels of symbolic links",
        ),
    ],
    ids=["empty", "no JSON", "array", "version", "step type", "deep", "bytes", "gone", "loop"],
)
def test_a_broken_definition_is_a_dag_that_says_so_while_others_load(
    folder: Path, make: Callable[[Path], object], expected: str
) -> None:
    make(folder / "bad.json")
    made = load_dags(folder)
    assert sorted(made) == ["bad", "good"]
    assert "broken-definition" not in made["good"].tags
    assert problem(made["bad"]).startswith(expected)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_told(folder: Path) -> None:
    (folder / "bad.json").write_text(GOOD)
    (folder / "bad.json").chmod(0)
    assert problem(load_dags(folder)["bad"]) == "bad.json: $: cannot be read: Permission denied"


def test_a_huge_file_is_told(folder: Path) -> None:
    with (folder / "bad.json").open("wb") as file:
        file.truncate(50_000_000)
    assert problem(load_dags(folder)["bad"]).startswith("bad.json: $: a text of length 50,000,000;")


def test_all_problems_of_a_definition_are_told(folder: Path) -> None:
    (folder / "bad.json").write_text('{"Version": "1", "Stpes": []}')
    lines = problem(load_dags(folder)["bad"]).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("bad.json: $") for line in lines)


def test_a_schedule_with_a_required_parameter_is_told(folder: Path) -> None:
    (folder / "needy.json").write_text(NEEDY)
    made: Any = load_dags(folder, schedule="@daily")
    assert made["good"].schedule == "@daily"
    assert problem(made["needy"]).startswith("needy.json: ValueError: ")


def test_an_argument_that_dag_does_not_have_is_told(folder: Path) -> None:
    assert problem(load_dags(folder, shedule="@daily")["good"]).startswith("good.json: TypeError: ")


# One definition


def test_one_definition_can_be_loaded(folder: Path) -> None:
    assert load_dag(folder / "good.json", dag_id="mine").dag_id == "mine"


def test_one_definition_that_is_wrong_is_an_error(folder: Path) -> None:
    (folder / "bad.json").write_text(UNKNOWN_TYPE)
    with pytest.raises(DefinitionError, match=r"unknown step type 'Trainign'"):
        load_dag(folder / "bad.json")


def test_one_definition_that_cannot_be_read_is_an_error(folder: Path) -> None:
    with pytest.raises(DefinitionError) as raised:
        load_dag(folder / "nothing.json")
    assert str(raised.value) == "$: cannot be read: No such file or directory"


# Workers


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Parse as a worker does for a task of that DAG."""
    return lambda dag_id: monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)


def test_a_worker_builds_its_own_dag_alone(folder: Path, worker: Callable[[str], None]) -> None:
    (folder / "other.json").write_text(GOOD)
    worker("other")
    assert list(load_dags(folder)) == ["other"]


def test_a_worker_builds_the_dag_of_a_broken_definition(
    folder: Path, worker: Callable[[str], None]
) -> None:
    (folder / "bad.json").write_text("{")
    worker("bad")
    assert problem(load_dags(folder)["bad"]).startswith("bad.json: $: line 1, column 2: not JSON")
