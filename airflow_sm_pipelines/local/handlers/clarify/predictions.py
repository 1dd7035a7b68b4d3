"""What a model says of the rows of a dataset, as a column more of it: CSV in, CSV out.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-configure-analysis.html
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..container import ClientError, Table
from .configuration import ADVICE, POST_TRAINING, named
from .endpoint import Service, shadow

_CSV = "text/csv"
# How many rows are sent at once; a payload of AWS's endpoints has at most 6 MB.
_BATCH = 500


def needed(config: Mapping[str, Any]) -> bool:
    """Whether an analysis needs a model, since its dataset has no predictions."""
    methods, predictor = config.get("methods") or {}, config.get("predictor") or {}
    said = config.get("predicted_label") is not None
    has_model = bool(predictor.get("model_name") or predictor.get("endpoint_name"))
    return POST_TRAINING in methods and not said and has_model


def added(
    config: Mapping[str, Any], table: Table, local: Service
) -> tuple[Mapping[str, Any], Table]:
    """The configuration and the dataset of an analysis with the predictions of its model."""
    predictor = config["predictor"]
    headers = _headers(config, predictor)
    rows = list(zip(*_features(config, table), strict=True))
    if predictor.get("endpoint_name"):
        predicted = list(_asked(local, predictor["endpoint_name"], rows, headers, predictor))
    else:
        with shadow(local, predictor) as name:
            predicted = list(_asked(local, name, rows, headers, predictor))
    column = "predicted by the model"
    columns = {**table.columns, column: predicted}
    return {**config, "predicted_label": column}, Table(columns)


def _headers(config: Mapping[str, Any], predictor: Mapping[str, Any]) -> dict[str, str]:
    content = predictor.get("content_type") or config.get("dataset_type") or ""
    accepted = predictor.get("accept_type") or content
    if (content, accepted) != (_CSV, _CSV):
        raise ClientError(
            f"a model that takes {content!r} and answers {accepted!r} is not asked locally; it "
            f"would be {_CSV!r} for both; {ADVICE}"
        )
    custom = predictor.get("custom_attributes")
    own = {"X-Amzn-SageMaker-Custom-Attributes": custom} if custom else {}
    return {"Content-Type": content, "Accept": accepted, **own}


def _features(config: Mapping[str, Any], table: Table) -> list[Sequence[str | None]]:
    """The columns that the model is given: all but the label and those that are excluded."""
    left_out = {
        named(table, given, key)
        for key in ("label", "joinsource_name_or_index")
        if (given := config.get(key)) is not None
    }
    for given in config.get("excluded_columns") or ():
        left_out.add(named(table, given, "excluded_columns"))
    return [values for name, values in table.columns.items() if name not in left_out]


def _asked(
    local: Service,
    endpoint: str,
    rows: Sequence[Sequence[str | None]],
    headers: Mapping[str, str],
    predictor: Mapping[str, Any],
) -> Iterator[str]:
    """The prediction of each row."""
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        body = io.StringIO()
        csv.writer(body, lineterminator="\n").writerows(batch)
        text = local.invoke(endpoint, body.getvalue().encode(), headers)
        answers = [record for record in csv.reader(text.splitlines()) if record]
        # XGBoost's older images answer all rows in one line.
        if len(answers) == 1 and len(answers[0]) == len(batch):
            answers = [[value] for value in answers[0]]
        if len(answers) != len(batch):
            raise ClientError(f"the model answers {len(answers)} records for {len(batch)}")
        yield from (_said(record, predictor) for record in answers)


def _said(record: Sequence[str], predictor: Mapping[str, Any]) -> str:
    """The label or the score in a record of an answer; of several scores the highest one's label.

    As Clarify has it, a single value that no index is given for is a score.
    """
    label, probability = predictor.get("label"), predictor.get("probability")
    if label is not None:
        return _at(record, label, "label")
    names = predictor.get("label_headers")
    texts = _split(record if probability is None else [_at(record, probability, "probability")])
    scores = _scores(texts)
    if names and len(scores) == len(names) > 1:
        return str(names[scores.index(max(scores))])
    if len(scores) == 1:
        return texts[0]
    raise ClientError(
        f"predictor: which of {list(record)} is the prediction? Give the index of the label, or "
        "label_headers, one for each score"
    )


def _at(record: Sequence[str], index: object, key: str) -> str:
    if isinstance(index, int) and 0 <= index < len(record):
        return record[index]
    raise ClientError(f"predictor.{key}: {index!r} is no index into the answer {list(record)}")


def _split(values: Sequence[str]) -> Sequence[str]:
    """Values of columns of their own, or in one as a JSON list."""
    if len(values) == 1 and values[0].startswith("[") and values[0].endswith("]"):
        return values[0][1:-1].split(",")
    return values


def _scores(values: Sequence[str]) -> list[float]:
    try:
        return [float(value) for value in values]
    except ValueError as error:
        raise ClientError(
            f"predictor: {list(values)} are no scores; label would be the index of a label"
        ) from error
