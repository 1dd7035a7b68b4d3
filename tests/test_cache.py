import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from airflow_sm_pipelines import aws, cache, load
from airflow_sm_pipelines.catalogues import Earlier
from airflow_sm_pipelines.definition.durations import parse_duration
from airflow_sm_pipelines.definition.resources import TRAINING as TRAINING_JOB
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.requests import Requests
from airflow_sm_pipelines.scope import RunScope
from tests.definition.cases import definition, step
from tests.fakes import STARTED, context
from tests.fidelity.cases import STEPS

SAGEMAKER = botocore.session.get_session().get_service_model("sagemaker")
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
TRAINING = STEPS["Training"]["Arguments"]


def wanted(
    arguments: Any = TRAINING,
    *,
    pipeline: str = "p",
    name: str = "Train",
    oldest: datetime | None = None,
) -> cache.Wanted:
    value = definition(step("Training", name, arguments))
    made = load(json.dumps(value), name=pipeline)
    scope = RunScope(pipeline=made, context=context(), connection=aws.Connection(None))
    job = made.step(name).job
    assert job is not None
    return cache.Wanted(
        step=made.step(name),
        job=job,
        pipeline=pipeline,
        requests=Requests(made.step(name), scope),
        oldest=oldest,
    )


def summary(name: str, status: str = "Completed", created: datetime = STARTED) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "TrainingJobStatus": status,
        "CreationTime": created,
    }


@pytest.fixture
def client() -> Any:
    return botocore.session.get_session().create_client(
        "sagemaker",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="word",
    )


def described(name: str, **changes: Any) -> dict[str, Any]:
    return {**summary(name), **TRAINING, "ModelArtifacts": {"S3ModelArtifacts": "s3://b/m"}} | {
        "SecondaryStatus": "Completed",
        **changes,
    }


# Expiry


