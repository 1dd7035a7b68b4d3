"""Search finds what is recorded, and what a run of an experiment has logged."""

import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS, shapes
from airflow_sm_pipelines.local.run_metrics import PATH
from airflow_sm_pipelines.local.search import OPERATORS, RESOURCES

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

Found = Callable[..., list[str]]


@pytest.fixture
def components(sagemaker: "SageMakerClient", name: str) -> list[str]:
    """Two trial components; the first is of a trial."""
    names = [f"{name}-a", f"{name}-b"]
    for number, each in enumerate(names, start=1):
        sagemaker.create_trial_component(
            TrialComponentName=each,
            Parameters={"depth": {"NumberValue": number * 5}, "kind": {"StringValue": name}},
            Tags=[{"Key": "team", "Value": f"{name}-{number}"}],
        )
    sagemaker.create_experiment(ExperimentName=name)
    sagemaker.create_trial(TrialName=name, ExperimentName=name)
    sagemaker.associate_trial_component(TrialName=name, TrialComponentName=names[0])
    return names


@pytest.fixture
def found(sagemaker: "SageMakerClient", name: str) -> Found:
    """The ends of the names of this test's components that pass filters, in their order."""

    def run(*filters: tuple[str, str, str], operator: str = "And", **request: Any) -> list[str]:
        own = {"Name": "TrialComponentName", "Operator": "Contains", "Value": name}
        rows: list[Any] = [
            {"Name": of, "Operator": how, "Value": value} for of, how, value in filters
        ]
        asked: Any = {"Filters": [own]}
        if rows:
            asked["SubExpressions"] = [{"Filters": rows, "Operator": operator}]
        told = sagemaker.search(
            Resource="ExperimentTrialComponent",
            SearchExpression=asked,
            SortBy="TrialComponentName",
            SortOrder="Ascending",
            **request,
        )
        return [row["TrialComponent"]["TrialComponentName"][-1] for row in told["Results"]]

    return run


@pytest.mark.usefixtures("components")
@pytest.mark.parametrize(
    ("property_name", "operator", "value", "expected"),
    [
        ("Parents.TrialName", "Equals", "{name}", ["a"]),
        ("Parents.TrialName", "NotExists", "-", ["b"]),
        ("Parameters.depth", "GreaterThan", "5", ["b"]),
        ("Parameters.depth", "LessThanOrEqualTo", "5", ["a"]),
        ("Parameters.kind", "Equals", "{name}", ["a", "b"]),
        ("Parameters.kind", "NotEquals", "{name}", []),
        ("Tags.team", "Equals", "{name}-2", ["b"]),
        ("TrialComponentName", "In", "{name}-b,other", ["b"]),
        ("CreationTime", "GreaterThan", "2020-01-01T00:00:00Z", ["a", "b"]),
        ("Parameters.none", "Exists", "-", []),
    ],
)
def test_a_filter_compares_a_property(
    found: Found, name: str, property_name: str, operator: str, value: str, expected: list[str]
) -> None:
    assert found((property_name, operator, value.format(name=name))) == expected


@pytest.mark.usefixtures("components")
def test_filters_are_joined_as_the_expression_says(found: Found, name: str) -> None:
    filters = [("Parameters.depth", "Equals", "5"), ("Parameters.depth", "Equals", "10")]
    assert found(*filters) == []
    assert found(*filters, operator="Or") == ["a", "b"]


@pytest.mark.usefixtures("components")
def test_a_nested_filter_asks_one_element_of_a_list(
    sagemaker: "SageMakerClient", name: str
) -> None:
    parents: Any = {
        "NestedPropertyName": "Parents",
        "Filters": [
            {"Name": f"Parents.{each}", "Operator": "Equals", "Value": name}
            for each in ("TrialName", "ExperimentName")
        ],
    }
    told = sagemaker.search(
        Resource="ExperimentTrialComponent", SearchExpression={"NestedFilters": [parents]}
    )
    (row,) = told["Results"]
    assert row["TrialComponent"]["Parents"] == [{"TrialName": name, "ExperimentName": name}]


def test_a_component_of_which_nothing_is_known_has_empty_members(
    sagemaker: "SageMakerClient", name: str
) -> None:
    sagemaker.create_trial_component(TrialComponentName=name)
    named: Any = {"Name": "TrialComponentName", "Operator": "Equals", "Value": name}
    told = sagemaker.search(
        Resource="ExperimentTrialComponent", SearchExpression={"Filters": [named]}
    )
    (row,) = told["Results"]
    kept = {key: row["TrialComponent"][key] for key in ("Parameters", "InputArtifacts", "Metrics")}
    assert kept == {"Parameters": {}, "InputArtifacts": {}, "Metrics": []}


