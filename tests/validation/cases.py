"""What the tests of validation need: a step in few words, and findings as a user reads them."""

from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.validation import validate
from tests.definition.cases import definition, loaded

ROLE = "arn:aws:iam::111122223333:role/Role"

TRAINING: dict[str, Json] = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
}
"""The least that CreateTrainingJob takes from a definition."""

PROCESSING: dict[str, Json] = {
    "AppSpecification": {"ImageUri": "image"},
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
    },
    "ProcessingOutputConfig": {
        "Outputs": [
            {
                "OutputName": "train",
                "S3Output": {
                    "S3Uri": "s3://bucket/train",
                    "LocalPath": "/opt/ml/processing/train",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    },
}

PARAMETERS: list[Json] = [
    {"Name": "Text", "Type": "String", "DefaultValue": "s3://bucket/text"},
    {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Rate", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "Flag", "Type": "Boolean", "DefaultValue": True},
]


def step(name: str, type_: str, arguments: Json, /, **keys: Json) -> dict[str, Json]:
    return {"Name": name, "Type": type_, "Arguments": arguments, **keys}


def training(name: str = "Train", /, **members: Json) -> dict[str, Json]:
    return step(name, "Training", {**TRAINING, **members})


def processing(name: str = "Prepare", /, **members: Json) -> dict[str, Json]:
    return step(name, "Processing", {**PROCESSING, **members})


def told(*steps: Json, **keys: Json) -> tuple[list[str], list[str]]:
    """Problems and warnings of a definition with the parameters above."""
    found = validate(loaded(definition(*steps, **{"Parameters": PARAMETERS, **keys})))
    return [str(problem) for problem in found.problems], [str(each) for each in found.warnings]


def problem(*steps: Json, **keys: Json) -> str:
    """The only finding of a definition, which is a problem."""
    problems, warnings = told(*steps, **keys)
    assert (len(problems), warnings) == (1, [])
    return problems[0]


def warning(*steps: Json, **keys: Json) -> str:
    """The only finding of a definition, which is a warning."""
    problems, warnings = told(*steps, **keys)
    assert (problems, len(warnings)) == ([], 1)
    return warnings[0]
