"""Steps of every type: the keys they may have, and what is told where one is wrong."""

import json

import pytest

from airflow_sm_pipelines.definition.expressions import Join, JsonGet
from airflow_sm_pipelines.definition.model import Dependency, Output, PropertyFile, Selector, Step
from airflow_sm_pipelines.definition.node import Json, Node
from airflow_sm_pipelines.definition.parse_steps import CONTENTS, KEYS, parse_step
from airflow_sm_pipelines.definition.references import (
    CurrentItem,
    ExecutionVariable,
    IterationOutput,
    ParameterReference,
    PropertyReference,
)
from airflow_sm_pipelines.definition.steps import API_ONLY, STEP_TYPES
from airflow_sm_pipelines.errors import DefinitionError
from tests.definition.cases import (
    PIPELINES,
    cleanup,
    condition,
    fixture,
    for_each,
    get,
    lambda_,
    step,
    training,
)

OUTPUT: Json = {"OutputName": "auc", "OutputType": "Float"}
FILE: Json = {"PropertyFileName": "R", "OutputName": "o", "FilePath": "r.json"}
EXPRESSION_TOLD = "an expression may not stand here, write the value itself"
COMMON = "Name, Type, Arguments, DependsOn, DisplayName, Description, CacheConfig, RetryPolicies"
ROOTS = "Parameters, Execution, Steps, PipelineExperimentConfig, ForEach, IterationOutput"


def parsed(value: Json) -> Step:
    return parse_step(Node(value))


def refusal_of(value: Json) -> str:
    with pytest.raises(DefinitionError) as caught:
        parsed(value)
    return str(caught.value)


# One step of each type, with every key of its own.
LEAST: dict[str, dict[str, Json]] = {
    "Processing": step("Processing", "S", PropertyFiles=[FILE]),
    "Training": training("S"),
    "Tuning": step("Tuning", "S", {"TrainingJobDefinition": {}}),
    "AutoML": step("AutoML", "S", {"AutoMLJobConfig": {"Mode": "ENSEMBLING"}}),
    "Transform": step("Transform", "S", {"ModelName": get("Steps.M.ModelName")}),
    "Model": step("Model", "S"),
    "RegisterModel": step("RegisterModel", "S", {"ModelMetrics": {"Bias": {}}}),
    "Condition": condition("S"),
    "Fail": step("Fail", "S", {"ErrorMessage": "m"}),
    "Callback": step("Callback", "S", SqsQueueUrl="https://q", OutputParameters=[OUTPUT]),
    "Lambda": step("Lambda", "S", FunctionArn="arn", OutputParameters=[OUTPUT]),
    "ClarifyCheck": step(
        "ClarifyCheck",
        "S",
        CheckType="MODEL_BIAS",
        SkipCheck=True,
        FailOnViolation=True,
        RegisterNewBaseline=False,
        ModelPackageGroupName="g",
        SuppliedBaselineConstraints="s3://b/c",
        ModelName="m",
    ),
    "QualityCheck": step(
        "QualityCheck",
        "S",
        CheckType="DATA_QUALITY",
        SkipCheck=True,
        FailOnViolation=True,
        RegisterNewBaseline=False,
        ModelPackageGroupName="g",
        SuppliedBaselineConstraints="s3://b/c",
        SuppliedBaselineStatistics="s3://b/s",
    ),
    "EMR": step("EMR", "S", {"ClusterId": "j-1", "StepConfig": {"HadoopJarStep": {"Jar": "j"}}}),
    "EMRServerless": step("EMRServerless", "S", {"ApplicationId": "a", "JobConfig": {}}),
    "EndpointConfig": step("EndpointConfig", "S", {"ProductionVariants": []}),
    "Endpoint": step("Endpoint", "S", {"EndpointName": "e", "EndpointConfigName": "c"}),
    "InferenceComponent": step("InferenceComponent", "S", {"EndpointName": "e"}),
    "Lineage": step("Lineage", "S", {"Actions": [{"ActionName": "run"}], "Associations": []}),
    "Job": step("Job", "S", {"JobCategory": "AgentRFT", "JobConfigDocument": "{}"}),
    "Cleanup": cleanup("S", {"StepName": "T"}),
    "ForEach": for_each("S", training("Each")),
}


