"""What tests of the fidelity table need: a step of each type, a DAG, a SageMaker at hand."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import botocore.session
from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.sdk import DAG

from airflow_sm_pipelines import build_dag, load
from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from tests.fakes import STARTED, FakeStore, context

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
CONTAINER = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:1"}
IMAGE = {"ImageUri": CONTAINER["Image"]}
OUTPUT = {"S3OutputPath": "s3://bucket/out"}
S3 = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}
ALGORITHM = {"TrainingImage": CONTAINER["Image"], "TrainingInputMode": "File"}
TRAINING = {
    "AlgorithmSpecification": ALGORITHM,
    "OutputDataConfig": OUTPUT,
    "ResourceConfig": CLUSTER,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
PROCESSING = {"ProcessingResources": {"ClusterConfig": CLUSTER}, "AppSpecification": IMAGE}

Step = dict[str, Any]


def step(type_: str, name: str = "S", **keys: Any) -> Step:
    """A step of that type that is complete."""
    return {"Name": name, "Type": type_, **copy.deepcopy(STEPS[type_]), **keys}


def condition(name: str = "C", *, conditions: Any = (), yes: Any = (), no: Any = ()) -> Step:
    arguments = {"Conditions": list(conditions), "IfSteps": list(yes), "ElseSteps": list(no)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def pipeline_of(*steps: Step, limit: int | None = None, **keys: Any) -> Pipeline:
    definition = {"Version": "2020-12-01", "Steps": steps, **keys}
    described: dict[str, Any] = {"PipelineDefinition": json.dumps(definition)}
    if limit:
        described["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": limit}
    return load(json.dumps(described), name="p")


def dag_of(*steps: Step, **keys: Any) -> DAG:
    return build_dag(pipeline_of(*steps, **keys), role_arn=ROLE, default_args={"retries": 0})


@dataclass
class InstantSageMaker:
    """A connection to a SageMaker in which everything ends as soon as it is created.

    The clients are botocore's own, so requests are checked against its models; only the wire is
    cut. `told` holds further members of answers, by operation.
    """

    conn_id: str = "fake"
    region_name: str = "us-east-1"
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    services: list[str] = field(default_factory=list)

    def client(self, service: str, **_: Any) -> Any:
        self.services.append(service)
        session = botocore.session.Session()
        made = session.create_client(
            service,
            region_name=self.region_name,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        made.meta.events.register(f"before-call.{service}", self._answer)
        made.meta.events.register_first("before-call.s3.HeadBucket", _no_answer)
        return made

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """The requests of an operation, in their order."""
        return [request for name, request in self.calls if name == operation]

    def _answer(self, model: Any, params: dict[str, Any], **_: Any) -> Any:
        request = json.loads(params["body"] or "{}")
        told = self.told.get(model.name, {})
        if model.name.startswith("Describe"):
            noun = model.name.removeprefix("Describe")
            made = [asked for verb in ("Create", "Update") for asked in self.requests(verb + noun)]
            self.calls.append((model.name, request))
            if not made:
                return _error("ValidationException", f"Could not find {noun}")
            merged = {key: value for asked in made for key, value in asked.items()}
            return _response({**merged, **_described(noun, changes=len(made)), **told})
        self.calls.append((model.name, request))
        return _response({**{m: _arn(m) for m in model.output_shape.members}, **told})


def _no_answer(**_: Any) -> Any:
    return _response({})


def _described(noun: str, *, changes: int) -> dict[str, Any]:
    job = next(row.job for row in STEP_TYPES.values() if row.job and row.job.noun == noun)
    status = {job.status: sorted(job.succeeded)[0]} if job.status else {}
    changed = STARTED + timedelta(minutes=changes)
    return {**status, "CreationTime": STARTED, "LastModifiedTime": changed}


def _arn(member: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:123456789012:{member}/made"


def _response(parsed: dict[str, Any]) -> Any:
    return SimpleNamespace(status_code=200), {**parsed, "ResponseMetadata": {}}


def _error(code: str, message: str) -> Any:
    error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}}
    return SimpleNamespace(status_code=400), error


def execute(dag: DAG, sagemaker: InstantSageMaker, *, task: str = "S", **keys: Any) -> Any:
    """What a task hands on, deferred or not."""
    operator: Any = copy.copy(dag.task_dict[task])
    operator.connection = sagemaker
    running = context(dag=dag, store=FakeStore(), task_id=task, dag_id=dag.dag_id, **keys)
    try:
        return operator.execute(running)
    except TaskDeferred as deferred:
        event = {**deferred.trigger.serialize()[1], "status": "Completed"}
        known = {**(deferred.kwargs or {}), "event": event}
        return operator.resume_execution(deferred.method_name, known, running)


def texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value, keys included."""
    match value:
        case str():
            yield value
        case dict():
            for key, member in value.items():
                yield key
                yield from texts(member)
        case list() | tuple():
            for element in value:
                yield from texts(element)


