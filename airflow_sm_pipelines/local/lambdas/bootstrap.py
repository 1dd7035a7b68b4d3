"""The runtime of a Lambda function in Python: one invocation, from its event to its result.

`python -I bootstrap.py FOLDER`, where `invocation.json` in FOLDER says what is invoked and
`result.json` is what came of it. Of the standard library alone, for whatever Python has the
function's packages; what the function prints goes to the log.
"""

import importlib
import json
import os
import signal
import sys
import time
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class FailedError(Exception):
    """The function cannot be called, or what it returns is no JSON; the first word is the type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Identity:
    """Who calls, for functions that a mobile application calls."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class Client:
    """What `context.client_context.client` is."""

    def __init__(self, given: "dict[str, Any]") -> None:
        for name in ("installation_id", "app_title", "app_version_name", "app_package_name"):
            setattr(self, name, given.get(name))


class ClientContext:
    """What the caller has sent as ClientContext."""

    def __init__(self, given: "dict[str, Any]") -> None:
        self.client = Client(given.get("client") or {})
        self.custom = given.get("custom")
        self.env = given.get("env")


class Context:
    """The second argument of a handler."""

    def __init__(self, invocation: "dict[str, Any]", deadline: float) -> None:
        self.aws_request_id = invocation["RequestId"]
        self.function_name = invocation["FunctionName"]
        self.function_version = "$LATEST"
        self.invoked_function_arn = invocation["FunctionArn"]
        self.memory_limit_in_mb = str(invocation["MemorySize"])
        self.log_group_name = invocation["LogGroup"]
        self.log_stream_name = invocation["LogStream"]
        self.identity = Identity()
        given = invocation.get("ClientContext")
        self.client_context = ClientContext(given) if given else None
        self.tenant_id = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function times out."""
        return max(0, int((self._deadline - time.time()) * 1000))

    def log(self, message: object) -> None:
        """Write to the log."""
        sys.stdout.write(str(message))


def main(folder: str) -> None:
    """Invoke the function, and write what came of it."""
    with open(os.path.join(folder, "invocation.json"), encoding="utf-8") as file:
        invocation = json.load(file)
    try:
        result: dict[str, Any] = {"Payload": _returned(invocation)}
    except FailedError as error:
        result = {"Error": _told(invocation, error.kind, str(error), [])}
    except SystemExit:
        raise  # the end of the runtime is no result
    except BaseException as error:
        result = {"Error": _raised(invocation, error)}
        sys.stdout.write(_logged(result["Error"]))
    sys.stdout.flush()
    aside = os.path.join(folder, "result.json.new")
    with open(aside, "w", encoding="utf-8") as file:
        json.dump(result, file)
    os.replace(aside, os.path.join(folder, "result.json"))


def _returned(invocation: "dict[str, Any]") -> str:
    """What the handler returns, as JSON."""
    handler = _handler(invocation)
    seconds = float(invocation["Timeout"])
    context = Context(invocation, time.time() + seconds)
    # The kernel ends the process, whatever it is doing: no code of the function's is asked.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    returned = handler(invocation["Event"], context)
    signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        return json.dumps(returned, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise FailedError("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _handler(invocation: "dict[str, Any]") -> "Any":
    """The function that `Handler` names, its module loaded."""
    name = invocation["Handler"]
    module, dot, function = name.rpartition(".")
    if not dot:
        raise FailedError("Runtime.MalformedHandlerName", f"Bad handler '{name}'")
    sys.path.insert(0, invocation["TaskRoot"])
    path = module.replace("/", ".")
    try:
        loaded = importlib.import_module(path)
    except ImportError as error:
        message = f"Unable to import module '{module}': {error}"
        raise FailedError("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        message = f"Syntax error in module '{module}': {error}"
        raise FailedError("Runtime.UserCodeSyntaxError", message) from error
    found = getattr(loaded, function, None)
    if found is None:
        message = f"Handler '{function}' missing on module '{module}'"
        raise FailedError("Runtime.HandlerNotFound", message)
    return found


def _raised(invocation: "dict[str, Any]", error: BaseException) -> "dict[str, Any]":
    """An exception of the function's as its caller is told of it."""
    here = os.path.abspath(__file__)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if os.path.abspath(frame.filename) != here and "importlib" not in frame.filename
    ]
    return _told(invocation, type(error).__name__, str(error), traceback.format_list(frames))


def _told(
    invocation: "dict[str, Any]", kind: str, message: str, trace: "list[str]"
) -> "dict[str, Any]":
    return {
        "errorMessage": message,
        "errorType": kind,
        "requestId": invocation["RequestId"],
        "stackTrace": trace,
    }


def _logged(error: "dict[str, Any]") -> str:
    """What AWS's own runtime writes to the log."""
    trace = "".join(error["stackTrace"])
    head = f"[ERROR] {error['errorType']}: {error['errorMessage']}"
    return f"{head}\nTraceback (most recent call last):\n{trace}"


if __name__ == "__main__":
    main(sys.argv[1])
