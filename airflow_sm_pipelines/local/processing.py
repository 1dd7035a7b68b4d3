"""Processing jobs: the container contract of CreateProcessingJob.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import product
from typing import Any

from airflow_sm_pipelines.local import reasons
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.channels import processing_channel, refusals
from airflow_sm_pipelines.local.crew import Outcome
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.hosts import Host, count_refusals, described, hosts_of
from airflow_sm_pipelines.local.images import Runtime
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind
from airflow_sm_pipelines.local.machine import Launch, Machine, inside, write_json
from airflow_sm_pipelines.local.mirror import mirror
from airflow_sm_pipelines.local.pipes import Pipe, deliver, streaming

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
    refused = list(_refusals(request, together=machine.isolation.together))
    if refused:
        raise JobError(f"ClientError: {'; '.join(refused)}")
    for target in _outputs(request):
        machine.objects.check_bucket(target["S3Uri"])
    hosts = hosts_of(job, request["ProcessingResources"]["ClusterConfig"])
    launches = [_launch(machine, job, host) for host in hosts]
    job.update(lambda fields: {"ProcessingStartTime": now()})
    pipes = _prepare(machine, job, hosts)
    job.go_on()
    with ExitStack() as running:
        for host, target in product(hosts, _outputs(request, mode="Continuous")):
            folder = inside(host.ml, target["LocalPath"])
            running.enter_context(mirror(machine.objects, folder, target["S3Uri"]))
        running.enter_context(streaming(machine.objects, pipes))
        outcome = machine.run_hosts(job, launches, log_group=LOG_GROUP)
    return _ending(machine, job, hosts, outcome)


def _launch(machine: Machine, job: Job, host: Host) -> Launch:
    """The command of a host, in an environment of its own."""
    application = job.request["AppSpecification"]
    runtime = machine.runtime(host, application["ImageUri"])
    requested = job.request.get("Environment") or {}
    environment = machine.process_environment(runtime, requested)
    return Launch(host=host, argv=_command(application, runtime), environment=environment)


def _prepare(machine: Machine, job: Job, hosts: Sequence[Host]) -> list[Pipe]:
    """Write the configuration, fetch the inputs, make the folders of the outputs; the pipes."""
    for host in hosts:
        write_json(host.ml / "config" / "processingjobconfig.json", _configuration(job))
        write_json(host.ml / "config" / "resourceconfig.json", described(hosts, host))
        (host.ml / "output").mkdir()
    pipes: list[Pipe] = []
    for number, each in enumerate(job.request.get("ProcessingInputs") or ()):
        channel = processing_channel(each, number)
        folders = [inside(host.ml, each["S3Input"]["LocalPath"]) for host in hosts]
        pipes += deliver(machine.objects, channel, folders)
    for host, target in product(hosts, _outputs(job.request)):
        inside(host.ml, target["LocalPath"]).mkdir(parents=True, exist_ok=True)
    return pipes


def _ending(machine: Machine, job: Job, hosts: Sequence[Host], outcome: Outcome) -> Ending:
    fields = _exit_message(hosts)
    if job.stopped_by:
        return Ending(status="Stopped", fields=fields)
    if outcome.code != 0:
        said = reasons.last_error(hosts[outcome.number].log)
        reason = reasons.algorithm_error(said, outcome.code)
        return Ending(status="Failed", reason=reason, fields=fields)
    for host, target in product(hosts, _outputs(job.request, mode="EndOfJob")):
        machine.objects.upload_folder(inside(host.ml, target["LocalPath"]), target["S3Uri"])
    return Ending(status="Completed", fields=fields)


def _exit_message(hosts: Sequence[Host]) -> Fields:
    """What the hosts have to say, one after the other, in any case."""
    files = (host.ml / "output" / "message" for host in hosts)
    said = "\n".join(filter(None, (reasons.message(file, _EXIT_MESSAGE_BYTES) for file in files)))
    shown = said.encode()[:_EXIT_MESSAGE_BYTES].decode(errors="ignore")
    return {"ExitMessage": shown} if shown else {}


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


def _command(application: Fields, runtime: Runtime) -> list[str]:
    entrypoint = application.get("ContainerEntrypoint") or runtime.handler or runtime.entrypoint
    if not entrypoint:
        raise JobError(
            "ClientError: AppSpecification.ContainerEntrypoint is missing, and the local AWS does "
            "not know the image's own; it would be such as "
            '["python3", "/opt/ml/processing/input/code/script.py"]'
        )
    return [*entrypoint, *(application.get("ContainerArguments") or ())]


def _outputs(request: Fields, mode: str = "") -> list[Fields]:
    """The S3 outputs, those of one upload mode or all."""
    config = request.get("ProcessingOutputConfig") or {}
    outputs = [each["S3Output"] for each in config.get("Outputs") or ()]
    return [each for each in outputs if mode in ("", each["S3UploadMode"])]


def _refusals(request: Fields, *, together: bool) -> Iterator[str]:
    """What the request asks for and the local AWS does not have."""
    where = "ProcessingResources.ClusterConfig"
    resources = request["ProcessingResources"]["ClusterConfig"]
    yield from count_refusals(resources, where, together=together)
    for number, each in enumerate(request.get("ProcessingInputs") or ()):
        yield from _input_refusals(each, number)
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    for number, each in enumerate(outputs):
        yield from _output_refusals(each, f"ProcessingOutputConfig.Outputs[{number}]")


def _input_refusals(each: Fields, number: int) -> Iterator[str]:
    where = f"ProcessingInputs[{number}]"
    source = each.get("S3Input")
    if each.get("DatasetDefinition") is not None:
        yield (
            f"{where}.DatasetDefinition: Athena and Redshift are not there in the local AWS; it "
            "would be an S3Input with what the query has put into S3"
        )
    elif source is None or source.get("LocalPath") is None:
        yield f"{where}: only S3Input with a LocalPath is there in the local AWS"
    else:
        yield from refusals(processing_channel(each, number))


def _output_refusals(each: Fields, where: str) -> Iterator[str]:
    if each.get("FeatureStoreOutput") is not None:
        yield (
            f"{where}.FeatureStoreOutput: the feature store is not there in the local AWS; it "
            "would be an S3Output"
        )
    elif each.get("S3Output") is None or each["S3Output"].get("LocalPath") is None:
        yield f"{where}: only S3Output with a LocalPath is there in the local AWS"
