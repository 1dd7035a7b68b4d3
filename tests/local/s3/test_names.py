import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sm_pipelines.local.s3.names import (
    escaped,
    is_bucket_name,
    is_natural,
    unescaped,
)

KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300)


@given(KEYS)
def test_an_escaped_name_leads_back_to_its_key(key: str) -> None:
    assert unescaped(escaped(key)) == key


@given(KEYS)
def test_an_escaped_name_is_one_that_every_file_system_can_hold(key: str) -> None:
    for name in escaped(key).split("/"):
        assert name not in ("", ".", "..")
        assert len(name) <= 255
        assert name.isascii()
        assert name == name.lower()


@given(KEYS, KEYS)
def test_no_escaped_name_is_a_folder_on_the_way_to_another(one: str, other: str) -> None:
    assert not escaped(other).startswith(f"{escaped(one)}/")


@pytest.mark.parametrize("name", ["a+", "A", "%41x%", "a+/", "%2f/b", "%ff"])
def test_a_name_that_no_key_has_is_told(name: str) -> None:
    with pytest.raises(ValueError, match=r"key|codec"):
        unescaped(name)


@pytest.mark.parametrize("key", ["a", "a/b.csv", "ü/x y", ".hidden", "...", "%41", "A/b"])
def test_most_keys_are_paths(key: str) -> None:
    assert is_natural(key)


@pytest.mark.parametrize("key", ["/a", "a/", "a//b", ".", "../a", "a/./b", "a\0", "x" * 256])
def test_what_no_path_can_be_is_none(key: str) -> None:
    assert not is_natural(key)


@pytest.mark.parametrize("key", ["A/b", "ü"])
def test_where_case_does_not_count_only_keys_without_a_twin_are_paths(key: str) -> None:
    assert not is_natural(key, case_counts=False)
    assert is_natural("a/b", case_counts=False)


@pytest.mark.parametrize("name", ["abc", "my-bucket.v1", "a" * 63])
def test_names_of_buckets(name: str) -> None:
    assert is_bucket_name(name)


@pytest.mark.parametrize(
    "name", ["", "ab", "a" * 64, "Abc", "a_b", "-ab", "ab-", "a..b", "1.2.3.4", "xn--a", ".store"]
)
def test_what_is_no_name_of_a_bucket(name: str) -> None:
    assert not is_bucket_name(name)
