from pathlib import Path

import pytest

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.metrics import Readings, compiled


def found(log: Path, content: str, **regexes: str) -> dict[str, float]:
    log.write_text(content)
    patterns = compiled({"Name": name, "Regex": regex} for name, regex in regexes.items())
    readings = Readings(patterns, [log])
    readings.read(ended=True)
    return values(readings)


def values(readings: Readings) -> dict[str, float]:
    found = readings.fields().get("FinalMetricDataList", ())
    return {each["MetricName"]: each["Value"] for each in found}


def test_the_last_value_in_the_log_counts(tmp_path: Path) -> None:
    log = "loss: 3\nloss: 2 loss: 1\n"
    assert found(tmp_path / "log", log, loss=r"loss: (\d)") == {"loss": 1.0}


def test_what_is_no_number_does_not_count(tmp_path: Path) -> None:
    log = "loss: 3\nloss: none\n"
    assert found(tmp_path / "log", log, loss=r"loss: (\w+)") == {"loss": 3.0}


def test_a_pattern_without_a_group_counts_as_a_whole(tmp_path: Path) -> None:
    assert found(tmp_path / "log", "a 12 b", n=r"\d+") == {"n": 12.0}


def test_a_group_that_takes_no_part_does_not_count(tmp_path: Path) -> None:
    assert found(tmp_path / "log", "b", n=r"a(\d)|b") == {}


def test_lines_of_the_built_in_algorithms_are_read(tmp_path: Path) -> None:
    regex = r".*\[[0-9]+\].*#011validation-rmse:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"
    log = "[0]#011train-rmse:2#011validation-rmse:2.2\n[1]#011train-rmse:1#011validation-rmse:2e-1"
    assert found(tmp_path / "log", log, rmse=regex) == {"rmse": 0.2}


def test_a_line_counts_as_soon_as_it_has_an_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    readings = Readings(compiled([{"Name": "loss", "Regex": r"loss: (\d+)"}]), [log])
    assert not readings.read()
    log.write_text("loss: 3\nloss: 1")
    assert readings.read()
    assert values(readings) == {"loss": 3.0}
    with log.open("a") as more:
        more.write("2\n")
    assert readings.read()
    assert values(readings) == {"loss": 12.0}
    assert not readings.read()


def test_the_logs_of_all_hosts_count(tmp_path: Path) -> None:
    logs = [tmp_path / "one", tmp_path / "two"]
    for number, log in enumerate(logs):
        log.write_text(f"host{number}: {number}\n")
    definitions = [{"Name": f"m{number}", "Regex": f"host{number}: (.)"} for number in range(2)]
    readings = Readings(compiled(definitions), logs)
    readings.read()
    assert values(readings) == {"m0": 0.0, "m1": 1.0}


def test_a_bad_regex_is_said_with_its_metric() -> None:
    with pytest.raises(JobError, match="the Regex of 'loss' is no regular expression"):
        compiled([{"Name": "loss", "Regex": "("}])
