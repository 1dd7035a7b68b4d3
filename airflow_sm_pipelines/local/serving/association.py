"""Which part of a transform job's records reaches the model, and what its results are joined with.

DataProcessing of CreateTransformJob:
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
To add a format: a row of `FORMATS`.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.serving.filters import Filter, FilterError, parse
from airflow_sm_pipelines.local.serving.records import Batch, payload

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A content type whose records can be looked into."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]
    join: Callable[[Any, Any], Any]
    by_line: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """How the records of one job are filtered and joined."""

    input_filter: Filter
    output_filter: Filter
    joins: bool
    content_type: str
    accept: str
    single: bool
    splits: bool

    @property
    def looks(self) -> bool:
        """Whether results are looked into."""
        return self.joins or not self.output_filter.keeps_all

    def body(self, batch: Batch) -> bytes:
        """What the model is sent of a batch."""
        if self.input_filter.keeps_all:
            return payload(batch, single=self.single)
        form = FORMATS[self.content_type]
        rows = [self._select(self.input_filter, row) for row in self._inputs(batch)]
        return "\n".join(form.write(row) for row in rows).encode()

    def results(self, batch: Batch, answer: bytes) -> bytes:
        """What is kept of an answer to a batch, a line each record."""
        if not self.looks:
            return answer
        form = FORMATS[self.accept]
        rows = self._outputs(batch, answer)
        if self.joins:
            inputs = self._inputs(batch)
            rows = [form.join(*both) for both in zip(inputs, rows, strict=True)]
        kept = [form.write(self._select(self.output_filter, row)) for row in rows]
        return "\n".join(kept).encode()

    def _inputs(self, batch: Batch) -> list[Any]:
        form = FORMATS[self.content_type]
        whole = not (form.by_line or self.splits)
        texts = [record.content.decode() for record in batch]
        return list(_rows(form, texts if whole else _lines("\n".join(texts)), "input"))

    def _outputs(self, batch: Batch, answer: bytes) -> list[Any]:
        """A row for each record of a batch."""
        form = FORMATS[self.accept]
        text = answer.decode()
        count = len(self._inputs(batch)) if self.joins else 0
        by_line = form.by_line or count > 1 or (self.splits and len(batch) > 1)
        rows = list(_rows(form, _lines(text) if by_line else [text], "the model's answer"))
        if self.joins and len(rows) != count:
            raise JobError(
                f"ClientError: JoinSource: the model answered {len(rows)} lines to {count} records;"
                " it would be a line each (BatchStrategy SingleRecord sends one at a time)"
            )
        return rows

    def _select(self, path: Filter, row: Any) -> Any:
        try:
            return path.select(row)
        except FilterError as error:
            raise JobError(f"ClientError: DataProcessing: {path.text}: {error}") from error


def association(request: Fields, *, single: bool) -> Association:
    """What CreateTransformJob asks for; raises `FilterError` for an expression."""
    processing = request.get("DataProcessing") or {}
    source = request["TransformInput"]
    return Association(
        input_filter=parse(processing.get("InputFilter") or "$"),
        output_filter=parse(processing.get("OutputFilter") or "$"),
        joins=processing.get("JoinSource") == "Input",
        content_type=_plain(source.get("ContentType")),
        accept=_plain(request["TransformOutput"].get("Accept"))
        or _plain(source.get("ContentType")),
        single=single,
        splits=(source.get("SplitType") or "None") != "None",
    )


def problems(request: Fields) -> Iterator[str]:
    """Why CreateTransformJob would be refused; the rules are documented, the wording is ours."""
    processing = request.get("DataProcessing") or {}
    for key in ("InputFilter", "OutputFilter"):
        try:
            parse(processing.get(key) or "$")
        except FilterError as error:
            yield f"DataProcessing.{key}: {error}"
            return
    asked = association(request, single=False)
    if not asked.looks and asked.input_filter.keeps_all:
        return
    known = " or ".join(FORMATS)
    if asked.content_type not in FORMATS:
        yield f"DataProcessing needs TransformInput.ContentType {known}, not {asked.content_type!r}"
    elif asked.looks and asked.accept not in FORMATS:
        yield f"DataProcessing needs TransformOutput.Accept {known}, not {asked.accept!r}"
    elif asked.joins and FORMATS[asked.accept].join is not FORMATS[asked.content_type].join:
        yield (
            "DataProcessing.JoinSource Input needs TransformOutput.Accept to be of the kind of "
            f"TransformInput.ContentType: {asked.accept!r} cannot be joined with "
            f"{asked.content_type!r}"
        )
    assembled = request["TransformOutput"].get("AssembleWith") or "None"
    source = request["TransformInput"].get("SplitType") or "None"
    if asked.joins and assembled != source:
        yield (
            "DataProcessing.JoinSource Input needs TransformInput.SplitType and "
            f"TransformOutput.AssembleWith to match: {source!r} and {assembled!r}"
        )


def _plain(content_type: str | None) -> str:
    """A content type without its parameters."""
    return (content_type or "").partition(";")[0].strip().lower()


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _rows(form: Format, texts: list[str], what: str) -> Iterator[Any]:
    for text in texts:
        try:
            yield form.read(text)
        except ValueError as error:
            raise JobError(
                f"ClientError: DataProcessing: {what} cannot be read: {error}"
            ) from error


def _read_csv(line: str) -> list[str]:
    return next(csv.reader([line]), [])


def _write_csv(row: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(row if isinstance(row, list) else [row])
    return out.getvalue()


def _join_csv(given: list[str], told: list[str]) -> list[str]:
    return [*given, *told]


def _write_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _join_json(given: Any, told: Any) -> dict[str, Any]:
    if isinstance(given, dict):
        return {**given, "SageMakerOutput": told}
    return {"SageMakerInput": given, "SageMakerOutput": told}


def _json(*, by_line: bool) -> Format:
    return Format(read=json.loads, write=_write_json, join=_join_json, by_line=by_line)


FORMATS = {
    "text/csv": Format(read=_read_csv, write=_write_csv, join=_join_csv, by_line=True),
    "application/json": _json(by_line=False),
    "application/jsonlines": _json(by_line=True),
}
