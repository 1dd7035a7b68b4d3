"""The image map: which Python environment stands for which container image.

Nothing here runs an image. `images.toml` says, rule by rule, what a job of an image runs in; its
header is the reference of the format. To support another image, add a rule there; a new kind of
`train` or `serve` command is a row of `LAUNCHERS` or `SERVERS`.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from airflow_sm_pipelines.local import engines, tables
from airflow_sm_pipelines.local.environments import (
    BuildError,
    build,
    default_cache,
    describe,
    overlay,
)
from airflow_sm_pipelines.local.errors import LocalError
from airflow_sm_pipelines.local.image_commands import commands

DEFAULT = "default"  # the name of our last rule, for images of which nothing is known

_HERE = Path(__file__).parent
_SERVING = _HERE / "serving" / "script_serving.py"


class ImageError(LocalError):
    """An image has no usable environment here; the text says what to map, and where."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the jobs of an image run in. Shared between jobs: run a job in its `for_job`.

    `environment` has PATH, whose first entry is the directory of `python`, VIRTUAL_ENV, and what
    pip needs. `train` and `serve` are the commands that the image's `train` and `serve` stand for,
    or None; `handler` that of what stands for the program of its own that an image has. `name` is
    that of the image's rule, the key of `algorithms.metrics.BUILT_IN_METRICS`. `commands` is a
    folder that is on PATH as well.
    """

    python: Path
    environment: Mapping[str, str]
    train: tuple[str, ...] | None
    description: str
    name: str = DEFAULT
    serve: tuple[str, ...] | None = None
    commands: Path | None = None
    handler: tuple[str, ...] | None = None

    @property
    def entrypoint(self) -> tuple[str, ...]:
        """What stands for the entry point of the image; () where that is not known."""
        return ()

    @property
    def takes_scripts(self) -> bool:
        """Whether `train` is a launcher of ours, which runs the script of a user."""
        return (self.train or ())[1:] in [launcher[1:] for launcher in LAUNCHERS.values()]

    @property
    def is_unknown(self) -> bool:
        """Whether nobody has said what stands for the image: it can run scripts alone."""
        return self.name == DEFAULT and self.takes_scripts

    def for_job(self, folder: Path) -> "Runtime":
        """This runtime with a virtual environment of the job's own, made in `folder`.

        `folder` must not exist. What the job installs with pip goes there, and nowhere else.
        """
        python = overlay(describe(self.python), folder)
        train, serve, handler = (
            command and tuple(str(python) if word == str(self.python) else word for word in command)
            for command in (self.train, self.serve, self.handler)
        )
        return replace(
            self,
            python=python,
            environment=_environment(python, self.commands),
            train=train,
            serve=serve,
            handler=handler,
        )


@dataclass(frozen=True, slots=True)
class Contained(Runtime):
    """A runtime that is a container: what a job installs goes with it."""

    @property
    def entrypoint(self) -> tuple[str, ...]:
        return (engines.ENTRYPOINT,)

    def for_job(self, folder: Path) -> Runtime:
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One `[[image]]` table. Exactly one of `_SOURCES` is set."""

    match: re.Pattern[str]
    name: str
    lock: Path | None = None
    python: Path | None = None
    unsupported: str | None = None
    container: str | None = None
    train: tuple[str, ...] | None = None
    serve: tuple[str, ...] | None = None
    handler: tuple[str, ...] | None = None


