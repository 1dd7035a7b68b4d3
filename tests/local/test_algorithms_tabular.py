import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from airflow_sm_pipelines.local import algorithms

from .containers import our_images

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
LOCAL = Path(algorithms.__file__).parents[1]

# The tables are read where the image's packages are, all in one process. It answers a case with
# [labels, features, weights], or with the words of the ClientError.
READ = """
import json, sys
from pathlib import Path
sys.path.append(sys.argv[1])
from algorithms.container import ClientError
from algorithms.tabular import read

def answer(case):
    path = Path(case["folder"])
    try:
        table = read(path, case["content_type"], weighted=case["weighted"])
    except ClientError as error:
        return str(error).replace(str(path), "DIR")
    features = table.features.toarray() if hasattr(table.features, "toarray") else table.features
    weights = None if table.weights is None else table.weights.tolist()
    return [table.labels.tolist(), features.tolist(), weights]

print(json.dumps([answer(case) for case in json.load(sys.stdin)]))
"""


@dataclass(frozen=True)
class Case:
    files: Mapping[str, str]
    expected: object
    content_type: str | None = "text/csv"
    weighted: bool = False
    name: str = field(kw_only=True)


CASES = (
    Case(
        {"a.csv": "1,2,3\n4,5,6\n"},
        [[1, 4], [[2, 3], [5, 6]], None],
        name="the label is the first column of a csv",
    ),
    Case(
        {"b.csv": "4,5\n", "a.csv": "1,2\n", "more/c": "7,8\n", "_SUCCESS": "x", ".crc": "x"},
        [[1, 4, 7], [[2], [5], [8]], None],
        name="the files of a channel are one table and markers are none",
    ),
    Case({"a": "1;2\n"}, [[1], [[2]], None], name="a semicolon separates"),
    Case({"a": "1\t2\n"}, [[1], [[2]], None], name="a tab separates"),
    Case({"a": "1|2\n"}, [[1], [[2]], None], name="a bar separates"),
    Case({"a": "1,2\r\n"}, [[1], [[2]], None], name="lines may end as on Windows"),
    Case({"a": "1,5,2\n"}, [[1], [[2]], [5]], weighted=True, name="weights are the second column"),
    Case(
        {"a": "1,2\n"}, [[1], [[2]], None], content_type="csv; label_size=1", name="label size one"
    ),
    Case(
        {"a": "1,2\n"},
        "csv; label_size=2 is not an accepted csv ContentType. Optional parameter label_size must "
        "be equal to 1",
        content_type="csv; label_size=2",
        name="another label size is refused",
    ),
    Case(
        {"a": "rings,sex\n1,2\n"},
        "Failed to load csv data with exception:\nDIR/a, line 1: 'rings' is not a number; the "
        "file must have no header, the label first, and nothing but numbers",
        name="a header is refused",
    ),
    Case(
        {"a": "1,2\n3,\n4,M\n"},
        "Failed to load csv data with exception:\nDIR/a, line 3: 'M' is not a number; the file "
        "must have no header, the label first, and nothing but numbers",
        name="text is refused with its line",
    ),
    Case(
        {"a": "1\n2\n"},
        "Failed to load csv data with exception:\nDIR/a: 1 column(s), no features",
        name="a csv without features is refused",
    ),
    Case(
        {"a": "1,2\n", "b": "1,2,3\n"},
        "Failed to load csv data with exception:\nthe files of DIR differ in their number of "
        "columns: [2, 3]",
        name="files of different width are refused",
    ),
    Case(
        {"a": "1 0:1.5 3:2  # a comment\n\n0:0.5 1:2\n"},
        [[1, 0], [[1.5, 0, 0, 2], [0, 2, 0, 0]], [1, 0.5]],
        content_type=None,
        name="data are libsvm unless said otherwise",
    ),
    Case(
        {"a": "1 0:2\n"},
        [[1], [[2]], [1]],
        content_type="text/x-libsvm; charset=utf-8",
        name="a content type may have parameters",
    ),
    Case(
        {"a": "1,2\n"},
        "Failed to load libsvm data with exception:\nDIR/a, line 1: '1,2' is not a number; lines "
        "are `label index:value ...`, and ContentType text/csv is for CSV",
        content_type="libsvm",
        name="a csv is not libsvm",
    ),
    Case({".a": "1,2\n"}, "No data in channel path DIR", name="a hidden file is no data"),
    Case({"a": ""}, "No data in channel path DIR", name="an empty file is no data"),
    Case(
        {"a": "1,2\n"},
        "text/plain is not an accepted ContentType: csv, libsvm, parquet, recordio-protobuf, "
        "text/csv, text/libsvm, text/x-libsvm, application/x-parquet, "
        "application/x-recordio-protobuf.",
        content_type="text/plain",
        name="an unknown content type is refused",
    ),
    Case(
        {"a": "x"},
        "Failed to load parquet data with exception:\nCould not open Parquet input source "
        "'<Buffer>': Parquet file size is 1 bytes, smaller than the minimum file footer (8 bytes)",
        content_type="application/x-parquet",
        name="parquet that is none is refused",
    ),
    Case(
        {"a": "x"},
        "application/x-recordio-protobuf: is not read locally; use text/csv or text/libsvm",
        content_type="application/x-recordio-protobuf",
        name="recordio is refused",
    ),
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What reading each case gave, by its name."""
    root = tmp_path_factory.mktemp("channels")
    asked = []
    for number, case in enumerate(CASES):
        folder = root / str(number)
        for name, content in case.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, newline="")
        asked.append(
            {
                "folder": str(folder),
                "content_type": case.content_type,
                "weighted": case.weighted,
            }
        )
    python = our_images(root).runtime(IMAGE).python
    command = [str(python), "-I", "-c", READ, str(LOCAL)]
    ran = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return dict(zip((case.name for case in CASES), json.loads(ran.stdout), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_channel_is_read_as_the_container_reads_it(
    answers: dict[str, object], case: Case
) -> None:
    assert answers[case.name] == case.expected
