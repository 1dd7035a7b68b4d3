import re

import pytest

from airflow_sm_pipelines.local.algorithms.metrics import BUILT_IN_METRICS, XGBOOST_METRICS
from airflow_sm_pipelines.local.algorithms.xgboost_metrics import METRICS

XGBOOST = dict(BUILT_IN_METRICS["xgboost"])

# "Tune an XGBoost Model" in the SageMaker developer guide: metrics that a tuning job may name.
DOCUMENTED = [
    "accuracy",
    "auc",
    "error",
    "f1",
    "logloss",
    "mae",
    "map",
    "merror",
    "mlogloss",
    "mse",
    "ndcg",
    "rmse",
]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_metric_is_there(name: str) -> None:
    assert f"validation:{name}" in XGBOOST


@pytest.mark.parametrize("name", XGBOOST_METRICS)
@pytest.mark.parametrize("channel", ["train", "validation"])
def test_a_metric_is_read_from_its_own_column(channel: str, name: str) -> None:
    line = f"[17]#011train-other:9#011{channel}-{name}:-1.5e-05#011validation-other:8"
    assert re.findall(XGBOOST[f"{channel}:{name}"], line) == ["-1.5e-05"]


def test_the_expression_is_the_one_that_a_described_job_shows() -> None:
    assert XGBOOST["validation:rmse"] == (
        r".*\[[0-9]+\].*#011validation-rmse:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"
    )


def test_what_scikit_learn_measures_is_a_metric_of_the_algorithm() -> None:
    assert METRICS.keys() <= set(XGBOOST_METRICS)
