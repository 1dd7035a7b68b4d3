"""Statistics, constraints and violations of the data-quality check."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local.handlers.container import ClientError
from airflow_sm_pipelines.local.handlers.model_monitor import sketch
from airflow_sm_pipelines.local.handlers.model_monitor.__main__ import analyse

CSV = '{"csv": {"header": true, "output_columns_position": "START"}}'
LINES = '{"json": {"lines": true}}'
NO_VIOLATIONS = "Completed: Job completed successfully with no violations."
BASELINE = "n,x,s,e\n" + "".join(f"{i},{i}.5,{'ab'[i % 2]},\n" for i in range(400))

Report = dict[str, Any]


def check(
    folder: Path, rows: str, *, dataset_format: str = CSV, against: Path | None = None
) -> tuple[str, Path]:
    """Analyse a dataset, against the reports in a folder; the exit message and the reports."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.csv").write_text(rows)
    environment = {
        "dataset_source": str(folder / "data.csv"),
        "dataset_format": dataset_format,
        "output_path": str(folder / "out"),
        "publish_cloudwatch_metrics": "Disabled",
    }
    if against is not None:
        environment["baseline_constraints"] = str(against / "constraints.json")
        environment["baseline_statistics"] = str(against / "statistics.json")
    return analyse(environment), folder / "out"


def read(reports: Path, name: str) -> Report:
    content: Report = json.loads((reports / name).read_text())
    return content


def features(reports: Path, name: str) -> dict[str, Report]:
    return {each["name"]: each for each in read(reports, name)["features"]}


def violations(
    folder: Path, rows: str, config: Report | None = None, baseline: str = BASELINE
) -> dict[str, tuple[str, str]]:
    """Check -> feature and description, of a dataset beside a baseline."""
    _, before = check(folder / "baseline", baseline)
    if config is not None:
        constraints = read(before, "constraints.json")
        constraints["monitoring_config"] = {**constraints["monitoring_config"], **config}
        (before / "constraints.json").write_text(json.dumps(constraints))
    _, reports = check(folder / "current", rows, against=before)
    found = read(reports, "constraint_violations.json")["violations"]
    return {
        each["constraint_check_type"]: (each["feature_name"], each["description"]) for each in found
    }


def test_a_baseline_has_statistics_of_each_column(tmp_path: Path) -> None:
    message, reports = check(tmp_path, "n,x,s,e\n1,0.5,a,\n3,,b,\n2,1.5,a,\n")
    assert message == NO_VIOLATIONS
    assert read(reports, "statistics.json")["dataset"] == {"item_count": 3}
    found = features(reports, "statistics.json")
    assert {name: each["inferred_type"] for name, each in found.items()} == {
        "n": "Integral",
        "x": "Fractional",
        "s": "String",
        "e": "Unknown",
    }
    numbers = found["n"]["numerical_statistics"]
    assert (numbers["mean"], numbers["sum"], numbers["min"], numbers["max"]) == (2, 6, 1, 3)
    assert numbers["std_dev"] == pytest.approx((2 / 3) ** 0.5)
    assert found["x"]["numerical_statistics"]["common"] == {"num_present": 2, "num_missing": 1}
    kll = numbers["distribution"]["kll"]
    assert len(kll["buckets"]) == 10
    assert sum(bucket["count"] for bucket in kll["buckets"]) == 3
    assert kll["buckets"][0]["lower_bound"] == 1
    assert kll["buckets"][-1]["upper_bound"] == 3
    assert sorted(kll["sketch"]["data"][0]) == [1, 2, 3]
    texts = found["s"]["string_statistics"]
    assert texts["distinct_count"] == 2
    assert texts["distribution"]["categorical"]["buckets"] == [
        {"value": "a", "count": 2},
        {"value": "b", "count": 1},
    ]


