"""Train a tree in script mode, as the scikit-learn image runs it."""

import argparse
import os
from pathlib import Path

import joblib
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
parser.add_argument("--note")
parser.add_argument("--train", type=Path, default=os.environ["SM_CHANNEL_TRAIN"])
parser.add_argument("--model-dir", type=Path, default=os.environ["SM_MODEL_DIR"])
given = parser.parse_args()
assert given.note == "with 'quotes' and spaces", given.note

frame = pd.concat(pd.read_csv(file) for file in given.train.glob("*.csv"))
features = frame[["calls", "minutes", "age"]]
model = DecisionTreeClassifier(max_depth=given.depth, random_state=7)
model.fit(features, frame["churned"])
print(f"accuracy={model.score(features, frame['churned']):.4f};")
joblib.dump(model, given.model_dir / "model.joblib")
