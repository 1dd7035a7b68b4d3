"""Links from a task to its job: the SageMaker console, the log in CloudWatch, the output in S3.

The URLs are stored as XComs when the job is created, under the keys that the UI reads, so they are
there while the job runs. To link another kind of resource, add a row to `PLACES`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseOperatorLink

from airflow_sm_pipelines import objects, settings
from airflow_sm_pipelines.definition.node import Json

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from airflow_sm_pipelines.aws import Resource

Urls = dict[str, str]
"""The URL of a link by the link's name, of the links that there are."""


class _JobLink(BaseOperatorLink):
    """A link whose URL is stored."""

    name = ""

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The URL that was stored; "" where none was, as for a try of an earlier version."""
        from airflow.providers.common.compat.sdk import XCom  # which imports the backend

        return XCom.get_value(key=self.xcom_key, ti_key=ti_key) or ""


class ConsoleLink(_JobLink):
    """The job's page in the SageMaker console."""

    name = "SageMaker"


class LogLink(_JobLink):
    """The job's log streams in CloudWatch."""

    name = "CloudWatch logs"


class OutputLink(_JobLink):
    """The folder in S3 that the job writes to."""

    name = "S3 output"


LINKS = (ConsoleLink(), LogLink(), OutputLink())


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where people find a resource of a kind; `{name}` is its name, other words are members."""

    page: str = ""
    """The console's page, below `<console>/home#/`; "" where the console has none."""
    console: str = "sagemaker"
    log_group: str = ""
    log_prefix: str = ""
    """How the names of its log streams begin."""
    outputs: tuple[str, ...] = ()
    """Paths in the request to S3 URIs, of which the first that is there counts; through a list
    to its first element."""
    output_folder: str = ""
    """The folder below that URI which is the resource's own."""


def persist(ti: Any, urls: Urls) -> None:
    """Store the URLs of a task's links where the UI looks for them."""
    for link in LINKS:
        if url := urls.get(link.name):
            ti.xcom_push(key=link.xcom_key, value=url)


def urls(client: "BaseClient", resource: "Resource", request: Mapping[str, Json]) -> Urls:
    """The URLs of a resource; none where it is not known which console shows it.

    On this host the local AWS has pages of its own.
    """
    place = PLACES[resource.job.noun]
    output = output_uri(resource, request)
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    if host in settings.LOOPBACK:
        return _local_urls(client.meta.endpoint_url, resource, place, output)
    console = CONSOLES.get(client.meta.partition)
    if console is None or not host.endswith(AWS_DOMAINS):
        return {}
    region = client.meta.region_name
    root = f"https://{region}.{console}"
    told = _told(resource, request)
    found = {
        ConsoleLink.name: _page(root, region, place, told),
        LogLink.name: _log(root, region, place, told),
        OutputLink.name: _folder(root, region, output),
    }
    return {name: url for name, url in found.items() if url}


def output_uri(resource: "Resource", request: Mapping[str, Json]) -> str:
    """The S3 URI that a resource writes to, of its first output; "" where there is none."""
    place = PLACES[resource.job.noun]
    found = (next(_texts(dict(request), path.split(".")), "") for path in place.outputs)
    uri = next(filter(None, found), "")
    folder = place.output_folder.format_map(_told(resource, request))
    return "/".join(filter(None, (uri.rstrip("/"), folder))) if uri else ""


def _texts(value: Json, path: list[str]) -> Iterator[str]:
    match value, path:
        case str(), []:
            yield value
        case list(), _:
            for element in value:
                yield from _texts(element, path)
        case dict(), [key, *rest]:
            yield from _texts(value.get(key), rest)


def _told(resource: "Resource", request: Mapping[str, Json]) -> dict[str, str]:
    """What the words of a `Place` stand for."""
    members = {key: value for key, value in request.items() if isinstance(value, str)}
    return {**members, **resource.told_apart, "name": resource.identifier}


def _page(root: str, region: str, place: Place, told: Mapping[str, str]) -> str:
    page = place.page.format_map(told)
    return f"{root}/{place.console}/home?region={region}#/{page}" if page else ""


