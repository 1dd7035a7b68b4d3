"""What each type of step is: one row per type.

A step type that is one AWS job needs a row here, one in `resources.py`, one in `fidelity/` that
says how it is run, and a fixture in `tests/pipelines/`; tests ask for each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from airflow_sm_pipelines.definition.resources import (
    AUTO_ML,
    EMR_STEP,
    ENDPOINT,
    ENDPOINT_CONFIG,
    INFERENCE_COMPONENT,
    JOB,
    JOB_RUN,
    MODEL,
    MODEL_PACKAGE,
    PROCESSING,
    TRAINING,
    TRANSFORM,
    TUNING,
    Job,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a step that only steps of its type have."""

    type: Literal["String", "Boolean"] = "String"
    required: bool = False
    expression: bool = True
    """Whether an expression may stand for the value."""
    values: tuple[str, ...] = ()
    """The only values; empty where any is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepType:
    """A value of a step's `Type`."""

    keys: Mapping[str, Key] = field(default_factory=dict)
    """Keys of the step beside the common ones that hold one value each."""
    lists: frozenset[str] = frozenset()
    """Keys that hold a list with a form of its own: `PropertyFiles`, `OutputParameters`."""
    job: Job | None = None
    cache_attributes: tuple[str, ...] = ()
    """Paths in Arguments and keys of the step that decide whether an earlier job did the same
    (developer guide, "Default cache key attributes"; what the SDK calls the config of a check is
    split into several keys); empty where the type is not cached."""
    retried: frozenset[str] = frozenset()
    """The exception types that a retry policy of such a step can name to any effect."""
    runs: bool = True
    """Whether a task can run the step; else the DAG is built and the task fails."""
    judges: bool = False
    """Whether the step judges what its job has written, so that one whose job has completed may
    have failed; `verdicts.py` tells whether an earlier job can stand for it."""
    depended_on: bool = True
    """Whether another step may wait for one of this type."""
    iterated: bool = True
    """Whether one of this type may stand in the body of a ForEach step."""


COMMON_KEYS = (
    "Name",
    "Type",
    "Arguments",
    "DependsOn",
    "DisplayName",
    "Description",
    "CacheConfig",
    "RetryPolicies",
)

# Developer guide, "Retry Policy for Pipeline Steps"; the SDK, workflow/retry.py; the last one is
# in AWS's published schema alone, the one before it in the guide's older editions.
STEP_FAULTS = frozenset({"Step.SERVICE_FAULT", "Step.THROTTLING"})
JOB_FAULTS = frozenset(
    {
        "SageMaker.JOB_INTERNAL_ERROR",
        "SageMaker.CAPACITY_ERROR",
        "SageMaker.RESOURCE_LIMIT",
        "SageMaker.JOB_CAPACITY_ERROR",
    }
)
EMR_FAULTS = frozenset({"Emr.RESOURCE_LIMIT"})

# "AutoML and tuning steps are not retried for SageMaker.JOB_INTERNAL_ERROR" (developer guide).
SEARCH_FAULTS = STEP_FAULTS | JOB_FAULTS - {"SageMaker.JOB_INTERNAL_ERROR"}

CHECK_KEYS = {
    "SkipCheck": Key(type="Boolean"),
    "FailOnViolation": Key(type="Boolean"),
    "RegisterNewBaseline": Key(type="Boolean"),
    "ModelPackageGroupName": Key(),
    "SuppliedBaselineConstraints": Key(),
}

