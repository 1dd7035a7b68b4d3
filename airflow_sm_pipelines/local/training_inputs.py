"""What a training job's hosts find below /opt/ml when they start, and what a request may not ask.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from collections.abc import Iterator, Sequence
from itertools import product

from airflow_sm_pipelines.local import channels
from airflow_sm_pipelines.local.channels import training_channel
from airflow_sm_pipelines.local.hosts import Host, count_refusals, described, named
from airflow_sm_pipelines.local.job import Fields, Job
from airflow_sm_pipelines.local.machine import Machine, write_json
from airflow_sm_pipelines.local.pipes import Pipe, deliver


def prepare(machine: Machine, job: Job, hosts: Sequence[Host]) -> list[Pipe]:
    """Write the configuration, fetch the channels, make the folders of the outputs; the pipes."""
    configured = {
        each["ChannelName"]: _described(each, job.request)
        for each in job.request.get("InputDataConfig") or ()
    }
    for host in hosts:
        config = host.ml / "input" / "config"
        write_json(config / "hyperparameters.json", job.request.get("HyperParameters") or {})
        write_json(config / "resourceconfig.json", described(hosts, host))
        write_json(config / "inputdataconfig.json", configured)
        (host.ml / "input" / "data").mkdir()
    for host, folder in product(hosts, FOLDERS):
        (host.ml / folder).mkdir(parents=True)
    pipes: list[Pipe] = []
    for number, each in enumerate(job.request.get("InputDataConfig") or ()):
        channel = training_channel(each, job.request, number)
        receivers = named(hosts, channel.groups, channel.where)
        folders = [host.ml / "input" / "data" / channel.name for host in receivers]
        pipes += deliver(machine.objects, channel, folders)
    return pipes


def refusals(request: Fields, *, together: bool) -> Iterator[str]:
    """What the request asks for and the local AWS does not have."""
    algorithm = request.get("AlgorithmSpecification") or {}
    if not algorithm.get("TrainingImage"):
        image = "AlgorithmSpecification.TrainingImage"
        yield f"{image}: not there in the local AWS; name a TrainingImage"
    resources = request.get("ResourceConfig") or {}
    yield from count_refusals(resources, "ResourceConfig", together=together)
    for number, each in enumerate(request.get("InputDataConfig") or ()):
        if each["DataSource"].get("S3DataSource") is None:
            where = f"InputDataConfig[{number}].DataSource"
            yield f"{where}: not there in the local AWS; it would be S3DataSource"
        else:
            yield from channels.refusals(training_channel(each, request, number))


def _described(channel: Fields, request: Fields) -> dict[str, str]:
    """What inputdataconfig.json says of a channel."""
    source = channel["DataSource"]["S3DataSource"]
    said = {
        "TrainingInputMode": channel.get("InputMode")
        or request["AlgorithmSpecification"]["TrainingInputMode"],
        "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated",
        "RecordWrapperType": channel.get("RecordWrapperType") or "None",
    }
    content = channel.get("ContentType")
    return {"ContentType": content, **said} if content else said


FOLDERS = ("model", "code", "checkpoints", "output/data", "output/intermediate")
