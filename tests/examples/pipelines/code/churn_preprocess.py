"""Split the customers into sets: the target first, no header."""

import os
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

BASE = Path("/opt/ml/processing")

frame = pd.read_csv(BASE / "input" / "churn.csv")
frame["churned"] = (frame["churned"] == "yes").astype(int)
frame = pd.get_dummies(frame.drop(columns="phone"), columns=["plan"], dtype=int)
frame = frame[["churned", *(name for name in frame if name != "churned")]]
train, rest = train_test_split(frame, test_size=0.4, random_state=7, stratify=frame["churned"])
validation, test = train_test_split(rest, test_size=0.5, random_state=7)
for name, part in [("train", train), ("validation", validation), ("test", test)]:
    os.makedirs(BASE / name, exist_ok=True)
    part.to_csv(BASE / name / f"{name}.csv", header=False, index=False)
