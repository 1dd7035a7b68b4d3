"""What people give instead of a definition: each is named, and told where the definition is."""

import json

import pytest

from airflow_sm_pipelines.definition.document import read
from airflow_sm_pipelines.definition.foreign import BINARY, JSON, LONGEST_LOOK, PLACES, TEXTS
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import DefinitionError

DEFINITION = '{"Version": "2020-12-01", "Steps": []}'
NOTHING = "no pipeline's definition is in it, name the JSON that Pipeline.definition() returns"


def message(text: str | bytes) -> str:
    with pytest.raises(DefinitionError) as caught:
        read(text)
    return str(caught.value)


def template(definition: Json, **keys: Json) -> dict[str, Json]:
    """A CloudFormation template with one pipeline, and a bucket before it."""
    properties: Json = {"PipelineName": "Abalone", "PipelineDefinition": definition}
    return {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Abalone": {"Type": "AWS::SageMaker::Pipeline", "Properties": properties},
        },
        **keys,
    }


def state(*definitions: str) -> dict[str, Json]:
    """A Terraform state file with a pipeline for each definition."""
    instances: Json = [{"attributes": {"pipeline_definition": text}} for text in definitions]
    resource: Json = {"type": "aws_sagemaker_pipeline", "name": "abalone", "instances": instances}
    return {"version": 4, "terraform_version": "1.9.0", "resources": [resource]}


PLAN: dict[str, Json] = {
    "format_version": "1.2",
    "terraform_version": "1.9.0",
    "planned_values": {
        "root_module": {
            "resources": [
                {"type": "aws_sagemaker_pipeline", "values": {"pipeline_definition": DEFINITION}}
            ]
        }
    },
    "resource_changes": [
        {
            "change": {
                "before": {"pipeline_definition": DEFINITION},
                "after": {"pipeline_definition": DEFINITION},
                "after_unknown": {"pipeline_definition": False},
            }
        }
    ],
}

AT = "$.Resources.Abalone.Properties.PipelineDefinition"


