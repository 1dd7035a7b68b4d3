"""IAM's simulator, as boto3 reads its answer."""

import boto3

from airflow_sm_pipelines.local import LocalAWS


def test_every_action_is_allowed_on_every_resource(aws_environment: LocalAWS) -> None:
    iam = boto3.client("iam")
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=aws_environment.account.role_arn,
        ActionNames=["s3:PutObject", "sagemaker:CreateModel"],
        ResourceArns=["arn:aws:s3:::one/*", "arn:aws:s3:::two/*"],
    )
    rows = [row for page in pages for row in page["EvaluationResults"]]
    assert [(row["EvalActionName"], row.get("EvalResourceName")) for row in rows] == [
        ("s3:PutObject", "arn:aws:s3:::one/*"),
        ("s3:PutObject", "arn:aws:s3:::two/*"),
        ("sagemaker:CreateModel", "arn:aws:s3:::one/*"),
        ("sagemaker:CreateModel", "arn:aws:s3:::two/*"),
    ]
    assert {row["EvalDecision"] for row in rows} == {"allowed"}


def test_an_action_without_a_resource_is_answered_too(aws_environment: LocalAWS) -> None:
    answer = boto3.client("iam").simulate_principal_policy(
        PolicySourceArn=aws_environment.account.role_arn, ActionNames=["iam:PassRole"]
    )
    assert [row.get("EvalResourceName") for row in answer["EvaluationResults"]] == ["*"]
    assert answer["IsTruncated"] is False