@pytest.mark.usefixtures("components")
def test_a_page_goes_on_where_the_one_before_ended(sagemaker: "SageMakerClient", name: str) -> None:
    filters: Any = [{"Name": "TrialComponentName", "Operator": "Contains", "Value": name}]
    asked: Any = {"Resource": "ExperimentTrialComponent", "SearchExpression": {"Filters": filters}}
    first = sagemaker.search(**asked, MaxResults=1)
    second = sagemaker.search(**asked, MaxResults=1, NextToken=first["NextToken"])
    names = [each["Results"][0]["TrialComponent"]["TrialComponentName"] for each in (first, second)]
    assert sorted(names) == [f"{name}-a", f"{name}-b"]
    assert "NextToken" not in second
    with pytest.raises(ClientError, match="belongs to a request with other parameters"):
        sagemaker.search(Resource="TrainingJob", NextToken=first["NextToken"])


@pytest.mark.usefixtures("components")
@pytest.mark.parametrize(("order", "ends"), [("Ascending", "ab"), ("Descending", "ba")])
def test_numbers_are_sorted_by_size(
    sagemaker: "SageMakerClient", name: str, order: Any, ends: str
) -> None:
    filters: Any = [{"Name": "TrialComponentName", "Operator": "Contains", "Value": name}]
    told = sagemaker.search(
        Resource="ExperimentTrialComponent",
        SearchExpression={"Filters": filters},
        SortBy="Parameters.depth",
        SortOrder=order,
    )
    found = [row["TrialComponent"]["TrialComponentName"][-1] for row in told["Results"]]
    assert "".join(found) == ends


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_kind_that_is_told_of_is_searched(
    sagemaker: "SageMakerClient", resource: Any
) -> None:
    assert len(sagemaker.search(Resource=resource, MaxResults=1)["Results"]) <= 1


def test_other_kinds_are_refused_by_name(sagemaker: "SageMakerClient") -> None:
    with pytest.raises(ClientError, match="Search for FeatureGroup is not there"):
        sagemaker.search(Resource="FeatureGroup")


def test_every_operator_of_the_service_is_there() -> None:
    shape: Any = shapes.service().shape_for("Operator")
    assert set(shape.enum) == set(OPERATORS)


def test_the_values_that_a_run_logs_are_told_of_its_component(
    client: Callable[[str], Any], components: list[str], sagemaker: "SageMakerClient"
) -> None:
    data = [
        {"MetricName": "loss", "Timestamp": datetime.now(UTC), "Value": value, "Step": step}
        for step, value in enumerate([4.0, 1.0, 1.0])
    ]
    metrics = client("sagemaker-metrics")
    for part in (data[:1], data[1:]):
        told = metrics.batch_put_metrics(TrialComponentName=components[0], MetricData=part)
        assert told["Errors"] == []
    described = sagemaker.describe_trial_component(TrialComponentName=components[0])
    (loss,) = described["Metrics"]
    kept = {key: loss[key] for key in ("MetricName", "Count", "Avg", "Min", "Max", "Last")}
    assert kept == {"MetricName": "loss", "Count": 3, "Avg": 2, "Min": 1, "Max": 4, "Last": 1}
    assert loss["StdDev"] == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"no JSON", "the body is no JSON"),
        (b"[]", "1 validation error detected"),
        (b'{"MetricData": []}', "validation errors detected"),
        (
            b'{"TrialComponentName": "a", "MetricData": [{"MetricName": "loss", "Value": "x"}]}',
            "validation errors detected",
        ),
    ],
)
def test_values_that_are_none_are_refused(aws: LocalAWS, body: bytes, told: str) -> None:
    request = urllib.request.Request(f"{aws.endpoint_url}{PATH}", body, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)
    with refusal.value as answer:
        assert answer.code == 400
        assert told in answer.read().decode()


def test_values_of_a_component_that_is_not_there_are_refused(
    client: Callable[[str], Any], name: str
) -> None:
    data = [{"MetricName": "loss", "Timestamp": datetime.now(UTC), "Value": 1.0}]
    told = client("sagemaker-metrics").batch_put_metrics(TrialComponentName=name, MetricData=data)
    assert told["Errors"] == [{"Code": "VALIDATION_ERROR", "MetricIndex": 0}]