def test_a_baseline_suggests_constraints_with_the_documented_thresholds(tmp_path: Path) -> None:
    _, reports = check(tmp_path, "n,x,s\n-1,0.5,a\n3,,b\n")
    found = features(reports, "constraints.json")
    assert found["n"]["num_constraints"] == {"is_non_negative": False}
    assert found["x"] == {
        "name": "x",
        "inferred_type": "Fractional",
        "completeness": 0.5,
        "num_constraints": {"is_non_negative": True},
    }
    assert found["s"]["string_constraints"] == {"domains": ["a", "b"]}
    config = read(reports, "constraints.json")["monitoring_config"]
    assert config["distribution_constraints"]["comparison_threshold"] == 0.1
    assert not (reports / "constraint_violations.json").exists()


def test_a_column_of_many_texts_has_no_domains_and_no_distribution(tmp_path: Path) -> None:
    _, reports = check(tmp_path, "s\n" + "".join(f"text {n}\n" for n in range(121)))
    assert "string_constraints" not in features(reports, "constraints.json")["s"]
    assert "distribution" not in features(reports, "statistics.json")["s"]["string_statistics"]


def test_data_like_the_baseline_has_no_violations(tmp_path: Path) -> None:
    _, before = check(tmp_path / "baseline", BASELINE)
    message, reports = check(tmp_path / "current", BASELINE, against=before)
    assert message == NO_VIOLATIONS
    assert read(reports, "constraint_violations.json") == {"violations": []}


def test_the_exit_message_has_the_number_of_violations(tmp_path: Path) -> None:
    _, before = check(tmp_path / "baseline", BASELINE)
    message, _ = check(tmp_path / "current", "n,x\n1,1.5\n", against=before)
    assert message == "CompletedWithViolations: Job completed successfully with 1 violations."


def test_columns_that_are_missing_or_new_are_violations(tmp_path: Path) -> None:
    found = violations(tmp_path, "n,x,s,more\n1,1.5,a,1\n")
    counts = "Number of columns in current dataset: 4, Number of columns in baseline constraints: 4"
    assert found["missing_column_check"] == (
        "Missing columns",
        f"There are missing columns in current dataset: e. {counts}",
    )
    assert found["extra_column_check"] == (
        "Extra columns",
        f"There are extra columns in current dataset: more. {counts}",
    )


def test_a_value_of_another_type_is_a_violation(tmp_path: Path) -> None:
    found = violations(tmp_path, BASELINE.replace("\n7,", "\nseven,"))
    assert found["data_type_check"] == (
        "n",
        "Data type match requirement is not met. Expected data type: Integral, Expected match: "
        "100.0%. Observed: Only 99.75% of data is Integral.",
    )


def test_a_whole_number_is_a_fractional_one_too(tmp_path: Path) -> None:
    assert violations(tmp_path, BASELINE.replace(",7.5,", ",7,")) == {}


def test_fewer_values_than_in_the_baseline_are_a_violation(tmp_path: Path) -> None:
    found = violations(tmp_path, BASELINE.replace("\n7,", "\n,"))
    assert found["completeness_check"] == ("n", "Completeness 0.9975 is below the required 1.0.")


def test_an_unknown_category_is_a_violation(tmp_path: Path) -> None:
    feature, said = violations(tmp_path, BASELINE.replace("7.5,b", "7.5,new"))[
        "categorical_values_check"
    ]
    assert feature == "s"
    assert said.startswith("Value: 0.9")


def test_a_shift_of_numbers_is_a_violation(tmp_path: Path) -> None:
    shifted = "n,x,s,e\n" + "".join(f"{i + 200},{i}.5,{'ab'[i % 2]},\n" for i in range(400))
    feature, said = violations(tmp_path, shifted)["baseline_drift_check"]
    distance = 0.5 - 1.8 * (800 / 160_000) ** 0.5
    assert (feature, said) == ("n", f"Baseline drift distance: {distance} exceeds threshold: 0.1")


