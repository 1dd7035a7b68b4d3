"""Inference components: models on an endpoint that share its instances. They are only recorded."""

from collections.abc import Mapping
from typing import Any

from airflow_sm_pipelines.local.errors import invalid
from airflow_sm_pipelines.local.registry import (
    COMPONENT,
    ENDPOINT,
    MODEL,
    Fields,
    Registry,
    recorded,
)


class Components:
    """The operations on inference components."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def create(self, request: Fields) -> Fields:
        """CreateInferenceComponent; it is Creating, then InService, or what its script says."""
        specifications = _specifications(request)
        # One of them is documented as required; the wording of the refusal is inferred.
        if not specifications:
            raise invalid("Either Specification or Specifications must be provided.")
        self._check(specifications)
        endpoint = self._registry.get(ENDPOINT, request["EndpointName"])
        fields = {
            **recorded(COMPONENT, request),
            "EndpointArn": endpoint["EndpointArn"],
            **_described(request, running=0),
        }
        name = request["InferenceComponentName"]
        gained = _described(request)
        arn = self._registry.create(COMPONENT, name, fields=fields, gained=gained)
        return {"InferenceComponentArn": arn}

    def update(self, request: Fields) -> Fields:
        """UpdateInferenceComponent; it keeps what it was until it is InService again."""
        self._check(_specifications(request))
        deployment = request.get("DeploymentConfig")
        gained = {
            **_described(request),
            **({"LastDeploymentConfig": deployment} if deployment else {}),
        }
        name = request["InferenceComponentName"]
        return {"InferenceComponentArn": self._registry.deploy(COMPONENT, name, gained=gained)}

    def _check(self, specifications: list[Fields]) -> None:
        """Refuse models and base components that are not there."""
        for specification in specifications:
            for key, kind in _NAMED.items():
                if specification.get(key):
                    self._registry.get(kind, specification[key])


def _specifications(request: Fields) -> list[Fields]:
    one = request.get("Specification")
    return [*([one] if one else ()), *(request.get("Specifications") or ())]


def _described(request: Fields, *, running: int | None = None) -> dict[str, Any]:
    """What a description has of a request; of its copies `running` are there, or else all."""
    described: dict[str, Any] = {}
    if request.get("Specification"):
        described["Specification"] = _specification(request["Specification"])
    if request.get("Specifications"):
        described["Specifications"] = [_specification(each) for each in request["Specifications"]]
    if request.get("RuntimeConfig"):
        wanted = request["RuntimeConfig"]["CopyCount"]
        current = wanted if running is None else running
        described["RuntimeConfig"] = {"DesiredCopyCount": wanted, "CurrentCopyCount": current}
    return described


def _specification(requested: Fields) -> dict[str, Any]:
    """A specification as Describe answers it: with the image that was deployed."""
    container: Mapping[str, Any] | None = requested.get("Container")
    if not container:
        return dict(requested)
    others = {key: value for key, value in container.items() if key != "Image"}
    image = container.get("Image")
    deployed = {"DeployedImage": {"SpecifiedImage": image, "ResolvedImage": image}} if image else {}
    return {**requested, "Container": {**others, **deployed}}


_NAMED = {"ModelName": MODEL, "BaseInferenceComponentName": COMPONENT}
