"""The hosts of a job: what each is called, what it knows of the others, where its files are.

A host is a process with an /opt/ml of its own. Hosts find each other by name: a job's processes see
an /etc/hosts in which `algo-2` is an address of the loopback interface that no other job uses.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.job import Fields, Job

HOMOGENEOUS = "homogeneousCluster"
MOST_HOSTS = 250  # the addresses of one job differ in their last byte

_HOSTS_FILE = Path("/etc/hosts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One instance of a job: `folder` has its `ml`, its log and its environment."""

    name: str
    instance_type: str
    group: str
    folder: Path

    @property
    def ml(self) -> Path:
        """What the host sees as /opt/ml."""
        return self.folder / "ml"

    @property
    def log(self) -> Path:
        """What the host has written."""
        return self.folder / "log.txt"


def hosts_of(job: Job, resources: Fields) -> tuple[Host, ...]:
    """The hosts that a ResourceConfig or ClusterConfig asks for, numbered across its groups.

    The first one lives in the job's folder itself, where people look; the others below it.
    """
    kinds = [
        (group["InstanceGroupName"], group["InstanceType"])
        for group in _groups(resources)
        for _ in range(group["InstanceCount"])
    ]
    return tuple(
        Host(
            name=f"algo-{number}",
            instance_type=kind,
            group=group,
            folder=job.folder if number == 1 else job.folder / f"algo-{number}",
        )
        for number, (group, kind) in enumerate(kinds, start=1)
    )


def count_refusals(resources: Fields, where: str, *, together: bool) -> Iterator[str]:
    """Why there cannot be the hosts that a request asks for; `together`: more than one can run."""
    groups = resources.get("InstanceGroups")
    if not (groups or resources.get("InstanceType")):
        yield f"{where}.InstanceType: missing; it would be such as 'ml.m5.large'"
        return
    count = sum(group["InstanceCount"] for group in _groups(resources))
    if count > MOST_HOSTS:
        yield f"{where}: {count} instances are too many; it would be {MOST_HOSTS} at most"
    elif count > 1 and not together:
        yield (
            f"{where}: {count} instances need an /opt/ml each, and here only one process at a time "
            "has it; `airflow-sm doctor` says what would be right"
        )


def described(hosts: Sequence[Host], current: Host) -> dict[str, Any]:
    """What resourceconfig.json tells a host of itself and the others."""
    groups = dict.fromkeys((host.group, host.instance_type) for host in hosts)
    return {
        "current_host": current.name,
        "current_instance_type": current.instance_type,
        "current_group_name": current.group,
        "hosts": [host.name for host in hosts],
        "instance_groups": [
            {
                "instance_group_name": group,
                "instance_type": kind,
                "hosts": [host.name for host in hosts if host.group == group],
            }
            for group, kind in groups
        ],
        "network_interface_name": "lo",
    }


def write_names(job: Job, hosts: Iterable[Host]) -> Path:
    """Write the /etc/hosts that a job's processes see: the machine's own, and the job's hosts.

    Each job has a part of 127.0.0.0/8 to itself, so that jobs may listen on the same port.
    """
    digest = hashlib.sha256(str(job.folder).encode()).digest()
    network = f"127.{digest[0] % 254 + 1}.{digest[1]}"
    lines = [f"{network}.{number} {host.name}\n" for number, host in enumerate(hosts, start=1)]
    own = _HOSTS_FILE.read_text(errors="replace") if _HOSTS_FILE.exists() else ""
    file = job.folder / "hosts"
    file.write_text("".join([*lines, own]))
    return file


def log_of(host: Host) -> Path:
    """The log of a host, which is there from now on."""
    host.folder.mkdir(exist_ok=True)
    host.log.touch()
    return host.log


def logs_of(job: Job) -> dict[str, Path]:
    """The logs of a job by host, as far as they are there."""
    others = sorted(job.folder.glob("algo-*/log.txt"), key=lambda log: (len(str(log)), log))
    return {"algo-1": job.log, **{log.parent.name: log for log in others}}


def _groups(resources: Fields) -> list[Fields]:
    """The InstanceGroups, or the one group that a request without them stands for."""
    groups = resources.get("InstanceGroups")
    if groups:
        return list(groups)
    one = {"InstanceGroupName": HOMOGENEOUS, "InstanceType": resources["InstanceType"]}
    return [{**one, "InstanceCount": resources.get("InstanceCount") or 1}]


def named(hosts: Sequence[Host], groups: Sequence[str], where: str) -> list[Host]:
    """The hosts of the instance groups of those names; all hosts where none is named."""
    known = {host.group for host in hosts}
    for group in groups:
        if group not in known:
            raise JobError(
                f"ClientError: {where}: no instance group {group!r}; it would be one of "
                f"{', '.join(sorted(known))}"
            )
    return [host for host in hosts if not groups or host.group in groups]
