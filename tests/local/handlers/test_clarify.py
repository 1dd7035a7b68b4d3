"""The bias metrics, against values worked out by hand from the documented formulas.

And what they break of an earlier analysis, against the rule and the words that AWS documents.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local.handlers.clarify.__main__ import analyse
from airflow_sm_pipelines.local.handlers.container import ClientError

# Six m of whom four are good, four f of whom one is; `said` is what a model said.
ROWS = """\
sex,good,said,chance,age,town
m,1,1,0.9,20,x
m,1,1,0.8,25,x
m,1,1,0.7,30,x
m,1,0,0.2,35,x
m,0,1,0.6,40,x
m,0,0,0.1,45,x
f,1,0,0.3,50,x
f,0,0,0.4,55,x
f,0,0,0.5,60,x
f,0,1,0.51,65,x
"""
CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv",
    "label": "good",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}],
    "group_variable": "town",
    "methods": {"pre_training_bias": {"methods": "all"}, "report": {"name": "report"}},
}
PREDICTED: dict[str, Any] = {
    "predicted_label": "said",
    "methods": {"post_training_bias": {"methods": "all"}},
}


def analysis(folder: Path, rows: str = ROWS, **changes: Any) -> dict[str, Any]:
    """The analysis.json of a dataset, by a configuration with other members."""
    prepare(folder, rows, **changes)
    analyse(folder, {})
    content: dict[str, Any] = json.loads((folder / "output" / "analysis.json").read_text())
    return content


def prepare(folder: Path, rows: str = ROWS, **changes: Any) -> None:
    for name in ("config", "data"):
        (folder / "input" / name).mkdir(parents=True, exist_ok=True)
    config = {key: value for key, value in {**CONFIG, **changes}.items() if value is not None}
    (folder / "input" / "config" / "analysis_config.json").write_text(json.dumps(config))
    (folder / "input" / "data" / "data").write_text(rows)


def violations(folder: Path, baseline: Any, rows: str = ROWS, **changes: Any) -> Any:
    """The violations of a dataset beside a baseline, and the message of the job.

    None without a report, which is there only where there are some.
    """
    prepare(folder, rows, **changes)
    (folder / "baseline.json").write_text(json.dumps(baseline))
    message = analyse(folder, {"baseline_constraints": str(folder / "baseline.json")})
    file = folder / "output" / "constraint_violations.json"
    report = json.loads(file.read_text()) if file.exists() else {"version": "1.0"}
    assert report["version"] == "1.0"
    return report.get("violations"), message


def baseline(value: object = "f", kind: str = "pre_training", **metrics: object) -> dict[str, Any]:
    """An earlier analysis with these metrics of the facet `sex`."""
    listed = [{"name": name, "value": number} for name, number in metrics.items()]
    facets = {"sex": [{"value_or_threshold": value, "metrics": listed}]}
    return {"version": "1.0", f"{kind}_bias_metrics": {"label": "good", "facets": facets}}


def metrics(report: dict[str, Any], kind: str = "pre_training", facet: str = "sex") -> Any:
    """Name -> value, of the first value of a facet."""
    first = report[f"{kind}_bias_metrics"]["facets"][facet][0]
    return {each["name"]: each["value"] for each in first["metrics"]}


def test_the_bias_of_a_dataset_is_measured(tmp_path: Path) -> None:
    report = analysis(tmp_path)
    assert report["version"] == "1.0"
    assert report["pre_training_bias_metrics"]["label"] == "good"
    assert report["pre_training_bias_metrics"]["label_value_or_threshold"] == "1"
    (facet,) = report["pre_training_bias_metrics"]["facets"]["sex"]
    assert facet["value_or_threshold"] == "f"
    assert metrics(report) == pytest.approx(
        {
            "CDDL": 0.4,
            "CI": 0.2,
            "DPL": 0.416667,
            "JS": 0.090246,
            "KL": 0.383576,
            "KS": 0.416667,
            "LP": 0.589256,
            "TVD": 0.416667,
        },
        abs=1e-5,
    )


def test_the_bias_of_predictions_is_measured(tmp_path: Path) -> None:
    found = metrics(analysis(tmp_path, **PREDICTED), "post_training")
    assert found.pop("FT") is None
    assert found == pytest.approx(
        {
            "AD": 1 / 6,
            "CDDPL": 0.4,
            "DAR": 0.75,
            "DCA": 0.0,
            "DCR": 0.0,
            "DI": 0.375,
            "DPPL": 0.416667,
            "DRR": 1 / 6,
            "GE": 0.2,
            "RD": 0.75,
            "SD": 1 / 6,
            "TE": 0.0,
        },
        abs=1e-5,
    )


def test_probabilities_become_labels_by_the_threshold(tmp_path: Path) -> None:
    by_label = metrics(analysis(tmp_path, **PREDICTED), "post_training")
    by_chance = metrics(
        analysis(tmp_path, **{**PREDICTED, "predicted_label": "chance"}), "post_training"
    )
    assert by_chance == by_label


def test_a_number_that_divides_the_label_divides_what_was_predicted_of_it(tmp_path: Path) -> None:
    label = {"label": "age", "label_values_or_threshold": [45]}
    by_label = metrics(
        analysis(tmp_path, **{**PREDICTED, **label, "predicted_label": "age"}), "post_training"
    )
    assert (by_label["AD"], by_label["GE"]) == (0, 0)


def test_a_metric_without_a_value_says_why(tmp_path: Path) -> None:
    report = analysis(tmp_path, group_variable=None)
    measured = report["pre_training_bias_metrics"]["facets"]["sex"][0]["metrics"]
    assert measured[0] == {
        "name": "CDDL",
        "description": "Conditional Demographic Disparity in Labels (CDDL)",
        "value": None,
        "error": "Group variable is empty or not provided",
    }


def test_what_is_infinite_is_written_as_the_service_does(tmp_path: Path) -> None:
    everyone = ROWS.replace("f,1,", "f,0,")
    assert metrics(analysis(tmp_path, everyone))["KL"] == "Infinity"


def test_only_the_metrics_that_are_asked_for_are_there(tmp_path: Path) -> None:
    asked = {"pre_training_bias": {"methods": ["DPL", "CI"]}}
    assert list(metrics(analysis(tmp_path, methods=asked))) == ["CI", "DPL"]


def test_a_number_divides_a_facet_of_numbers_in_two(tmp_path: Path) -> None:
    facet = [{"name_or_index": 4, "value_or_threshold": [45]}]
    report = analysis(tmp_path, facet=facet)
    (old,) = report["pre_training_bias_metrics"]["facets"]["age"]
    assert old["value_or_threshold"] == "(45, 65]"
    assert metrics(report, facet="age")["CI"] == pytest.approx(0.2)


# As a featurizer writes them: AWS's own example divides a column of 0.0 and 1.0 at 0.5, and whole
# numbers of which many are alike, written as fractions, at 15.0.
@pytest.mark.parametrize(
    ("column", "wanted", "imbalance"),
    [
        (["0.0", "1.0"], 0.5, 0.0),
        (["0.0", "1.0"], 1, 0.0),
        (["0", "1"], 0.5, 0.0),
        (["14.0", "15.0", "16.0", "17.0"], 15.0, 0.0),
        (["14", "15", "16", "17"], 15, 0.5),
    ],
)
def test_what_a_number_is_in_a_column_depends_on_how_the_column_is_written(
    tmp_path: Path, column: list[str], wanted: float, imbalance: float
) -> None:
    values = column * 40
    rows = "\n".join(["x,good", *(f"{value},{n % 3}" for n, value in enumerate(values))])
    facet = [{"name_or_index": "x", "value_or_threshold": [wanted]}]
    report = analysis(tmp_path, rows, facet=facet, group_variable=None)
    assert metrics(report, facet="x")["CI"] == imbalance


def test_a_facet_without_values_is_measured_category_by_category(tmp_path: Path) -> None:
    report = analysis(tmp_path, facet=[{"name_or_index": "sex"}])
    values = report["pre_training_bias_metrics"]["facets"]["sex"]
    assert [each["value_or_threshold"] for each in values] == ["m", "f"]


def test_files_without_a_header_and_json_lines_are_read_too(tmp_path: Path) -> None:
    headers, *rows = ROWS.splitlines()
    names = headers.split(",")
    plain = metrics(analysis(tmp_path / "a", "\n".join(rows), headers=names))
    unnamed = metrics(
        analysis(
            tmp_path / "d",
            "\n".join(rows),
            label=1,
            facet=[{"name_or_index": 0, "value_or_threshold": ["f"]}],
            group_variable="column_5",
        ),
        facet="column_0",
    )
    lines = "\n".join(json.dumps(dict(zip(names, row.split(","), strict=True))) for row in rows)
    by_line = metrics(analysis(tmp_path / "b", lines, dataset_type="application/jsonlines"))
    assert plain == unnamed == by_line == metrics(analysis(tmp_path / "c"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"methods": {"shap": {}}}, "the methods shap are not there locally; map a handler"),
        ({"methods": {}}, "methods: none given; one of pre_training_bias, post_training_bias"),
        (
            {"methods": {"post_training_bias": {}}},
            "post_training_bias needs predictions; give predicted_label, a column of the dataset",
        ),
        (
            {"methods": {"pre_training_bias": {"methods": ["XY"]}}},
            "pre_training_bias: unknown metrics XY; there are",
        ),
        ({"label": "bad"}, "label: 'bad' is no column; the dataset has sex, good, said"),
        ({"facet": None}, "facet is missing in analysis_config.json"),
        (
            {"facet": [{"name_or_index": "sex", "value_or_threshold": ["x"]}]},
            "none of the rows have sex x; some would, and some not",
        ),
        ({"label_values_or_threshold": [0, 1]}, "all of the rows have good 0,1; some would"),
        ({"dataset_type": "application/x-parquet"}, "dataset_type 'application/x-parquet' is not"),
        (
            {**PREDICTED, "predicted_label": "sex"},
            "sex: predictions are neither labels nor probabilities",
        ),
    ],
)
def test_what_cannot_be_analysed_is_told(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ClientError) as told:
        analysis(tmp_path, **changes)
    assert str(told.value).startswith(problem)


def test_data_that_is_no_worse_than_the_baseline_breaks_nothing(tmp_path: Path) -> None:
    before = analysis(tmp_path / "before")
    found, message = violations(tmp_path / "now", before)
    assert found is None
    assert message == "Completed: Job completed successfully with no violations."


# The worked example of the developer guide: with a baseline of 0.2, 0.1 is closer to 0 and fine,
# and -0.3 is farther. DPL of the rows is 0.416667, CI 0.2.
@pytest.mark.parametrize(
    ("before", "broken"),
    [
        ({"CI": 0.1}, ["CI"]),
        ({"CI": -0.1}, ["CI"]),
        ({"CI": 0.3}, []),
        ({"CI": -0.3}, []),
        ({"CI": 0.2 - 1e-12}, []),
        ({"CI": 0.1, "DPL": 0.1, "KS": 0.9}, ["CI", "DPL"]),
        ({"CI": 0.1, "DPL": None}, ["CI"]),
        ({"CI": "Infinity"}, []),
    ],
)
def test_a_metric_that_is_farther_from_zero_is_a_violation(
    tmp_path: Path, before: dict[str, Any], broken: list[str]
) -> None:
    found, message = violations(tmp_path, baseline(**before))
    assert [each["metric_name"] for each in found or ()] == broken
    assert message.startswith("CompletedWithViolations: " if broken else "Completed: ")


def test_a_violation_has_the_members_that_are_documented(tmp_path: Path) -> None:
    (found,), message = violations(tmp_path, baseline(CI=0.1))
    assert found == {
        "facet": "sex",
        "facet_value": "f",
        "metric_name": "CI",
        "constraint_check_type": "bias_drift_check",
        "description": "Value 0.2 does not meet the constraint requirement",
    }
    assert message == "CompletedWithViolations: Job completed successfully with 1 violations."


@pytest.mark.parametrize(("before", "broken"), [(0.3, []), (0.5, ["DI"]), (2.0, []), (1.1, ["DI"])])
def test_disparate_impact_is_balanced_at_one(
    tmp_path: Path, before: float, broken: list[str]
) -> None:
    found, _ = violations(tmp_path, baseline(kind="post_training", DI=before), **PREDICTED)
    assert [each["metric_name"] for each in found or ()] == broken


def test_a_facet_is_known_by_its_threshold_whatever_the_data_reach(tmp_path: Path) -> None:
    before = baseline(value="(45, 90]", CI=0.1)
    before["pre_training_bias_metrics"]["facets"] = {
        "age": before["pre_training_bias_metrics"]["facets"]["sex"]
    }
    facet = [{"name_or_index": "age", "value_or_threshold": [45]}]
    (found,), _ = violations(tmp_path, before, facet=facet)
    assert (found["facet"], found["facet_value"]) == ("age", "45")


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        (baseline(value="m", CI=0.1), "the baseline has no metric of this analysis; it would be"),
        (baseline(kind="post_training", CI=0.1), "the baseline has no metric of this analysis"),
        ({"features": []}, "the baseline has no metric of this analysis"),
        ([], "the baseline is no analysis.json of Clarify: AttributeError"),
        (baseline(CI="much"), "the baseline is no analysis.json of Clarify: ValueError"),
    ],
)
def test_a_baseline_of_something_else_fails_the_job(
    tmp_path: Path, before: Any, problem: str
) -> None:
    with pytest.raises(ClientError) as told:
        violations(tmp_path, before)
    assert str(told.value).startswith(problem)
