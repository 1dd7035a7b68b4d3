"""Training jobs: the container contract of CreateTrainingJob.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import artifacts, metrics, reasons, transitions
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.algorithms.metrics import BUILT_IN_METRICS
from airflow_sm_pipelines.local.errors import JobError, invalid
from airflow_sm_pipelines.local.images import Runtime
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind
from airflow_sm_pipelines.local.machine import NO_INSTANCE_TYPE, Machine, write_json
from airflow_sm_pipelines.local.objects import Objects, split

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_FAILURE_BYTES = 1024
_GROUP = "homogeneousCluster"


def training(machine: Machine) -> JobKind:
    """The kind of job that CreateTrainingJob creates."""
    return JobKind(
        noun="TrainingJob",
        slug="training-job",
        unknown="Requested resource not found.",
        check=lambda request: None,
        look=partial(_look, machine),
        opened=_opened,
        started=lambda fields: {**_moved(fields, "Training"), "TrainingStartTime": now()},
        stopping=lambda fields: _moved(fields, "Stopping", TrainingJobStatus="Stopping"),
        ended=_ended,
        run=partial(_run, machine),
    )


def _look(machine: Machine, request: Fields) -> None:
    """Refuse channels without data, as the service does before it creates the job."""
    for number, channel in enumerate(request.get("InputDataConfig") or ()):
        source = channel["DataSource"].get("S3DataSource")
        if source is not None:
            where = f"InputDataConfig[{number}].DataSource.S3DataSource.S3Uri"
            _check_source(machine.objects, source["S3Uri"], where=where, role=request["RoleArn"])


def _check_source(objects: Objects, uri: str, *, where: str, role: str) -> None:
    try:
        bucket, _ = split(uri)
    except JobError as error:
        raise invalid(f"{where}: {str(error).removeprefix('ClientError: ')}") from error
    if not objects.exist(uri):
        raise invalid(
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure '
            "that the bucket exists in the selected region, that objects exist under that S3 "
            f'prefix, and that the role "{role}" has "s3:ListBucket" permissions on bucket '
            f'"{bucket}".'
        )


def _opened(request: Fields) -> Fields:
    started = _moved({}, "Starting")
    model = artifacts.model_uri(request["OutputDataConfig"], request["TrainingJobName"])
    return {**started, "ModelArtifacts": {"S3ModelArtifacts": model}}


def _ended(fields: Fields, ending: Ending) -> Fields:
    end = now()
    start = fields.get("TrainingStartTime")
    seconds = round((end - start).total_seconds()) if start else 0
    secondary = ending.fields.get("SecondaryStatus", ending.status)
    moved = _moved(fields, secondary, message=ending.reason, final=True)
    reason = {"FailureReason": ending.reason} if ending.reason else {}
    return {
        **reason,
        **moved,
        "TrainingEndTime": end,
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
        "TrainingJobStatus": ending.status,
        **ending.fields,
    }


def _moved(
    fields: Fields, secondary: str, *, message: str = "", final: bool = False, **others: str
) -> Fields:
    """The fields after a transition to the secondary status `secondary`."""
    said = message or MESSAGES.get(secondary, secondary)
    return {**others, **transitions.moved(fields, secondary, message=said, final=final)}


def _enter(job: Job, secondary: str, **others: datetime) -> None:
    """Go on to the next part of the job, unless it is being stopped."""
    job.go_on()
    job.update(lambda fields: {**_moved(fields, secondary), **others})


def _run(machine: Machine, job: Job) -> Ending:
    request = job.request
    refused = list(_refusals(request))
    if refused:
        raise JobError(f"ClientError: {'; '.join(refused)}")
    algorithm = request["AlgorithmSpecification"]
    runtime = machine.runtime(job, algorithm["TrainingImage"])
    command = _command(algorithm, runtime)
    definitions = _metric_definitions(request, runtime)
    patterns = metrics.compiled(definitions)
    shown = {"MetricDefinitions": definitions} if definitions else {}
    job.update(lambda fields: {"AlgorithmSpecification": {**algorithm, **shown}})
    _enter(job, "Downloading", TrainingStartTime=now())
    _prepare(machine, job)
    _enter(job, "Training")
    code = machine.run(
        job,
        command,
        environment=machine.process_environment(
            runtime,
            request.get("Environment") or {},
            TRAINING_JOB_NAME=job.name,
            TRAINING_JOB_ARN=job.arn,
        ),
        log_group=LOG_GROUP,
    )
    if not job.stopped_by:
        job.update(lambda fields: _moved(fields, "Uploading"))
    ending = _ending(job, code, metrics.final(job.log, patterns))
    artifacts.upload(machine.objects, job, always=ending.status == "Completed")
    return ending


def _ending(job: Job, code: int, values: list[dict[str, Any]]) -> Ending:
    fields: dict[str, Any] = {"FinalMetricDataList": values} if values else {}
    if job.stopped_by:
        return Ending(status="Stopped", fields={**fields, "SecondaryStatus": job.stopped_by})
    if code == 0:
        return Ending(status="Completed", fields=fields)
    failure = reasons.message(job.ml / "output" / "failure", _FAILURE_BYTES)
    reason = (
        reasons.stated(failure, code)
        if failure
        else reasons.algorithm_error(reasons.last_error(job.log), code)
    )
    return Ending(status="Failed", reason=reason, fields=fields)


def _command(algorithm: Fields, runtime: Runtime) -> list[str]:
    """What the container runs: its own entry point, or else the image's `train`."""
    arguments = algorithm.get("ContainerArguments") or ()
    entrypoint = algorithm.get("ContainerEntrypoint") or runtime.train
    if not entrypoint:
        raise JobError(
            f"ClientError: {algorithm['TrainingImage']} has no train command in the local AWS; "
            "give AlgorithmSpecification.ContainerEntrypoint, or train in the image map"
        )
    return [*entrypoint, *arguments]


