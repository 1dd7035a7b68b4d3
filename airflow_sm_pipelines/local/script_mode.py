"""The `train` command of AWS's framework images: runs the user's own training script.

A plain script of the standard library: it runs in the job's environment, which may hold nothing
else. The contract is that of the SageMaker Training Toolkit: hyperparameters name the program and
where its code is; the code is unpacked in /opt/ml/code, its requirements.txt is installed, and the
program runs there with the other hyperparameters as arguments and the `SM_*` variables.
Of the launchers of distributed training torchrun is there, the others are refused.

Every job waits for what is imported here, so little is: code in S3 is there already
(`script_code.py`), and only where it is not, `script_fetching.py` is loaded.
"""

from __future__ import annotations

import _thread
import json
import os
import re
import signal
import sys
from collections import deque, namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

ML = "/opt/ml"
CODE = f"{ML}/code"
CONFIG = f"{ML}/input/config"
FAILURE = f"{ML}/output/failure"

# Hyperparameters of the service; the rest of those with its prefix belong to a framework.
SERVICE = re.compile(
    "_tuning_objective_metric|default_user_module_name|sagemaker_(container_log_level|"
    "enable_cloudwatch_metrics|job_name|program|region|s3_output|submit_directory)"
)
TORCHRUN = "sagemaker_torch_distributed_enabled"
MASTER_PORT = 7777  # that of the toolkit
_DISTRIBUTION_GROUPS = "sagemaker_distribution_instance_groups"
_INFO = 20
_TAIL_LINES = 200
_MESSAGE_CHARACTERS = 700  # SageMaker keeps 1,024 of the whole text


class TrainError(Exception):
    """Training cannot go on. The text is the failure reason, the code that of this process."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Job(namedtuple("Job", ("hyperparameters", "settings", "resources", "channels"))):
    """What the configuration files below /opt/ml/input/config say."""

    @property
    def program(self) -> str:
        """The file to run, relative to the code."""
        return str(self.settings["sagemaker_program"])

    @property
    def source(self) -> str:
        """Where the code comes from: an S3 URI, a tar.gz file or a directory."""
        return str(self.settings.get("sagemaker_submit_directory", CODE))


def main() -> int:
    """Train; returns the exit code of the job's process, with its reason in the failure file."""
    try:
        job = read_job()
        fetch(job.source)
        command = launcher(job, prepare(job.program))
        environment = {**os.environ, **variables(job), **meeting(job), "PYTHONUNBUFFERED": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, (CODE, os.environ.get("PYTHONPATH")))
        )
        _run("ExecuteUserScriptError", [*command, *arguments(job.hyperparameters)], environment)
    except TrainError as error:
        _report(str(error))
        return error.code
    return 0


def read_job() -> Job:
    """The job that the configuration files describe."""
    everything = {
        name: _decode(value) for name, value in _read_config("hyperparameters.json").items()
    }
    settings = {
        name: value
        for name, value in everything.items()
        if SERVICE.fullmatch(name) or name.startswith("sagemaker_")
    }
    if not settings.get("sagemaker_program"):
        raise TrainError(
            "ClientError: hyperparameter sagemaker_program: missing; this image runs a script, "
            "so name it there, and its code in sagemaker_submit_directory"
        )
    for name, value in settings.items():
        if name.endswith("_enabled") and value is True and name != TORCHRUN:
            raise TrainError(
                f"ClientError: hyperparameter {name}: this launcher is not there locally; "
                'distribution={"torch_distributed": {"enabled": True}} is, and none'
            )
    return Job(
        hyperparameters={name: everything[name] for name in everything.keys() - settings.keys()},
        settings=settings,
        resources=_read_config("resourceconfig.json"),
        channels=_read_config("inputdataconfig.json"),
    )


def fetch(source: str) -> None:
    """Put the code that `source` names into /opt/ml/code, unless that has been done."""
    os.makedirs(CODE, exist_ok=True)
    if source.startswith("s3://") and os.listdir(CODE):
        return
    import importlib.util

    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "script_fetching.py")
    spec = importlib.util.spec_from_file_location("_sm_script_fetching", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: no module")
    fetching = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fetching)
    try:
        fetching.fetch(source, CODE)
    except fetching.FetchError as error:
        raise TrainError(f"ClientError: {error}") from error


