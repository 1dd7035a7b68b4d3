from collections.abc import Callable

import pytest
from airflow.providers.common.compat.sdk import AirflowConfigException

from airflow_sm_pipelines import settings
from tests.conftest import FERNET_KEY

Option = Callable[[str, str], None]

REGION = "https://api.sagemaker.us-east-1.amazonaws.com"


@pytest.fixture
def option(monkeypatch: pytest.MonkeyPatch) -> Option:
    return lambda name, value: monkeypatch.setenv(f"AIRFLOW__SM_PIPELINES__{name}", value)


def test_jobs_in_aws_are_looked_at_every_ten_seconds() -> None:
    assert settings.poll_seconds(REGION) == 10


def test_the_poll_interval_is_a_setting(option: Option) -> None:
    option("POLL_SECONDS", "2.5")
    assert settings.poll_seconds(REGION) == 2.5


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_local_aws_is_looked_at_often_whatever_the_setting(option: Option, host: str) -> None:
    option("POLL_SECONDS", "60")
    assert settings.poll_seconds(f"http://{host}:4566") == 0.2


def test_a_look_at_the_cache_goes_through_fifty_pages() -> None:
    assert settings.cache_pages() == 50


@pytest.mark.parametrize(("given", "pages"), [("7", 7), ("0", 1)])
def test_the_pages_of_a_look_at_the_cache_are_a_setting(
    option: Option, given: str, pages: int
) -> None:
    option("CACHE_PAGES", given)
    assert settings.cache_pages() == pages


@pytest.mark.parametrize("given", ["0", "-3"])
def test_no_setting_makes_the_poller_spin(option: Option, given: str) -> None:
    option("POLL_SECONDS", given)
    assert settings.poll_seconds(REGION) == 0.2


def test_a_poll_interval_that_is_no_number_is_refused_by_its_name(option: Option) -> None:
    option("POLL_SECONDS", "often")
    with pytest.raises(AirflowConfigException, match='"poll_seconds" key in "sm_pipelines"'):
        settings.poll_seconds(REGION)


def test_a_worker_waits_for_local_jobs_only() -> None:
    assert settings.defer_after_seconds("http://127.0.0.1:4566") == 5
    assert settings.defer_after_seconds(REGION) == 0


@pytest.mark.parametrize("endpoint", [REGION, "http://127.0.0.1:4566"])
def test_how_long_a_worker_waits_is_a_setting(option: Option, endpoint: str) -> None:
    option("DEFER_AFTER_SECONDS", "2.5")
    assert settings.defer_after_seconds(endpoint) == 2.5


def test_the_deployment_is_a_setting(option: Option) -> None:
    option("DEPLOYMENT", "prod")
    assert settings.deployment() == "prod"


def test_the_default_deployment_is_the_installations_own_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = settings.deployment()
    assert made == settings.deployment()
    assert FERNET_KEY not in made
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "1" * 43 + "=")
    assert settings.deployment() != made


def test_there_is_no_role_by_default() -> None:
    assert settings.role_arn() is None


def test_the_role_is_a_setting(option: Option) -> None:
    option("ROLE_ARN", "arn:aws:iam::123456789012:role/r")
    assert settings.role_arn() == "arn:aws:iam::123456789012:role/r"


def test_jobs_are_tagged_by_default() -> None:
    assert settings.tags()


@pytest.mark.parametrize(("given", "tagged"), [("False", False), ("0", False), ("1", True)])
def test_tagging_is_switched_as_airflow_switches(option: Option, given: str, tagged: bool) -> None:
    option("TAGS", given)
    assert settings.tags() is tagged
