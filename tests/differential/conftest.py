"""What runs where: the properties in the SDK's environment, one test that runs them in ours."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.differential.tally import lines

SDK_IS_HERE = find_spec("sagemaker") is not None
OURS = "test_sdk_environment.py"
PROPERTIES = [file.name for file in Path(__file__).parent.glob("test_*.py") if file.name != OURS]
collect_ignore = [OURS] if SDK_IS_HERE else PROPERTIES

EXAMPLES = os.environ.get("DIFFERENTIAL_EXAMPLES")
"""How many cases each property evaluates, other ones each time; by default a few, always the same.
"""

# What the SDK says about every step that is made.
SDK_WARNINGS = ("We are deprecating the instantiation of", "Lambda function won't be updated")


def pytest_configure(config: pytest.Config) -> None:
    """Make ready for the properties, where they are run."""
    if not SDK_IS_HERE:
        return
    settings.register_profile(
        "differential",
        max_examples=int(EXAMPLES or 60),
        derandomize=EXAMPLES is None,
        print_blob=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("differential")
    for message in SDK_WARNINGS:
        config.addinivalue_line("filterwarnings", f"ignore:{message}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of the properties that were run."""
    for line in lines():
        terminalreporter.write_line(line)