def test_there_is_a_step_of_every_type_here() -> None:
    assert set(LEAST) == set(STEP_TYPES)


@pytest.mark.parametrize("value", LEAST.values(), ids=LEAST)
def test_step_of_every_type_is_read_and_written_again(value: Json) -> None:
    assert parsed(value).to_json() == value


@pytest.mark.parametrize("name", LEAST)
def test_step_here_has_every_key_that_only_its_type_has(name: str) -> None:
    own = set(KEYS[name]) - set(KEYS["Training"])
    assert own <= LEAST[name].keys()


@pytest.mark.parametrize("name", LEAST)
def test_keys_of_other_types_are_unknown(name: str) -> None:
    foreign = set().union(*KEYS.values()) - set(KEYS[name])
    for key in foreign:
        assert f"$.{key}: unknown key {key!r}" in refusal_of({**LEAST[name], key: "x"})


@pytest.mark.parametrize("name", LEAST)
def test_arguments_are_required(name: str) -> None:
    value = {key: member for key, member in LEAST[name].items() if key != "Arguments"}
    assert "$: 'Arguments' is missing; it is required" in refusal_of(value)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Callback", "SqsQueueUrl"),
        ("Lambda", "FunctionArn"),
        ("ClarifyCheck", "CheckType"),
        ("QualityCheck", "CheckType"),
    ],
)
@pytest.mark.parametrize("absent", [True, False])
def test_required_key_is_told_where_it_is_absent_or_null(name: str, key: str, absent: bool) -> None:
    value = {**LEAST[name], key: None}
    if absent:
        del value[key]
    assert f"$: {key!r} is missing; it is required, given are: Name, Type" in refusal_of(value)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (name, key)
        for name, row in STEP_TYPES.items()
        for key, rule in row.keys.items()
        if not rule.required
    ],
)
def test_null_is_absent_in_every_key_that_is_not_required(name: str, key: str) -> None:
    assert key in parsed(LEAST[name]).keys
    assert key not in parsed({**LEAST[name], key: None}).keys


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (name, key)
        for name, row in STEP_TYPES.items()
        for key, rule in row.keys.items()
        if rule.expression
    ],
)
def test_expression_stands_for_the_value_of_a_key(name: str, key: str) -> None:
    value = {**LEAST[name], key: get("Parameters.P")}
    reference = ParameterReference("P", f"$.{key}.Get")
    assert parsed(value).keys[key] == reference
    assert reference in parsed(value).expressions


@pytest.mark.parametrize(
    ("name", "keys", "told"),
    [
        (
            "QualityCheck",
            {"CheckType": "DATA_QUALTY"},
            "$.CheckType: the string 'DATA_QUALTY' is not among the values; "
            "did you mean 'DATA_QUALITY'?; use one of: DATA_QUALITY, MODEL_QUALITY",
        ),
        (
            "ClarifyCheck",
            {"CheckType": "?"},
            "$.CheckType: the string '?' is not among the values; "
            "use one of: DATA_BIAS, MODEL_BIAS, MODEL_EXPLAINABILITY",
        ),
        (
            "ClarifyCheck",
            {"CheckType": get("Parameters.Type")},
            f"$.CheckType: an object where a string is expected; {EXPRESSION_TOLD}",
        ),
        (
            "QualityCheck",
            {"SkipCheck": "false", "RegisterNewBaseline": 1, "ModelPackageGroupName": True},
            "$.SkipCheck: the string 'false' where true or false is expected\n"
            "$.RegisterNewBaseline: the number 1 where true or false is expected\n"
            "$.ModelPackageGroupName: true where a string is expected",
        ),
        (
            "QualityCheck",
            {"SkipCheck": {}, "SuppliedBaselineConstraints": {"Bucket": "b", "Key": "k"}},
            "$.SkipCheck: an object where true or false is expected\n"
            "$.SuppliedBaselineConstraints: an object where a string is expected",
        ),
        (
            "Lambda",
            {"FunctionArn": get("Lambda.Arn")},
            f"$.FunctionArn.Get: 'Lambda.Arn' leads nowhere; it starts with one of: {ROOTS}",
        ),
        ("Callback", {"SqsQueueUrl": []}, "$.SqsQueueUrl: an array where a string is expected"),
    ],
)
def test_key_with_another_value_is_refused(name: str, keys: dict[str, Json], told: str) -> None:
    assert refusal_of({**LEAST[name], **keys}) == told


