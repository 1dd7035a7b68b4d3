"""Processing jobs: the container contract of CreateProcessingJob.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from airflow_sm_pipelines.local import reasons
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind
from airflow_sm_pipelines.local.machine import NO_INSTANCE_TYPE, Machine, inside, write_json
from airflow_sm_pipelines.local.mirror import mirror

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
_EXIT_MESSAGE_BYTES = 1024


def processing(machine: Machine) -> JobKind:
    """The kind of job that CreateProcessingJob creates."""
    return JobKind(
        noun="ProcessingJob",
        slug="processing-job",
        unknown="Could not find requested job with name: {name}",
        check=lambda request: None,
        opened=lambda request: {},
        started=lambda fields: {"ProcessingStartTime": now()},
        stopping=lambda fields: {"ProcessingJobStatus": "Stopping"},
        ended=_ended,
        run=partial(_run, machine),
    )


def _ended(fields: Fields, ending: Ending) -> Fields:
    reason = {"FailureReason": ending.reason} if ending.reason else {}
    return {
        **reason,
        "ProcessingEndTime": now(),
        "ProcessingJobStatus": ending.status,
        **ending.fields,
    }


def _run(machine: Machine, job: Job) -> Ending:
    request = job.request
    refused = list(_refusals(request))
    if refused:
        raise JobError(f"ClientError: {'; '.join(refused)}")
    runtime = machine.runtime(job, request["AppSpecification"]["ImageUri"])
    job.update(lambda fields: {"ProcessingStartTime": now()})
    _prepare(machine, job)
    job.go_on()
    with ExitStack() as mirrored:
        for source in _outputs(request, mode="Continuous"):
            folder = inside(job.ml, source["LocalPath"])
            mirrored.enter_context(mirror(machine.objects, folder, source["S3Uri"]))
        code = machine.run(
            job,
            _command(request["AppSpecification"]),
            environment=machine.process_environment(runtime, request.get("Environment") or {}),
            log_group=LOG_GROUP,
        )
    return _ending(machine, job, code)


def _prepare(machine: Machine, job: Job) -> None:
    """Write the configuration files, fetch the inputs, make the folders of the outputs."""
    config = job.ml / "config"
    resources = job.request["ProcessingResources"]["ClusterConfig"]
    write_json(config / "processingjobconfig.json", _configuration(job))
    write_json(
        config / "resourceconfig.json",
        {
            "current_host": "algo-1",
            "current_instance_type": resources["InstanceType"],
            "current_group_name": "homogeneousCluster",
            "hosts": ["algo-1"],
        },
    )
    (job.ml / "output").mkdir()
    for source in _inputs(job.request):
        folder = inside(job.ml, source["LocalPath"])
        folder.mkdir(parents=True, exist_ok=True)
        if not machine.objects.download(source["S3Uri"], folder):
            raise JobError(
                f"ClientError: No S3 objects found under S3 URL {source['S3Uri']!r} given in "
                "input data source"
            )
    for target in _outputs(job.request):
        inside(job.ml, target["LocalPath"]).mkdir(parents=True, exist_ok=True)


def _ending(machine: Machine, job: Job, code: int) -> Ending:
    said = reasons.message(job.ml / "output" / "message", _EXIT_MESSAGE_BYTES)
    fields = {"ExitMessage": said} if said else {}
    if job.stopped_by:
        return Ending(status="Stopped", fields=fields)
    if code != 0:
        reason = reasons.algorithm_error(reasons.last_error(job.log), code)
        return Ending(status="Failed", reason=reason, fields=fields)
    for target in _outputs(job.request, mode="EndOfJob"):
        machine.objects.upload_folder(inside(job.ml, target["LocalPath"]), target["S3Uri"])
    return Ending(status="Completed", fields=fields)


def _configuration(job: Job) -> dict[str, Any]:
    """What processingjobconfig.json holds: the request, what is not set as null."""
    keys = (
        "ProcessingJobArn",
        "ProcessingJobName",
        "ProcessingInputs",
        "ProcessingOutputConfig",
        "ProcessingResources",
        "RoleArn",
        "StoppingCondition",
        "AppSpecification",
        "Environment",
        "NetworkConfig",
        "ExperimentConfig",
    )
    return {key: {**job.request, "ProcessingJobArn": job.arn}.get(key) for key in keys}


def _command(application: Fields) -> list[str]:
    entrypoint = application.get("ContainerEntrypoint")
    if not entrypoint:
        raise JobError(
            "ClientError: AppSpecification.ContainerEntrypoint is missing, and the local AWS does "
            "not know the image's own; it would be such as "
            '["python3", "/opt/ml/processing/input/code/script.py"]'
        )
    return [*entrypoint, *(application.get("ContainerArguments") or ())]


def _inputs(request: Fields) -> list[Fields]:
    return [each["S3Input"] for each in request.get("ProcessingInputs") or ()]


def _outputs(request: Fields, mode: str = "") -> list[Fields]:
    """The S3 outputs, those of one upload mode or all."""
    config = request.get("ProcessingOutputConfig") or {}
    outputs = [each["S3Output"] for each in config.get("Outputs") or ()]
    return [each for each in outputs if mode in ("", each["S3UploadMode"])]


def _refusals(request: Fields) -> Iterator[str]:
    """What the request asks for and the local AWS does not have."""
    resources = request["ProcessingResources"]["ClusterConfig"]
    count = resources.get("InstanceCount", 1)
    if not resources.get("InstanceType"):
        yield NO_INSTANCE_TYPE.format(where="ProcessingResources.ClusterConfig")
    if count > 1:
        yield (
            f"ProcessingResources.ClusterConfig.InstanceCount: {count} instances are not there in "
            "the local AWS; it would be 1"
        )
    for number, each in enumerate(request.get("ProcessingInputs") or ()):
        yield from _input_refusals(each, f"ProcessingInputs[{number}]")
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    for number, each in enumerate(outputs):
        if each.get("S3Output") is None or each["S3Output"].get("LocalPath") is None:
            yield (
                f"ProcessingOutputConfig.Outputs[{number}]: only S3Output with a LocalPath is "
                "there in the local AWS"
            )


def _input_refusals(each: Fields, where: str) -> Iterator[str]:
    source = each.get("S3Input")
    if source is None or source.get("LocalPath") is None:
        yield f"{where}: only S3Input with a LocalPath is there in the local AWS"
        return
    for key, supported in SUPPORTED_INPUT.items():
        value = source.get(key) or supported
        if value != supported:
            yield (
                f"{where}.S3Input.{key}: {value!r} is not there in the local AWS; "
                f"it would be {supported!r}"
            )


SUPPORTED_INPUT = {
    "S3DataType": "S3Prefix",
    "S3InputMode": "File",
    "S3DataDistributionType": "FullyReplicated",
    "S3CompressionType": "None",
}