def prepare(program: str) -> list[str]:
    """Install what the code needs; returns the command that runs `program`, without arguments."""
    if not _in_code(program):
        found = ", ".join(sorted(os.listdir(CODE))) or "nothing"
        raise TrainError(
            f"ClientError: hyperparameter sagemaker_program: no {program} in the code "
            f"(which has {found})"
        )
    pip = [sys.executable, "-m", "pip", "install"]
    is_package = _in_code("setup.py") and not program.endswith(".sh")
    if is_package:
        _run("InstallModuleError", [*pip, "--upgrade", "."], os.environ)
    if _in_code("requirements.txt"):
        _run("InstallRequirementsError", [*pip, "-r", "requirements.txt"], os.environ)
    if is_package:
        return [sys.executable, "-m", _module(program)]
    if program.endswith(".py"):
        return [sys.executable, program]
    os.chmod(f"{CODE}/{program}", 0o777)
    return ["/bin/sh", "-c", f'./{program} "$@"', program]


def launcher(job: Job, command: Sequence[str]) -> list[str]:
    """The command, started on every host by torchrun where the job asks for it."""
    if job.settings.get(TORCHRUN) is not True:
        return [*command]
    if command[0] != sys.executable:
        raise TrainError(f"ClientError: hyperparameter {TORCHRUN}: {job.program} is no Python")
    hosts, current = job.resources["hosts"], job.resources["current_host"]
    processes = _count_devices("nvidia") or 1
    options = [f"--nnodes={len(hosts)}", f"--nproc_per_node={processes}"]
    if len(hosts) > 1:
        options += [f"--master_addr={hosts[0]}", f"--master_port={MASTER_PORT}"]
        options += [f"--node_rank={hosts.index(current)}"]
    return [sys.executable, "-m", "torch.distributed.run", *options, *command[1:]]


def meeting(job: Job) -> dict[str, str]:
    """Where the hosts of a job meet, in the variables that PyTorch reads."""
    hosts = job.resources.get("hosts")
    return {"MASTER_ADDR": hosts[0], "MASTER_PORT": str(MASTER_PORT)} if hosts else {}


def arguments(hyperparameters: Mapping[str, object]) -> list[str]:
    """The hyperparameters as a command line, by name; a single letter has a single dash."""
    words: list[str] = []
    for name, value in sorted(hyperparameters.items()):
        words.append(f"--{name}" if len(name) > 1 else f"-{name}")
        if isinstance(value, dict):
            words.append(",".join(f"{key}={item}" for key, item in sorted(value.items())))
        else:
            words.append("" if value is None else str(value))
    return words


def variables(job: Job) -> dict[str, str]:
    """The `SM_*` variables."""
    described = _describe(job)
    values: dict[str, object] = {
        **described,
        "hps": described["hyperparameters"],
        "framework_params": described["additional_framework_parameters"],
        "channels": sorted(job.channels),
        "training_env": described,
        "user_args": arguments(job.hyperparameters),
    }
    for renamed in _ONLY_IN_TRAINING_ENV:
        del values[renamed]
    for name, path in _channel_paths(job).items():
        values[f"channel_{name}"] = path
    for name, value in job.hyperparameters.items():
        values[f"hp_{name}"] = value
    return {f"SM_{name.upper()}": _encode(value) for name, value in values.items()}


def _describe(job: Job) -> dict[str, object]:
    """The training environment under the toolkit's own names, as in SM_TRAINING_ENV."""
    return {
        "additional_framework_parameters": {
            name: value for name, value in job.settings.items() if not SERVICE.fullmatch(name)
        },
        "channel_input_dirs": _channel_paths(job),
        "distribution_instance_groups": job.settings.get(_DISTRIBUTION_GROUPS, []),
        "framework_module": os.environ.get("SAGEMAKER_TRAINING_MODULE"),
        "hyperparameters": dict(job.hyperparameters),
        "input_config_dir": CONFIG,
        "input_data_config": dict(job.channels),
        "input_dir": f"{ML}/input",
        "job_name": os.environ.get("TRAINING_JOB_NAME"),
        "log_level": job.settings.get("sagemaker_container_log_level", _INFO),
        "model_dir": f"{ML}/model",
        "module_dir": job.source,
        "module_name": _module(job.program),
        "num_cpus": os.cpu_count(),
        "num_gpus": _count_devices("nvidia"),
        "num_neurons": _count_devices("neuron"),
        "output_data_dir": f"{ML}/output/data",
        "output_dir": f"{ML}/output",
        "output_intermediate_dir": f"{ML}/output/intermediate",
        "resource_config": dict(job.resources),
        "user_entry_point": job.program,
        **_describe_hosts(job.resources),
    }


