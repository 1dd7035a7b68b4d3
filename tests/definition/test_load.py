import json
import subprocess
import sys

import pytest

from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.errors import DefinitionError
from tests.definition.cases import definition, training

LOADED = """
import json, sys
before = set(sys.modules)
import airflow_sm_pipelines.definition
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def test_importing_the_language_loads_the_standard_library_alone() -> None:
    output = subprocess.run(
        [sys.executable, "-c", LOADED], check=True, capture_output=True, text=True
    ).stdout
    loaded = set(json.loads(output))
    assert "airflow_sm_pipelines" in loaded
    assert loaded - sys.stdlib_module_names == {"airflow_sm_pipelines"}


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
