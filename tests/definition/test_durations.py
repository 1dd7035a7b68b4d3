import pytest

from airflow_sm_pipelines.definition.durations import Duration, parse_duration

EXAMPLES = "write for example P30D, PT12H (hours) or P1Y6M; M is months, after a T minutes"


# The service was seen to take most of these: in the SDK's tests, issues and AWS's notebooks.
@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P30D", Duration(text="P30D", days=30)),
        ("p30d", Duration(text="p30d", days=30)),
        ("30d", Duration(text="30d", days=30)),
        ("5y", Duration(text="5y", years=5)),
        ("P2W", Duration(text="P2W", weeks=2)),
        ("P30M", Duration(text="P30M", months=30)),
        ("30m", Duration(text="30m", months=30)),
        ("T30m", Duration(text="T30m", minutes=30)),
        ("T16m", Duration(text="T16m", minutes=16)),
        ("PT1H", Duration(text="PT1H", hours=1)),
        ("T12H", Duration(text="T12H", hours=12)),
        ("PT30S", Duration(text="PT30S", seconds=30)),
        ("P4DT12H", Duration(text="P4DT12H", days=4, hours=12)),
        ("30dT5h", Duration(text="30dT5h", days=30, hours=5)),
        ("P1M2DT3M", Duration(text="P1M2DT3M", months=1, days=2, minutes=3)),
        (
            "P1Y2M3W4DT5H6M7S",
            Duration(
                text="P1Y2M3W4DT5H6M7S",
                years=1,
                months=2,
                weeks=3,
                days=4,
                hours=5,
                minutes=6,
                seconds=7,
            ),
        ),
        ("P0D", Duration(text="P0D")),
        ("P007D", Duration(text="P007D", days=7)),
    ],
)
def test_duration_is_read(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration
    assert duration.parsed


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "T", "PT", "P30", "30", "D", "P30X", "thirty days"),
        *("P1D1Y", "P1M1Y", "PT1M1H", "P1D2D", "P1DT", "P1DT1", "T5D"),
        *("P1.5D", "P1,5D", "P-1D", "-P1D", "+P1D", "P1D ", " P1D", "P1D\n", "PP1D", "P1DTT1H"),
        *("P1234567890D", "P\u0661D", "PT1\u017f", "2026-01-01", "P0001-00-00"),
    ],
)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="no duration") as caught:
        parse_duration(text)
    assert str(caught.value) == f"{text!r} is no duration; {EXAMPLES}"


@pytest.mark.parametrize(("text", "meant"), [("12h", "T12h"), ("P12H", "T12H"), ("p30s", "T30s")])
def test_time_without_a_t_is_told_where_the_t_belongs(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match="no duration") as caught:
        parse_duration(text)
    assert str(caught.value) == (
        f"{text!r} is no duration; hours, minutes and seconds follow a T: {meant}"
    )
