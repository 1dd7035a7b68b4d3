"""Model package groups, their versions, unversioned packages: the model registry."""

from typing import Any

from airflow_sm_pipelines.local.errors import AwsError, invalid
from airflow_sm_pipelines.local.registry import GROUP, PACKAGE, Fields, Registry, recorded


class Replayed(dict[str, Any]):
    """The answer to a request that has been carried out before: it has no effect."""


class Packages:
    """The operations on model package groups and model packages."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._tokens = registry.notes("ClientToken")
        self._versions = registry.notes("ModelPackageVersion")

    def create_group(self, request: Fields) -> Fields:
        """CreateModelPackageGroup."""
        name = request["ModelPackageGroupName"]
        fields = {
            **recorded(GROUP, request),
            "ModelPackageGroupStatus": "Completed",
            "CreatedBy": {},
        }
        return {"ModelPackageGroupArn": self._registry.create(GROUP, name, fields=fields)}

    def delete_group(self, request: Fields) -> None:
        """DeleteModelPackageGroup, of a group without versions."""
        with self._registry.lock:
            group = self._registry.get(GROUP, request["ModelPackageGroupName"])
            name = group["ModelPackageGroupName"]
            packages = self._registry.descriptions(PACKAGE)
            if any(each.get("ModelPackageGroupName") == name for each in packages):
                raise invalid(f"Cannot delete model package group {name!r}: it has versions.")
            self._registry.delete(GROUP, name)

    def create(self, request: Fields) -> Fields:
        """CreateModelPackage; the same ClientToken gives the same package."""
        token = request.get("ClientToken")
        with self._registry.lock:
            known = self._tokens.get(token or "") or {"Request": request, "Arn": ""}
            if known["Request"] != request:
                raise AwsError(
                    "ConflictException",
                    f"ClientToken {token!r} has been used for a different request",
                )
            if known["Arn"]:
                return Replayed(ModelPackageArn=known["Arn"])
            arn = self._create(request)
            if token:
                self._tokens.put(token, {"Request": request, "Arn": arn})
        return {"ModelPackageArn": arn}

    def update(self, request: Fields) -> Fields:
        """UpdateModelPackage: approval, descriptions, customer metadata."""
        arn = request["ModelPackageArn"]
        known = self._registry.get(PACKAGE, arn)
        metadata = {
            **known.get("CustomerMetadataProperties", {}),
            **(request.get("CustomerMetadataProperties") or {}),
        }
        removed = request.get("CustomerMetadataPropertiesToRemove") or ()
        kept = {key: value for key, value in metadata.items() if key not in removed}
        fields = {**recorded(PACKAGE, request), "CustomerMetadataProperties": kept}
        return {"ModelPackageArn": self._registry.update(PACKAGE, arn, fields=fields)}

    def _create(self, request: Fields) -> str:
        name, group = request.get("ModelPackageName"), request.get("ModelPackageGroupName")
        if name and group:
            raise invalid(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
                "Cannot determine which one to use."
            )
        if group:
            return self._create_version(request, group)
        if name:
            return self._record(request, name, {})
        raise invalid("Missing ARN.")

    def _create_version(self, request: Fields, name_or_arn: str) -> str:
        if request.get("Tags"):
            raise invalid(
                "Tags cannot be given with ModelPackageGroupName: "
                "a version has the tags of its model package group."
            )
        group = self._registry.get(GROUP, name_or_arn)["ModelPackageGroupName"]
        # A number is never given twice, not even when its version has been deleted.
        version = (self._versions.get(group) or {"Last": 0})["Last"] + 1
        self._versions.put(group, {"Last": version})
        identity = {
            "ModelPackageName": None,  # SageMaker leaves it out for versions
            "ModelPackageGroupName": group,
            "ModelPackageVersion": version,
            "ModelApprovalStatus": request.get("ModelApprovalStatus") or "PendingManualApproval",
        }
        return self._record(request, f"{group}/{version}", identity)

    def _record(self, request: Fields, name: str, identity: dict[str, Any]) -> str:
        return self._registry.create(
            PACKAGE,
            name,
            fields={**recorded(PACKAGE, request), **identity},
        )
