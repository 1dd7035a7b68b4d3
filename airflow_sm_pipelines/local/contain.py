"""One container, as a process that stands for it: it ends when the container has, with its code.

`python -I -S contain.py ENGINE DIRECTORY -- COMMAND...` runs COMMAND in the image that the variable
AIRFLOW_SM_CONTAINER_IMAGE names, with DIRECTORY as /opt/ml and the variables of this process; with
AIRFLOW_SM_CONTAINER_PORT its port 8080 is that of this machine. Where
the first word is `{entrypoint}`, the others go to the image's own entry point; else the command
takes its place. A plain script, so that it costs a job little.

SIGTERM reaches the container through the engine's client, which is in the same process group. What
kills this process ends the container too: a process of a session of its own waits for that.
"""

import os
import signal
import subprocess
import sys
import uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

IMAGE = "AIRFLOW_SM_CONTAINER_IMAGE"
PORT = "AIRFLOW_SM_CONTAINER_PORT"
ML = "/opt/ml"
ENDPOINT = "AWS_ENDPOINT_URL"
LOOPBACK, HOST = "//127.0.0.1:", "//host.docker.internal:"

# Variables that are this machine's, or the engine's client's.
NOT_PASSED_ON = (IMAGE, PORT, "HOME", "PATH", "VIRTUAL_ENV", "PIP_USER", "XDG_RUNTIME_DIR")
ENTRYPOINT = "{entrypoint}"


def main(arguments: "Sequence[str]") -> int:
    """Run the container; its exit code."""
    engine, directory, separator, *command = arguments
    if separator != "--" or not command:
        sys.exit(f"contain.py: {' '.join(arguments)}: write ENGINE DIRECTORY -- COMMAND...")
    name = f"sm-local-{uuid.uuid4().hex[:12]}"
    signal.signal(signal.SIGTERM, lambda *_: None)  # not ignored: the client would inherit that
    ended = _watch(engine, name)
    options = (*_options(name, directory), *network(sys.platform, os.environ.get(PORT, "")))
    environment = variables(os.environ, sys.platform)
    code = subprocess.Popen([engine, "run", *options, *_run(command)], env=environment).wait()
    os.write(ended, b".")
    if os.getuid() != 0:
        _give_back(engine, directory)
    return code if code >= 0 else 128 - code


def network(platform: str, port: str = "") -> "list[str]":
    """The way to the local AWS, which listens on the loopback interface of this machine alone.

    On Linux a container gets there by sharing the machine's network. Elsewhere engines run in a
    virtual machine, whose gateway leads to the loopback interface of the machine itself. One that
    serves on 8080 has a network of its own, and is reached at `port` of this machine.
    """
    gateway = ["--add-host", "host.docker.internal:host-gateway"]
    if port:
        return ["-p", f"127.0.0.1:{port}:8080", *gateway]
    return ["--network", "host"] if platform == "linux" else gateway


def variables(given: "Mapping[str, str]", platform: str) -> "dict[str, str]":
    """These variables, with the address under which a container finds the local AWS."""
    shares_network = platform == "linux" and PORT not in given
    if shares_network or ENDPOINT not in given:
        return dict(given)
    return {**given, ENDPOINT: given[ENDPOINT].replace(LOOPBACK, HOST)}


def _options(name: str, directory: str) -> "list[str]":
    """The container's name, its /opt/ml, its variables: by name, so that no list of processes
    shows a value."""
    passed_on = sorted(name for name in os.environ if name not in NOT_PASSED_ON)
    named = [word for variable in passed_on for word in ("-e", variable)]
    return ["--rm", "--name", name, "-v", f"{directory}:{ML}", *named]


def _run(command: "list[str]") -> "list[str]":
    """The image and its command."""
    image = os.environ[IMAGE]
    entrypoint, *rest = command
    if entrypoint == ENTRYPOINT:
        return [image, *rest]
    return ["--entrypoint", entrypoint, image, *rest]


def _watch(engine: str, name: str) -> int:
    """Leave a process behind that ends the container where this process ends before it.

    Writing to the descriptor that is returned says that the container has ended.
    """
    told, tell = os.pipe()
    if os.fork() == 0:
        os.close(tell)
        _end_after(told, engine, name)
    os.close(told)
    return tell


def _end_after(told: int, engine: str, name: str) -> "NoReturn":
    """Wait, as a process of its own, and end the container where nothing is told."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    if os.read(told, 1):
        os._exit(0)
    os.execvp(engine, [engine, "kill", name])


def _give_back(engine: str, directory: str) -> None:
    """What the container's root has written is root's on this machine, unless the engine is
    rootless: let it be the user's, by the same image."""
    if all(_owned(path) for path in _everything(directory)):
        return
    owner = f"{os.getuid()}:{os.getgid()}"
    image = os.environ[IMAGE]
    options = ["--rm", "-v", f"{directory}:{ML}", "--entrypoint", "chown"]
    subprocess.run([engine, "run", *options, image, "-R", owner, ML], check=False)


def _everything(directory: str) -> "list[str]":
    return [
        os.path.join(folder, name)
        for folder, folders, files in os.walk(directory)
        for name in (*folders, *files)
    ]


def _owned(path: str) -> bool:
    return os.lstat(path).st_uid == os.getuid()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
