"""What a definition may hold but what is worth a word: each row of CAUTIONS, its text and place."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_sm_pipelines.definition.cautions import CAUTIONS, warnings
from airflow_sm_pipelines.definition.model import Pipeline
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import Problem
from tests.definition.cases import (
    cleanup,
    condition,
    definition,
    fixture,
    for_each,
    get,
    lambda_,
    loaded,
    processing,
    step,
    training,
)

THROTTLING: Json = {"ExceptionType": ["Step.THROTTLING"]}
INTERNAL: Json = {"ExceptionType": ["Step.THROTTLING", "SageMaker.JOB_INTERNAL_ERROR"]}
FILE: Json = {"PropertyFileName": "R", "OutputName": "o", "FilePath": "r.json"}
EQUAL: Json = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
SCHEMA = (
    "stands in AWS's published schema alone, no SDK writes it; it works here, "
    "SageMaker may refuse it"
)


def cached(
    name: str, type_: str = "Training", arguments: Json = None, **policy: Json
) -> dict[str, Json]:
    return step(type_, name, arguments, CacheConfig={"Enabled": True, **policy})


def join(*values: Json) -> dict[str, Json]:
    return {"Std:Join": {"On": "", "Values": list(values)}}


def decide(name: str, *conditions: Json) -> dict[str, Json]:
    return step("Condition", name, {"Conditions": list(conditions)})


def json_get(path: str) -> dict[str, Json]:
    return {"x": {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": path}}}


def report(name: str = "E") -> dict[str, Json]:
    return processing(name, {"OutputName": "o"}, PropertyFiles=[FILE])


def both_branches(*after: Json) -> dict[str, Json]:
    """A decision, and a step that waits for a step of either branch."""
    return definition(
        condition("C", training("Yes"), else_steps=[training("No")]),
        training("Both", DependsOn=["Yes", "No"]),
        *after,
    )


FIRED: dict[str, tuple[dict[str, Json], list[str]]] = {
    "_not_run": (
        definition(
            training("T"),
            condition("C", step("Lineage", "L")),
            for_each("Loop", training("Each")),
        ),
        [
            "$.Steps[1].Arguments.IfSteps[0].Type: steps of type Lineage are not run yet; "
            "the DAG is built, this task fails",
            "$.Steps[2].Type: steps of type ForEach are not run yet; "
            "the DAG is built, this task fails",
        ],
    ),
    "_cached_in_vain": (
        definition(
            cached("Good", ExpireAfter="P30D"),
            training("Off", CacheConfig={"ExpireAfter": "P1D"}),
            training("OffAndWrong", CacheConfig={"Enabled": False, "ExpireAfter": "soon"}),
            training("OffAndEmpty", CacheConfig={}),
            cached("NotCached", "Model", ExpireAfter="P1D"),
            cached("Forever"),
            cached("Seconds", ExpireAfter="PT30S"),
            cached("Serverless", "EMRServerless", ExpireAfter="P1D"),
            {**cached("Check", "QualityCheck", ExpireAfter="P1D"), "CheckType": "DATA_QUALITY"},
        ),
        [
            "$.Steps[2].CacheConfig.ExpireAfter: 'soon' is no duration; "
            "it is ignored, since Enabled is not true",
            "$.Steps[4].CacheConfig: Model steps are not cached; every run does the step",
            "$.Steps[5].CacheConfig: ExpireAfter is missing: how long SageMaker then takes a "
            "result for good is not documented; give a duration such as P30D",
            "$.Steps[6].CacheConfig.ExpireAfter: seconds are not among the units that SageMaker "
            "documents; use minutes (T1M)",
            "$.Steps[7].CacheConfig: EMRServerless steps are not cached; every run does the step",
        ],
    ),
    "_never_hits": (
        definition(
            training("Off", {"HyperParameters": {"run": get("Execution.PipelineExecutionId")}}),
            cached(
                "Own",
                arguments={"HyperParameters": {"a": get("Execution.TrainingJobName")}},
            ),
            cached(
                "Elsewhere",
                arguments={"OutputDataConfig": get("Execution.PipelineExecutionId")},
            ),
            cached(
                "Times",
                arguments={
                    "HyperParameters": {"a": join("at ", get("Execution.CurrentDateTime"))},
                    "InputDataConfig": [get("Execution.StartDateTime")],
                },
            ),
            cached(
                "Trial",
                arguments={
                    "Environment": {
                        "a": get("PipelineExperimentConfig.ExperimentName"),
                        "b": get("PipelineExperimentConfig.TrialName"),
                    }
                },
            ),
            step("Model", "M"),
            cached("Score", "Transform", {"ModelName": get("Steps.M.ModelName")}),
            PipelineExperimentConfig={
                "ExperimentName": "e",
                "TrialName": get("Execution.PipelineExecutionArn"),
            },
        ),
        [
            f"{where}: {name!r} is cached but can never hit: {path} is another in every run; keep "
            "what changes out of the attributes that the cache compares"
            for where, name, path in (
                (
                    "$.Steps[3].Arguments.HyperParameters.a.Std:Join.Values[1].Get",
                    "Times",
                    "HyperParameters",
                ),
                ("$.Steps[3].Arguments.InputDataConfig[0].Get", "Times", "InputDataConfig"),
                ("$.Steps[4].Arguments.Environment.b.Get", "Trial", "Environment"),
                ("$.Steps[6].Arguments.ModelName.Get", "Score", "ModelName"),
            )
        ],
    ),
    "_never_listed": (
        definition(
            cached("There", "EMR", {"ClusterId": "j-1", "StepConfig": {}}, ExpireAfter="P1D"),
            cached("Own", "EMR", {"ClusterConfig": {}, "StepConfig": {}}, ExpireAfter="P1D"),
            step("EMR", "Off", {"ClusterConfig": {}, "StepConfig": {}}),
        ),
        [
            "$.Steps[1].Arguments: 'Own' is cached but can never hit: there is no ClusterId, on "
            "which earlier ones would be listed; name one that stays from run to run",
        ],
    ),
    "_retried_in_vain": (
        definition(
            training("T", RetryPolicies=[INTERNAL]),
            step("Tuning", "U", RetryPolicies=[THROTTLING, INTERNAL]),
            condition("C", RetryPolicies=[THROTTLING]),
        ),
        [
            "$.Steps[1].RetryPolicies[1].ExceptionType: "
            "Tuning steps are not retried for SageMaker.JOB_INTERNAL_ERROR; they are for: "
            "SageMaker.CAPACITY_ERROR, SageMaker.JOB_CAPACITY_ERROR, SageMaker.RESOURCE_LIMIT, "
            "Step.SERVICE_FAULT, Step.THROTTLING",
            "$.Steps[2].RetryPolicies[0].ExceptionType: "
            "Condition steps are not retried for Step.THROTTLING; they are for: none",
        ],
    ),
    "_never_run": (
        both_branches(training("Below", DependsOn=["Both"])),
        [
            "$.Steps[1]: 'Both' never runs: it needs steps of both branches of 'C'; "
            "let it depend on one of them"
        ],
    ),
    "_contrary_triggers": (
        definition(
            training("A"),
            training("S", DependsOn=[{"Step": "A", "Trigger": "Failed"}, "A"]),
            training("Twice", DependsOn=["A", {"Step": "A"}]),
        ),
        [
            "$.Steps[1].DependsOn[0]: 'A' is also waited for with the trigger 'Completed'; "
            "the SDK refuses that, keep one of them"
        ],
    ),
    "_reads_what_did_not_complete": (
        definition(
            training("A"),
            *(
                training(
                    trigger,
                    {"x": get("Steps.A.TrainingJobName")},
                    DependsOn=[{"Step": "A", "Trigger": trigger}],
                )
                for trigger in ("Failed", "Stopped", "Any", "Completed")
            ),
            training("ReadsNothing", DependsOn=[{"Step": "A", "Trigger": "Failed"}]),
        ),
        [
            f"$.Steps[{index}].DependsOn[0]: the step reads properties of 'A' and waits for it to "
            f"be {trigger}; then it has none"
            for index, trigger in ((1, "Failed"), (2, "Stopped"))
        ],
    ),
    "_waits_for_conditions": (
        definition(
            condition("C"),
            training("S", DependsOn=["C"]),
            training("Reads", {"x": get("Steps.C.Outcome")}, DependsOn=["S"]),
        ),
        [
            "$.Steps[1].DependsOn[0]: 'C' is a Condition step: SageMaker was seen to refuse that; "
            "here the step waits until the condition is decided, not for a branch"
        ],
    ),
    "_nested_conditions": (
        definition(condition("C", training("T"), condition("D", condition("E")))),
        [
            f"$.Steps[0].Arguments.IfSteps[{place}: a Condition step inside a branch: the SDK "
            "writes it and it works here, but SageMaker's documentation says that it is not "
            "supported"
            for place in ("1]", "1].Arguments.IfSteps[0]")
        ],
    ),
    "_unusual_conditions": (
        definition(
            decide("Empty"),
            decide("EmptyOr", {"Type": "Or", "Conditions": []}),
            decide(
                "Inside",
                EQUAL,
                {
                    "Type": "Not",
                    "Condition": {
                        "Type": "Or",
                        "Conditions": [
                            {"Type": "NotEquals", "LeftValue": 1, "RightValue": 2},
                            {"Type": "NotIn", "QueryValue": 1, "Values": []},
                        ],
                    },
                },
                {"Type": "In", "QueryValue": 1, "Values": []},
            ),
        ),
        [
            "$.Steps[0].Arguments.Conditions: no condition; here that is true, "
            "what SageMaker makes of it is not documented",
            "$.Steps[1].Arguments.Conditions: an Or of nothing; here that is false, "
            "what SageMaker makes of it is not documented",
            f"$.Steps[2].Arguments.Conditions[1].Condition.Conditions[0]: NotEquals {SCHEMA}",
            f"$.Steps[2].Arguments.Conditions[1].Condition.Conditions[1]: NotIn {SCHEMA}",
        ],
    ),
    "_wide_paths": (
        definition(
            training("Plain", json_get("$.a['b*'][0]")),
            training("Wide", json_get("a[*].b")),
            condition("C", operand=json_get("$..mse")["x"]),
        ),
        [
            "$.Steps[1].Arguments.x.Std:JsonGet.Path: 'a[*].b' is beyond names, [0] and ['key']: "
            "whether SageMaker takes it is not documented; "
            "here it has to lead to exactly one value",
            "$.Steps[2].Arguments.Conditions[0].LeftValue.Std:JsonGet.Path: '$..mse' is beyond "
            "names, [0] and ['key']: whether SageMaker takes it is not documented; "
            "here it has to lead to exactly one value",
        ],
    ),
    "_property_files_as_values": (
        definition(
            report(),
            training(
                "S",
                {
                    "read": {
                        "Std:JsonGet": {
                            "PropertyFile": get("Steps.E.PropertyFiles.R"),
                            "Path": "a",
                        }
                    },
                    "value": get("Steps.E.PropertyFiles.R"),
                },
            ),
        ),
        [
            "$.Steps[1].Arguments.value.Get: a property file outside of Std:JsonGet; "
            "here it is the file's S3 URI, SageMaker documents it for Std:JsonGet alone"
        ],
    ),
    "_body_read_from_outside": (
        definition(
            for_each(
                "Loop",
                training("Each"),
                training("Next", {"x": get("Steps.Each.TrainingJobName")}),
            ),
            for_each("Other", training("Elsewhere", {"x": get("Steps.Next.TrainingJobName")})),
            training("After", {"x": get("Steps.Loop.Status")}, DependsOn=["Each"]),
        ),
        [
            "$.Steps[1].Arguments.ForEachBody[0]: 'Next' runs once for each item of 'Loop' and has "
            "no outputs outside; read Steps.Loop.IterationOutputs[0].Next",
            "$.Steps[2]: 'Each' runs once for each item of 'Loop' and has no outputs outside; "
            "read Steps.Loop.IterationOutputs[0].Each",
        ],
    ),
    "_experiment_of_a_step": (
        definition(
            training("T"),
            PipelineExperimentConfig={
                "ExperimentName": {"Std:Join": {"Values": [get("Steps.T.TrainingJobName")]}},
                "TrialName": get("Execution.PipelineExecutionId"),
            },
        ),
        [
            "$.PipelineExperimentConfig.ExperimentName.Std:Join.Values[0].Get: "
            "an experiment is named before the first step runs; a step has no property then"
        ],
    ),
    "_experiment_names_not_given": (
        definition(
            training("T", {"x": get("PipelineExperimentConfig.TrialName")}),
            training("U", {"x": get("PipelineExperimentConfig.ExperimentName")}),
            PipelineExperimentConfig={"ExperimentName": "e"},
        ),
        [
            "$.Steps[0].Arguments.x.Get: PipelineExperimentConfig gives no TrialName; "
            "the value is missing when it runs"
        ],
    ),
    "_addresses_as_expressions": (
        definition(
            lambda_("Plain"),
            lambda_("L", FunctionArn=get("Parameters.P")),
            step("Callback", "C", SqsQueueUrl=get("Parameters.P")),
            Parameters=[{"Name": "P"}],
        ),
        [
            f"$.Steps[{place}: an expression: AWS's examples have one here, its published schema a "
            "string; SageMaker may refuse it"
            for place in ("1].FunctionArn", "2].SqsQueueUrl")
        ],
    ),
    "_auto_ml_modes": (
        definition(
            step("AutoML", "Good", {"AutoMLJobConfig": {"Mode": "ENSEMBLING"}}),
            step("AutoML", "Tuned", {"AutoMLJobConfig": {"Mode": "HYPERPARAMETER_TUNING"}}),
            step("AutoML", "Unsaid"),
            training("T"),
        ),
        [
            f"$.Steps[{index}].Arguments: pipelines support AutoML in ENSEMBLING mode only; "
            "set AutoMLJobConfig.Mode to it"
            for index in (1, 2)
        ],
    ),
    "_metadata_beyond_the_schema": (
        definition(Metadata={"team": "a", "layout": {"x": 1}}),
        [
            "$.Metadata.layout: an object: AWS's published schema has strings here, "
            "SageMaker may refuse it"
        ],
    ),
    "_long_texts": (
        definition(
            training("A", DisplayName="d" * 257, Description="x" * 3072),
            training("B", DisplayName="d" * 256, Description="x" * 3073),
        ),
        [
            "$.Steps[0].DisplayName: 257 characters; SageMaker shows up to 256 and may refuse more",
            "$.Steps[1].Description: 3073 characters; "
            "SageMaker shows up to 3072 and may refuse more",
        ],
    ),
    "_too_many_parameters": (
        definition(Parameters=[{"Name": f"P{index}"} for index in range(201)]),
        ["$.Parameters: 201 parameters; a run of SageMaker Pipelines can be given values for 200"],
    ),
}


def test_every_caution_has_a_case_in_which_it_fires() -> None:
    assert [find.__name__ for find in CAUTIONS] == list(FIRED)


@pytest.mark.parametrize("find", CAUTIONS, ids=FIRED)
def test_caution_tells_every_place_of_its_kind_and_no_other(
    find: Callable[[Pipeline], Iterator[Problem]],
) -> None:
    value, told = FIRED[find.__name__]
    assert [str(warning) for warning in find(loaded(value))] == told


@pytest.mark.parametrize(("value", "told"), FIRED.values(), ids=FIRED)
def test_warnings_hold_what_each_caution_tells(value: dict[str, Json], told: list[str]) -> None:
    given = [str(warning) for warning in warnings(loaded(value))]
    assert [warning for warning in given if warning in told] == told


def test_warnings_of_a_real_definition_come_in_the_order_of_the_table() -> None:
    assert [str(warning) for warning in warnings(fixture("policies"))] == []


def test_plain_definition_has_no_warning() -> None:
    assert warnings(fixture("processing")) == []


REQUIRED: dict[str, Any] = {
    "ClarifyCheck": {"CheckType": "DATA_BIAS"},
    "Callback": {"SqsQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/q"},
    "Lambda": {"FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f"},
    "QualityCheck": {"CheckType": "DATA_QUALITY"},
}


@pytest.mark.parametrize("name", [name for name, row in STEP_TYPES.items() if row.runs])
def test_step_that_a_task_can_run_is_not_warned_about(name: str) -> None:
    (find,) = (find for find in CAUTIONS if find.__name__ == "_not_run")
    value = decide("S") if name == "Condition" else step(name, "S", **REQUIRED.get(name, {}))
    assert list(find(loaded(definition(value)))) == []


def test_two_hundred_parameters_are_not_too_many() -> None:
    parameters: Json = [{"Name": f"P{index}"} for index in range(200)]
    assert warnings(loaded(definition(Parameters=parameters))) == []


def test_experiment_with_a_name_can_be_read() -> None:
    value = definition(
        training("T", {"x": get("PipelineExperimentConfig.TrialName")}),
        PipelineExperimentConfig={"TrialName": "t"},
    )
    assert warnings(loaded(value)) == []


def test_cleanup_of_a_step_in_a_body_is_told() -> None:
    value = definition(for_each("Loop", training("Each")), cleanup("S", {"StepName": "Each"}))
    (find,) = (find for find in CAUTIONS if find.__name__ == "_body_read_from_outside")
    assert [warning.where for warning in find(loaded(value))] == ["$.Steps[1]"]


def test_thousands_of_warnings_of_one_kind_are_cut_with_a_word() -> None:
    given = warnings(loaded(definition(*(step("Lineage", f"L{index}") for index in range(150)))))
    assert len(given) == 101
    assert str(given[-1]) == "$: more than 100 problems of one kind; mend those first"