@pytest.mark.parametrize("check_type", ["DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"])
def test_every_check_of_clarify_is_known(check_type: str) -> None:
    value = {**LEAST["ClarifyCheck"], "CheckType": check_type}
    assert parsed(value).keys["CheckType"] == check_type


@pytest.mark.parametrize("check_type", ["DATA_QUALITY", "MODEL_QUALITY"])
def test_every_check_of_quality_is_known(check_type: str) -> None:
    value = {**LEAST["QualityCheck"], "CheckType": check_type}
    assert parsed(value).keys["CheckType"] == check_type


# OutputParameters


@pytest.mark.parametrize("type_", ["String", "Integer", "Float", "Boolean"])
def test_output_of_every_type_is_read(type_: str) -> None:
    outputs: Json = [{"OutputName": "a", "OutputType": type_}]
    assert parsed(lambda_("S", OutputParameters=outputs)).outputs == (
        Output(name="a", type=type_, where="$.OutputParameters[0]"),
    )


@pytest.mark.parametrize("outputs", [{}, {"OutputParameters": None}, {"OutputParameters": []}])
def test_lambda_without_outputs_has_an_empty_list_as_the_sdk_writes_it(
    outputs: dict[str, Json],
) -> None:
    assert parsed(lambda_("S", **outputs)).outputs == ()
    assert parsed(lambda_("S", **outputs)).to_json()["OutputParameters"] == []


def test_step_of_another_type_has_no_list_of_outputs() -> None:
    assert parsed(training()).outputs is None


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (
            {"OutputName": "a", "OutputType": "Int"},
            ".OutputType: unknown output type 'Int'; did you mean 'Integer'?; "
            "known are: String, Integer, Float, Boolean",
        ),
        (
            {"OutputNam": "a"},
            ".OutputNam: unknown key 'OutputNam'; did you mean 'OutputName'?; "
            "known are: OutputName, OutputType\n"
            "$.OutputParameters[0]: 'OutputName' is missing; it is required, given are: OutputNam\n"
            "$.OutputParameters[0]: 'OutputType' is missing; it is required, given are: OutputNam",
        ),
        (
            {"OutputName": get("Parameters.X"), "OutputType": 1},
            f".OutputName: an object where a string is expected; {EXPRESSION_TOLD}\n"
            "$.OutputParameters[0].OutputType: the number 1 where a string is expected",
        ),
    ],
)
def test_output_that_is_wrong_is_refused(output: Json, told: str) -> None:
    assert refusal_of(lambda_("S", OutputParameters=[output])) == f"$.OutputParameters[0]{told}"


# Types


@pytest.mark.parametrize("name", API_ONLY)
def test_type_that_only_the_api_knows_is_refused_with_the_reason(name: str) -> None:
    assert refusal_of(step(name, "S")) == (
        f"$.Type: step type {name!r} is known to SageMaker's API alone: how a definition describes "
        "such a step is not published; use a step type that the SageMaker SDK writes"
    )


