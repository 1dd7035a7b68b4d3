"""One invocation of a Lambda function: a process, from its event to its result."""

import base64
import json
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local.emr.commands import Command, Commands
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.images import ImageError

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an invocation answers: JSON, the kind of error if it is one, the end of the log."""

    payload: str
    error: str = ""
    log_tail: str = ""


@dataclass(slots=True, kw_only=True)
class Invocation:
    """One invocation; `task_root` is the folder of the function's code."""

    configuration: Fields
    """As GetFunctionConfiguration answers."""
    task_root: Path
    event: Any
    folder: Path
    commands: Commands
    client_context: Any = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    command: Command = field(default_factory=Command)
    late: bool = False
    """Whether it was ended from outside, since not even its alarm had ended it."""

    def run(self) -> Result:
        """Carry it out."""
        argv = self._argv()
        self.folder.mkdir(parents=True)
        (self.folder / "invocation.json").write_text(json.dumps(self._told()), encoding="utf-8")
        self._write(f"START RequestId: {self.request_id} Version: $LATEST")
        for note in self._notes():
            self._write(f"[local AWS] {note}")
        began = time.monotonic()
        limit = threading.Timer(self.timeout + INIT_SECONDS, self._give_up)
        limit.daemon = True
        limit.start()
        code = self.command.run(
            argv, environment=self._environment(), folder=self.task_root, log=self.log
        )
        limit.cancel()
        result = self._result(code)
        milliseconds = (time.monotonic() - began) * 1000
        self._write(f"END RequestId: {self.request_id}")
        self._write(
            f"REPORT RequestId: {self.request_id}\tDuration: {milliseconds:.2f} ms\t"
            f"Memory Size: {self.configuration['MemorySize']} MB"
        )
        tail = self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        return Result(payload=result.payload, error=result.error, log_tail=tail)

    @property
    def log(self) -> Path:
        """What the function has printed."""
        return self.folder / "log.txt"

    @property
    def timeout(self) -> int:
        """Seconds."""
        return int(self.configuration["Timeout"])

    @property
    def log_group(self) -> str:
        """The log group of the function."""
        return f"/aws/lambda/{self.configuration['FunctionName']}"

    @property
    def log_stream(self) -> str:
        """The log stream of this invocation: each has an environment of its own."""
        return f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{self.request_id.replace('-', '')}"

    def discard(self) -> None:
        """Remove its files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _give_up(self) -> None:
        self.late = True
        self.command.terminate(grace_seconds=0)

    def _argv(self) -> list[str]:
        """The runtime of the function; refused where this machine has none."""
        if self.configuration.get("PackageType") == "Image":
            raise _unsupported(
                "a function of a container image does not run in the local AWS; make it of a zip "
                "file, or map a local one in lambdas.toml"
            )
        runtime = str(self.configuration.get("Runtime") or "")
        here = Path(__file__)
        if runtime.startswith("python"):
            python = str(self._python(runtime))
            return [python, "-IBu", str(here.with_name("bootstrap.py")), str(self.folder)]
        node = shutil.which("node", path=self.commands.environment()["PATH"])
        if runtime.startswith("nodejs") and node:
            return [node, str(here.with_name("bootstrap.mjs")), str(self.folder)]
        cure = "install Node.js" if runtime.startswith("nodejs") else "it runs python and nodejs"
        raise _unsupported(f"runtime {runtime!r} is not on this machine; {cure}")

    def _python(self, runtime: str) -> Path:
        try:
            return self.commands.images.runtime(f"lambda:{runtime}").python
        except ImageError as error:
            raise _unsupported(str(error)) from error

    def _notes(self) -> list[str]:
        layers = [each["Arn"] for each in self.configuration.get("Layers") or ()]
        return [f"its layers are not there: {', '.join(layers)}"] if layers else []

    def _told(self) -> dict[str, Any]:
        """What the runtime is told."""
        copied = ("FunctionName", "FunctionArn", "Handler", "MemorySize")
        return {
            **{key: self.configuration[key] for key in copied},
            "RequestId": self.request_id,
            "Timeout": self.timeout,
            "Event": self.event,
            "ClientContext": self.client_context,
            "LogGroup": self.log_group,
            "LogStream": self.log_stream,
            "TaskRoot": str(self.task_root),
        }

    def _environment(self) -> dict[str, str]:
        own = (self.configuration.get("Environment") or {}).get("Variables") or {}
        runtime = self.configuration["Runtime"]
        return self.commands.environment(
            **{
                "TZ": ":UTC",
                "LAMBDA_TASK_ROOT": str(self.task_root),
                "_HANDLER": str(self.configuration["Handler"]),
                "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
                "AWS_LAMBDA_FUNCTION_NAME": str(self.configuration["FunctionName"]),
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.configuration["MemorySize"]),
                "AWS_LAMBDA_LOG_GROUP_NAME": self.log_group,
                "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
                **own,
            }
        )

    def _result(self, code: int) -> Result:
        file = self.folder / "result.json"
        if file.exists():
            told = json.loads(file.read_text(encoding="utf-8"))
            if "Error" in told:
                return Result(payload=json.dumps(told["Error"]), error=UNHANDLED)
            return self._fitting(told["Payload"])
        if code == TIMED_OUT or self.late:
            text = f"Task timed out after {self.timeout}.00 seconds"
            moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._write(f"{moment} {self.request_id} {text}")
            return self._failed("Sandbox.Timedout", f"Error: {text}")
        return self._failed("Runtime.ExitError", f"Error: Runtime {_exited(code)}")

    def _fitting(self, payload: str) -> Result:
        if len(payload.encode()) <= LONGEST_PAYLOAD:
            return Result(payload=payload)
        message = f"{TOO_LARGE} ({LONGEST_PAYLOAD} bytes)."
        told = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
        return Result(payload=json.dumps(told), error=UNHANDLED)

    def _failed(self, kind: str, message: str) -> Result:
        told = {"errorType": kind, "errorMessage": f"RequestId: {self.request_id} {message}"}
        return Result(payload=json.dumps(told), error=UNHANDLED)

    def _write(self, line: str) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")


def _exited(code: int) -> str:
    """How a runtime has ended that has left no result."""
    if code == 0:
        return "exited without providing a reason"
    if code > SIGNALLED:
        return f"exited with error: signal: {signal.Signals(code - SIGNALLED).name}"
    return f"exited with error: exit status {code}"


def client_context(given: str) -> Any:
    """The ClientContext of a request."""
    try:
        return json.loads(base64.b64decode(given)) if given else None
    except ValueError as error:
        message = "Client context must be a valid Base64-encoded JSON object."
        raise AwsError("InvalidRequestContentException", message) from error


def _unsupported(message: str) -> AwsError:
    # AWS's status is 502, which clients would ask again for.
    return AwsError("InvalidRuntimeException", message)


UNHANDLED = "Unhandled"
TOO_LARGE = "Response payload size exceeded maximum allowed payload size"
LONGEST_PAYLOAD = 6_291_556
LOG_TAIL_BYTES = 4096
INIT_SECONDS = 10
"""What Lambda gives a function to be loaded, beside its timeout."""

SIGNALLED = 128
TIMED_OUT = 128 + 14
"""The exit code of a process that its own alarm has ended; the runtime sets it."""