class Images:
    """The rules of `images.toml`, after those of the user's own file.

    `config` is the user's file; without it, `images.toml` in the user's configuration directory,
    where there is one. `cache` is where environments are kept. Raises `ImageError` for a file
    that breaks the format.
    """

    def __init__(self, cache: Path | None = None, config: Path | None = None) -> None:
        self._cache = cache or default_cache()
        self._config = config or default_config()
        own = _rules(self._config) if config or self._config.exists() else ()
        self._own = own
        self._rules = (*own, *_rules(_HERE / "images.toml"))

    def rule(self, image_uri: str) -> Rule:
        """The first rule whose `match` is found in `image_uri`; the last of ours matches all."""
        return next(rule for rule in self._rules if rule.match.search(image_uri))

    def own(self, image_uri: str) -> Rule | None:
        """The rule of the user's own file, or None where ours fits first."""
        rule = self.rule(image_uri)
        return rule if rule in self._own else None

    def locks(self) -> dict[str, Path]:
        """What uv makes environments from, by the name of the rule that is first with each."""
        rules = reversed([rule for rule in self._rules if rule.lock])
        names = {rule.lock: rule.name for rule in rules if rule.lock}
        return {name: lock for lock, name in reversed(names.items())}

    def runtime(self, image_uri: str) -> Runtime:
        """What jobs of `image_uri` run in; its environment is made when it is not there yet.

        Making one takes seconds, once; after that this is a dictionary's time.
        """
        rule = self.rule(image_uri)
        if rule.container:
            return self._contained(image_uri, rule)
        if rule.unsupported:
            raise ImageError(f"{image_uri}: {rule.unsupported}; {self._advice(image_uri)}")
        if rule.handler and not Path(rule.handler[-1]).exists() and rule.handler not in _OURS:
            raise ImageError(f"{image_uri}: the handler {rule.handler[-1]} is not there")
        try:
            python = rule.python or build(rule.lock or _BARE, self._cache)
            version = describe(python).version
        except BuildError as error:
            raise ImageError(f"{image_uri}: {error}; {self._advice(image_uri)}") from error
        train, serve, handler = (
            command and tuple(word.replace("{python}", str(python)) for word in command)
            for command in (rule.train, rule.serve, rule.handler)
        )
        folder = commands(python, self._cache)
        return Runtime(
            python,
            MappingProxyType({**_environment(python, folder), **_NO_PIP}),
            train,
            f"{rule.name} (Python {version})",
            rule.name,
            serve,
            folder,
            handler,
        )

    def _contained(self, image_uri: str, rule: Rule) -> Runtime:
        """What stands for an image that is run as it is; its `train` is its own."""
        image = str(rule.container).replace(engines.OWN_IMAGE, image_uri)
        try:
            engine = engines.program()
        except engines.EngineError as error:
            raise ImageError(f"{image_uri}: {error}") from error
        environment = {"PATH": os.environ.get("PATH", _CONTAINER_PATH), engines.IMAGE: image}
        description = f"{rule.name} ({image} by {engine})"
        return Contained(
            Path(sys.executable),
            environment,
            rule.train or (engines.ENTRYPOINT, "train"),
            description,
            rule.name,
            rule.serve or (engines.ENTRYPOINT, "serve"),
        )

    def missing(self, image_uri: str, command: str) -> str:
        """What to say of an image of the user's own whose `train` or `serve` nobody has mapped."""
        return (
            f"{image_uri}: its program `{command}` is in the image alone, which is not run here, "
            f"and no script is named for it; {self._advice(image_uri)}, and with {command} = "
            f'["{{python}}", "/path/to/{command}"]'
        )

    def _advice(self, image_uri: str) -> str:
        repository = re.split(r"[:@]", image_uri.rsplit("/", 1)[-1])[0]
        return (
            f"to run it, add to {self._config}: [[image]] with match = '{repository}', "
            'name = "..." and python = "/path/to/python" of an environment that has what the '
            "image has"
        )


def default_config() -> Path:
    """The user's own image map: `images.toml` below `$XDG_CONFIG_HOME`, or `~/.config`."""
    root = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(root) / "airflow-sm-pipelines" / "images.toml"


