"""Split the Abalone measurements into train, validation and test sets.

A SageMaker Processing script. It reads every CSV file under `input/data` and writes one CSV file
without a header to each of `train`, `validation` and `test`: the target (rings) first, as
SageMaker's built-in XGBoost expects it, then the features, scaled and one-hot encoded. Encoder and
scaler learn from the training rows alone.

Runs on the old libraries of `sagemaker-scikit-learn:1.2-1-cpu-py3` (Python 3.8) as well as on
current ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler

SEXES = ["F", "I", "M"]
MEASURES = [
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
]
TARGET = "rings"
COLUMNS = ["sex", *MEASURES, TARGET]
SPLITS = ("train", "validation", "test")
SEED = 42
# Two rows of the data set have no height, and two have more than twice that of the next highest,
# 0.25 (in units of 200 mm): slips of the pen.
HEIGHTS = (0.001, 0.5)


def main() -> None:
    """Read, clean, split, encode, write."""
    arguments = parse_arguments()
    table = read(arguments.base_dir / "input" / "data")
    print(f"Read {len(table)} rows with {len(table.columns)} columns")
    if arguments.drop_outliers:
        table = without_outliers(table)
    splits = split(table, test_share=arguments.test_share)
    for name, encoded in encode(splits).items():
        write(encoded, arguments.base_dir / name / f"{name}.csv")


def parse_arguments() -> argparse.Namespace:
    """The command line; its strings come from the pipeline's parameters."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drop-outliers", type=boolean, default=True, metavar="true|false")
    parser.add_argument("--test-share", type=share, default=0.2, metavar="SHARE")
    parser.add_argument("--base-dir", type=Path, default=Path("/opt/ml/processing"))
    return parser.parse_args()


def boolean(text: str) -> bool:
    """`true` or `false`, in any case: SageMaker joins `true`, the SDK's local mode `True`."""
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def share(text: str) -> float:
    """A part of the rows for the test set, and as much again for validation."""
    value = float(text)
    if not 0 < value < 0.5:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 0.5")
    return value


def read(folder: Path) -> pandas.DataFrame:
    """Every CSV file under `folder` as one table; ends the job where it is not what we expect."""
    files = sorted(folder.glob("**/*.csv"))
    if not files:
        raise SystemExit(f"{folder}: no CSV file; is the input data URI right?")
    return pandas.concat([read_file(file) for file in files], ignore_index=True)


def read_file(file: Path) -> pandas.DataFrame:
    """One CSV file without a header as a typed table."""
    try:
        table = pandas.read_csv(file, header=None)
    except pandas.errors.EmptyDataError:
        raise SystemExit(f"{file}: the file is empty") from None
    except pandas.errors.ParserError as error:
        raise SystemExit(f"{file}: not a CSV file: {error}") from error
    if len(table.columns) != len(COLUMNS):
        expected = ", ".join(COLUMNS)
        raise SystemExit(
            f"{file}: {len(table.columns)} columns; expected {len(COLUMNS)}: {expected}"
        )
    table.columns = COLUMNS
    unknown = ~table["sex"].isin(SEXES)
    refuse(file, table, "sex", unknown, f"expected one of {', '.join(SEXES)}")
    for column in [*MEASURES, TARGET]:
        numbers = pandas.to_numeric(table[column], errors="coerce")
        refuse(file, table, column, numbers.isna(), "expected a number")
        table[column] = numbers
    return table


def refuse(
    file: Path, table: pandas.DataFrame, column: str, bad: pandas.Series, expected: str
) -> None:
    """End the job when any row is `bad`, naming the first one."""
    if bad.any():
        row = int(bad.to_numpy().argmax())
        value = str(table[column].iloc[row])
        raise SystemExit(f"{file}: row {row + 1}: {column} is {value!r}; {expected}")


def without_outliers(table: pandas.DataFrame) -> pandas.DataFrame:
    """The rows whose height an abalone can have."""
    kept = table[table["height"].between(*HEIGHTS)]
    print(f"Dropped {len(table) - len(kept)} rows with an impossible height")
    return kept


def split(table: pandas.DataFrame, test_share: float) -> dict[str, pandas.DataFrame]:
    """Split name -> rows, shuffled; the same rows for the same data."""
    if len(table) * test_share < 1:
        raise SystemExit(f"{len(table)} rows are too few to split; give at least 10")
    rest, test = train_test_split(table, test_size=test_share, random_state=SEED)
    train, validation = train_test_split(
        rest, test_size=test_share / (1 - test_share), random_state=SEED
    )
    parts = {"train": train, "validation": validation, "test": test}
    return {name: parts[name] for name in SPLITS}


def encode(splits: dict[str, pandas.DataFrame]) -> dict[str, pandas.DataFrame]:
    """Split name -> target and features as numbers, the target first."""
    encoder = ColumnTransformer(
        [
            ("sex", OneHotEncoder(categories=[SEXES]), ["sex"]),
            ("measures", StandardScaler(), MEASURES),
        ],
        sparse_threshold=0,
    )
    encoder.fit(splits["train"])
    return {name: encode_rows(encoder, rows) for name, rows in splits.items()}


def encode_rows(encoder: ColumnTransformer, rows: pandas.DataFrame) -> pandas.DataFrame:
    """`rows` through a fitted `encoder`, with the target as the first column."""
    encoded = pandas.DataFrame(encoder.transform(rows))
    encoded.insert(0, TARGET, rows[TARGET].to_numpy())
    return encoded


def write(table: pandas.DataFrame, file: Path) -> None:
    """`table` as a CSV file without header and index."""
    file.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(file, header=False, index=False)
    print(f"Wrote {len(table)} rows to {file}")


if __name__ == "__main__":
    main()
