"""Pipeline variables that have become text."""

import pytest

from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.validation.stringified import TRACES, stringified
from tests.validation.cases import PROCESSING, problem, step, told, training, warning

# As Python 3.11 and the SDK 2.257 write them.
CERTAIN = [
    (
        "s3://b/<sagemaker.workflow.properties.PropertiesList object at 0x7f5a63d27d10>",
        "the Python object 'sagemaker.workflow.properties.PropertiesList' was written as text; "
        "hand the pipeline variable on as it is, and a Join(on='', values=[...]) where "
        "text stands around it",
    ),
    (
        "s3://b/ParameterString(name='X', parameter_type=<ParameterTypeEnum.STRING: 'String'>, "
        "default_value='a')",
        "parameter 'X' was written as text; "
        'write {"Get": "Parameters.X"}, and a Std:Join where text stands around it',
    ),
    (
        "Parameter(name='X', parameter_type=<ParameterTypeEnum.BOOLEAN: 'Boolean'>)",
        "parameter 'X' was written as text; "
        'write {"Get": "Parameters.X"}, and a Std:Join where text stands around it',
    ),
    (
        "Join(on='/', values=['s3:/', 'bucket'])",
        "a Join was written as text; hand it on as it is, and put it among the values of a Join "
        "where text stands around it",
    ),
    (
        "JsonGet(step_name='s', property_file='f', json_path='p', s3_uri=None, step=None)",
        "a JsonGet was written as text; hand it on as it is, and put it among the values of a Join "
        "where text stands around it",
    ),
    (
        "PropertyFile(name='a', output_name='b', path='c')",
        "a PropertyFile was written as text; hand it on as it is, and put it among the values of a "
        "Join where text stands around it",
    ),
    (
        "ConditionEquals(condition_type=<ConditionTypeEnum.EQ: 'Equals'>, left=1, right=1)",
        "a ConditionEquals was written as text; hand it on as it is, and put it among the values "
        "of a Join where text stands around it",
    ),
    (
        "{'_step': None, 'step_name': 's', 'path': 'ModelArtifacts.S3ModelArtifacts', "
        "'_shape_names': ['S3Uri'], '__str__': 'S3Uri'}",
        "the property 'Steps.s.ModelArtifacts.S3ModelArtifacts' was written as text; "
        'write {"Get": "Steps.s.ModelArtifacts.S3ModelArtifacts"}, '
        "and a Std:Join where text stands around it",
    ),
    (
        "{'_step': None, 'step_name': 's', 'path': \"FinalMetricDataList['x'].Value\", "
        "'_shape_names': ['Float'], '__str__': 'Float'}",
        "the property \"Steps.s.FinalMetricDataList['x'].Value\" was written as text; "
        'write {"Get": "Steps.s.FinalMetricDataList[\'x\'].Value"}, '
        "and a Std:Join where text stands around it",
    ),
]
LIKELY = [
    (
        "ParameterInteger(name=X)",
        "a ParameterInteger was written as text; hand it on as it is, and put it among the values "
        "of a Join where text stands around it",
    ),
    (
        "s3://bucket/${Parameters.X}/a",
        "'${Parameters.X}' is not filled in by SageMaker; "
        'write {"Get": "Parameters.X"}, and a Std:Join where text stands around it',
    ),
    (
        "s3://bucket/{'Get': 'Parameters.X'}",
        "'Get' in a text is not evaluated; write the object without quotation marks, "
        "and a Std:Join where text stands around it",
    ),
    (
        '{"Std:Join": {"On": "", "Values": []}}',
        "'Std:Join' in a text is not evaluated; write the object without quotation marks, "
        "and a Std:Join where text stands around it",
    ),
    (
        "Steps.Train.ModelArtifacts.S3ModelArtifacts",
        "'Steps.Train.ModelArtifacts.S3ModelArtifacts' is a text and no reference; "
        'write {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}, '
        "and a Std:Join where text stands around it, if it is meant as one",
    ),
    (
        "${var.bucket}/a",
        "'${var.bucket}' is not filled in by SageMaker; "
        "fill the template in, or use a parameter and a Std:Join",
    ),
]


