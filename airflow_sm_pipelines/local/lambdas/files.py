"""Lambda functions that are files of this machine: a definition names only an ARN.

    [lambda.count-rows]
    handler = "functions/count.py:handler"

in `lambdas.toml`, paths from the file's own folder. Other keys are rows of `KEYS`. The user's own
file is beside `images.toml`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import tables
from airflow_sm_pipelines.local.errors import LocalError
from airflow_sm_pipelines.local.images import default_config


class LambdaError(LocalError):
    """A file of functions breaks the format; every problem is a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFunction:
    """A function whose code is a file; it is read anew at each invocation."""

    name: str
    folder: Path
    handler: str
    """As Lambda writes it: `module.function`."""
    timeout: int = 120
    """Seconds; the default is that of the SDK's helper, not Lambda's 3."""
    environment: Mapping[str, str] = field(default_factory=dict)


def functions(config: Path | None = None) -> tuple[LocalFunction, ...]:
    """The functions of a file, by default the user's own, if there is one."""
    file = config or default_config().with_name("lambdas.toml")
    if config is None and not file.exists():
        return ()
    document = tables.read(file, holds="[lambda.<name>]", error=LambdaError)
    if set(document) - {"lambda"} or not isinstance(document.get("lambda", {}), dict):
        raise LambdaError(f"{file}: write [lambda.<name>] tables only")
    named = document.get("lambda", {})
    problems = [
        f"{file}: lambda.{name}{problem}"
        for name, table in named.items()
        for problem in _problems(table, file.parent)
    ]
    if problems:
        raise LambdaError("\n".join(problems))
    return tuple(_function(name, table, file.parent) for name, table in named.items())


def _problems(table: Any, folder: Path) -> Iterator[str]:
    """What is wrong with a table, each as the end of a message that begins with where it is."""
    if not isinstance(table, dict):
        yield ": not a table; write [lambda.<name>]"
        return
    for key, value in table.items():
        if key not in KEYS:
            yield f".{key}: {tables.unknown(key, KEYS)}"
        elif not isinstance(value, KEYS[key][0]):
            yield f".{key}: {value!r}; write {KEYS[key][1]}"
    yield from _handler_problems(table.get("handler"), folder)


def _handler_problems(handler: object, folder: Path) -> Iterator[str]:
    if handler is None:
        yield ".handler: missing; it would be 'file.py:function'"
        return
    file, _, function = str(handler).rpartition(":")
    if not function or not file.endswith((".py", ".js", ".mjs", ".cjs")):
        yield f".handler: {handler!r}; it would be 'file.py:function'"
    elif not (folder / file).is_file():
        yield f".handler: there is no file {folder / file}"


def _function(name: str, table: Mapping[str, Any], folder: Path) -> LocalFunction:
    file, _, function = str(table["handler"]).rpartition(":")
    path = (folder / file).resolve()
    return LocalFunction(
        name=name,
        folder=path.parent,
        handler=f"{path.stem}.{function}",
        timeout=int(table.get("timeout", 120)),
        environment={key: str(value) for key, value in table.get("environment", {}).items()},
    )


KEYS: dict[str, tuple[type, str]] = {
    "handler": (str, "'file.py:function'"),
    "timeout": (int, "seconds, 1 to 900"),
    "environment": (dict, "a table of variables"),
}
"""Keys of a table: what they hold, and that in words."""