JSON_CASES: list[tuple[Json, str]] = [
    (
        template({"PipelineDefinitionBody": DEFINITION}),
        "a CloudFormation template; its definition is the string at "
        f"{AT}.PipelineDefinitionBody, save that",
    ),
    (
        template({"PipelineDefinitionBody": {"Fn::Sub": DEFINITION}}),
        "a CloudFormation template; its definition is put together on deployment, from "
        f"{AT}.PipelineDefinitionBody; read what was deployed: pipeline:<name>",
    ),
    (
        template({"PipelineDefinitionS3Location": {"Bucket": "b", "Key": "a/d.json"}}),
        "a CloudFormation template; its definition is the object s3://b/a/d.json, read that",
    ),
    (
        template({"PipelineDefinitionS3Location": {"Bucket": {"Ref": "B"}, "Key": "d.json"}}),
        "a CloudFormation template; its definition is put together on deployment, from "
        f"{AT}.PipelineDefinitionS3Location; read what was deployed: pipeline:<name>",
    ),
    (
        {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}},
        f"a CloudFormation template; {NOTHING}",
    ),
    (
        {"TemplateBody": template({"PipelineDefinitionBody": DEFINITION})},
        "the output of GetTemplate; its definition is the string at $.TemplateBody"
        f"{AT[1:]}.PipelineDefinitionBody, save that",
    ),
    (
        {"TemplateBody": "Resources: {}"},
        "the output of GetTemplate; save the template inside, and look there",
    ),
    (
        {"PipelineDefinition": {"PipelineDefinitionBody": DEFINITION}},
        "a CloudFormation resource; its definition is the string at "
        "$.PipelineDefinition.PipelineDefinitionBody, save that",
    ),
    (
        {"Properties": {"PipelineDefinition": {"PipelineDefinitionBody": DEFINITION}}},
        "a CloudFormation resource; its definition is the string at "
        "$.Properties.PipelineDefinition.PipelineDefinitionBody, save that",
    ),
    (
        {
            "PipelineName": "Abalone",
            "PipelineDefinitionS3Location": {"Bucket": "b", "ObjectKey": "d.json"},
        },
        "a request of CreatePipeline; its definition is the object s3://b/d.json, read that",
    ),
    (
        {"version": "38.0.1", "artifacts": {"Stack": {"type": "aws:cloudformation:stack"}}},
        "the manifest of a CDK assembly; the templates beside it, *.template.json, say where "
        "the definition is",
    ),
    (
        {"version": "tree-0.1", "tree": {"id": "App"}},
        "the construct tree of a CDK assembly; the templates beside it, *.template.json, say "
        "where the definition is",
    ),
    (
        state(DEFINITION),
        "a Terraform state; its definition is the string at "
        "$.resources[0].instances[0].attributes.pipeline_definition, save that",
    ),
    (
        state(DEFINITION, DEFINITION.replace("[]", "[ ]")),
        "a Terraform state; its definition is the string at "
        "$.resources[0].instances[0].attributes.pipeline_definition, "
        "$.resources[0].instances[1].attributes.pipeline_definition, save that",
    ),
    (state(), f"a Terraform state; {NOTHING}"),
    (
        PLAN,
        "a Terraform plan; its definition is the string at "
        "$.planned_values.root_module.resources[0].values.pipeline_definition, save that",
    ),
    (
        {"format_version": "1.0", "terraform_version": "1.9.0", "values": {}},
        f"a Terraform state; {NOTHING}",
    ),
    (
        {
            "resource": {
                "aws_sagemaker_pipeline": {
                    "abalone": {"pipeline_definition": '${file("abalone.json")}'}
                }
            }
        },
        "Terraform configuration; its definition is put together on deployment, from "
        "$.resource.aws_sagemaker_pipeline.abalone.pipeline_definition; "
        "read what was deployed: pipeline:<name>",
    ),
    (
        {
            "resource": {
                "aws_sagemaker_pipeline": {
                    "abalone": {
                        "pipeline_definition_s3_location": [{"bucket": "b", "object_key": "d.json"}]
                    }
                }
            }
        },
        "Terraform configuration; its definition is the object s3://b/d.json, read that",
    ),
    (
        {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
        "a notebook; run it, and save what Pipeline.definition() returns",
    ),
    (
        {"PipelineSummaries": []},
        "the list of an account's pipelines; save what DescribePipeline answers of one of them",
    ),
    (
        {"PipelineExecutionArn": "arn", "PipelineExecutionStatus": "Executing"},
        "the description of an execution; save what DescribePipelineDefinitionForExecution "
        "answers of it",
    ),
    (
        {"StartAt": "A", "States": {}},
        "a state machine of Step Functions; a definition of SageMaker Pipelines has Version "
        "and Steps",
    ),
]


@pytest.mark.parametrize(("value", "told"), JSON_CASES)
def test_json_of_another_tool_is_named_and_told_where_the_definition_is(
    value: Json, told: str
) -> None:
    assert message(json.dumps(value)) == f"$: {told}"


def test_no_key_of_another_tool_hides_a_definition() -> None:
    others: dict[str, Json] = {}
    for value, _ in JSON_CASES:
        assert isinstance(value, dict)
        others |= {key: {} for key in value.keys() - {"PipelineDefinition"}}
    assert read(json.dumps({**others, "Version": "2020-12-01", "Steps": []})).name is None


