"""What is written down of requests."""

from datetime import UTC, datetime

from airflow_sm_pipelines.local.calls import Call
from airflow_sm_pipelines.local.control.journal import Journal

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def stop(name: str) -> Call:
    return Call(service="sagemaker", operation="StopJob", request={"JobName": name})


def test_a_request_is_kept_with_what_came_of_it() -> None:
    journal = Journal()
    journal.note(stop("job"), at=AT, outcome="reset", effect=True)
    assert journal.documents() == [
        {
            "At": "2026-01-02T03:04:05.678+00:00",
            "Operation": "StopJob",
            "Name": "job",
            "Outcome": "reset",
            "Effect": True,
        }
    ]


def test_only_the_newest_are_kept_and_all_are_counted() -> None:
    journal = Journal(length=2)
    for number in range(5):
        journal.note(stop(str(number)), at=AT, outcome="ok", effect=True)
    assert [each["Name"] for each in journal.documents()] == ["3", "4"]
    assert journal.counts() == {"StopJob": 5}


def test_requests_to_other_services_are_only_counted() -> None:
    journal = Journal()
    journal.note(Call(service="s3", operation="PutObject"), at=AT, outcome="ok", effect=False)
    assert journal.documents() == []
    assert journal.counts() == {"s3:PutObject": 1}


def test_what_is_cleared_is_forgotten() -> None:
    journal = Journal()
    journal.note(stop("job"), at=AT, outcome="ok", effect=True)
    journal.clear()
    assert (journal.documents(), journal.counts()) == ([], {})
