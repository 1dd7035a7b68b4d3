"""How a job's process on this machine comes to see its own directory as /opt/ml.

SageMaker's container contract is absolute paths below /opt/ml. There is more than one means to
give each process its own; `choose` takes the first of `MEANS` that is seen to work here. They
isolate *paths*, and `namespace` isolates processes where the kernel allows that: a job runs as the
user, with the user's files and network. This is no security boundary.

To add a means: a row of `MEANS`, and what its `prefix` runs.
"""

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from airflow_sm_pipelines.local import roots
from airflow_sm_pipelines.local.attempts import attempt
from airflow_sm_pipelines.local.errors import LocalError

# -I and -S: nothing is imported that the launcher does not need, 20 ms instead of 35.
_LAUNCH = (sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")))
_ML = Path("/opt/ml")
_HOSTS = Path("/etc/hosts")
_NAMESPACE = "namespace"


class SandboxError(LocalError):
    """This machine offers no means to give a job its own /opt/ml."""


@dataclass(frozen=True, slots=True)
class Means:
    """One way to provide /opt/ml, as a command that runs another one.

    `obstacle` says what rules it out before it is tried, or is "". `prefix` is given
    the directory, and the file to show as /etc/hosts where there is one. `together` is whether
    several processes can have an /opt/ml at the same time, and such a file each.
    """

    name: str
    claim: str
    remedy: str
    obstacle: Callable[[], str]
    prefix: Callable[[Path, Path | None], list[str]]
    together: bool = True


@dataclass(frozen=True, slots=True)
class Isolation:
    """The means that gives each job its own /opt/ml.

    `name` is "namespace", "proot" or "symlink". `reason` says in one line why this one, and why
    not those that are better. With "symlink" jobs wait for each other.
    """

    name: str
    reason: str
    means: Means = field(repr=False)

    @property
    def together(self) -> bool:
        """Whether several processes can have an /opt/ml, and know each other's names, at once."""
        return self.means.together

    def shown(self, argv: Sequence[str], ml: Path) -> list[str]:
        """What to run so that `argv`, which is no job, sees `ml` as /opt/ml.

        `argv` as it is where this machine has an /opt/ml of its own, or one at a time for all.
        """
        if self.name != _NAMESPACE or _ML.exists():
            return [*argv]
        return [*_LAUNCH, _NAMESPACE, str(ml.resolve()), "--", *argv]

    def command(
        self,
        argv: Sequence[str],
        ml: Path,
        hosts: Path | None = None,
        *,
        network: str = "",
        root: Path | None = None,
    ) -> list[str]:
        """What to run so that `argv` runs and sees the directory `ml` as /opt/ml.

        `hosts` is a file that it sees as /etc/hosts, where the means can do that; `root` the empty
        working directory that it starts in, which it sees as / where that can be done: call
        `roots.clear` at its end. `network` is that of `launch.enter_network`, for the means that
        are run by that launcher.

        The process that this starts becomes `argv` or ends with it: signal its group. It also ends
        with the *thread* that starts it, so let that thread wait for it.
        """
        prefix = self.means.prefix(ml.resolve(), hosts)
        if network:
            prefix[-1:-1] = ["network", network]
        if root and self.means.prefix is _namespace:
            prefix[-1:-1] = roots.words(_LAUNCH, root)
        return [*prefix, *argv]


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether one means works on this machine; where not, why not and what would make it work."""

    name: str
    works: bool
    reason: str
    remedy: str


@functools.cache
def choose(candidates: tuple[Means, ...] = ()) -> Isolation:
    """The first of `candidates` (all of `MEANS`) that works here; each is run once per process.

    Raises `SandboxError` when none works; its text says what to install or set.
    """
    failed: list[Probe] = []
    for candidate in candidates or MEANS:
        probed = probe(candidate)
        if probed.works:
            missed = "".join(f"; no {better.name}: {better.reason}" for better in failed)
            return Isolation(probed.name, f"{probed.reason}{missed}", candidate)
        failed.append(probed)
    raise SandboxError(_nothing_works(failed))


def means() -> list[Probe]:
    """Every means, best first, and what trying it on this machine showed."""
    return [probe(candidate) for candidate in MEANS]


def probe(candidate: Means) -> Probe:
    """Run a command that must see, and write, a file of its directory as /opt/ml."""
    failure = candidate.obstacle() or _failure(candidate)
    if failure:
        return Probe(candidate.name, works=False, reason=failure, remedy=candidate.remedy)
    return Probe(candidate.name, works=True, reason=candidate.claim, remedy="")


def _failure(candidate: Means) -> str:
    """Why a command run by `candidate` does not see its directory as /opt/ml, or ""."""
    with tempfile.TemporaryDirectory(prefix="airflow-sm-probe-") as directory:
        ml = Path(directory).resolve()
        (ml / "here").touch()
        command = ["sh", "-c", f"test -f {_ML}/here && : > {_ML}/written"]
        failure = attempt([*candidate.prefix(ml, None), *command])
        if failure is None and (ml / "written").exists():
            return ""
        return failure or f"a command it ran did not see its directory as {_ML}"


def _nothing_works(failed: Sequence[Probe]) -> str:
    lines = [f"  {each.name}: {each.reason}; {each.remedy}" for each in failed]
    return "\n".join(
        [
            f"jobs: this machine has no way to give each its own {_ML}; one of these is needed",
            *lines,
        ]
    )


def _namespace(ml: Path, hosts: Path | None) -> list[str]:
    named = ["hosts", str(hosts)] if hosts and _HOSTS.exists() else []
    return [*_LAUNCH, _NAMESPACE, str(ml), *named, *apart(), "--"]


@functools.cache
def apart() -> tuple[str, ...]:
    """What gives a command of the launcher its own processes; nothing where that is not possible.

    It is tried once per process.
    """
    words = ("processes", "/proc")
    command = [*_LAUNCH, *words, "--", "true"]
    return words if sys.platform == "linux" and attempt(command) is None else ()


def _symlink(ml: Path, hosts: Path | None) -> list[str]:
    return [*_LAUNCH, "symlink", str(ml), "--"]


def _namespace_obstacle() -> str:
    if sys.platform != "linux":
        return f"mount namespaces are a feature of Linux, and this is {sys.platform}"
    if not _ML.parent.is_dir():
        return "there is no directory /opt to mount on"
    return ""


def _proot_obstacle() -> str:
    return "" if shutil.which("proot") else "there is no program proot on PATH"


def _proot(ml: Path, hosts: Path | None) -> list[str]:
    # By its path: the job's PATH, with which it is started, may be another one.
    named = ["-b", f"{hosts}:{_HOSTS}"] if hosts else []
    return [shutil.which("proot") or "proot", *_proot_options(), "-b", f"{ml}:{_ML}", *named]


@functools.cache
def _proot_options() -> tuple[str, ...]:
    """Not to wait for what a job leaves behind, where this proot can do that (5.1 cannot)."""
    shown = subprocess.run(["proot", "--help"], capture_output=True, text=True, check=False)
    return ("--kill-on-exit",) if "--kill-on-exit" in shown.stdout else ()


def _symlink_obstacle() -> str:
    if _ML.exists() and not _ML.is_symlink():
        return f"{_ML} is a real directory here"
    if not os.access(_ML.parent, os.W_OK):
        return f"{_ML.parent} is not writable for this user"
    return ""


MEANS = (
    Means(
        name=_NAMESPACE,
        claim="each job has /opt/ml in a mount namespace of its own",
        remedy=(
            "allow user namespaces (`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0` "
            "on Ubuntu 23.10 and later, `user.max_user_namespaces` above 0 elsewhere), give a "
            "container `--cap-add SYS_ADMIN --security-opt seccomp=unconfined`, or run as root"
        ),
        obstacle=_namespace_obstacle,
        prefix=_namespace,
    ),
    Means(
        name="proot",
        claim="proot shows each job its own /opt/ml; file operations are slower",
        remedy="install proot (`sudo apt-get install proot`)",
        obstacle=_proot_obstacle,
        prefix=_proot,
    ),
    Means(
        name="symlink",
        claim="the link /opt/ml points to one job at a time, so jobs wait for each other",
        remedy="make /opt writable for this user, with no directory /opt/ml in it",
        obstacle=_symlink_obstacle,
        prefix=_symlink,
        together=False,
    ),
)
