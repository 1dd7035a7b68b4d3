"""AutoML jobs, by a handler of the user's: Autopilot's search for a model cannot be had here.

The handler is that of the image `AutoMLJob` in the image map. It finds

    /opt/ml/input/config/automljob.json   the request, with its ARN
    /opt/ml/input/data/<channel type>/    the objects of each channel; without a type, `training`

and leaves

    /opt/ml/output/candidate.json         members of BestCandidate; what it leaves out is added
    /opt/ml/model/                        becomes model.tar.gz, of every container without a model
    /opt/ml/output/data/<report>/         `explainability` and `model-insights`, to be uploaded
    /opt/ml/output/failure                why it failed
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import artifacts, reasons, shapes
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind
from airflow_sm_pipelines.local.machine import Machine, write_json
from airflow_sm_pipelines.local.objects import files, join

IMAGE = "AutoMLJob"
LOG_GROUP = "/aws/sagemaker/AutoMLJobs"
_FAILURE_BYTES = 1024
_REASON = (
    "ClientError: Autopilot is not there in the local AWS; map a handler of your own to the image "
    f"{IMAGE} in images.toml, set a script for the job (PUT /_local/scripts, or scripts.add of "
    "LocalAWS), or run it on AWS"
)


def auto_ml(machine: Machine) -> JobKind:
    """The kind of job that CreateAutoMLJob creates."""
    return JobKind(
        noun="AutoMLJob",
        slug="automl-job",
        unknown="Could not find AutoML job with name {name}.",
        unknown_code="ResourceNotFound",
        check=lambda request: None,
        opened=lambda request: {"AutoMLJobSecondaryStatus": "Starting"},
        stopping=lambda fields: {
            "AutoMLJobStatus": "Stopping",
            "AutoMLJobSecondaryStatus": "Stopping",
        },
        ended=_ended,
        run=partial(_run, machine),
    )


def _ended(fields: Fields, ending: Ending) -> Fields:
    reason = {"FailureReason": ending.reason} if ending.reason else {}
    return {
        "AutoMLJobSecondaryStatus": ending.status,
        "AutoMLJobStatus": ending.status,
        "EndTime": now(),
        **reason,
        **ending.fields,
    }


def _run(machine: Machine, job: Job) -> Ending:
    if machine.images.rule(IMAGE).handler is None:
        raise JobError(_REASON)
    machine.objects.check_bucket(job.request["OutputDataConfig"]["S3OutputPath"])
    runtime = machine.runtime(job, IMAGE)
    _prepare(machine, job)
    job.go_on()
    job.update(lambda fields: {"AutoMLJobSecondaryStatus": "ModelTuning"})
    code = machine.run(
        job,
        runtime.handler or (),
        environment=machine.process_environment(runtime, {}),
        log_group=LOG_GROUP,
    )
    if job.stopped_by:
        return Ending(status="Stopped")
    if code != 0:
        failure = reasons.message(job.ml / "output" / "failure", _FAILURE_BYTES)
        said = failure or reasons.last_error(job.log)
        return Ending(status="Failed", reason=reasons.stated(said, code))
    return Ending(status="Completed", fields={"BestCandidate": _candidate(machine, job)})


def _prepare(machine: Machine, job: Job) -> None:
    """Write the configuration, fetch the channels, make the folders of what is left."""
    given = {**job.request, "AutoMLJobArn": job.arn}
    write_json(job.ml / "input" / "config" / "automljob.json", given)
    for folder in ("model", "output/data"):
        (job.ml / folder).mkdir(parents=True)
    for channel in job.request["InputDataConfig"]:
        folder = job.ml / "input" / "data" / channel.get("ChannelType", "training")
        folder.mkdir(parents=True, exist_ok=True)
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        if not machine.objects.download(uri, folder):
            raise JobError(f"ClientError: No S3 objects found under S3 URL {uri!r}")


def _candidate(machine: Machine, job: Job) -> dict[str, Any]:
    """BestCandidate: what the handler has left, with what it leaves out."""
    moment = now()
    made: dict[str, Any] = {
        "CandidateName": f"{job.name}-best",
        "CandidateStatus": "Completed",
        "CandidateSteps": [],
        "ObjectiveStatus": "Succeeded",
        **_left(job.ml / "output" / "candidate.json"),
    }
    model = artifacts.model_uri(job.request["OutputDataConfig"], job.name)
    containers = [{"ModelDataUrl": model, **each} for each in made.get("InferenceContainers") or ()]
    reports = _reports(machine, job)
    added = {
        **({"InferenceContainers": containers} if containers else {}),
        **({"CandidateProperties": reports} if reports else {}),
    }
    candidate = {**made, **added, "CreationTime": 0, "LastModifiedTime": 0}
    found = list(shapes.answer_problems(["DescribeAutoMLJob"], {"BestCandidate": candidate}))
    if found:
        raise JobError(f"ClientError: /opt/ml/output/candidate.json: {'; '.join(found)}")
    artifacts.upload(machine.objects, job, always=False)
    return {**candidate, "CreationTime": moment, "EndTime": moment, "LastModifiedTime": moment}


def _left(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise JobError(
            "ClientError: the handler left no /opt/ml/output/candidate.json; it would hold members "
            "of BestCandidate, such as FinalAutoMLJobObjectiveMetric and InferenceContainers"
        )
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise JobError(f"ClientError: /opt/ml/output/candidate.json: no JSON: {error}") from error
    if not isinstance(content, dict):
        raise JobError("ClientError: /opt/ml/output/candidate.json: no JSON object")
    return content


def _reports(machine: Machine, job: Job) -> dict[str, Any]:
    """CandidateProperties: where the reports are that the handler has left."""
    output = job.request["OutputDataConfig"]["S3OutputPath"]
    locations: dict[str, str] = {}
    for member, name in REPORTS.items():
        folder = job.ml / "output" / "data" / name
        if folder.is_dir() and files(folder):
            locations[member] = join(output, f"{job.name}/{name}")
            machine.objects.upload_folder(folder, locations[member])
    return {"CandidateArtifactLocations": locations} if "Explainability" in locations else {}


REPORTS = {"Explainability": "explainability", "ModelInsights": "model-insights"}
