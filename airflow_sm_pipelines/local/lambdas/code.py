"""The code of Lambda functions: zip files by their digest, unpacked once."""

import base64
import hashlib
import io
import os
import threading
import uuid
import zipfile
from pathlib import Path

from airflow_sm_pipelines.local.errors import AwsError

LONGEST_BYTES = 262_144_000
"""What an unpacked function may take."""


class Code:
    """The zip files that functions were made of, unpacked below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def keep(self, content: bytes) -> None:
        """Unpack a zip file, unless the same was before; refused as AWS refuses one."""
        home = self._home(_digest(content))
        with self._lock:
            if home.is_dir():
                return
            aside = self._folder / f".{uuid.uuid4().hex}"
            try:
                with zipfile.ZipFile(io.BytesIO(content)) as packed:
                    if sum(each.file_size for each in packed.infolist()) > LONGEST_BYTES:
                        raise _refused(f"Unzipped size must be smaller than {LONGEST_BYTES} bytes")
                    # Leads no name out of the folder, and makes no links.
                    packed.extractall(aside)
            except zipfile.BadZipFile as error:
                raise _refused("Could not unzip uploaded file. Please check your file") from error
            os.replace(aside, home)

    def find(self, sha256: str) -> Path | None:
        """The folder of a zip file, by the digest that GetFunction tells."""
        home = self._home(sha256)
        return home if home.is_dir() else None

    def _home(self, sha256: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / base64.b64decode(sha256).hex()


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _refused(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)
