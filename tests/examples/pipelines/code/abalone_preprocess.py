"""Split the measurements of abalone into sets: the target first, sexes as columns, no header."""

from pathlib import Path

import pandas as pd

NAMES = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]
BASE = Path("/opt/ml/processing")

frame = pd.concat(pd.read_csv(file, names=NAMES) for file in (BASE / "input").glob("*.csv"))
frame = frame[pd.to_numeric(frame["rings"], errors="coerce").notna()]  # with or without a header
frame = pd.get_dummies(frame, columns=["sex"], dtype=float).astype(float)
frame = frame[["rings", *(name for name in frame if name != "rings")]]
frame = frame.sample(frac=1, random_state=7)
train, validation = int(0.7 * len(frame)), int(0.85 * len(frame))
sets = {
    "train": frame[:train],
    "validation": frame[train:validation],
    "test": frame[validation:],
    "batch": frame[validation:][:50],
}
for name, part in sets.items():
    part.to_csv(BASE / name / f"{name}.csv", header=False, index=False)
    print(f"{name}: {len(part)} rows")
