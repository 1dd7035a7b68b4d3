"""Objects put into a store without a request."""

from airflow_sm_pipelines.local.s3.index import Details
from airflow_sm_pipelines.local.s3.store import Store


def put(store: Store, key: str, content: bytes = b"", details: Details | None = None) -> None:
    with store.incoming() as file:
        file.write_bytes(content)
        store.put("bucket", key, file=file, details=details)


def read(store: Store, key: str) -> bytes:
    content, _ = store.open("bucket", key)
    with content:
        return content.read()


def keys(store: Store, prefix: str = "", after: str = "") -> list[str]:
    return [found.key for found in store.walk("bucket", prefix=prefix, after=after)]
