"""Training jobs: the container contract of CreateTrainingJob.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html
"""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial

from airflow_sm_pipelines.local import artifacts, metrics, reasons, transitions
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.algorithms.metrics import BUILT_IN_METRICS
from airflow_sm_pipelines.local.checkpoints import synced
from airflow_sm_pipelines.local.errors import JobError, invalid
from airflow_sm_pipelines.local.hosts import Host, hosts_of
from airflow_sm_pipelines.local.images import Runtime
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind
from airflow_sm_pipelines.local.machine import DAY_SECONDS, Launch, Machine
from airflow_sm_pipelines.local.objects import Objects, split
from airflow_sm_pipelines.local.pipes import streaming
from airflow_sm_pipelines.local.script_code import put_code
from airflow_sm_pipelines.local.training_inputs import prepare, refusals

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_FAILURE_BYTES = 1024


def training(machine: Machine) -> JobKind:
    """The kind of job that CreateTrainingJob creates."""
    return JobKind(
        noun="TrainingJob",
        slug="training-job",
        unknown="Requested resource not found.",
        check=_check_spot,
        look=partial(_look, machine),
        opened=_opened,
        started=lambda fields: {**_moved(fields, "Training"), "TrainingStartTime": now()},
        stopping=lambda fields: _moved(fields, "Stopping", TrainingJobStatus="Stopping"),
        ended=_ended,
        again=_again,
        run=partial(_run, machine),
    )


def _check_spot(request: Fields) -> None:
    """Refuse times to wait for spot capacity that the service refuses."""
    condition = request.get("StoppingCondition") or {}
    longest = condition.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if longest is not None:
            raise invalid(
                "Invalid MaxWaitTimeInSeconds. It is only supported when "
                "EnableManagedSpotTraining is set to true"
            )
    elif longest is None or longest < condition.get("MaxRuntimeInSeconds", DAY_SECONDS):
        raise invalid(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds"
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
    output = request["OutputDataConfig"]
    model = artifacts.model_uri(output, request["TrainingJobName"])
    told = {name: request.get(name) or False for name in _SWITCHES}
    return {
        **told,
        **started,
        "OutputDataConfig": {"KmsKeyId": "", **output},  # Estimator.attach() takes it for granted
        "ModelArtifacts": {"S3ModelArtifacts": model},
    }


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


def _again(fields: Fields, ending: Ending) -> Fields | None:
    """The fields of a job that its RetryStrategy tries again: after an error of AWS's own."""
    strategy = fields.get("RetryStrategy") or {}
    past = [each["Status"] for each in fields["SecondaryStatusTransitions"]]
    left = strategy.get("MaximumRetryAttempts", 0) - past.count("Restarting")
    failed = ending.status == "Failed" and ending.reason.startswith("InternalServerError")
    return _moved(fields, "Restarting") if failed and left > 0 else None


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
    refused = list(refusals(request, together=machine.isolation.together))
    if refused:
        raise JobError(f"ClientError: {'; '.join(refused)}")
    machine.objects.check_bucket(request["OutputDataConfig"]["S3OutputPath"])
    if request["ResourceConfig"].get("KeepAlivePeriodInSeconds"):
        job.note("KeepAlivePeriodInSeconds: there are no warm pools here; it has no effect")
    hosts = hosts_of(job, request["ResourceConfig"])
    runtimes = [machine.runtime(host, _image(request)) for host in hosts]
    launches = [
        _launch(machine, job, host, runtime) for host, runtime in zip(hosts, runtimes, strict=True)
    ]
    readings = _readings(job, hosts, runtimes[0])
    _enter(job, "Downloading", TrainingStartTime=now())
    pipes = prepare(machine, job, hosts)
    put_code(machine.objects, request, runtimes[0], hosts)
    with ExitStack() as running:
        running.enter_context(synced(machine.objects, request.get("CheckpointConfig"), hosts))
        _enter(job, "Training")
        running.enter_context(metrics.shown(job, readings))
        running.enter_context(streaming(machine.objects, pipes))
        outcome = machine.run_hosts(job, launches, log_group=LOG_GROUP)
    if not job.stopped_by:
        job.update(lambda fields: _moved(fields, "Uploading"))
    ending = _ending(job, hosts[outcome.number], outcome.code, readings.fields())
    artifacts.upload(machine.objects, job, always=ending.status == "Completed", hosts=hosts)
    return ending


def _launch(machine: Machine, job: Job, host: Host, runtime: Runtime) -> Launch:
    """The command of a host, with the variables of the contract."""
    environment = machine.process_environment(
        runtime,
        job.request.get("Environment") or {},
        TRAINING_JOB_NAME=job.name,
        TRAINING_JOB_ARN=job.arn,
    )
    command = _command(machine, job.request, runtime)
    return Launch(host=host, argv=command, environment=environment)


def _readings(job: Job, hosts: Sequence[Host], runtime: Runtime) -> metrics.Readings:
    """What finds the job's metrics in the hosts' logs; the description has their definitions."""
    definitions = _metric_definitions(job.request, runtime)
    patterns = metrics.compiled(definitions)
    if definitions:
        algorithm = {**job.request["AlgorithmSpecification"], "MetricDefinitions": definitions}
        job.update(lambda fields: {"AlgorithmSpecification": algorithm})
    return metrics.Readings(patterns, [host.log for host in hosts])


def _ending(job: Job, host: Host, code: int, fields: Fields) -> Ending:
    if job.stopped_by:
        return Ending(status="Stopped", fields={**fields, "SecondaryStatus": job.stopped_by})
    if code == 0:
        return Ending(status="Completed", fields=fields)
    failure = reasons.message(host.ml / "output" / "failure", _FAILURE_BYTES)
    reason = (
        reasons.stated(failure, code)
        if failure
        else reasons.algorithm_error(reasons.last_error(host.log), code)
    )
    return Ending(status="Failed", reason=reason, fields=fields)


def _image(request: Fields) -> str:
    image: str = request["AlgorithmSpecification"]["TrainingImage"]
    return image


def _command(machine: Machine, request: Fields, runtime: Runtime) -> list[str]:
    """What the container runs: its own entry point, or else the image's `train`."""
    algorithm = request["AlgorithmSpecification"]
    arguments = algorithm.get("ContainerArguments") or ()
    entrypoint = algorithm.get("ContainerEntrypoint") or runtime.train
    if not entrypoint:
        raise JobError(
            f"ClientError: {algorithm['TrainingImage']} has no train command in the local AWS; "
            "give AlgorithmSpecification.ContainerEntrypoint, or train in the image map"
        )
    scripted = "sagemaker_program" in (request.get("HyperParameters") or {})
    if runtime.is_unknown and entrypoint is runtime.train and not scripted:
        raise JobError(f"ClientError: {machine.images.missing(_image(request), 'train')}")
    return [*entrypoint, *arguments]


def _metric_definitions(request: Fields, runtime: Runtime) -> list[dict[str, str]]:
    """Those of the request; the service adds those of its built-in algorithms itself."""
    definitions = request["AlgorithmSpecification"].get("MetricDefinitions")
    if definitions or "sagemaker_program" in (request.get("HyperParameters") or {}):
        return list(definitions or ())
    built_in = BUILT_IN_METRICS.get(runtime.name, ())
    return [{"Name": name, "Regex": regex} for name, regex in built_in]


# What is told of a job whose request does not say.
_SWITCHES = (
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "EnableNetworkIsolation",
)

MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Restarting": "Restarting the training job",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
