"""Transform jobs: batch inference by the server of a model.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from airflow_sm_pipelines.local import reasons
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.errors import JobError, invalid
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind
from airflow_sm_pipelines.local.machine import Machine
from airflow_sm_pipelines.local.registry import MODEL, Registry
from airflow_sm_pipelines.local.serving import association
from airflow_sm_pipelines.local.serving.containers import containers
from airflow_sm_pipelines.local.serving.feeding import Feed, Settings, settings
from airflow_sm_pipelines.local.serving.model_server import ModelServer, Place, start
from airflow_sm_pipelines.local.serving.transform_input import Source, sources

LOG_GROUP = "/aws/sagemaker/TransformJobs"
_LARGEST_MB = 100
_DEFAULT_CONNECTIONS = 16


def transform(machine: Machine, registry: Registry) -> JobKind:
    """The kind of job that CreateTransformJob creates."""
    return JobKind(
        noun="TransformJob",
        slug="transform-job",
        unknown="Could not find requested job with name: {name}",
        check=partial(_check, registry),
        opened=lambda request: {},
        started=lambda fields: {"TransformStartTime": now()},
        stopping=lambda fields: {"TransformJobStatus": "Stopping"},
        ended=_ended,
        run=partial(_run, machine, registry),
    )


def _ended(fields: Fields, ending: Ending) -> Fields:
    reason = {"FailureReason": ending.reason} if ending.reason else {}
    return {
        **reason,
        "TransformEndTime": now(),
        "TransformJobStatus": ending.status,
        **ending.fields,
    }


def _check(registry: Registry, request: Fields) -> None:
    """Refuse what the service refuses; where its wording is not known, it is ours."""
    registry.get(MODEL, request["ModelName"])
    problem = next(_problems(request), "")
    if problem:
        raise invalid(problem)


def _problems(request: Fields) -> Iterator[str]:
    largest = request.get("MaxPayloadInMB") or 0
    at_once = request.get("MaxConcurrentTransforms") or 1
    if largest > _LARGEST_MB:
        yield f"MaxPayloadInMB cannot be greater than {_LARGEST_MB}, not {largest}"
    elif largest * at_once > _LARGEST_MB:
        yield (
            f"MaxConcurrentTransforms * MaxPayloadInMB cannot exceed {_LARGEST_MB} MB: "
            f"{at_once} * {largest}"
        )
    if request.get("BatchStrategy") == "SingleRecord" and not _splits(request):
        yield "BatchStrategy SingleRecord needs TransformInput.SplitType Line, RecordIO or TFRecord"
    yield from association.problems(request)


def _splits(request: Fields) -> bool:
    return (request["TransformInput"].get("SplitType") or "None") != "None"


def _run(machine: Machine, registry: Registry, job: Job) -> Ending:
    job.update(lambda fields: {"TransformStartTime": now()})
    stream = f"{job.name}/i-local-{int(job.describe()['CreationTime'].timestamp())}"
    with machine.logs.follow(job.log, group=LOG_GROUP, stream=stream):
        try:
            machine.objects.check_bucket(job.request["TransformOutput"]["S3OutputPath"])
            inputs = sources(machine.objects, job)
            with _servers(machine, registry, job) as servers:
                for server in servers:
                    server.await_ping(go_on=job.go_on)
                asked = settings(job.request, servers[0].parameters() if servers else {})
                _transform(machine, job, servers, inputs, asked)
        except (JobError, OSError) as error:
            job.go_on()  # whatever else went wrong, it was asked to stop
            job.note(str(error))
            raise
    return Ending(status="Completed")


@contextmanager
def _servers(machine: Machine, registry: Registry, job: Job) -> Iterator[list[ModelServer]]:
    """The servers of the job's model while the block runs; asking the job to stop ends them."""
    servers: list[ModelServer] = []

    def stop() -> None:
        for server in servers:
            server.terminate(grace_seconds=job.grace_seconds)

    job.told = stop
    with ExitStack() as running:
        for number, container in enumerate(containers(registry, job.request["ModelName"])):
            place = Place(
                folder=job.folder / f"container-{number + 1}" if number else job.folder,
                log=job.log,
                environment=_environment(job.request),
                connections=job.request.get("MaxConcurrentTransforms") or _DEFAULT_CONNECTIONS,
            )
            server = start(machine, container, place)
            running.callback(server.wait)
            running.callback(server.terminate, grace_seconds=job.grace_seconds)
            servers.append(server)
            if job.stopped_by:  # since, or before there was a server to end
                stop()
        yield servers


def _environment(request: Fields) -> dict[str, str]:
    """What the containers are told of a job; the last three only where the request has them."""
    given = {
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": request.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": _STRATEGIES.get(request.get("BatchStrategy") or ""),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": request.get("MaxConcurrentTransforms"),
    }
    return {
        **{name: str(value) for name, value in given.items() if value is not None},
        "SAGEMAKER_BATCH": "true",
        **(request.get("Environment") or {}),
    }


def _transform(
    machine: Machine,
    job: Job,
    servers: list[ModelServer],
    inputs: list[Source],
    asked: Settings,
) -> None:
    """Put every input through the servers; what worked is uploaded although another one failed."""
    job.note(asked.told)
    feed = Feed(job, servers, asked)
    failures: list[str] = []
    for done in feed.results(inputs):
        if done.failure:
            job.note(f"{done.source.name}: {done.failure}")
            failures.append(f"{done.source.name}: {done.failure}")
        else:
            machine.objects.upload(done.file, f"{_output(job.request)}/{done.source.name}.out")
    job.go_on()
    if failures:
        raise JobError(_reason(failures[0]))


def _reason(failure: str) -> str:
    """The FailureReason for a failure, which may begin with the name of an input."""
    for kind in reasons.KINDS:
        before, found, after = failure.partition(kind)
        if found:
            return f"{kind} {before}{after.strip()}"[: reasons.REASON_LENGTH]
    return f"AlgorithmError: {failure}"[: reasons.REASON_LENGTH]


def _output(request: Fields) -> str:
    uri: str = request["TransformOutput"]["S3OutputPath"]
    return uri.rstrip("/")


_STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
