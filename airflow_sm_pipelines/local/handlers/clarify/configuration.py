"""What an analysis_config.json asks for, as far as it is about bias."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..container import ClientError, Table, first_record, read_csv, read_json_lines
from .groups import number

ADVICE = (
    "map a handler of your own for sagemaker-clarify-processing in images.toml, or run it on AWS"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """A column, and the values or the threshold of those that may be at a disadvantage."""

    name: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The columns and the values of an analysis; `methods` are those of each kind of bias."""

    label: str
    positive: tuple[object, ...]
    facets: tuple[Facet, ...]
    group: str | None
    predicted: str | None
    threshold: float
    methods: Mapping[str, Sequence[str] | str]


def read_dataset(config: Mapping[str, Any], source: Path) -> Table:
    """The dataset of an analysis."""
    kind = config.get("dataset_type")
    headers = config.get("headers")
    if kind == "text/csv":
        names = headers or _placeholders(source)
        return read_csv(source, header=names is None, names=names)
    if kind == "application/jsonlines" and not headers:
        return read_json_lines(source)
    raise ClientError(
        f"dataset_type {kind!r}{' with headers' if headers else ''} is not there in the local AWS; "
        f"it would be 'text/csv', or 'application/jsonlines' of flat objects; {ADVICE}"
    )


def _placeholders(source: Path) -> Sequence[str] | None:
    """Names for the columns of files without a header, which a number in the first record shows.

    How Clarify tells is not documented; that it makes names up is (SDK, `DataConfig`).
    """
    first = first_record(source)
    if all(number(value) is None for value in first):
        return None
    return [f"column_{n}" for n in range(len(first))]


def configured(config: Mapping[str, Any], table: Table) -> Configuration:
    """The analysis that a configuration describes; raises for what is not there locally."""
    methods = dict(config.get("methods") or {})
    methods.pop("report", None)  # a page for people, which is left out
    unknown = sorted(set(methods) - set(KINDS))
    if unknown:
        raise ClientError(f"the methods {', '.join(unknown)} are not there locally; {ADVICE}")
    if not methods:
        raise ClientError(f"methods: none given; one of {', '.join(KINDS)}")
    predicted = config.get("predicted_label")
    if POST_TRAINING in methods and predicted is None:
        raise ClientError(
            f"{POST_TRAINING} needs predictions; give predicted_label, a column of the dataset, or "
            "predictor.model_name, a model that is asked"
        )
    group = config.get("group_variable")
    return Configuration(
        label=named(table, config.get("label"), "label"),
        positive=tuple(_required(config, "label_values_or_threshold")),
        facets=tuple(_facet(table, each) for each in _required(config, "facet")),
        group=None if group is None else named(table, group, "group_variable"),
        predicted=None if predicted is None else named(table, predicted, "predicted_label"),
        threshold=float(config.get("probability_threshold") or 0.5),
        methods={kind: (given or {}).get("methods", "all") for kind, given in methods.items()},
    )


def _facet(table: Table, given: Mapping[str, Any]) -> Facet:
    name = named(table, given.get("name_or_index"), "facet.name_or_index")
    return Facet(name=name, values=tuple(given.get("value_or_threshold") or ()))


def _required(config: Mapping[str, Any], key: str) -> Any:
    value = config.get(key)
    if not value:
        raise ClientError(f"{key} is missing in analysis_config.json; bias is measured by it")
    return value


def named(table: Table, given: object, key: str) -> str:
    """The name of a column that is named, or numbered from 0."""
    names = list(table.columns)
    if isinstance(given, int) and 0 <= given < len(names):
        return names[given]
    if given in table.columns:
        return str(given)
    raise ClientError(f"{key}: {given!r} is no column; the dataset has {', '.join(names)}")


PRE_TRAINING, POST_TRAINING = KINDS = ("pre_training_bias", "post_training_bias")
