from pathlib import Path

import pytest

PIPELINE = Path(__file__).parent / "pipeline.json"
PREPARE = Path(__file__).parent / "code" / "prepare.py"


@pytest.fixture
def trained(sm_local):
    """Let every training job end with a score, instead of running it."""

    def play(score):
        metric = {"MetricName": "validation:auc", "Value": score, "Timestamp": 0}
        fields = {
            "FinalMetricDataList": [metric],
            "ModelArtifacts": {"S3ModelArtifacts": "s3://scoring/models/model.tar.gz"},
        }
        moments = [{"Status": "Completed", "Fields": fields}]
        sm_local.scripts.add({"Kind": "TrainingJob", "Name": "*-Train-*", "Moments": moments})

    return play


def test_a_good_model_is_created(sm_local, trained):
    sm_local.upload("s3://scoring/raw.csv", "1,2.5\n,3.0\n0,1.5")
    trained(0.93)

    run = sm_local.run_pipeline(PIPELINE, {"MinScore": 0.9})

    assert run.succeeded, run.report()
    assert sm_local.read("s3://scoring/rows/rows.csv") == b"1,2.5\n0,1.5"
    assert run.steps["Train"].properties["HyperParameters"] == {"num_round": "500"}
    assert run.created == ["CreateProcessingJob", "CreateTrainingJob", "CreateModel"]
    container = run.steps["Create"].properties["PrimaryContainer"]
    assert container["ModelDataUrl"] == "s3://scoring/models/model.tar.gz"


def test_a_bad_model_is_not(sm_local, trained):
    sm_local.upload("s3://scoring/raw.csv", "1,2.5")
    trained(0.7)

    run = sm_local.run_pipeline(PIPELINE)

    assert run.statuses == {
        "Prepare": "Succeeded",
        "Train": "Succeeded",
        "IsGood": "Succeeded",
        "Create": "NotExecuted",
        "TooBad": "Failed",
    }
    assert run.steps["IsGood"].properties == {"Outcome": False}
    assert "the model is not good enough" in run.steps["TooBad"].failure_reason


def test_data_that_is_missing_is_told(sm_local):
    run = sm_local.run_pipeline(PIPELINE)

    assert run.status == "Failed"
    assert "s3://scoring/raw.csv" in run.steps["Prepare"].failure_reason
    assert run.steps["Train"].status == "NotExecuted"
