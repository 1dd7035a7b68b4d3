from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_sm_pipelines.local import LocalError, seed_objects

from .calls import text

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def table(folder: Path, content: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "local.toml"
    file.write_text(content)
    return file


def test_files_are_uploaded_and_buckets_made(s3: "S3Client", tmp_path: Path, name: str) -> None:
    for folder in ("one", "two/deep"):
        uri = f"s3://{name}/{folder}/a.csv"
        table(tmp_path / folder, f'[objects]\n"{uri}" = "data/a.csv"\n')
        (tmp_path / folder / "data").mkdir()
        (tmp_path / folder / "data/a.csv").write_text(folder)
    assert seed_objects(s3, tmp_path) == [
        f"s3://{name}/one/a.csv",
        f"s3://{name}/two/deep/a.csv",
    ]
    assert text(s3, name, "two/deep/a.csv") == "two/deep"


def test_a_folder_without_tables_is_fine(s3: "S3Client", tmp_path: Path) -> None:
    assert seed_objects(s3, tmp_path) == []


def test_all_problems_are_said_before_anything_is_uploaded(s3: "S3Client", tmp_path: Path) -> None:
    file = table(
        tmp_path,
        '[objects]\n"s3://a-bucket/k" = "nothing.csv"\n"bucket/k" = "local.toml"\n'
        '"s3://a-bucket/dir/" = "local.toml"\n"s3://a-bucket/n" = 3\n',
    )
    with pytest.raises(LocalError) as refused:
        seed_objects(s3, tmp_path)
    assert str(refused.value).splitlines() == [
        f"{file}: objects.'s3://a-bucket/k': there is no file {tmp_path / 'nothing.csv'}; "
        "paths are relative to local.toml",
        f"{file}: objects.'bucket/k': no S3 URI of an object; it would be s3://bucket/key",
        f"{file}: objects.'s3://a-bucket/dir/': no S3 URI of an object; it would be "
        "s3://bucket/key",
        f"{file}: objects.'s3://a-bucket/n': 3 is no path; it would be a string",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[objects", "not TOML"),
        ("[object]", "object: not known; it holds one table, [objects]"),
        ("objects = 3", "objects: not known; it holds one table, [objects]"),
    ],
)
def test_a_file_of_another_form_is_refused(
    s3: "S3Client", tmp_path: Path, content: str, problem: str
) -> None:
    file = table(tmp_path, content)
    with pytest.raises(LocalError) as refused:
        seed_objects(s3, tmp_path)
    assert str(refused.value).startswith(f"{file}: {problem}")
