"""The import rule and the sizes of the house style, read from the source of the package."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "airflow_sm_pipelines"
NAME = PACKAGE.name
FILES = sorted(PACKAGE.rglob("*.py"))

LAYERS = (
    {"errors"},
    {"definition"},
    {"diagrams", "fidelity", "validation"},
    {
        "files",
        "naming",
        "members",
        "masks",
        "contrasts",
        "settings",
        "features",
        "provider",
    },
    {
        "analysis_configs",
        "aws",
        "baselines",
        "emr",
        "emr_serverless",
        "exception_types",
        "experiments",
        "callbacks",
        "finishing",
        "outputs",
        "links",
        "objects",
        "regions",
        "requests",
        "scope",
        "sights",
        "sources",
        "stops",
        "tagging",
    },
    {
        "patience",
        "retries",
        "operators",
        "callback_operator",
        "callback_trigger",
        "check_operator",
        "job_operator",
        "queued_operator",
        "submission_operator",
        "submissions",
        "lambda_operator",
        "plugin",
        "triggers",
        "poller",
        "turns",
        "unrecorded",
        "looks",
        "watches",
        "clients",
        "sensors",
        "cache",
        "catalogues",
        "verdicts",
        "hits",
        "jobs",
        "deployments",
        "endings",
    },
    {"connections", "dag", "markdown"},
    {"loader", "bundle"},
    {"cli", "executions", "testing"},
)
"""A module imports from its own layer and those before it; `local` stands beside them."""

STANDARD_LIBRARY_ALONE = {"errors", "definition", "diagrams", "fidelity"}
AIRFLOW_SIDE = set().union(*LAYERS[3:-1])
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module and the line that imports it."""

    file: Path
    line: int
    module: str

    @property
    def importer(self) -> str:
        """The part of the package that imports; "" for the package itself."""
        first = self.file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        return "" if first == "__init__" else first

    @property
    def imported(self) -> str | None:
        """The part of the package that is imported; None for other packages."""
        root, _, rest = self.module.partition(".")
        return rest.partition(".")[0] if root == NAME else None

    def broken(self, rule: str) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}: imports {self.module}; {rule}"


def imports(file: Path, text: str) -> Iterator[Import]:
    """Every import in a file's text, those inside functions and for type checkers included."""
    package = file.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(file, node.lineno, alias.name)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = [*package[: len(package) - level + 1]] if level else []
                prefix = ".".join([*base, *([module] if module else [])])
                for alias in names:
                    whole = f"{prefix}.{alias.name}"
                    yield Import(file, node.lineno, whole if is_module(whole) else prefix)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


IMPORTS = [found for file in FILES for found in imports(file, file.read_text())]


def test_every_module_has_a_layer() -> None:
    known = set().union(*LAYERS) | {"local", "", "__main__"}
    parts = {file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in FILES}
    unknown = parts - known - {"__init__"}
    assert not unknown, f"give each of {sorted(unknown)} a layer in LAYERS"


def test_no_module_imports_from_a_later_layer() -> None:
    height = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    broken = [
        found.broken(f"{found.importer} comes before {found.imported}")
        for found in IMPORTS
        if found.importer in height
        and found.imported in height
        and height[found.imported] > height[found.importer]
    ]
    assert not broken, "\n".join(broken)


def test_the_language_imports_the_standard_library_alone() -> None:
    broken = [
        found.broken("the language needs the standard library only")
        for found in IMPORTS
        if found.importer in STANDARD_LIBRARY_ALONE
        and found.imported is None
        and found.module.partition(".")[0] not in sys.stdlib_module_names
    ]
    assert not broken, "\n".join(broken)


def test_the_local_aws_and_the_airflow_side_do_not_know_each_other() -> None:
    broken = [
        found.broken("local and the Airflow side meet on the wire only")
        for found in IMPORTS
        if (found.importer == "local" and found.imported in AIRFLOW_SIDE)
        or (found.importer in AIRFLOW_SIDE and found.imported == "local")
        or (found.importer == "local" and found.module.partition(".")[0] == "airflow")
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("file", "text", "pairs"),
    [
        ("triggers.py", "from airflow_sm_pipelines import aws, naming", ["aws", "naming"]),
        ("cli/up.py", "from airflow_sm_pipelines.local.server import LocalAWS", ["local"]),
        ("dag.py", "def f():\n    import airflow_sm_pipelines.cli.console", ["cli"]),
        ("cli/up.py", "from ..local import server", ["local"]),
        ("provider.py", "from airflow_sm_pipelines import __version__", [""]),
        ("definition/node.py", "import json, airflow", [None, None]),
    ],
)
def test_imports_are_found_in_any_form(file: str, text: str, pairs: list[str | None]) -> None:
    found = list(imports(PACKAGE / file, text))
    assert [each.imported for each in found] == pairs
    assert {each.importer for each in found} == {file.partition("/")[0].removesuffix(".py")}


def test_broken_rule_is_told_with_file_line_and_rule() -> None:
    (found,) = imports(PACKAGE / "aws.py", "\nfrom airflow_sm_pipelines import dag")
    assert found.broken("aws comes before dag") == (
        "airflow_sm_pipelines/aws.py:2: imports airflow_sm_pipelines.dag; aws comes before dag"
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_module_is_no_longer_than_a_reader_bears(file: Path) -> None:
    lines = len(file.read_text().splitlines())
    assert lines <= LONGEST_MODULE, f"{file.relative_to(ROOT)}: {lines} lines; split it"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_functions_are_no_longer_than_a_reader_bears(file: Path) -> None:
    broken = [
        f"{file.relative_to(ROOT)}:{node.lineno}: {node.name} has {lines} lines; split it"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_what_is_left_to_do_is_an_issue_and_no_comment(file: Path) -> None:
    broken = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}; make it an issue"
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if re.search(r"\b(TODO|FIXME|XXX)\b", line)
    ]
    assert not broken, "\n".join(broken)


def test_modules_are_named_for_what_they_are() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "data", "info"}
    broken = [
        str(file.relative_to(ROOT)) for file in FILES if vague & {file.stem, file.parent.name}
    ]
    assert not broken, f"{broken}: name them for what they are"