@pytest.mark.parametrize(
    ("type_", "told"),
    [
        ("Trainign", "unknown step type 'Trainign'; did you mean 'Training'?; known are: "),
        ("Zzz", "unknown step type 'Zzz'; known are: "),
    ],
)
def test_unknown_type_is_refused_with_the_nearest(type_: str, told: str) -> None:
    assert refusal_of(step(type_, "S")) == f"$.Type: {told}{', '.join(STEP_TYPES)}"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (3, "$: the number 3 where an object is expected"),
        (
            training("a" * 65),
            "$.Name: a long string is not a name; use 1 to 64 letters, digits, '-' and '_'",
        ),
        (
            training("S", PropertyFiles=[]),
            f"$.PropertyFiles: unknown key 'PropertyFiles'; known are: {COMMON}",
        ),
        (training("S", DependsOn="A"), "$.DependsOn: the string 'A' where an array is expected"),
        (
            {"Name": "S", "Type": "Training", "Arguments": []},
            "$.Arguments: an array where an object is expected",
        ),
        (
            step("Fail", "S", {"Message": "x"}),
            "$.Arguments.Message: unknown key 'Message'; did you mean 'ErrorMessage'?; "
            "known are: ErrorMessage",
        ),
        (
            step("Fail", "S", {"ErrorMessage": 3}),
            "$.Arguments.ErrorMessage: the number 3 where a string is expected",
        ),
        (
            training("S", DisplayName=get("Parameters.X"), Description=["a"]),
            f"$.DisplayName: an object where a string is expected; {EXPRESSION_TOLD}\n"
            "$.Description: an array where a string is expected",
        ),
        (
            {"Name": 1, "Type": {}, "Arguments": 2, "RetryPolicies": [3]},
            "$.Name: the number 1 where a string is expected\n"
            "$.Type: an object where a string is expected\n"
            "$.RetryPolicies[0]: the number 3 where an object is expected",
        ),
    ],
)
def test_step_that_is_wrong_is_refused_with_all_its_problems(value: Json, told: str) -> None:
    assert refusal_of(value) == told


def test_longest_name_is_read() -> None:
    assert parsed(training("a" * 64)).name == "a" * 64


def test_arguments_are_kept_as_they_are() -> None:
    source = json.loads((PIPELINES / "templates.json").read_text())["Steps"][0]
    step = fixture("templates").step("Prepare")
    assert step.arguments == source["Arguments"]
    assert step.to_json() == source


def test_texts_and_policies_of_a_step_are_read() -> None:
    step = fixture("policies").step("Train")
    assert (step.display_name, step.description) == ("Train it", "With care")
    assert step.cache
    assert step.cache.expire_after
    assert (step.cache.enabled, step.cache.expire_after.days) == (True, 30)
    assert [policy.max_attempts for policy in step.retries] == [3, None]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (
            {"PropertyFileName": "R"},
            "$.PropertyFiles[0]: 'OutputName' is missing; "
            "it is required, given are: PropertyFileName\n"
            "$.PropertyFiles[0]: 'FilePath' is missing; "
            "it is required, given are: PropertyFileName",
        ),
        (
            {"PropertyFileName": 1, "OutputName": "o", "FilePath": "p", "Path": "q"},
            "$.PropertyFiles[0].Path: unknown key 'Path'; did you mean 'FilePath'?; "
            "known are: PropertyFileName, OutputName, FilePath\n"
            "$.PropertyFiles[0].PropertyFileName: the number 1 where a string is expected",
        ),
    ],
)
def test_property_file_that_is_wrong_is_refused(file: Json, told: str) -> None:
    assert refusal_of(step("Processing", "S", PropertyFiles=[file])) == told


def test_property_files_are_read() -> None:
    assert fixture("property_file").step("Evaluate").property_files == (
        PropertyFile(
            name="Report",
            output_name="evaluation",
            file_path="deep/evaluation.json",
            where="$.Steps[0].PropertyFiles[0]",
        ),
    )


# DependsOn


@pytest.mark.parametrize(
    ("dependency", "trigger"),
    [
        ("A", "Completed"),
        ({"Step": "A"}, "Completed"),
        ({"Step": "A", "Trigger": None}, "Completed"),
        ({"Step": "A", "Trigger": "Completed"}, "Completed"),
        ({"Step": "A", "Trigger": "Failed"}, "Failed"),
        ({"Step": "A", "Trigger": "Stopped"}, "Stopped"),
        ({"Step": "A", "Trigger": "Any"}, "Any"),
    ],
)
def test_dependency_with_and_without_a_trigger_is_read(dependency: Json, trigger: str) -> None:
    read = parsed(training("S", DependsOn=["Z", dependency])).depends_on
    assert read == (
        Dependency(step="Z", where="$.DependsOn[0]"),
        Dependency(step="A", trigger=trigger, where="$.DependsOn[1]"),
    )


