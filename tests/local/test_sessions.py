"""Sessions that no configuration of the user changes."""

import threading

import boto3
import botocore.session
import pytest
from botocore.exceptions import ProfileNotFound

from airflow_sm_pipelines.local.sessions import neutral_session, neutral_sessions


@pytest.fixture(autouse=True)
def missing_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")


def test_a_neutral_session_does_not_look_for_the_users_profile() -> None:
    assert "s3" in neutral_session().get_available_services()


def test_boto3_makes_neutral_sessions_in_the_block() -> None:
    with neutral_sessions():
        assert "us-east-1" in boto3.Session().get_available_regions("s3")


def test_after_the_block_sessions_are_the_users_again() -> None:
    with neutral_sessions():
        pass
    with pytest.raises(ProfileNotFound):
        boto3.Session()


def test_a_block_changes_nothing_for_another_thread() -> None:
    raised: list[str] = []

    def look() -> None:
        try:
            boto3.Session()
        except ProfileNotFound as error:
            raised.append(str(error))

    with neutral_sessions():
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert raised == ["The config profile (no-such-profile) could not be found"]


def test_arguments_of_a_plain_session_are_passed_on() -> None:
    with neutral_sessions():
        pass
    session = botocore.session.get_session({"profile": (None, None, "other", None)})
    assert session.get_config_variable("profile") == "other"