STEP_TYPES: dict[str, StepType] = {
    "Processing": StepType(
        lists=frozenset({"PropertyFiles"}),
        job=PROCESSING,
        cache_attributes=("AppSpecification", "Environment", "ProcessingInputs"),
        retried=STEP_FAULTS | JOB_FAULTS,
    ),
    "Training": StepType(
        job=TRAINING,
        cache_attributes=(
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        ),
        retried=STEP_FAULTS | JOB_FAULTS,
    ),
    "Tuning": StepType(
        job=TUNING,
        cache_attributes=(
            "HyperParameterTuningJobConfig",
            "TrainingJobDefinition.AlgorithmSpecification",
            "TrainingJobDefinition.HyperParameterRanges",
            "TrainingJobDefinition.InputDataConfig",
            "TrainingJobDefinition.StaticHyperParameters",
            "TrainingJobDefinition.TuningObjective",
            "TrainingJobDefinitions",
        ),
        retried=SEARCH_FAULTS,
    ),
    "AutoML": StepType(
        job=AUTO_ML,
        cache_attributes=(
            "AutoMLJobConfig.CompletionCriteria",
            "AutoMLJobConfig.CandidateGenerationConfig",
            "AutoMLJobConfig.DataSplitConfig",
            "AutoMLJobConfig.Mode",
            "AutoMLJobObjective",
            "InputDataConfig",
            "ProblemType",
        ),
        retried=SEARCH_FAULTS,
    ),
    "Transform": StepType(
        job=TRANSFORM,
        cache_attributes=("DataProcessing", "Environment", "ModelName", "TransformInput"),
        retried=STEP_FAULTS | JOB_FAULTS,
    ),
    "Model": StepType(job=MODEL, retried=STEP_FAULTS),
    "RegisterModel": StepType(job=MODEL_PACKAGE, retried=STEP_FAULTS),
    "Condition": StepType(iterated=False),
    "Fail": StepType(depended_on=False, iterated=False),
    "Callback": StepType(
        keys={"SqsQueueUrl": Key(required=True)},
        lists=frozenset({"OutputParameters"}),
    ),
    "Lambda": StepType(
        keys={"FunctionArn": Key(required=True)},
        lists=frozenset({"OutputParameters"}),
    ),
    "ClarifyCheck": StepType(
        job=PROCESSING,
        judges=True,
        keys={
            "CheckType": Key(
                required=True,
                expression=False,
                values=("DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"),
            ),
            "ModelName": Key(),
            **CHECK_KEYS,
        },
        cache_attributes=(
            "AppSpecification",
            "Environment",
            "ProcessingInputs",
            "SkipCheck",
            "RegisterNewBaseline",
            "ModelPackageGroupName",
            "SuppliedBaselineConstraints",
            "CheckType",
            "ModelName",
        ),
    ),
    "QualityCheck": StepType(
        job=PROCESSING,
        judges=True,
        keys={
            "CheckType": Key(
                required=True, expression=False, values=("DATA_QUALITY", "MODEL_QUALITY")
            ),
            "SuppliedBaselineStatistics": Key(),
            **CHECK_KEYS,
        },
        cache_attributes=(
            "AppSpecification",
            "Environment",
            "ProcessingInputs",
            "SkipCheck",
            "RegisterNewBaseline",
            "ModelPackageGroupName",
            "SuppliedBaselineConstraints",
            "SuppliedBaselineStatistics",
            "CheckType",
        ),
    ),
    "EMR": StepType(
        job=EMR_STEP,
        cache_attributes=("ClusterId", "StepConfig"),
        retried=STEP_FAULTS | EMR_FAULTS,
    ),
    "EMRServerless": StepType(job=JOB_RUN, retried=STEP_FAULTS | EMR_FAULTS),
    "EndpointConfig": StepType(job=ENDPOINT_CONFIG, retried=STEP_FAULTS),
    "Endpoint": StepType(job=ENDPOINT),
    "InferenceComponent": StepType(job=INFERENCE_COMPONENT),
    "Lineage": StepType(runs=False),
    "Job": StepType(job=JOB, retried=STEP_FAULTS | JOB_FAULTS),
    "Cleanup": StepType(runs=False),
    "ForEach": StepType(iterated=False, runs=False),
}

# Types that DescribePipelineExecution's metadata names and no SDK writes.
API_ONLY = (
    "Athena",
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockModelImport",
    "BedrockProvisionedModelThroughput",
    "HubContent",
)