@pytest.mark.parametrize(
    ("dependency", "told"),
    [
        (1, ": the number 1 where a string is expected"),
        (None, ": null where a string is expected"),
        ({}, ": 'Step' is missing; it is required, given are: none"),
        (
            {"Step": get("Parameters.X"), "Trigger": "Fail", "On": 1},
            ".On: unknown key 'On'; known are: Step, Trigger\n"
            f"$.DependsOn[0].Step: an object where a string is expected; {EXPRESSION_TOLD}\n"
            "$.DependsOn[0].Trigger: unknown trigger 'Fail'; did you mean 'Failed'?; "
            "known are: Completed, Failed, Stopped, Any",
        ),
        (
            {"Step": "A", "Trigger": 1},
            ".Trigger: the number 1 where a string is expected",
        ),
    ],
)
def test_dependency_that_is_wrong_is_refused(dependency: Json, told: str) -> None:
    assert refusal_of(training("S", DependsOn=[dependency])) == f"$.DependsOn[0]{told}"


# Condition


def test_condition_without_branches_is_read() -> None:
    branches = parsed(step("Condition", "C", {"Conditions": []})).branches
    assert branches
    assert (branches.conditions, branches.if_steps, branches.else_steps) == ((), (), ())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"Conditions": {}, "IfStep": [], "ElseSteps": 1},
            "$.Arguments.IfStep: unknown key 'IfStep'; did you mean 'IfSteps'?; "
            "known are: Conditions, IfSteps, ElseSteps\n"
            "$.Arguments.Conditions: an object where an array is expected\n"
            "$.Arguments.ElseSteps: the number 1 where an array is expected",
        ),
        (
            {"IfSteps": []},
            "$.Arguments: 'Conditions' is missing; it is required, given are: IfSteps",
        ),
    ],
)
def test_branches_that_are_wrong_are_refused(arguments: Json, told: str) -> None:
    assert refusal_of(step("Condition", "C", arguments)) == told


# ForEach


def test_iteration_is_read_whole() -> None:
    value = for_each(
        "Loop",
        lambda_("Score", {"name": get("ForEach.CurrentItem.name")}),
        items=get("Parameters.Items"),
        Selector={"Pick": "MaxBy", "Field": get("IterationOutput.Score.OutputParameters['auc']")},
    )
    iteration = parsed(value).iteration
    assert iteration
    assert iteration.items == ParameterReference("Items", "$.Arguments.IterableItems.Get")
    assert iteration.max_concurrency == 2
    assert iteration.selector == Selector(
        pick="MaxBy",
        field=IterationOutput("Score", "OutputParameters['auc']", "$.Arguments.Selector.Field.Get"),
    )
    assert [inner.name for inner in parsed(value).children] == ["Score"]
    assert iteration.body[0].arguments == {
        "name": CurrentItem("name", "$.Arguments.ForEachBody[0].Arguments.name.Get")
    }


def test_expressions_of_a_loop_are_those_of_its_items_alone() -> None:
    value = for_each(
        "Loop",
        training("Each", {"x": get("ForEach.CurrentItem")}),
        items=["a", get("Parameters.X"), {"Std:Join": {"Values": ["b", get("Parameters.Y")]}}],
        Selector={"Pick": "MinBy", "Field": get("IterationOutput.Each.x")},
    )
    assert [type(expression) for expression in parsed(value).expressions] == [
        ParameterReference,
        Join,
        ParameterReference,
    ]


@pytest.mark.parametrize("items", [["a"], [1, 0.5, True, "x"], ["x"] * 100])
def test_items_are_scalars_in_a_list(items: list[Json]) -> None:
    iteration = parsed(for_each("Loop", training(), items=items)).iteration
    assert iteration
    assert iteration.items == items


@pytest.mark.parametrize("concurrency", [1, 50])
def test_concurrency_is_within_its_bounds(concurrency: int) -> None:
    iteration = parsed(for_each("Loop", training(), MaxConcurrency=concurrency)).iteration
    assert iteration
    assert iteration.max_concurrency == concurrency


