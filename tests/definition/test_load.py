import json
import subprocess
import sys
from pathlib import Path

import pytest

import airflow_sm_pipelines
from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.errors import DefinitionError
from tests.definition.cases import PIPELINES, definition, problems_of, training

# Without the packages that an environment loads by itself, so that ours are not taken for those.
LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
import airflow_sm_pipelines.definition
print(*set(sys.modules) - before)
"""
ROOT = Path(airflow_sm_pipelines.__file__).parents[1]

# What would make every task of every worker slower, since each parses its DAG file.
BIG = {
    *("argparse", "asyncio", "concurrent", "ctypes", "datetime", "decimal", "email", "http"),
    *("logging", "multiprocessing", "pathlib", "pickle", "socket", "ssl", "subprocess"),
    *("tempfile", "threading", "unittest", "urllib", "xml"),
}
MOST_MODULES = 100


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """The modules that importing the language loads in a process of its own."""
    output = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LOADED, str(ROOT)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return set(output.split())


def test_importing_the_language_loads_the_standard_library_alone(modules: set[str]) -> None:
    packages = {name.partition(".")[0] for name in modules}
    assert "airflow_sm_pipelines" in packages
    assert packages - sys.stdlib_module_names == {"airflow_sm_pipelines"}


def test_importing_the_language_loads_nothing_else_of_the_package(modules: set[str]) -> None:
    ours = {name for name in modules if name.startswith("airflow_sm_pipelines")}
    beside = {name for name in ours if not name.startswith("airflow_sm_pipelines.definition")}
    assert beside == {"airflow_sm_pipelines", "airflow_sm_pipelines.errors"}


def test_importing_the_language_loads_no_big_module_and_few_in_all(modules: set[str]) -> None:
    assert not modules & BIG
    assert len(modules) <= MOST_MODULES


@pytest.mark.parametrize("package", ["airflow", "boto3", "botocore", "jsonpath_ng", "sagemaker"])
def test_language_works_where_the_package_is_missing(package: str) -> None:
    """Blocked, not only unused: a definition is read, checked, warned about and written."""
    code = f"""
import sys
sys.path.insert(0, sys.argv[1])
sys.modules[{package!r}] = None
from airflow_sm_pipelines.definition import load, warnings
pipeline = load(open(sys.argv[2]).read())
print(len(warnings(pipeline)), len(pipeline.to_json()["Steps"]))
"""
    arguments = [str(ROOT), str(PIPELINES / "policies.json")]
    output = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *arguments],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert output == "0 1\n"


def test_pipeline_is_read_parsed_and_checked() -> None:
    pipeline = load(json.dumps(definition(training("S"))), name="mine")
    assert pipeline.name == "mine"
    assert [step.name for step in pipeline.walk()] == ["S"]
    assert pipeline.unread == frozenset()


def test_text_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(DefinitionError, match="not JSON"):
        load("{")


def test_unknown_reference_is_refused() -> None:
    with pytest.raises(DefinitionError, match="unknown step"):
        load(json.dumps(definition(training("S", DependsOn=["T"]))))


def test_problems_of_form_and_of_reference_are_raised_together() -> None:
    value = definition(training("S", Cache=1), training("T", DependsOn=["U"]))
    assert [told.partition(": ")[0] for told in problems_of(value)] == [
        "$.Steps[0].Cache",
        "$.Steps[1].DependsOn[0]",
    ]


def test_key_given_twice_is_told_however_deep_it_is() -> None:
    with pytest.raises(DefinitionError) as caught:
        load('{"Steps": [{"Arguments": {"Environment": {"A": "1", "A": "2"}}}]}')
    assert str(caught.value) == (
        "$.Steps[0].Arguments.Environment: key 'A' is given twice; keep one"
    )
