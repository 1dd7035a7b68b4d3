"""boto3 clients that a WSGI app answers without a network."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local.sessions import neutral_session
from airflow_sm_pipelines.local.transport import connect

Seen = list[dict[str, Any]]


def client(service: str, app: Callable[..., Iterable[bytes]]) -> Any:
    made: Any = neutral_session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url="http://192.0.2.1:1",  # an address that leads nowhere
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    connect(made, app)
    return made


@pytest.fixture
def seen() -> Seen:
    return []


@pytest.fixture
def app(seen: Seen) -> Callable[..., Iterable[bytes]]:
    """Answers what is asked for with `content`, in two parts."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        seen.append({**environ, "body": body})
        start_response("200 OK", [("ETag", "tag")])
        return [b"con", b"tent"] if environ["REQUEST_METHOD"] == "GET" else []

    return answer


def test_the_answer_is_the_apps(app: Any) -> None:
    found = client("s3", app).get_object(Bucket="bucket", Key="key")
    assert found["ETag"] == "tag"
    assert found["Body"].read() == b"content"


def test_a_body_can_be_read_in_pieces(app: Any) -> None:
    body = client("s3", app).get_object(Bucket="bucket", Key="key")["Body"]
    assert list(body.iter_chunks(3)) == [b"con", b"ten", b"t"]


def test_the_path_is_decoded_as_wsgi_wants_it(app: Any, seen: Seen) -> None:
    client("s3", app).get_object(Bucket="bucket", Key="\u00fc a")
    assert seen[0]["PATH_INFO"].encode("latin-1").decode() == "/bucket/\u00fc a"


def test_a_file_is_passed_on_with_its_length(app: Any, seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    with (tmp_path / "file").open("rb") as file:
        client("s3", app).put_object(Bucket="bucket", Key="key", Body=file)
    assert seen[0]["CONTENT_LENGTH"] == "5"
    assert seen[0]["REQUEST_METHOD"] == "PUT"


def test_headers_arrive_as_wsgi_names_them(app: Any, seen: Seen) -> None:
    client("s3", app).put_object(Bucket="b-b", Key="k", Body=b"", ContentType="text/csv")
    assert seen[0]["CONTENT_TYPE"] == "text/csv"
    assert seen[0]["HTTP_HOST"] == "192.0.2.1:1"
    assert "Credential=key/" in seen[0]["HTTP_AUTHORIZATION"]