ITEMS_EXPECTED = "items are expected; give a list, or an expression for the text of a JSON list"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"IterableItems": []},
            "$.Arguments.IterableItems: an empty array; give an item at least",
        ),
        (
            {"IterableItems": ["x"] * 101},
            "$.Arguments.IterableItems: 101 items; a list has up to 100, "
            "more come from an expression for the text of a JSON list",
        ),
        (
            {"IterableItems": ["x", None, ["y"], {"a": 1}, get("y")]},
            "$.Arguments.IterableItems[1]: null is no item; "
            "an item is a string, a number, a boolean or an expression\n"
            "$.Arguments.IterableItems[2]: an array is no item; "
            "an item is a string, a number, a boolean or an expression\n"
            "$.Arguments.IterableItems[3]: an object is no item; "
            "an item is a string, a number, a boolean or an expression\n"
            "$.Arguments.IterableItems[4].Get: 'y' leads nowhere; "
            f"it starts with one of: {ROOTS}",
        ),
        (
            {"IterableItems": '["a"]'},
            f"""$.Arguments.IterableItems: the string '["a"]' where {ITEMS_EXPECTED}""",
        ),
        (
            {"IterableItems": {"a": 1}},
            f"$.Arguments.IterableItems: an object where {ITEMS_EXPECTED}",
        ),
        (
            {"MaxConcurrency": 0},
            "$.Arguments.MaxConcurrency: 0 is out of bounds; MaxConcurrency is 1 to 50",
        ),
        (
            {"MaxConcurrency": 51},
            "$.Arguments.MaxConcurrency: 51 is out of bounds; MaxConcurrency is 1 to 50",
        ),
        (
            {"MaxConcurrency": get("Parameters.N")},
            "$.Arguments.MaxConcurrency: an object where an integer is expected; "
            f"{EXPRESSION_TOLD}",
        ),
        ({"ForEachBody": []}, "$.Arguments.ForEachBody: an empty array; give a step at least"),
        (
            {"Body": [], "MaxConcurrency": None, "IterableItems": None, "ForEachBody": None},
            "$.Arguments.Body: unknown key 'Body'; "
            "known are: IterableItems, MaxConcurrency, Selector, ForEachBody\n"
            "$.Arguments: 'IterableItems' is missing; it is required, given are: Body\n"
            "$.Arguments: 'MaxConcurrency' is missing; it is required, given are: Body\n"
            "$.Arguments: 'ForEachBody' is missing; it is required, given are: Body",
        ),
        (
            {"Selector": {"Pick": "Max", "Field": get("Steps.S.x"), "By": 1}},
            "$.Arguments.Selector.By: unknown key 'By'; known are: Pick, Field\n"
            "$.Arguments.Selector.Pick: unknown pick 'Max'; did you mean 'MaxBy'?; "
            "known are: MaxBy, MinBy\n"
            "$.Arguments.Selector.Field: only an output of the body differs between iterations; "
            'write {"Get": "IterationOutput.<step>.<property>"}',
        ),
        (
            {"Selector": {"Pick": 1}},
            "$.Arguments.Selector.Pick: the number 1 where a string is expected\n"
            "$.Arguments.Selector: 'Field' is missing; it is required, given are: Pick",
        ),
    ],
)
def test_iteration_that_is_wrong_is_refused(arguments: dict[str, Json], told: str) -> None:
    assert refusal_of(for_each("Loop", training(), **arguments)) == told


@pytest.mark.parametrize(
    "inner", [condition("In"), step("Fail", "In"), for_each("In", training("T"))]
)
def test_steps_that_decide_or_repeat_cannot_be_repeated(inner: dict[str, Json]) -> None:
    allowed = ", ".join(name for name in STEP_TYPES if name not in {"Condition", "Fail", "ForEach"})
    assert refusal_of(for_each("Loop", inner)) == (
        f"$.Arguments.ForEachBody[0].Type: a {inner['Type']} step cannot stand in ForEachBody; "
        f"what can is: {allowed}"
    )