STEPS: dict[str, Step] = {
    "Processing": {"Arguments": PROCESSING},
    "Training": {"Arguments": TRAINING},
    "Tuning": {
        "Arguments": {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": 2},
            },
            "TrainingJobDefinition": {**TRAINING, "RoleArn": ROLE},
        }
    },
    "AutoML": {
        "Arguments": {
            "InputDataConfig": [{"DataSource": S3, "TargetAttributeName": "y"}],
            "OutputDataConfig": OUTPUT,
            "AutoMLJobConfig": {"Mode": "ENSEMBLING"},
        }
    },
    "Transform": {
        "Arguments": {
            "ModelName": "model",
            "TransformInput": {"DataSource": S3, "ContentType": "text/csv"},
            "TransformOutput": OUTPUT,
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }
    },
    "Model": {"Arguments": {"PrimaryContainer": CONTAINER}},
    "RegisterModel": {
        "Arguments": {
            "InferenceSpecification": {
                "Containers": [CONTAINER],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            }
        }
    },
    "Condition": {"Arguments": {"Conditions": [], "IfSteps": [], "ElseSteps": []}},
    "Fail": {"Arguments": {"ErrorMessage": "no"}},
    "Callback": {
        "Arguments": {"a": 1},
        "SqsQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/queue",
        "OutputParameters": [{"OutputName": "o", "OutputType": "String"}],
    },
    "Lambda": {
        "Arguments": {"a": 1},
        "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "OutputParameters": [{"OutputName": "o", "OutputType": "String"}],
    },
    "ClarifyCheck": {
        "Arguments": PROCESSING,
        "CheckType": "DATA_BIAS",
        "SkipCheck": True,
        "RegisterNewBaseline": True,
    },
    "QualityCheck": {
        "Arguments": PROCESSING,
        "CheckType": "DATA_QUALITY",
        "SkipCheck": True,
        "RegisterNewBaseline": True,
    },
    "EMR": {
        "Arguments": {
            "ClusterId": "j-123",
            "StepConfig": {"HadoopJarStep": {"Jar": "command-runner.jar"}},
        }
    },
    "EMRServerless": {
        "Arguments": {
            "ExecutionRoleArn": ROLE,
            "ApplicationId": "app",
            "JobConfig": {"executionRoleArn": ROLE, "jobDriver": {}, "applicationId": "app"},
        }
    },
    "EndpointConfig": {
        "Arguments": {
            "ProductionVariants": [
                {
                    "VariantName": "all",
                    "ModelName": "model",
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                }
            ]
        }
    },
    "Endpoint": {"Arguments": {"EndpointName": "endpoint", "EndpointConfigName": "config"}},
    "InferenceComponent": {
        "Arguments": {
            "InferenceComponentName": "component",
            "EndpointName": "endpoint",
            "VariantName": "all",
            "Specification": {"ModelName": "model"},
            "RuntimeConfig": {"CopyCount": 1},
        }
    },
    "Lineage": {"Arguments": {}},
    "Job": {
        "Arguments": {
            "RoleArn": ROLE,
            "JobCategory": "DataTransformation",
            "JobConfigSchemaVersion": "1.0.0",
            "JobConfigDocument": "{}",
        }
    },
    "Cleanup": {"Arguments": {"Resources": {"S3": [{"StepName": "T"}]}}},
    "ForEach": {
        "Arguments": {
            "IterableItems": ["a", "b"],
            "MaxConcurrency": 1,
            "ForEachBody": [{"Name": "Body", "Type": "Training", "Arguments": TRAINING}],
        }
    },
}
"""The keys of a step of each type beside Name and Type."""
