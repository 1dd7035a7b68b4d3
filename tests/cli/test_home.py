"""The Airflow home of a run."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from airflow_sm_pipelines import settings
from airflow_sm_pipelines.cli import home


def test_two_runs_that_start_at_once_get_folders_of_their_own(tmp_path: Path) -> None:
    folders = {home.new_run_folder(tmp_path, "abalone") for _ in range(3)}
    assert len(folders) == 3
    assert all("-abalone" in folder.name for folder in folders)


def test_the_fernet_key_stays(tmp_path: Path) -> None:
    key = home.fernet_key(tmp_path)
    assert len(key) == 44
    assert home.fernet_key(tmp_path) == key
    assert (tmp_path / "fernet.key").stat().st_mode & 0o077 == 0
    assert [file.name for file in tmp_path.iterdir()] == ["fernet.key"]


def test_every_setting_is_given_so_that_none_of_the_user_s_own_is_taken(tmp_path: Path) -> None:
    given = home.airflow_environment(tmp_path, dags=tmp_path / "dags", fernet_key="key")
    assert given["AIRFLOW_HOME"] == str(tmp_path)
    assert given["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{tmp_path}/airflow.db"
    assert given["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"


def test_a_step_of_a_run_in_this_process_never_defers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in home.in_process().items():
        monkeypatch.setenv(name, value)
    for url in ("http://127.0.0.1:4599", "https://api.sagemaker.us-east-1.amazonaws.com"):
        assert settings.defer_after_seconds(url) == 365 * 24 * 60 * 60


def test_the_dag_file_loads_the_one_definition_with_its_connection(tmp_path: Path) -> None:
    definition = tmp_path / "it's.json"
    dags = home.write_dag_file(tmp_path, definition, aws_conn_id="other")
    (file,) = dags.iterdir()
    text = file.read_text()
    compile(text, str(file), "exec")
    assert f"load_dag(Path({str(definition)!r}), aws_conn_id='other')" in text
    assert "airflow" in text
    assert "dag" in text


def test_a_database_that_is_kept_is_whole_although_it_is_open(tmp_path: Path) -> None:
    source, template = tmp_path / "airflow.db", tmp_path / "cache" / "airflow.db"
    with closing(sqlite3.connect(source)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (x)")
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()
        home._keep(source, template)
    with closing(sqlite3.connect(template)) as reader:
        assert reader.execute("SELECT x FROM t").fetchall() == [(1,)]
    assert [file.name for file in template.parent.iterdir()] == ["airflow.db"]


def test_without_a_template_nothing_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert home.copy_database(tmp_path) is False
    assert not home.is_migrated(tmp_path)


def test_a_database_is_migrated_again_for_another_airflow(tmp_path: Path) -> None:
    (tmp_path / home.DATABASE).touch()
    (tmp_path / f"{home.MIGRATED}1.10").touch()
    assert not home.is_migrated(tmp_path)
    home.note_migrated(tmp_path)
    assert home.is_migrated(tmp_path)
    assert not (tmp_path / f"{home.MIGRATED}1.10").exists()