@pytest.mark.parametrize("name", [name for name, row in STEP_TYPES.items() if row.iterated])
def test_step_of_every_other_type_can_be_repeated(name: str) -> None:
    assert [inner.type for inner in parsed(for_each("Loop", LEAST[name])).children] == [name]


# Cleanup


def test_steps_that_are_cleaned_up_are_waited_for() -> None:
    read = parsed(cleanup("Sweep", {"StepName": "A"}, {"StepName": "B", "S3Uris": ["s3://b/k"]}))
    assert read.cleans == (
        Dependency(step="A", where="$.Arguments.Resources.S3[0].StepName"),
        Dependency(step="B", where="$.Arguments.Resources.S3[1].StepName"),
    )


def test_expressions_among_the_addresses_of_a_cleanup_are_read() -> None:
    read = parsed(cleanup("Sweep", {"StepName": "A", "S3Uris": [get("Steps.A.x")]}))
    assert read.expressions == (
        PropertyReference("A", "x", "$.Arguments.Resources.S3[0].S3Uris[0].Get"),
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"Resource": {}},
            "$.Arguments.Resource: unknown key 'Resource'; did you mean 'Resources'?; "
            "known are: Resources\n"
            "$.Arguments: 'Resources' is missing; it is required, given are: Resource",
        ),
        (
            {"Resources": {"ECR": []}},
            "$.Arguments.Resources.ECR: unknown key 'ECR'; known are: S3",
        ),
        (
            {"Resources": {"S3": []}},
            "$.Arguments.Resources.S3: an empty array; give a source at least",
        ),
        (
            {"Resources": {"S3": [{"Step": "A"}, {"StepName": 1, "S3Uris": []}]}},
            "$.Arguments.Resources.S3[0].Step: unknown key 'Step'; did you mean 'StepName'?; "
            "known are: StepName, S3Uris\n"
            "$.Arguments.Resources.S3[0]: 'StepName' is missing; it is required, given are: Step\n"
            "$.Arguments.Resources.S3[1].StepName: the number 1 where a string is expected\n"
            "$.Arguments.Resources.S3[1].S3Uris: an empty array; give a URI at least",
        ),
        (
            {"Resources": {"S3": [{"StepName": "A", "S3Uris": ["s3://b", 1]}]}},
            "$.Arguments.Resources.S3[0].S3Uris[1]: the number 1 where a string is expected",
        ),
        (
            {"Resources": {"S3": [{"StepName": "A", "S3Uris": "s3://b"}]}},
            "$.Arguments.Resources.S3[0].S3Uris: the string 's3://b' where an array is expected",
        ),
        (
            {"Resources": {"S3": [{"StepName": "A", "S3Uris": [get("x")]}]}},
            "$.Arguments.Resources.S3[0].S3Uris[0].Get: 'x' leads nowhere; "
            f"it starts with one of: {ROOTS}",
        ),
    ],
)
def test_cleanup_that_is_wrong_is_refused(arguments: Json, told: str) -> None:
    assert refusal_of(step("Cleanup", "S", arguments)) == told


def test_types_with_contents_of_their_own_are_step_types() -> None:
    assert CONTENTS.keys() <= STEP_TYPES.keys()


# What the SDK's decorators and collections come as: no types of their own.


def test_function_step_is_a_training_job_with_references_among_its_arguments() -> None:
    results = get("Steps.make.OutputDataConfig.S3OutputPath")
    arguments: Json = {
        "AlgorithmSpecification": {
            "ContainerEntrypoint": ["/bin/bash", "job_driver.sh"],
            "ContainerArguments": [
                *("--pipeline_execution_id", get("Execution.PipelineExecutionId")),
                *("--property_references", "Steps.make.OutputDataConfig.S3OutputPath"),
                {"Std:Join": {"On": "", "Values": [results]}},
            ],
        },
        "OutputDataConfig": {
            "S3OutputPath": {
                "Std:Join": {"On": "/", "Values": ["s3://b", get("Execution.PipelineExecutionId")]}
            }
        },
    }
    read = parsed(training("use", arguments, DependsOn=["make"], DisplayName="__main__.use"))
    assert [type(expression) for expression in read.expressions] == [
        ExecutionVariable,
        *(Join, PropertyReference),
        *(Join, ExecutionVariable),
    ]
    assert read.expressions[2].where == (
        "$.Arguments.AlgorithmSpecification.ContainerArguments[4].Std:Join.Values[0].Get"
    )
    assert read.to_json()["Arguments"] == arguments


