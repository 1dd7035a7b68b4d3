"""The disk's free space: a disk that is full ends more than the local AWS."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from airflow_sm_pipelines.local.errors import AwsError, JobError

LEAST_FREE_BYTES = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The free space where a folder is; below `least_free_bytes` nothing new is begun."""

    folder: Path
    least_free_bytes: int = LEAST_FREE_BYTES

    def problem(self) -> str:
        """What is wrong, and what would be right, or ""."""
        free = shutil.disk_usage(self.folder).free
        if free >= self.least_free_bytes:
            return ""
        return (
            f"{self.folder}: the disk has {free >> 20} MiB left and the local AWS leaves "
            f"{self.least_free_bytes >> 20} MiB free; delete jobs or objects, or lower "
            "--least-free-mib"
        )

    def check(self) -> None:
        """Refuse what would take space; raises `AwsError`."""
        problem = self.problem()
        if problem:
            raise AwsError("InsufficientStorage", problem, 507)

    def check_job(self) -> None:
        """Refuse to run a job; raises `JobError`."""
        problem = self.problem()
        if problem:
            raise JobError(f"ClientError: {problem}")
