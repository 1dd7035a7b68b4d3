import io
import struct

import pytest

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.serving.records import batches, payload, split


def recordio(content: bytes, flag: int = 0) -> bytes:
    word = flag << 29 | len(content)
    return struct.pack("<II", 0xCED7230A, word) + content + bytes(-len(content) % 4)


def tf_record(content: bytes) -> bytes:
    return struct.pack("<QI", len(content), 1) + content + struct.pack("<I", 2)


@pytest.mark.parametrize(
    ("kind", "content", "records"),
    [
        ("None", b"a\nb\n", [b"a\nb\n"]),
        ("None", b"", []),
        ("Line", b"a\r\n\nb", [b"a", b"b"]),
        ("RecordIO", recordio(b"abc") + recordio(b"defgh"), [b"abc", b"defgh"]),
        ("RecordIO", recordio(b"abcd", 1) + recordio(b"ef", 2) + recordio(b"g", 3), [b"abcdefg"]),
        ("TFRecord", tf_record(b"abc") + tf_record(b""), [b"abc", b""]),
    ],
)
def test_a_file_is_split_into_its_records(kind: str, content: bytes, records: list[bytes]) -> None:
    found = list(split(io.BytesIO(content), kind))
    assert [record.content for record in found] == records
    framed = b"".join(record.framed for record in found)
    assert framed == content.replace(b"\n\n", b"\n")  # a line without content is no record


@pytest.mark.parametrize(
    ("kind", "content", "problem"),
    [
        ("RecordIO", b"12345678", "the input is not RecordIO; set the SplitType that it has"),
        ("RecordIO", recordio(b"abc")[:-1], "the input is not RecordIO: its last record is cut"),
        ("RecordIO", b"1234", "the input is not RecordIO: its last record is cut off"),
        ("TFRecord", tf_record(b"abc")[:-1], "the input is not TFRecord: its last record is cut"),
    ],
)
def test_a_file_of_another_kind_is_refused(kind: str, content: bytes, problem: str) -> None:
    with pytest.raises(JobError, match=problem):
        list(split(io.BytesIO(content), kind))


@pytest.mark.parametrize(
    ("single", "limit", "bodies"),
    [
        (False, 0, [b"aa\nbb\ncc\n"]),
        (False, 6, [b"aa\nbb\n", b"cc\n"]),
        (False, 3, [b"aa\n", b"bb\n", b"cc\n"]),
        (True, 0, [b"aa", b"bb", b"cc"]),
    ],
)
def test_records_are_packed_up_to_the_limit(single: bool, limit: int, bodies: list[bytes]) -> None:
    records = split(io.BytesIO(b"aa\nbb\ncc\n"), "Line")
    packed = batches(records, single=single, limit_bytes=limit)
    assert [payload(batch, single=single) for batch in packed] == bodies


def test_padding_goes_with_a_single_record_alone() -> None:
    record = recordio(b"abc")
    (batch,) = batches(split(io.BytesIO(record), "RecordIO"), single=True, limit_bytes=0)
    assert payload(batch, single=True) == b"abc"
    assert payload(batch, single=False) == record


def test_a_record_beyond_the_limit_is_refused() -> None:
    with pytest.raises(JobError, match="a record has 3 bytes, MaxPayloadInMB allows 2"):
        list(batches(split(io.BytesIO(b"aa\n"), "Line"), single=False, limit_bytes=2))