def _log(root: str, region: str, place: Place, told: Mapping[str, str]) -> str:
    """The list of log streams with that prefix, in the console's own writing of `%` as `$25`."""
    if not place.log_group:
        return ""
    group, prefix = place.log_group.format_map(told), place.log_prefix.format_map(told)
    shown = _twice_quoted(group)
    if prefix:
        shown += f"{_once_quoted('?')}logStreamNameFilter{_once_quoted('=')}{_twice_quoted(prefix)}"
    return f"{root}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{shown}"


def _once_quoted(text: str) -> str:
    return quote(text, safe="").replace("%", "$")


def _twice_quoted(text: str) -> str:
    return _once_quoted(quote(text, safe=""))


def _folder(root: str, region: str, uri: str) -> str:
    if not uri:
        return ""
    bucket, prefix = objects.split(uri)
    shown = f"&prefix={quote(prefix.rstrip('/'))}/" if prefix else ""
    return f"{root}/s3/buckets/{quote(bucket)}?region={region}{shown}"


def _local_urls(endpoint_url: str, resource: "Resource", place: Place, output: str) -> Urls:
    """The pages of the local AWS; see `local/pages.py`."""
    if resource.job.service != "sagemaker":
        return {}
    root = f"{endpoint_url.rstrip('/')}/_local"
    kind, name = resource.job.noun, quote(resource.identifier, safe="")
    asked = "&".join(f"{key}={quote(value)}" for key, value in resource.told_apart.items())
    query = f"?{asked}" if asked else ""
    found = {ConsoleLink.name: f"{root}/resources/{kind}/{name}{query}"}
    if resource.job.log_group:
        found[LogLink.name] = f"{root}/logs/{kind}/{name}{query}"
    if output:
        found[OutputLink.name] = f"{root}/s3/{quote(output.removeprefix('s3://'))}/"
    return found


CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""The console's host by partition, without the region; a partition that is not here has no links:
better none than a wrong one."""

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")

# The pages are those that AWS's own components for Kubeflow Pipelines and the guides of SageMaker
# link to. A version of a model package, and a job of CreateJob, are shown by Studio alone; an
# AutoML job and what it starts have no log of the job's own.
PLACES: dict[str, Place] = {
    "ProcessingJob": Place(
        page="processing-jobs/{name}",
        log_group="/aws/sagemaker/ProcessingJobs",
        log_prefix="{name}/",
        outputs=("ProcessingOutputConfig.Outputs.S3Output.S3Uri",),
    ),
    "TrainingJob": Place(
        page="jobs/{name}",
        log_group="/aws/sagemaker/TrainingJobs",
        log_prefix="{name}/",
        outputs=("OutputDataConfig.S3OutputPath",),
        output_folder="{name}",
    ),
    "TransformJob": Place(
        page="transform-jobs/{name}",
        log_group="/aws/sagemaker/TransformJobs",
        log_prefix="{name}/",
        outputs=("TransformOutput.S3OutputPath",),
    ),
    # The names of its training jobs begin with its own.
    "HyperParameterTuningJob": Place(
        page="hyper-tuning-jobs/{name}",
        log_group="/aws/sagemaker/TrainingJobs",
        log_prefix="{name}-",
        outputs=(
            "TrainingJobDefinition.OutputDataConfig.S3OutputPath",
            "TrainingJobDefinitions.OutputDataConfig.S3OutputPath",
        ),
    ),
    "AutoMLJob": Place(
        page="auto-ml/{name}",
        outputs=("OutputDataConfig.S3OutputPath",),
        output_folder="{name}",
    ),
    "Model": Place(page="models/{name}"),
    "ModelPackage": Place(),
    "EndpointConfig": Place(page="endpointConfig/{name}"),
    "Endpoint": Place(page="endpoints/{name}", log_group="/aws/sagemaker/Endpoints/{name}"),
    "InferenceComponent": Place(
        page="endpoints/{EndpointName}",
        log_group="/aws/sagemaker/InferenceComponents/{name}",
    ),
    "Job": Place(),
    "Step": Place(page="clusterDetails/{ClusterId}", console="emr"),
    # Shown by EMR Studio alone, at a URL of the studio's own.
    "JobRun": Place(),
}
"""By the noun of the resource."""
