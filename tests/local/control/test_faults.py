"""How faults are written, and which one happens."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from airflow_sm_pipelines.local import FaultError
from airflow_sm_pipelines.local.calls import Call, operations
from airflow_sm_pipelines.local.control.fault import FAULTS, LASTING, LIMITED, Stage
from airflow_sm_pipelines.local.control.faults import Faults
from airflow_sm_pipelines.local.refusals import REFUSALS

CREATE = Call(service="sagemaker", operation="CreateTrainingJob")
DESCRIBE = Call(service="sagemaker", operation="DescribeTrainingJob")
PUT = Call(service="s3", operation="PutObject")


def written(kind: str, **keys: Any) -> dict[str, Any]:
    return {"Kind": kind, **({"Seconds": 1} if kind in LASTING else {}), **keys}


def of(*documents: object, chance: float = 0.5) -> Faults:
    faults = Faults(lambda: chance)
    faults.add(*documents)
    return faults


def taken(faults: Faults, call: Call = CREATE, stage: Stage = Stage.INSTEAD) -> str | None:
    fault = faults.take(call, stage)
    return fault.kind if fault else None


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_can_be_set_with_its_kind_alone_and_how_long_it_lasts(kind: str) -> None:
    assert taken(of(written(kind)), stage=FAULTS[kind]) == kind


@pytest.mark.parametrize("kind", [kind for kind in FAULTS if FAULTS[kind] is Stage.INSTEAD])
def test_what_happens_instead_of_an_operation_is_an_error_or_a_reset(kind: str) -> None:
    assert (kind in REFUSALS) != (kind == "ResetBefore")


def test_limits_are_those_of_operations_that_there_are() -> None:
    assert set(LIMITED) <= set(operations("sagemaker") or ())


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (7, ": 7 is no object; it would have Kind, Operations, Times, Probability, Seconds"),
        ({}, f".Kind: missing; it would be one of {', '.join(FAULTS)}"),
        ({"Kind": "Throtling"}, ".Kind: 'Throtling' does not do; did you mean 'Throttling'?"),
        ({"Kind": 1}, f".Kind: 1 does not do; it would be one of {', '.join(FAULTS)}"),
        (written("ExpiredToken", Tims=1), ".Tims: unknown key; did you mean 'Times'?"),
        (
            written("ExpiredToken", Times=0),
            ".Times: 0 does not do; it would be how often it happens, 1 or more",
        ),
        (
            written("ExpiredToken", Probability=2),
            ".Probability: 2 does not do; it would be how likely it is, a number from 0 to 1",
        ),
        ({"Kind": "Latency"}, ".Seconds: missing; it would be how long Latency lasts, such as 2"),
        (
            {"Kind": "Unseen", "Seconds": -1},
            ".Seconds: -1 does not do; it would be a number of seconds, 0 to 86400",
        ),
        (written("Throttling", Seconds=1), ".Seconds: Throttling takes no time; leave it out"),
        (
            written("Throttling", Operations="CreateTraningJob"),
            ".Operations: sagemaker has no operation 'CreateTraningJob'; "
            "did you mean 'CreateTrainingJob'?",
        ),
        (
            written("Throttling", Operations="Unicorn*"),
            ".Operations: sagemaker has no operation 'Unicorn*'; it would be such as 'Create*'",
        ),
        (
            written("Throttling", Operations="emr:*"),
            None,
        ),
        (
            written("Throttling", Operations="unicorn:*"),
            ".Operations: 'unicorn' is no service of AWS; it would be as in IAM, such as 's3:*'",
        ),
        (
            written("ResourceLimit", Operations="CreateModel"),
            ".Operations: ResourceLimit never happens to 'CreateModel'; "
            f"it would be {', '.join(LIMITED)}",
        ),
    ],
)
def test_what_is_wrong_with_a_fault_is_told(document: object, problem: str | None) -> None:
    if problem is None:
        Faults().add(document)
        return
    with pytest.raises(FaultError) as raised:
        Faults().add(written("Throttling"), document)
    assert raised.value.problems == (f"$.Faults[1]{problem}",)


def test_all_problems_are_told_at_once_and_nothing_is_set() -> None:
    faults = of(written("ExpiredToken"))
    for change in (faults.add, faults.replace):
        with pytest.raises(FaultError) as raised:
            change(written("Throttling"), {"Kind": "X", "Times": "2"}, {"Kind": "Unseen"})
        assert [each.partition(": ")[0] for each in raised.value.problems] == [
            "$.Faults[1].Kind",
            "$.Faults[1].Times",
            "$.Faults[2].Seconds",
        ]
    assert faults.documents() == [written("ExpiredToken")]


@pytest.mark.parametrize(
    ("pattern", "happens"),
    [
        ("*", (CREATE, DESCRIBE)),
        ("CreateTrainingJob", (CREATE,)),
        ("Describe*", (DESCRIBE,)),
        ("sagemaker:*TrainingJob", (CREATE, DESCRIBE)),
        ("s3:*", (PUT,)),
        ("s3:PutObject", (PUT,)),
        ("*:*", (CREATE, DESCRIBE, PUT)),
    ],
)
def test_a_fault_happens_to_the_operations_that_fit(
    pattern: str, happens: tuple[Call, ...]
) -> None:
    faults = of(written("Throttling", Operations=pattern))
    assert tuple(call for call in (CREATE, DESCRIBE, PUT) if taken(faults, call)) == happens


def test_a_limit_is_for_what_takes_instances_only() -> None:
    faults = of(written("ResourceLimit"))
    assert taken(faults, CREATE) == "ResourceLimit"
    assert taken(faults, DESCRIBE) is None


def test_a_fault_of_one_stage_leaves_the_others_alone() -> None:
    faults = of(written("Latency"), written("ResetAfter"))
    assert taken(faults) is None
    assert taken(faults, stage=Stage.LATE) == "Latency"
    assert taken(faults, stage=Stage.AFTER) == "ResetAfter"


def test_the_fault_that_was_set_last_comes_first_until_its_times_are_over() -> None:
    faults = of(written("Throttling"), written("ExpiredToken", Times=2))
    assert [taken(faults) for _ in range(3)] == ["ExpiredToken", "ExpiredToken", "Throttling"]
    assert faults.documents()[1]["Times"] == 2


def test_a_fault_of_some_times_happens_no_more_often_however_many_ask() -> None:
    faults = of(written("Throttling", Times=7))
    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda _: taken(faults), range(200))]
    assert found.count("Throttling") == 7


@pytest.mark.parametrize(("probability", "happens"), [(0, False), (0.5, False), (0.51, True)])
def test_a_probability_is_measured_against_chance(probability: float, happens: bool) -> None:
    faults = of(written("Throttling", Probability=probability), chance=0.5)
    assert (taken(faults) is not None) is happens


def test_chance_is_the_same_each_time_unless_it_is_given() -> None:
    def sequence() -> list[str | None]:
        faults = Faults()
        faults.add(written("Throttling", Probability=0.5))
        return [taken(faults) for _ in range(50)]

    assert sequence() == sequence()
    assert set(sequence()) == {"Throttling", None}


def test_a_fault_that_chance_spares_leaves_the_request_to_the_one_before_it() -> None:
    faults = of(written("ExpiredToken"), written("Throttling", Probability=0, Times=1))
    assert taken(faults) == "ExpiredToken"


def test_what_is_hidden_is_seen_when_faults_are_replaced() -> None:
    faults = Faults()
    faults.hide("arn", 600)
    rows = [{"Arn": "arn"}, {"Arn": "other"}]
    assert list(faults.seen(rows, arn="Arn")) == [{"Arn": "other"}]
    assert faults.hides("arn")
    faults.replace()
    assert not faults.hides("arn")
    assert list(faults.seen(rows, arn="Arn")) == rows


def test_what_was_hidden_for_no_time_is_seen() -> None:
    faults = Faults()
    faults.hide("arn", 0)
    assert not faults.hides("arn")
