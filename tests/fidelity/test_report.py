from airflow_sm_pipelines.fidelity import ROWS, report
from tests.fidelity.cases import condition, pipeline_of, step


def test_a_report_has_an_entry_for_each_feature_with_all_its_places() -> None:
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    pipeline = pipeline_of(
        step("Training", "A", **cached), condition(yes=[step("Training", "B", **cached)])
    )
    entries = {entry.feature: entry for entry in report(pipeline)}
    assert entries["CacheConfig"].row.level == "equivalent"
    assert entries["CacheConfig"].places == (
        "$.Steps[0].CacheConfig",
        "$.Steps[1].Arguments.IfSteps[0].CacheConfig",
    )
    assert "Type=Tuning" not in entries


def test_entries_are_in_the_order_of_the_table_and_places_are_told_once() -> None:
    pair = [{"Get": "Parameters.P"}, {"Get": "Parameters.P"}]
    joined = {"Std:Join": {"On": "", "Values": pair}}
    pipeline = pipeline_of(
        step("Processing", "A"),
        step("Training", Arguments={"RoleArn": joined}),
        Parameters=[{"Name": "P", "Type": "String"}],
    )
    entries = report(pipeline)
    order = [ROWS.index(entry.row) for entry in entries]
    assert order == sorted(order)
    assert all(len(set(entry.places)) == len(entry.places) for entry in entries)
    (read,) = (entry for entry in entries if entry.feature == "Get=Parameters")
    assert len(read.places) == 2


def test_a_row_links_to_its_place_in_the_page() -> None:
    (row,) = (row for row in ROWS if row.anchor == "triggers")
    assert row.link == "docs/semantics.md#triggers"