TEXT_CASES: list[tuple[str | bytes, str]] = [
    (
        "AWSTemplateFormatVersion: '2010-09-09'\nResources: {}\n",
        "a CloudFormation template; its definition is the string PipelineDefinitionBody or "
        "the object PipelineDefinitionS3Location of its AWS::SageMaker::Pipeline, save that",
    ),
    (
        "Resources:\n  Abalone:\n    Type: AWS::SageMaker::Pipeline\n",
        "a CloudFormation template; its definition is the string PipelineDefinitionBody or "
        "the object PipelineDefinitionS3Location of its AWS::SageMaker::Pipeline, save that",
    ),
    (
        '# ours\nresource "aws_sagemaker_pipeline" "abalone" {\n}\n',
        "Terraform configuration; its definition is what pipeline_definition is after "
        "`terraform apply`, read what was deployed: pipeline:<name>",
    ),
    (
        'terraform {\n}\n\nprovider "aws" {\n}\n',
        "Terraform configuration without a pipeline; its aws_sagemaker_pipeline may be in "
        "another file, read what was deployed: pipeline:<name>",
    ),
    (
        '"""The pipeline."""\n\nfrom sagemaker.workflow.pipeline import Pipeline\n',
        "Python source; run it, and save what Pipeline.definition() returns",
    ),
    (
        "{'Version': '2020-12-01', 'Steps': []}",
        "a Python dictionary as it is printed; write it with json.dumps, or save its "
        "PipelineDefinition",
    ),
    (
        "# ours\n\nVersion: '2020-12-01'\nSteps: []\n",
        "YAML; a definition is JSON, write it as JSON",
    ),
    ("---\n{}\n", "YAML; a definition is JSON, write it as JSON"),
    (
        "<!DOCTYPE html>\n<html></html>",
        "HTML or XML, maybe a page that asks to sign in or an error of AWS; "
        "a definition is the JSON that Pipeline.definition() returns",
    ),
    ("{}".encode("utf-16"), "UTF-16, as PowerShell's > writes it; save it as UTF-8"),
    (b"\xfe\xff\x00{\x00}", "UTF-16; save it as UTF-8"),
    (b"PK\x03\x04...", "a zip archive; unpack it, and name the JSON inside"),
    (b"\x1f\x8b\x08..", "a gzip archive; unpack it, and name the JSON inside"),
]


@pytest.mark.parametrize(("text", "told"), TEXT_CASES)
def test_text_of_another_kind_is_named(text: str | bytes, told: str) -> None:
    assert message(text) == f"$: {told}"


def test_a_template_with_several_pipelines_tells_where_each_is() -> None:
    body = template({"PipelineDefinitionS3Location": {"Bucket": "b", "Key": "d.json"}})
    both: Json = [template({"PipelineDefinitionBody": DEFINITION}), body]
    assert message(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Nested": both})) == (
        "$: a CloudFormation template; its definition is the string at "
        f"$.Nested[0]{AT[1:]}.PipelineDefinitionBody, save that; "
        "its definition is the object s3://b/d.json, read that"
    )


def test_every_row_has_a_case() -> None:
    told = {message.partition(";")[0] for _, message in [*JSON_CASES, *TEXT_CASES]}
    rows = [name for name, _, _ in JSON] + [said for _, said in TEXTS] + list(BINARY.values())
    assert {row.partition(";")[0] for row in rows} <= told


def test_an_object_with_properties_of_its_own_is_no_resource_of_a_template() -> None:
    assert read('{"Properties": 3}').definition.value == {"Properties": 3}


def test_broken_json_is_told_where_it_breaks_whatever_else_it_looks_like() -> None:
    assert message('{"a":\nimport os\n}').startswith("$: line 2, column 1: not JSON")


def test_the_definition_that_describe_pipeline_holds_is_looked_at_as_well() -> None:
    inner = json.dumps(template({"PipelineDefinitionBody": DEFINITION}))
    assert message(json.dumps({"PipelineDefinition": inner})) == (
        "$.PipelineDefinition > $: a CloudFormation template; its definition is the string at "
        f"{AT}.PipelineDefinitionBody, save that"
    )
    assert message(json.dumps({"PipelineDefinition": "Version: 1"})) == (
        "$.PipelineDefinition > $: YAML; a definition is JSON, write it as JSON"
    )


@pytest.mark.parametrize("unit", ["\n", " ", "\t\n", "#\n", "-", "a", "resource ", "{ ", "Type:"])
def test_texts_made_to_be_slow_are_looked_at_in_one_pass(unit: str) -> None:
    """A pattern that tries all ways to split a run of spaces would not come back here."""
    assert message(unit * (2 * LONGEST_LOOK)).startswith("$: ")


def test_the_places_of_a_definition_are_those_of_the_api() -> None:
    session = pytest.importorskip("botocore.session")
    model = session.get_session().get_service_model("sagemaker")
    members = model.operation_model("CreatePipeline").input_shape.members
    assert {name for name in members if "S3Location" in name} <= PLACES
    assert {"Bucket", "ObjectKey"} <= set(members["PipelineDefinitionS3Location"].members)
