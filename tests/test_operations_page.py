"""docs/operations.md against the step types: a new one is missing there until it is told."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines import masks, sights, tagging
from airflow_sm_pipelines.cli.permissions import WITHOUT_JOB, _other_reads, actions
from airflow_sm_pipelines.definition.steps import STEP_TYPES

PAGE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text()
JOBS = {name: row.job for name, row in STEP_TYPES.items() if row.job}


@pytest.fixture(scope="module")
def statements() -> list[dict[str, Any]]:
    found = re.search(r"```json\n(.+?)\n```", PAGE, re.DOTALL)
    assert found
    policy = json.loads(found[1])
    assert policy["Version"] == "2012-10-17"
    statements: list[dict[str, Any]] = policy["Statement"]
    assert {each["Effect"] for each in statements} == {"Allow"}
    return statements


def granted(statements: list[dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    for each in statements:
        given = each["Action"]
        found |= {given} if isinstance(given, str) else set(given)
    return found


@pytest.mark.parametrize("name", JOBS)
def test_the_page_has_the_actions_of_every_step_type(name: str) -> None:
    listed = (f"`{action.removeprefix('sagemaker:')}`" for action in actions(JOBS[name]))
    assert f"| {name} | {', '.join(listed)} |" in PAGE.splitlines()


@pytest.mark.parametrize("name", WITHOUT_JOB)
def test_the_page_has_the_actions_of_step_types_that_create_nothing(name: str) -> None:
    assert STEP_TYPES[name].job is None
    listed = (f"`{action}`" for action in WITHOUT_JOB[name])
    assert f"| {name} | {', '.join(listed)} |" in PAGE.splitlines()


def test_the_policy_allows_what_the_step_types_need_and_nothing_else(
    statements: list[dict[str, Any]],
) -> None:
    needed = {action for job in JOBS.values() for action in actions(job)}
    needed |= {action for each in WITHOUT_JOB.values() for action in each}
    needed |= {read.action for read in _other_reads("123456789012", "us-east-1")}
    # A ClarifyCheck step writes an analysis configuration that names its model.
    data = {"s3:GetObject", "s3:PutObject"}
    assert granted(statements) == needed | {"iam:PassRole", "logs:GetLogEvents"} | data


def test_a_role_is_passed_to_the_services_of_steps_alone(
    statements: list[dict[str, Any]],
) -> None:
    (roles,) = [each for each in statements if each["Action"] == "iam:PassRole"]
    services = ("ec2", "elasticmapreduce", "emr-serverless", "sagemaker")
    passed = [f"{service}.amazonaws.com" for service in services]
    assert roles["Condition"] == {"StringEquals": {"iam:PassedToService": passed}}


def test_the_page_names_what_is_masked_the_tags_and_the_bound_of_a_request() -> None:
    for member in masks.MASKED:
        assert f"`{member}`" in PAGE
    for key in ("pipeline", "step", "dag", "run"):
        assert f"`{tagging.TAG_PREFIX}:{key}`" in PAGE
    assert f"{sights.LONGEST_REQUEST:,} characters" in " ".join(PAGE.split())
