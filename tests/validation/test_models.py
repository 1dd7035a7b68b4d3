"""Shapes of botocore's models, and the variants of them that only the pipeline service has."""

import botocore
import pytest

from airflow_sm_pipelines.validation.models import (
    PLAIN,
    VARIANTS,
    ShapeName,
    model,
    request,
    response,
    shape,
    version,
)

ROWS = [(service, name) for service, variants in VARIANTS.items() for name in variants]


@pytest.mark.parametrize(("service", "name"), ROWS)
def test_variant_says_only_what_the_model_does_not_say(service: str, name: str) -> None:
    variant = VARIANTS[service][name]
    shapes = model(service)["shapes"] | {
        other: each.definition(model(service)["shapes"])
        for other, each in VARIANTS[service].items()
        if each.base is None
    }
    base = shapes[variant.base] if variant.base else {"members": {}}
    assert variant.minus <= base["members"].keys()
    assert (variant.required or set()) <= base["members"].keys() | variant.plus.keys()
    assert all(
        base["members"].get(member, {}).get("shape") != of for member, of in variant.plus.items()
    )
    assert name not in model(service)["shapes"]


@pytest.mark.parametrize(("service", "name"), ROWS)
def test_members_of_a_variant_are_shapes(service: str, name: str) -> None:
    made = shape(ShapeName(name, service))
    assert set(VARIANTS[service][name].plus) <= set(made.members)  # type: ignore[attr-defined]


def test_names_of_our_shapes_are_none_of_the_models() -> None:
    assert not PLAIN.keys() & model("sagemaker")["shapes"].keys()


def test_optional_members_are_not_required_and_the_others_still_are() -> None:
    name = request("CreateTrainingJob")
    assert name
    whole = shape(ShapeName(name))
    made = shape(ShapeName(name, optional=frozenset({"TrainingJobName"})))
    assert set(whole.required_members) - set(made.required_members) == {"TrainingJobName"}
    assert made.required_members


def test_shape_of_a_request_and_of_a_response_are_those_of_the_operation() -> None:
    assert (request("CreateModel"), response("DescribeModel")) == (
        "CreateModelInput",
        "DescribeModelOutput",
    )


def test_shape_is_made_once() -> None:
    assert shape(ShapeName("PipelineTuning")) is shape(ShapeName("PipelineTuning"))


def test_operation_that_this_botocore_does_not_know_has_no_shapes() -> None:
    assert (request("CreateNothing"), response("DescribeNothing")) == (None, None)


def test_version_is_that_of_botocore() -> None:
    assert version() == f"botocore {botocore.__version__}"