@pytest.mark.parametrize(
    ("after", "oldest"),
    [
        ("P30D", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("T30M", datetime(2026, 3, 31, 11, 30, tzinfo=UTC)),
        ("1M", datetime(2026, 2, 28, 12, tzinfo=UTC)),
        ("P1Y1W", datetime(2025, 3, 24, 12, tzinfo=UTC)),
        ("P2Y1M", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("P1DT2H3M4S", datetime(2026, 3, 30, 9, 56, 56, tzinfo=UTC)),
        ("P9999Y", None),
        ("P999999999Y", None),
    ],
)
def test_months_and_years_are_those_of_the_calendar(after: str, oldest: datetime | None) -> None:
    assert cache.oldest(parse_duration(after), now=NOW) == oldest


def test_time_is_that_of_utc() -> None:
    summer = datetime.fromisoformat("2026-04-01T00:30:00+02:00")  # still March in UTC
    found = cache.oldest(parse_duration("1M"), now=summer)
    assert found == datetime(2026, 2, 28, 22, 30, tzinfo=UTC)


def test_without_a_duration_every_age_is_good() -> None:
    assert cache.oldest(None, now=NOW) is None


# The list


@pytest.mark.parametrize(
    "type_",
    [
        name
        for name, row in STEP_TYPES.items()
        if row.cache_attributes and row.job and row.job.listing
    ],
)
def test_the_list_of_each_kind_that_is_cached_has_what_is_read_of_it(type_: str) -> None:
    row = STEP_TYPES[type_]
    assert row.job is not None
    shape: Any = SAGEMAKER.operation_model(f"List{row.job.noun}s")
    asked = {"SortBy", "SortOrder", "MaxResults", "NextToken", "CreationTimeAfter"}
    assert asked <= set(shape.input_shape.members)
    assert "CreationTime" in shape.input_shape.members["SortBy"].enum
    summaries = shape.output_shape.members[f"{row.job.noun}Summaries"]
    read = {row.job.describe_name, row.job.arn, row.job.status, "CreationTime"}
    assert read <= set(summaries.member.members)


def test_pages_are_followed_to_the_first_match_over_empty_ones(client: Any) -> None:
    asked = wanted()
    name = f"pipelines-x-Train-{asked.requests.key}-2-1"
    request = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 100}
    with Stubber(client) as stub:
        answers: list[dict[str, Any]] = [
            {"TrainingJobSummaries": [summary("other")], "NextToken": "a"},
            {"TrainingJobSummaries": [], "NextToken": "b"},
            {"TrainingJobSummaries": [summary(name), summary("older")], "NextToken": "c"},
        ]
        for token, answer in zip(
            [{}, {"NextToken": "a"}, {"NextToken": "b"}], answers, strict=True
        ):
            stub.add_response("list_training_jobs", answer, {**request, **token})
        stub.add_response("describe_training_job", described(name))
        found = cache.look(client, asked, most_pages=50)
        stub.assert_no_pending_responses()
    assert found.hit is not None
    assert found.hit.name == name


def test_a_look_ends_with_a_warning_after_its_pages(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with Stubber(client) as stub:
        for _ in range(2):
            answer = {"TrainingJobSummaries": [], "NextToken": "more"}
            stub.add_response("list_training_jobs", answer)
        assert cache.look(client, wanted(), most_pages=2) == cache.Found()
        stub.assert_no_pending_responses()
    assert "has more than 2 pages or took more than 60 seconds" in caplog.text


def test_a_look_ends_with_a_warning_after_its_time(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    times = iter([0.0, 1.0, 61.0])
    with Stubber(client) as stub:
        for _ in range(2):
            answer = {"TrainingJobSummaries": [], "NextToken": "more"}
            stub.add_response("list_training_jobs", answer)
        cache.look(client, wanted(), most_pages=50, clock=lambda: next(times))
        stub.assert_no_pending_responses()
    assert "the look at it ends here" in caplog.text


def test_a_last_page_at_the_bound_is_no_warning(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with Stubber(client) as stub:
        stub.add_response("list_training_jobs", {"TrainingJobSummaries": []})
        cache.look(client, wanted(), most_pages=1)
    assert not caplog.records


def test_a_job_with_the_key_in_its_name_and_other_attributes_is_no_hit(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asked = wanted()
    name = f"made-by-hand-{asked.requests.key}-1"
    with Stubber(client) as stub:
        stub.add_response("list_training_jobs", {"TrainingJobSummaries": [summary(name)]})
        image = {"TrainingImage": "another", "TrainingInputMode": "File"}
        stub.add_response("describe_training_job", described(name, AlgorithmSpecification=image))
        assert cache.look(client, asked, most_pages=1).hit is None
    assert f"{name} has the key of this step, but not its attributes" in caplog.text


def test_a_job_that_is_gone_when_it_is_described_is_no_hit(client: Any) -> None:
    asked = wanted()
    name = f"x-{asked.requests.key}-1"
    with Stubber(client) as stub:
        stub.add_response("list_training_jobs", {"TrainingJobSummaries": [summary(name)]})
        stub.add_client_error("describe_training_job", "ValidationException", "not found")
        assert cache.look(client, asked, most_pages=1).hit is None


def test_of_two_hits_the_newest_is_taken(client: Any) -> None:
    asked = wanted()
    names = [f"x-{asked.requests.key}-1-{number}" for number in (2, 1)]
    with Stubber(client) as stub:
        stub.add_response("list_training_jobs", {"TrainingJobSummaries": [*map(summary, names)]})
        stub.add_response("describe_training_job", described(names[0]))
        found = cache.look(client, asked, most_pages=1)
    assert found.hit is not None
    assert found.hit.name == names[0]


# Why it was a miss


def found(*names: str) -> cache.Found:
    """What a look finds where no job of these names did the same."""
    rows = ({**summary(name), "CreationTime": STARTED.isoformat()} for name in names)
    return cache.Found(others=tuple(Earlier.of(TRAINING_JOB, row, {}) for row in rows))


def tags(**origin: str) -> dict[str, Any]:
    return {"Tags": [{"Key": f"sm-pipelines:{k}", "Value": v} for k, v in origin.items()]}


def test_only_a_job_of_the_step_is_compared_with(client: Any) -> None:
    others = found("of-step-Training", "of-pipeline-q", "mine")
    image = {"TrainingImage": "another", "TrainingInputMode": "File"}
    with Stubber(client) as stub:
        stub.add_response("list_tags", tags(pipeline="p", step="Training"))
        stub.add_response("list_tags", tags(pipeline="q", step="Train"))
        stub.add_response("list_tags", tags(pipeline="p", step="Train"))
        stub.add_response("describe_training_job", described("mine", AlgorithmSpecification=image))
        told = cache.explain(client, wanted(), others)
    now = TRAINING["AlgorithmSpecification"]["TrainingImage"]
    assert told == (
        "what differs from mine, the last of the step that completed: "
        f'AlgorithmSpecification.TrainingImage: "another" then, "{now}" now'
    )


def test_without_a_job_of_the_step_the_time_that_was_looked_at_is_told(client: Any) -> None:
    told = cache.explain(client, wanted(oldest=NOW), cache.Found())
    assert told == (
        "no job that is known to be of this step has completed since 2026-03-31T12:00:00+00:00"
    )


def test_many_differences_are_cut(client: Any) -> None:
    now = {**TRAINING, "HyperParameters": {f"h{number}": "1" for number in range(7)}}
    with Stubber(client) as stub:
        stub.add_response("list_tags", tags(pipeline="p", step="Train"))
        stub.add_response("describe_training_job", described("mine"))
        told = cache.explain(client, wanted(now), found("mine"))
    assert told.endswith("HyperParameters.h4: given only now and 2 more")


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("pipelines-abc-Train-key-1", True),
        ("pipelines-abc-Evaluate-key-1", False),
    ],
)
def test_a_job_may_be_of_the_step_whose_name_it_has(name: str, may: bool) -> None:
    assert wanted().may_be_of_step(name) == may


def test_a_job_may_be_of_the_step_whose_prefix_it_has() -> None:
    asked = wanted({**TRAINING, "TrainingJobName": "my_jobs"})
    assert asked.may_be_of_step("my-jobs-abc-key-1")
