"""Models, endpoint configurations, endpoints: what SageMaker hosting is told.

What serves behind an endpoint is in `endpoints.py`.
"""

from typing import Any

from airflow_sm_pipelines.local.errors import invalid
from airflow_sm_pipelines.local.registry import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    MODEL,
    PACKAGE,
    Fields,
    Registry,
    recorded,
)


class Hosting:
    """The operations on models, endpoint configurations and endpoints."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def create_model(self, request: Fields) -> Fields:
        """CreateModel."""
        if not request.get("PrimaryContainer") and not request.get("Containers"):
            raise invalid("Either PrimaryContainer or Containers must be provided.")
        if request.get("PrimaryContainer") and request.get("Containers"):
            raise invalid("Only one of PrimaryContainer and Containers can be provided.")
        for container in request.get("Containers") or [request["PrimaryContainer"]]:
            if container.get("ModelPackageName"):
                self._registry.get(PACKAGE, container["ModelPackageName"])
        self._registry.look(MODEL, request)
        fields = recorded(MODEL, request)
        return {"ModelArn": self._registry.create(MODEL, request["ModelName"], fields=fields)}

    def create_endpoint_config(self, request: Fields) -> Fields:
        """CreateEndpointConfig; the models must exist."""
        for variant in request["ProductionVariants"]:
            if variant.get("ModelName"):
                self._registry.get(MODEL, variant["ModelName"])
        arn = self._registry.create(
            ENDPOINT_CONFIG,
            request["EndpointConfigName"],
            fields=recorded(ENDPOINT_CONFIG, request),
        )
        return {"EndpointConfigArn": arn}

    def create_endpoint(self, request: Fields) -> Fields:
        """CreateEndpoint; the endpoint is Creating, then InService, or what its script says."""
        arn = self._registry.create(
            ENDPOINT,
            request["EndpointName"],
            fields=recorded(ENDPOINT, request),
            gained=self._deployed(request),
        )
        return {"EndpointArn": arn}

    def update_endpoint(self, request: Fields) -> Fields:
        """UpdateEndpoint; the endpoint keeps its old configuration until it is InService."""
        gained = self._deployed(request)
        return {
            "EndpointArn": self._registry.deploy(ENDPOINT, request["EndpointName"], gained=gained)
        }

    def update_weights(self, request: Fields) -> Fields:
        """UpdateEndpointWeightsAndCapacities; it is done at once."""
        name = request["EndpointName"]
        variants = self._registry.get(ENDPOINT, name).get("ProductionVariants") or ()
        asked = {each["VariantName"]: each for each in request["DesiredWeightsAndCapacities"]}
        missing = asked.keys() - {each["VariantName"] for each in variants}
        if missing:
            raise invalid(f"Could not find variant {min(missing)!r} of endpoint {name!r}.")
        changed = [_rescaled(each, asked.get(each["VariantName"]) or {}) for each in variants]
        fields = {"ProductionVariants": changed}
        return {"EndpointArn": self._registry.update(ENDPOINT, name, fields=fields)}

    def _deployed(self, request: Fields) -> dict[str, Any]:
        """What an endpoint's description gains from its configuration."""
        name = request["EndpointConfigName"]
        config = self._registry.get(ENDPOINT_CONFIG, name)
        return {
            "EndpointConfigName": name,
            "ProductionVariants": [_variant(each) for each in config["ProductionVariants"]],
        }


def _rescaled(variant: Fields, asked: Fields) -> dict[str, Any]:
    """A variant with another weight or number of instances."""
    weight = asked.get("DesiredWeight", variant["DesiredWeight"])
    count = asked.get("DesiredInstanceCount", variant["DesiredInstanceCount"])
    return {
        **variant,
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }


def _variant(variant: Fields) -> dict[str, Any]:
    weight = variant.get("InitialVariantWeight", 1.0)
    count = variant.get("InitialInstanceCount", 1)
    return {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }
