"""Every rule of a script, broken once; the rows against the service model."""

from typing import Any

import botocore.session
import pytest

from airflow_sm_pipelines.local import ScriptError
from airflow_sm_pipelines.local.control.script import MOVING
from airflow_sm_pipelines.local.control.script_rules import FURTHER_ANSWERS, OPERATIONS, parsed

SERVICE = botocore.session.get_session().get_service_model("sagemaker")
WAIT = {"Status": "InProgress", "Seconds": 1}
DONE = {"Status": "Completed"}
ONE = "$.Scripts[0]"
FIRST = f"{ONE}.Moments[0]"
LAST = f"{ONE}.Moments[1]"


def script(*moments: object, **keys: Any) -> dict[str, Any]:
    return {"Kind": "TrainingJob", "Moments": [*(moments or (WAIT, DONE))], **keys}


def problems(*documents: object) -> list[str]:
    with pytest.raises(ScriptError) as refused:
        parsed(documents)
    return list(refused.value.problems)


def test_a_script_is_what_it_says() -> None:
    document = script(
        {"Status": "InProgress", "Seconds": 1.5},
        {"Status": "Failed", "FailureReason": "why", "Fields": {"BillableTimeInSeconds": 3}},
        Name="a-*",
        Times=2,
        StopSeconds=4,
    )
    (read,) = parsed([document])
    assert (read.noun, read.name, read.on) == ("TrainingJob", "a-*", "Create")
    assert (read.times, read.stop_seconds, read.document) == (2, 4, document)
    assert [(each.status, each.seconds, each.reason) for each in read.moments] == [
        ("InProgress", 1.5, ""),
        ("Failed", 0, "why"),
    ]
    assert read.moments[1].fields == {"BillableTimeInSeconds": 3}


KINDS = ", ".join(OPERATIONS)
SECONDS = "a number of seconds, 0 to 86400"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (
            "job",
            f"{ONE}: 'job' is no object; it would have Kind, Name, On, Times, StopSeconds, Moments",
        ),
        (script(Kind="Unicorn"), f"{ONE}.Kind: 'Unicorn' does not do; it would be one of {KINDS}"),
        (script(Kind=["Job"]), f"{ONE}.Kind: ['Job'] does not do; it would be one of {KINDS}"),
        ({"Moments": [DONE]}, f"{ONE}.Kind: missing; it would be one of {KINDS}"),
        (script(Time=1), f"{ONE}.Time: unknown key; did you mean 'Times'?"),
        (
            script(Zebra=1),
            f"{ONE}.Zebra: unknown key; it would be Kind, Name, On, Times, StopSeconds, Moments",
        ),
        (
            script(Name=""),
            f"{ONE}.Name: '' does not do; it would be a pattern of names such as 'pipelines-*'",
        ),
        (script(On="Stop"), f"{ONE}.On: 'Stop' does not do; it would be 'Create' or 'Update'"),
        (
            script(On="Update"),
            f"{ONE}.On: UpdateTrainingJob starts no script; it would be Create",
        ),
        (
            script(Times=0),
            f"{ONE}.Times: 0 does not do; it would be how many resources play it, 1 or more",
        ),
        (
            script(Times=True),
            f"{ONE}.Times: True does not do; it would be how many resources play it, 1 or more",
        ),
        (
            script(StopSeconds=-1),
            f"{ONE}.StopSeconds: -1 does not do; it would be {SECONDS}",
        ),
        (
            script(Moments=[]),
            f"{ONE}.Moments: [] does not do; it would be a list such as "
            '[{"Status": "Failed", "FailureReason": "..."}]',
        ),
        (
            script("Completed"),
            f"{FIRST}: 'Completed' is no object; "
            "it would have Status, Seconds, FailureReason, Fields",
        ),
        (script({}), f"{FIRST}.Status: missing; it would be a status of the kind"),
        (
            script({"Status": "Complete"}),
            f"{FIRST}.Status: 'Complete' is no status of TrainingJob; did you mean 'Completed'?",
        ),
        (
            script({"Status": "x"}),
            f"{FIRST}.Status: 'x' is no status of TrainingJob; "
            "it would be InProgress, Completed, Failed, Stopping, Stopped, Deleting",
        ),
        (
            script({"Status": "Failed", "Seconds": 1}, DONE),
            f"{FIRST}.Status: 'Failed' is final; it would be the last moment",
        ),
        (
            script({"Status": "InProgress"}, DONE),
            f"{FIRST}.Seconds: missing; it would be how long this moment lasts, such as 2",
        ),
        (
            script({**WAIT, "Seconds": float("nan")}, DONE),
            f"{FIRST}.Seconds: nan does not do; it would be {SECONDS}",
        ),
        (
            script({**WAIT, "Seconds": "2"}, DONE),
            f"{FIRST}.Seconds: '2' does not do; it would be {SECONDS}",
        ),
        (
            script({**WAIT, "FailureReason": "why"}, DONE),
            f"{FIRST}.FailureReason: too early; it would be in the last moment",
        ),
        (
            script({"Status": "InProgress"}),
            f"{FIRST}.Status: 'InProgress' is not final; another moment would follow",
        ),
        (
            script(WAIT, {**DONE, "Seconds": 1}),
            f"{LAST}.Seconds: the last moment stays; leave it out",
        ),
        (
            script({**DONE, "FailureReason": ""}),
            f"{FIRST}.FailureReason: '' does not do; it would be a text of 1 to 1024 characters",
        ),
        (
            script({**DONE, "Fields": []}),
            f"{FIRST}.Fields: [] does not do; it would be an object with members of the "
            "description",
        ),
        (
            script({**DONE, "Fields": {"TrainingJobName": "other"}}),
            f"{FIRST}.Fields.TrainingJobName: not a script's to say; leave it out",
        ),
        (
            script({**DONE, "Fields": {"BillableTimeInSeconds": "3"}}),
            f"{FIRST}.Fields: Value '3' at 'billableTimeInSeconds' failed to satisfy constraint: "
            "Member must be an integer",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_would_be_right(
    document: object, problem: str
) -> None:
    assert problems(document) == [problem]


def test_a_member_that_no_description_has_is_told() -> None:
    (problem,) = problems(script({**DONE, "Fields": {"Unicorn": 1}}))
    assert problem.startswith(f"{FIRST}.Fields: Value '1' at 'unicorn' failed to satisfy")


def test_a_time_that_is_none_is_told() -> None:
    (problem,) = problems(script({**DONE, "Fields": {"TrainingEndTime": "today"}}))
    assert "Member must be a time in seconds since 1970" in problem


def test_only_a_tuning_job_has_the_summaries_of_its_training_jobs() -> None:
    done = {**DONE, "Fields": {"TrainingJobSummaries": []}}
    assert parsed([script(done, Kind="HyperParameterTuningJob")])
    assert problems(script(done, Kind="AutoMLJob"))


def test_all_problems_of_all_scripts_are_told_at_once() -> None:
    broken = script({**WAIT, "Status": "Running"}, {**DONE, "Status": "InProgress"}, On="Update")
    assert [problem.partition(": ")[0] for problem in problems({}, broken)] == [
        "$.Scripts[0].Kind",
        "$.Scripts[0].Moments",
        "$.Scripts[1].On",
        "$.Scripts[1].Moments[0].Status",
        "$.Scripts[1].Moments[0].Status",
        "$.Scripts[1].Moments[1].Status",
    ]


@pytest.mark.parametrize("noun", OPERATIONS)
def test_a_kind_has_its_operations_and_a_final_status(noun: str) -> None:
    operations = [*(f"{verb}{noun}" for verb in OPERATIONS[noun]), *FURTHER_ANSWERS.get(noun, ())]
    assert set(operations) <= set(SERVICE.operation_names)
    shape = SERVICE.operation_model(f"Describe{noun}").output_shape
    assert shape is not None
    status: Any = shape.members[f"{noun}Status"]
    assert set(status.enum) & MOVING
    assert set(status.enum) - MOVING
