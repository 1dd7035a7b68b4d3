"""The S3 objects of an example, uploaded to a local AWS."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path


def seed(environment: Mapping[str, str], folder: Path) -> None:
    """Upload what the `local.toml` files below `folder` name to where these variables lead."""
    import boto3

    from airflow_sm_pipelines.local import seed_objects
    from airflow_sm_pipelines.local.sessions import neutral_session

    client = boto3.Session(botocore_session=neutral_session()).client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    with closing(client):
        seed_objects(client, folder)