@pytest.mark.parametrize(("text", "message"), CERTAIN)
def test_representation_of_an_object_of_the_sdk_is_certainly_none_that_was_meant(
    text: str, message: str
) -> None:
    found = stringified(text)
    assert found
    assert (found.message, found.certain) == (message, True)


@pytest.mark.parametrize(("text", "message"), LIKELY)
def test_text_that_looks_like_a_reference_is_a_doubt(text: str, message: str) -> None:
    found = stringified(text)
    assert found
    assert (found.message, found.certain) == (message, False)


def test_every_trace_is_found_in_an_example() -> None:
    texts = [text for text, _ in (*CERTAIN, *LIKELY)]
    assert all(any(trace.pattern.search(text) for text in texts) for trace in TRACES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s3://bucket/Parameters/a",
        "<b>bold</b>",
        "costs $5",
        "f(x) = {1: 'a'}",
        "the Steps. of a stair",
        '{"depth": 3}',
        "--Parameters.X",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert stringified(text) is None


@pytest.mark.parametrize("text", ["echo ${HOME}", "Execution.PipelineExecutionId"])
def test_command_may_hold_what_a_shell_or_a_program_reads(text: str) -> None:
    assert stringified(text, command=True) is None
    assert stringified(text) is not None


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({"Environment": {"A": "${B}"}}, None),
        ({"HyperParameters": {"a": "${B}"}}, None),
        ({"OutputDataConfig": {"S3OutputPath": "s3://${B}"}}, ".OutputDataConfig.S3OutputPath"),
        ({"HyperParameters": {"a": "${Parameters.Text}"}}, ".HyperParameters.a"),
        ({"HyperParameters": {"{'Get': 'Parameters.Text'}": "a"}}, None),
    ],
)
def test_templates_are_doubted_outside_of_commands(
    members: dict[str, Json], where: str | None
) -> None:
    _, warnings = told(training(**members))
    places = [line.partition(": ")[0] for line in warnings]
    assert places == ([f"$.Steps[0].Arguments{where}"] if where else places)
    assert (where is None) is not any("not filled in" in line for line in warnings)


def test_text_is_found_in_the_parts_of_a_join() -> None:
    join: Json = {"Std:Join": {"On": "/", "Values": ["s3://bucket", "${name}"]}}
    assert warning(training(OutputDataConfig={"S3OutputPath": join})) == (
        "$.Steps[0].Arguments.OutputDataConfig.S3OutputPath.Std:Join.Values[1]: '${name}' is not "
        "filled in by SageMaker; fill the template in, or use a parameter and a Std:Join"
    )


def test_text_is_found_in_a_name() -> None:
    hyper: Json = {"Parameters.Text": "a"}
    described: Json = {"a": ["${b}"]}
    call = step("Call", "Callback", described, SqsQueueUrl="https://queue", OutputParameters=[])
    assert told(training(HyperParameters=hyper), call) == ([], [])


def test_text_is_found_in_the_default_of_a_parameter() -> None:
    default = "<sagemaker.workflow.functions.Join object at 0x7f00>"
    parameters: Json = [{"Name": "A", "Type": "String", "DefaultValue": default}]
    assert problem(training(), Parameters=parameters).startswith(
        "$.Parameters[0].DefaultValue: the Python object 'sagemaker.workflow.functions.Join'"
    )


def test_text_is_found_in_the_keys_of_a_step_and_in_the_items_of_an_iteration() -> None:
    check = step(
        "Check",
        "QualityCheck",
        PROCESSING,
        CheckType="DATA_QUALITY",
        ModelPackageGroupName="Parameters.Group",
    )
    each: Json = {"IterableItems": ["${a}"], "MaxConcurrency": 1, "ForEachBody": [training()]}
    _, warnings = told(check, step("Each", "ForEach", each))
    assert [line.partition(": ")[0] for line in warnings] == [
        "$.Steps[0].ModelPackageGroupName",
        "$.Steps[1].Arguments.IterableItems[0]",
    ]