def _environment(python: Path, more: Path | None) -> Mapping[str, str]:
    """The variables that make `python` the one that a shell finds, whatever runs around it.

    The commands in `more` come after its own.
    """
    own = python.parent
    path = ":".join(str(each) for each in (own, more, _CONTAINER_PATH) if each)
    indexes = {name: os.environ[name] for name in _PIP if name in os.environ}
    return MappingProxyType(
        {
            **indexes,
            "PATH": path,
            "VIRTUAL_ENV": str(own.parent),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
    )


def _rules(file: Path) -> tuple[Rule, ...]:
    """The rules that `file` holds, in its order."""
    document = tables.read(file, holds="[[image]]", error=ImageError)
    listed = document.pop("image", [])
    everything = _everything(file, document.pop("isolation", None))
    if document or not isinstance(listed, list):
        raise ImageError(f"{file}: {', '.join(document) or 'image'}: write [[image]] tables only")
    problems: list[str] = []
    rules: list[Rule] = []
    for number, table in enumerate(listed):
        where = f"{file}: image[{number}]"
        found = [f"{where}{problem}" for problem in _problems(table)]
        problems += found
        if not found:
            rules.append(_rule(table, file.parent))
    if problems:
        raise ImageError("\n".join(problems))
    return (*rules, *everything)


def _everything(file: Path, isolation: object) -> tuple[Rule, ...]:
    """The rule for what has none in the file, where it says `isolation = "container"`."""
    if isolation is None:
        return ()
    if isolation != _CONTAINER:
        raise ImageError(
            f"{file}: isolation: {isolation!r} does not do; it would be {_CONTAINER!r}"
        )
    return (Rule(match=re.compile(""), name=_CONTAINER, container=engines.OWN_IMAGE),)


def _problems(table: object) -> Iterator[str]:
    """What is wrong with a table, each as the end of a message that begins with where it is."""
    if not isinstance(table, dict):
        yield ": not a table; write [[image]]"
        return
    for key, value in table.items():
        if key not in _KEYS:
            yield f".{key}: {tables.unknown(key, _KEYS)}"
        elif key in COMMANDS:
            yield from _command_problems(key, value)
        elif not isinstance(value, str):
            yield f".{key}: {value!r} is no string; write text in quotes"
    yield from (f".{key}: missing; every image has one" for key in _REQUIRED if key not in table)
    if len(table.keys() & _SOURCES) != 1:
        yield f": has not one but {len(table.keys() & _SOURCES)} of {', '.join(_SOURCES)}; keep one"
    yield from _pattern_problems(table.get("match"))


def _command_problems(key: str, value: object) -> Iterator[str]:
    names = ", ".join(COMMANDS[key])
    match value:
        case str() if value not in COMMANDS[key]:
            yield f".{key}: unknown {_NOUNS[key]} {value!r}; one of {names}, or a list"
        case list() if not value or not all(isinstance(word, str) for word in value):
            yield f".{key}: {value!r}; write a list of words to run"
        case str() | list():
            return
        case _:
            yield f".{key}: {value!r}; one of {names}, or a list of words"


def _pattern_problems(pattern: object) -> Iterator[str]:
    if not isinstance(pattern, str):
        return
    try:
        re.compile(pattern)
    except re.error as error:
        yield f".match: {pattern!r} is no regular expression ({error}); mind \\. and \\["


def _rule(table: Mapping[str, str | Sequence[str]], folder: Path) -> Rule:
    return Rule(
        match=re.compile(str(table["match"])),
        name=str(table["name"]),
        lock=_path(table, "lock", folder),
        python=_path(table, "python", folder),
        unsupported=str(table["unsupported"]) if "unsupported" in table else None,
        container=str(table["container"]) if "container" in table else None,
        train=_command(table, "train"),
        serve=_command(table, "serve"),
        handler=_handler(table, folder),
    )


def _command(table: Mapping[str, str | Sequence[str]], key: str) -> tuple[str, ...] | None:
    written = table.get(key, ())
    return COMMANDS[key][written] if isinstance(written, str) else tuple(written) or None


def _handler(table: Mapping[str, object], folder: Path) -> tuple[str, ...] | None:
    """The command of a handler: one of ours by its name, or a file of the user's."""
    name = table.get("handler")
    file = _path(table, "handler", folder)
    return HANDLERS.get(str(name)) or (("{python}", str(file)) if file else None)


def _path(table: Mapping[str, object], key: str, folder: Path) -> Path | None:
    return folder / Path(str(table[key])).expanduser() if key in table else None


# {python} is the interpreter of the job; the rest of a command is taken as it is.
LAUNCHERS: dict[str, tuple[str, ...]] = {
    # It needs no packages, so it need not wait for their .pth files: -S.
    "script-mode": ("{python}", "-I", "-S", str(_HERE / "script_mode.py")),
    "xgboost": ("{python}", "-I", str(_HERE / "algorithms"), "xgboost"),
    "xgboost-pickled": ("{python}", "-I", str(_HERE / "algorithms"), "xgboost", "pickled"),
}

# The same for serving; {port} is a free one, and without it the server listens on 8080.
SERVERS: dict[str, tuple[str, ...]] = {
    "script-mode": ("{python}", "-I", str(_SERVING), "arrays", "{port}"),
    "pytorch": ("{python}", "-I", str(_SERVING), "tensors", "{port}"),
    "xgboost": ("{python}", "-I", str(_HERE / "algorithms"), "xgboost_serving", "{port}"),
}

# The keys of a rule that are commands -> what names stand for there.
COMMANDS = {"train": LAUNCHERS, "serve": SERVERS}
_NOUNS = {"train": "launcher", "serve": "server"}

HANDLERS: dict[str, tuple[str, ...]] = {
    name: ("{python}", "-I", str(_HERE / "handlers"), name) for name in ("clarify", "model_monitor")
}

_OURS = tuple(HANDLERS.values())

_BARE = _HERE / "locks" / "bare.txt"
_CONTAINER = "container"
_REQUIRED = ("match", "name")
_SOURCES = ("lock", "python", "unsupported", _CONTAINER)
_KEYS = (*_REQUIRED, *_SOURCES, *COMMANDS, "handler")

# What follows the environment's own directory on PATH is what Docker sets in an image.
_CONTAINER_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A shared environment is not for installing: there pip stops with an error. `for_job` is.
_NO_PIP = {"PIP_USER": "1"}

# How pip reaches an index is the machine's affair, so a job's pip is told what the server's is.
_PIP = (
    "PIP_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_TRUSTED_HOST",
)