def _describe_hosts(resources: Mapping[str, Any]) -> dict[str, object]:
    hosts = resources.get("hosts", [])
    current = resources.get("current_host", "")
    group = resources.get("current_group_name", "homogeneousCluster")
    groups = {each["instance_group_name"]: each for each in resources.get("instance_groups", [])}
    master = hosts[0] if hosts else current
    return {
        "current_host": current,
        "current_instance_group": group,
        "current_instance_group_hosts": groups[group]["hosts"] if group in groups else [],
        "current_instance_type": resources.get("current_instance_type", "local"),
        "hosts": hosts,
        "instance_groups": list(groups),
        "instance_groups_dict": groups,
        "is_hetero": len(groups) > 1,
        "is_master": current == master,
        "master_hostname": master,
        "network_interface_name": resources.get("network_interface_name", "eth0"),
    }


def _channel_paths(job: Job) -> dict[str, str]:
    return {name: f"{ML}/input/data/{name}" for name in job.channels}


def _count_devices(kind: str) -> int:
    return sum(re.match(rf"{kind}[0-9]", name) is not None for name in os.listdir("/dev"))


def _in_code(name: str) -> bool:
    return os.path.exists(f"{CODE}/{name}")


def _module(program: str) -> str:
    return program[: -len(".py")] if program.endswith(".py") else program


def _read_config(name: str) -> dict[str, Any]:
    """A configuration file; absent is empty, as a job without channels has no inputdataconfig."""
    path = f"{CONFIG}/{name}"
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    if not isinstance(content, dict):
        raise TrainError(f"ClientError: {path}: not a JSON object")
    return content


def _decode(value: object) -> object:
    """A hyperparameter's value: SDK v2 writes each as JSON, others write plain text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _encode(value: object) -> str:
    """A variable's value: text as it is, nothing for None, compact JSON for the rest."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _run(kind: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run `command` in the code's directory; its error output goes on, and into the reason."""
    # Whoever stops the job signals the group: the command decides when to end, we wait for it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    sys.stdout.flush()
    os.chdir(CODE)
    errors, written = os.pipe()
    child = os.posix_spawn(
        command[0],
        list(command),
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, written, sys.stderr.fileno())],
        setsigdef=IGNORED,
    )
    os.close(written)
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    read = _thread.allocate_lock()
    read.acquire()
    _thread.start_new_thread(_pass_on, (errors, tail, read))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    read.acquire(timeout=5)  # what a process left behind by the command still holds open
    if code != 0:
        # A shell's convention for a death by signal.
        code = code if code > 0 else 128 - code
        shown = " ".join(command)
        raise TrainError(
            f'{kind}:\nExitCode {code}\nErrorMessage "{_message(tail)}"\nCommand "{shown}"', code
        )


def _pass_on(errors: int, tail: deque[str], read: _thread.LockType) -> None:
    with open(errors, "rb") as stream:
        for line in stream:
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()
            tail.append(line.decode(errors="replace").rstrip())
    read.release()


def _message(tail: Sequence[str]) -> str:
    """What went wrong: the exception under the last traceback, or pip's ERROR, or the last line."""
    lines = [line for line in tail if line]
    starts = [at for at, line in enumerate(lines) if line.startswith("Traceback (most recent")]
    if starts:
        below = lines[starts[-1] + 1 :]
        while below and below[0].startswith(" "):
            below = below[1:]
        lines = below or lines
    else:
        lines = ([line for line in lines if line.startswith("ERROR")] or lines)[-1:]
    return "\n".join(lines)[:_MESSAGE_CHARACTERS]


def _report(reason: str) -> None:
    """Say why training failed, where SageMaker looks for it; the script's own words come first."""
    sys.stderr.write(f"{reason}\n")
    sys.stderr.flush()
    if not os.path.exists(FAILURE):
        os.makedirs(os.path.dirname(FAILURE), exist_ok=True)
        with open(FAILURE, "w", encoding="utf-8") as file:
            file.write(reason)


# What Python ignores and its children are to have the default of.
IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)

# SM_TRAINING_ENV has these; as variables of their own they have other names, or none.
_ONLY_IN_TRAINING_ENV = (
    "additional_framework_parameters",
    "channel_input_dirs",
    "hyperparameters",
    "is_master",
    "job_name",
    "master_hostname",
)

if __name__ == "__main__":
    sys.exit(main())
