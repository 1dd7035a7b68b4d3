"""Archives that try to leave the folder that they are unpacked in."""

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local import script_mode
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.objects import Objects
from airflow_sm_pipelines.local.s3.store import Store
from airflow_sm_pipelines.local.serving.containers import Container, put_model

from .calls import IMAGE

Run = Callable[..., dict[str, Any]]


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def device(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.devmajor, member.devminor = tarfile.CHRTYPE, 1, 3
    return member


# What leads out, each a list of members; a plain one is written last, through a link where it can.
WAYS_OUT = {
    "..": [tarfile.TarInfo("../escaped")],
    "symbolic link": [link("out", "{outside}"), tarfile.TarInfo("out/escaped")],
    "relative link": [link("out", "../.."), tarfile.TarInfo("out/escaped")],
    "hard link": [link("escaped", "../../kept", tarfile.LNKTYPE)],
    "device": [device("null")],
}
ways_out = pytest.mark.parametrize("members", WAYS_OUT.values(), ids=WAYS_OUT)


ABSOLUTE = [tarfile.TarInfo("{outside}/escaped")]


def packed(members: list[tarfile.TarInfo], outside: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for member in members:
            name, target = (each.format(outside=outside) for each in (member.name, member.linkname))
            archive.addfile(member.replace(name=name, linkname=target, deep=False))
        archive.addfile(tarfile.TarInfo("plain"))
    return content.getvalue()


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[Objects]:
    store = Store(tmp_path / "s3")
    store.create_bucket("models")
    yield Objects(store)
    store.close()


def unpacked(objects: Objects, tmp_path: Path, members: list[tarfile.TarInfo]) -> list[str]:
    """The names below /opt/ml/model of a model with these members, all else being as it was."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "archive").write_bytes(packed(members, outside))
    objects.upload(tmp_path / "archive", "s3://models/model.tar.gz")
    (tmp_path / "job" / "ml").mkdir(parents=True)
    (tmp_path / "job" / "kept").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    model = tmp_path / "job" / "ml" / "model"
    container = Container(
        image="i", artifacts="s3://models/model.tar.gz", packed=True, environment={}
    )
    try:
        put_model(objects, container, model)
    finally:
        own = [model, model.with_name("model.tar.gz"), *model.rglob("*")]
        assert sorted({*tmp_path.rglob("*")} - {*own}) == before
    return sorted(each.relative_to(model).as_posix() for each in model.rglob("*"))


@ways_out
def test_a_model_that_leads_out_of_its_folder_is_refused(
    objects: Objects, tmp_path: Path, members: list[tarfile.TarInfo]
) -> None:
    with pytest.raises(JobError, match="Failed to extract model data archive from URL"):
        unpacked(objects, tmp_path, members)


def test_an_absolute_name_is_one_in_the_folder(objects: Objects, tmp_path: Path) -> None:
    names = unpacked(objects, tmp_path, ABSOLUTE)
    assert f"{tmp_path}/outside/escaped".lstrip("/") in names


@pytest.mark.parametrize("members", [*WAYS_OUT.values(), ABSOLUTE])
def test_a_python_without_filters_leaves_out_what_leads_out(
    objects: Objects,
    tmp_path: Path,
    members: list[tarfile.TarInfo],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(tarfile, "data_filter")
    assert set(unpacked(objects, tmp_path, members)) <= {"plain", "out", "out/escaped"}


@ways_out
def test_code_that_leads_out_of_its_folder_is_refused(
    trained: Run, s3: Any, bucket: str, tmp_path: Path, members: list[tarfile.TarInfo]
) -> None:
    code = packed(members, tmp_path)
    s3.put_object(Bucket=bucket, Key="source.tar.gz", Body=code)
    job = trained(
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", script_mode.__file__],
        },
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{bucket}/source.tar.gz",
        },
    )
    assert f"s3://{bucket}/source.tar.gz" in job["FailureReason"]
    assert "archive" in job["FailureReason"]
    assert not [*tmp_path.iterdir()]
