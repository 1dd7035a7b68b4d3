import json
from collections.abc import Callable
from importlib import metadata, resources

import jsonschema  # type: ignore[import-untyped]
import pytest

import airflow_sm_pipelines
from airflow_sm_pipelines import settings
from airflow_sm_pipelines.provider import OPTIONS, get_provider_info

ENTRY_POINTS = metadata.entry_points(group="apache_airflow_provider")


def test_the_provider_is_as_airflow_demands() -> None:
    schema = json.loads(
        resources.files("airflow").joinpath("provider_info.schema.json").read_text("utf-8")
    )
    jsonschema.validate(get_provider_info(), schema)


def test_airflow_finds_the_provider() -> None:
    (ours,) = [point for point in ENTRY_POINTS if point.value.startswith("airflow_sm_pipelines.")]
    assert ours.load() is get_provider_info


def test_the_provider_tells_the_version() -> None:
    assert get_provider_info()["versions"] == [airflow_sm_pipelines.__version__]


@pytest.mark.parametrize("kind", ["operators", "triggers"])
def test_the_modules_that_the_provider_names_are_there(kind: str) -> None:
    for listed in get_provider_info()[kind]:  # type: ignore[attr-defined]
        for module in listed["python-modules"]:
            assert (
                resources.files(module.rpartition(".")[0])
                .joinpath(f"{module.rpartition('.')[2]}.py")
                .is_file()
            )


def test_every_option_is_a_setting_and_every_setting_an_option() -> None:
    functions = {
        name
        for name, value in vars(settings).items()
        if callable(value) and getattr(value, "__module__", "") == settings.__name__
    }
    assert functions - {"_option"} == set(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_default_of_an_option_is_of_its_type(name: str) -> None:
    kinds: dict[str, Callable[[str], object]] = {
        "float": float,
        "integer": int,
        "string": str,
        "boolean": {"True": True, "False": False}.__getitem__,
    }
    default = OPTIONS[name]["default"]
    assert default is None or kinds[str(OPTIONS[name]["type"])](default) is not None
