"""The containers of a model: their images, their artifacts, their environment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local.errors import AwsError, JobError
from airflow_sm_pipelines.local.fetching import DAMAGED, fetch, unpack
from airflow_sm_pipelines.local.objects import Objects
from airflow_sm_pipelines.local.registry import MODEL, PACKAGE, Registry

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of a model; `packed` says that its artifacts are a tar file."""

    image: str
    artifacts: str
    packed: bool
    environment: Mapping[str, str]


def containers(registry: Registry, model: str) -> tuple[Container, ...]:
    """The containers of a model, in the order in which a request passes through them.

    A model or model package that is gone is a `JobError`.
    """
    try:
        described = registry.get(MODEL, model)
        definitions = described.get("Containers") or [described["PrimaryContainer"]]
        return tuple(
            _container(each)
            for definition in definitions
            for each in _resolved(registry, definition)
        )
    except AwsError as error:
        raise JobError(f"ClientError: {error.message}") from error


def put_model(objects: Objects, container: Container, folder: Path) -> None:
    """Put the artifacts of a container into `folder`, its /opt/ml/model."""
    folder.mkdir(parents=True)
    if not container.artifacts:
        return
    archive = folder.with_name("model.tar.gz")
    found = (
        fetch(objects, container.artifacts, archive)
        if container.packed
        else objects.download(container.artifacts, folder)
    )
    if not found:
        raise JobError(f"ClientError: Could not find model data at {container.artifacts}.")
    if container.packed:
        _unpack(archive, folder, container.artifacts)
        archive.unlink()


def _resolved(registry: Registry, definition: Fields) -> Iterator[Fields]:
    """A definition, or those of the model package that it names with its environment added."""
    package = definition.get("ModelPackageName")
    if not package:
        yield definition
        return
    specification = registry.get(PACKAGE, package).get("InferenceSpecification") or {}
    for each in specification.get("Containers") or ():
        environment = {**(each.get("Environment") or {}), **(definition.get("Environment") or {})}
        yield {**each, "Environment": environment}


def _container(definition: Fields) -> Container:
    if definition.get("Mode") == "MultiModel":
        raise JobError(
            "ClientError: Mode MultiModel: one endpoint for many models is not there in the local "
            "AWS; give each of them an endpoint of its own"
        )
    source = (definition.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return Container(
        image=definition.get("Image") or "",
        artifacts=source.get("S3Uri") or definition.get("ModelDataUrl") or "",
        packed=source.get("CompressionType", "Gzip") == "Gzip",
        environment=definition.get("Environment") or {},
    )


def _unpack(archive: Path, folder: Path, uri: str) -> None:
    """Unpack a model."""
    try:
        with archive.open("rb") as packed:
            unpack(packed, folder)
    except DAMAGED as error:
        raise JobError(
            f"ClientError: Failed to extract model data archive from URL {uri!r}: {error}; it "
            "would be a tar.gz file"
        ) from error