def test_result_of_a_function_step_is_read_from_a_joined_address() -> None:
    address: Json = {
        "Std:Join": {
            "On": "/",
            "Values": [get("Steps.make.OutputDataConfig.S3OutputPath"), "results.json"],
        }
    }
    operand: Json = {"Std:JsonGet": {"S3Uri": address, "Path": "Result[1]['k']"}}
    read = parsed(condition("C", operand=operand, DependsOn=["make"]))
    assert [type(expression) for expression in read.expressions] == [
        JsonGet,
        Join,
        PropertyReference,
    ]


def test_notebook_job_is_a_training_job_with_parameters_as_they_are() -> None:
    arguments: Json = {
        "TrainingJobName": "explore-ipynb",
        "AlgorithmSpecification": {"ContainerEntrypoint": ["amazon_sagemaker_scheduler"]},
        "HyperParameters": {"rounds": "1", "query": get("Parameters.Query")},
        "Environment": {"SM_INPUT_NOTEBOOK_NAME": "explore.ipynb"},
        "Tags": [{"Key": "sagemaker:notebook-job-origin", "Value": "PIPELINE_STEP"}],
    }
    read = parsed(training("Explore", arguments))
    assert read.expressions == (
        ParameterReference("Query", "$.Arguments.HyperParameters.query.Get"),
    )
    assert read.arguments["TrainingJobName"] == "explore-ipynb"


def test_repacking_is_a_training_step_between_the_job_and_the_package() -> None:
    artifacts = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")
    repack = parsed(
        training(
            "Pack-RepackModel-0",
            {
                "HyperParameters": {
                    "model_archive": {"Std:Join": {"On": "", "Values": [artifacts]}}
                },
                "InputDataConfig": [{"DataSource": {"S3DataSource": {"S3Uri": artifacts}}}],
            },
        )
    )
    repacked = get("Steps.Pack-RepackModel-0.ModelArtifacts.S3ModelArtifacts")
    containers: Json = [{"Image": "i", "ModelDataUrl": repacked}]
    package = parsed(
        step(
            "RegisterModel",
            "Pack-RegisterModel",
            {"InferenceSpecification": {"Containers": containers}, "SkipModelValidation": "None"},
        )
    )
    read = [e.step for e in repack.expressions if isinstance(e, PropertyReference)]
    assert read == ["Train", "Train"]
    assert [e.where for e in package.expressions] == [
        "$.Arguments.InferenceSpecification.Containers[0].ModelDataUrl.Get"
    ]


def test_monitored_transform_is_a_transform_and_a_check_that_waits_for_it() -> None:
    transform = parsed(
        step("Transform", "Batch-transform", {"TransformOutput": {"S3OutputPath": "s3://b/o"}})
    )
    check = parsed(
        step(
            "QualityCheck",
            "Batch-monitoring",
            {"ProcessingInputs": [{"S3Input": {"S3Uri": "s3://b/o"}}]},
            CheckType="MODEL_QUALITY",
            ModelPackageGroupName=None,
            SkipCheck=False,
            FailOnViolation=get("Parameters.Strict"),
            RegisterNewBaseline=False,
            SuppliedBaselineStatistics="s3://b/s.json",
            SuppliedBaselineConstraints=None,
            DependsOn=["Batch-transform"],
        )
    )
    assert (transform.keys, check.depends_on[0].step) == ({}, transform.name)
    assert check.keys == {
        "CheckType": "MODEL_QUALITY",
        "SkipCheck": False,
        "FailOnViolation": ParameterReference("Strict", "$.FailOnViolation.Get"),
        "RegisterNewBaseline": False,
        "SuppliedBaselineStatistics": "s3://b/s.json",
    }