def _metric_definitions(request: Fields, runtime: Runtime) -> list[dict[str, str]]:
    """Those of the request; the service adds those of its built-in algorithms itself."""
    definitions = request["AlgorithmSpecification"].get("MetricDefinitions")
    if definitions or "sagemaker_program" in (request.get("HyperParameters") or {}):
        return list(definitions or ())
    built_in = BUILT_IN_METRICS.get(runtime.name, ())
    return [{"Name": name, "Regex": regex} for name, regex in built_in]


def _prepare(machine: Machine, job: Job) -> None:
    """Write the configuration files, fetch the channels, make the folders of the outputs."""
    config = job.ml / "input" / "config"
    channels = job.request.get("InputDataConfig") or ()
    write_json(config / "hyperparameters.json", job.request.get("HyperParameters") or {})
    write_json(config / "resourceconfig.json", _resources(job.request["ResourceConfig"]))
    write_json(
        config / "inputdataconfig.json",
        {each["ChannelName"]: _channel(each, job.request) for each in channels},
    )
    for folder in ("model", "code", "checkpoints", "output/data", "output/intermediate"):
        (job.ml / folder).mkdir(parents=True)
    for channel in channels:
        folder = job.ml / "input" / "data" / channel["ChannelName"]
        folder.mkdir(parents=True)
        _fetch(machine, channel["DataSource"]["S3DataSource"]["S3Uri"], folder)


def _fetch(machine: Machine, uri: str, folder: Path) -> None:
    if not machine.objects.download(uri, folder):
        raise JobError(
            f"ClientError: Data download failed: No S3 objects found under S3 URL {uri!r}"
        )


def _resources(resources: Fields) -> dict[str, Any]:
    """What resourceconfig.json holds, for the one host there is."""
    kind = resources["InstanceType"]  # `_refusals` has seen that it is there
    group = {"instance_group_name": _GROUP, "instance_type": kind, "hosts": ["algo-1"]}
    return {
        "current_host": "algo-1",
        "current_instance_type": kind,
        "current_group_name": _GROUP,
        "hosts": ["algo-1"],
        "instance_groups": [group],
        "network_interface_name": "lo",
    }


def _channel(channel: Fields, request: Fields) -> dict[str, str]:
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


def _refusals(request: Fields) -> Iterator[str]:
    """What the request asks for and the local AWS does not have."""
    for where, present, right in _missing(request):
        if present:
            yield f"{where}: not there in the local AWS; {right}"
    resources = request.get("ResourceConfig") or {}
    if not (resources.get("InstanceType") or resources.get("InstanceGroups")):
        yield NO_INSTANCE_TYPE.format(where="ResourceConfig")
    for number, channel in enumerate(request.get("InputDataConfig") or ()):
        yield from _channel_refusals(channel, f"InputDataConfig[{number}]")


def _missing(request: Fields) -> Iterator[tuple[str, bool, str]]:
    algorithm = request.get("AlgorithmSpecification") or {}
    resources = request.get("ResourceConfig") or {}
    image = "AlgorithmSpecification.TrainingImage"
    yield image, not algorithm.get("TrainingImage"), "name a TrainingImage"
    mode = algorithm.get("TrainingInputMode")
    yield "AlgorithmSpecification.TrainingInputMode: Pipe", mode == "Pipe", "it would be File"
    groups = "ResourceConfig.InstanceGroups"
    has_groups = bool(resources.get("InstanceGroups"))
    yield groups, has_groups, "it would be InstanceType and InstanceCount 1"
    count = resources.get("InstanceCount", 1)
    yield f"ResourceConfig.InstanceCount: {count} instances", count > 1, "it would be 1"
    checkpoints = bool(request.get("CheckpointConfig"))
    yield "CheckpointConfig", checkpoints, "leave it out"


def _channel_refusals(channel: Fields, where: str) -> Iterator[str]:
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        yield f"{where}.DataSource: not there in the local AWS; it would be S3DataSource"
        return
    asked = {**source, **channel}
    for key, supported in SUPPORTED_CHANNEL.items():
        value = asked.get(key) or supported[0]
        if value not in supported:
            yield (
                f"{where}: {key} {value!r} is not there in the local AWS; "
                f"it would be {supported[0]!r}"
            )


# FastFile streams what File downloads: a script sees the same files.
SUPPORTED_CHANNEL = {
    "S3DataType": ("S3Prefix",),
    "S3DataDistributionType": ("FullyReplicated",),
    "InputMode": ("File", "FastFile"),
    "CompressionType": ("None",),
    "RecordWrapperType": ("None",),
}

MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
