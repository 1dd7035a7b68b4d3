"""Measure a model of SageMaker's XGBoost on the test set; writes evaluation.json."""

import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost as xgb

BASE = Path("/opt/ml/processing")

with tarfile.open(next((BASE / "model").glob("*.tar.gz"))) as archive:
    archive.extractall("model", filter="data")
model = xgb.Booster()
model.load_model("model/xgboost-model")
rows = pd.read_csv(BASE / "test" / "test.csv", header=None).to_numpy()
target, predicted = rows[:, 0], model.predict(xgb.DMatrix(rows[:, 1:]))

if "--classification" in sys.argv[1:]:
    from sklearn.metrics import roc_auc_score

    report = {"binary_classification_metrics": {"auc": {"value": roc_auc_score(target, predicted)}}}
else:
    mse = float(np.mean((target - predicted) ** 2))
    report = {"regression_metrics": {"mse": {"value": mse}}}
print(report)
(BASE / "evaluation" / "evaluation.json").write_text(json.dumps(report))
