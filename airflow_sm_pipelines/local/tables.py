"""Files of the user's in TOML: how they are read, and what is said of a key that is none."""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.errors import did_you_mean
from airflow_sm_pipelines.local.errors import LocalError


def read(file: Path, *, holds: str, error: type[LocalError]) -> dict[str, Any]:
    """What a file says; raises `error` where it is none, or no TOML with what it `holds`."""
    try:
        return tomllib.loads(file.read_text())
    except OSError as failure:
        raise error(f"{file}: {failure.strerror}; name a file that can be read") from failure
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failure:
        raise error(f"{file}: not TOML ({failure}); write {holds} tables") from failure


def unknown(key: str, known: Collection[str]) -> str:
    """What is wrong with a key that is not `known`."""
    return f"unknown key{did_you_mean(key, known) or '; one of ' + ', '.join(known)}"
