"""How a model answers: one prediction a line."""

import json
from pathlib import Path


def model_fn(model_dir):
    return json.loads((Path(model_dir) / "model.json").read_text())


def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    return [float(line) for line in text.split()]


def predict_fn(xs, model):
    return [model["start"] + model["slope"] * x for x in xs]


def output_fn(predicted, accept):
    return "\n".join(map(str, predicted)) + "\n"