def test_a_shift_of_categories_is_a_violation(tmp_path: Path) -> None:
    shifted = BASELINE.replace(",b,", ",a,")
    feature, said = violations(tmp_path, shifted)["baseline_drift_check"]
    assert feature == "s"
    assert "exceeds threshold: 0.1" in said


@pytest.mark.parametrize(
    ("config", "checks"),
    [
        ({"evaluate_constraints": "Disabled"}, set()),
        ({"datatype_check_threshold": 0.9}, set()),
        ({"distribution_constraints": {"perform_comparison": "Disabled"}}, {"data_type_check"}),
    ],
)
def test_the_thresholds_of_the_constraints_are_kept(
    tmp_path: Path, config: Report, checks: set[str]
) -> None:
    assert set(violations(tmp_path, BASELINE.replace("\n7,", "\nseven,"), config)) == checks


def test_the_simple_comparison_makes_no_allowance_for_few_rows(tmp_path: Path) -> None:
    few = "n,x,s,e\n" + "".join(f"{i},{i}.5,{'ab'[i % 2]},\n" for i in range(100, 160))
    simple = {"distribution_constraints": {"comparison_method": "Simple"}}
    _, said = violations(tmp_path, few, simple)["baseline_drift_check"]
    assert said.startswith("Baseline drift distance: 0.6")


def test_lines_of_json_are_read(tmp_path: Path) -> None:
    rows = '{"n": 1, "s": "a"}\n\n{"n": 2, "more": true}\n'
    _, reports = check(tmp_path, rows, dataset_format=LINES)
    found = features(reports, "statistics.json")
    assert found["n"]["inferred_type"] == "Integral"
    assert found["s"]["string_statistics"]["common"] == {"num_present": 1, "num_missing": 1}
    assert found["more"]["inferred_type"] == "String"


def test_columns_without_a_header_have_numbers(tmp_path: Path) -> None:
    _, reports = check(tmp_path, "1,a\n2,b\n", dataset_format='{"csv": {"header": false}}')
    assert list(features(reports, "statistics.json")) == ["_c0", "_c1"]


@pytest.mark.parametrize(
    ("rows", "changes", "problem"),
    [
        ("n\n1\n", {"dataset_format": '{"parquet": {}}'}, 'dataset_format {"parquet": {}} is not'),
        ("n\n1\n", {"dataset_format": "csv"}, "the variable dataset_format is no JSON: 'csv'"),
        ("n\n1\n", {"dataset_source": ""}, "the variable dataset_source is missing"),
        ("n\n1\n", {"analysis_type": "MODEL_QUALITY"}, "the analysis MODEL_QUALITY is not there"),
        ("n\n1\n", {"record_preprocessor_script": "x"}, "record_preprocessor_script is not there"),
        ("n\n1\n", {"baseline_constraints": "/nowhere"}, "/nowhere: No such file"),
        ("n,m\n1\n", {}, "record 1 has 1 values, and there are 2 columns"),
        ("n,n\n1,2\n", {}, "a column is there twice: n, n"),
        ("[1]", {"dataset_format": LINES}, "line 1: no JSON object"),
        ("{", {"dataset_format": LINES}, "line 1: no JSON: "),
    ],
)
def test_what_cannot_be_analysed_is_told(
    tmp_path: Path, rows: str, changes: dict[str, str], problem: str
) -> None:
    (tmp_path / "data").write_text(rows)
    environment = {
        "dataset_source": str(tmp_path),
        "dataset_format": CSV,
        "output_path": str(tmp_path / "out"),
        **changes,
    }
    with pytest.raises(ClientError) as told:
        analyse(environment)
    assert problem in str(told.value)


def test_a_sketch_of_many_numbers_is_small_and_close(tmp_path: Path) -> None:
    chance = random.Random(1)
    values = [chance.gauss(0, 1) for _ in range(50_001)]
    items = sketch.weighted(sketch.distribution(values))
    assert len(items) < 3 * sketch.K
    assert sum(weight for _, weight in items) == 50_001
    assert sketch.apart(items, [(value, 1) for value in values]) < 0.01
