"""Checkpoints: a folder of a training job that S3 has before, while and after the job runs.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from airflow_sm_pipelines.local.hosts import Host
from airflow_sm_pipelines.local.job import Fields
from airflow_sm_pipelines.local.machine import inside
from airflow_sm_pipelines.local.mirror import mirror
from airflow_sm_pipelines.local.objects import Objects

_LOCAL_PATH = "/opt/ml/checkpoints"


@contextmanager
def synced(objects: Objects, config: Fields | None, hosts: Sequence[Host]) -> Iterator[None]:
    """Fetch the checkpoints that are there; in the block, and at any end of it, upload new ones.

    All hosts have the one S3 location, without a suffix: names must not clash, as on AWS.
    """
    if config is None:
        yield
        return
    uri = config["S3Uri"]
    with ExitStack() as copies:
        for host in hosts:
            folder = inside(host.ml, config.get("LocalPath") or _LOCAL_PATH)
            folder.mkdir(parents=True, exist_ok=True)
            objects.download(f"{uri.rstrip('/')}/", folder)
            copies.enter_context(mirror(objects, folder, uri, uploaded=True))
        yield
