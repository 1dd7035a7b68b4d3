"""What steps hand on: paths that lead nowhere, and the types of those that lead somewhere."""

import pytest

from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.paths import parse_path
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.validation.kinds import Names
from airflow_sm_pipelines.validation.models import model, shape, version
from airflow_sm_pipelines.validation.properties import (
    FREE,
    KINDS,
    OTHERS,
    READERS,
    missing_property,
    properties,
    property_kind,
)
from tests.definition.cases import definition, loaded
from tests.validation.cases import PROCESSING, processing, step, training, warning

OUTPUTS: Json = [
    {"OutputName": "score", "OutputType": "Float"},
    {"OutputName": "text", "OutputType": "String"},
]
FUNCTION = step(
    "Call",
    "Lambda",
    {},
    FunctionArn="arn:aws:lambda:us-east-1:111122223333:function:f",
    OutputParameters=OUTPUTS,
)
JAR: Json = {"HadoopJarStep": {"Jar": "s3://bucket/a.jar"}}
EACH = step(
    "Each",
    "ForEach",
    {
        "IterableItems": ["a"],
        "MaxConcurrency": 1,
        "ForEachBody": [{**FUNCTION, "Name": "Body"}],
        "Selector": {
            "Pick": "MaxBy",
            "Field": {"Get": "IterationOutput.Body.OutputParameters['score']"},
        },
    },
)
STEPS: list[Json] = [
    training(),
    processing(),
    FUNCTION,
    EACH,
    step("Tune", "Tuning", {}),
    step("Search", "AutoML", {}),
    step("Decide", "Condition", {"Conditions": [], "IfSteps": [], "ElseSteps": []}),
    step("Check", "QualityCheck", PROCESSING, CheckType="DATA_QUALITY"),
    step("Bias", "ClarifyCheck", PROCESSING, CheckType="DATA_BIAS"),
    step("Spark", "EMR", {"StepConfig": JAR, "ClusterId": "j-1"}),
    step("Serverless", "EMRServerless", {}),
    step("Record", "Lineage", {}),
    step("Tailor", "Job", {}),
    step("Clean", "Cleanup", {"Resources": {"S3": [{"StepName": "Prepare"}]}}),
    step("Stop", "Fail", {"ErrorMessage": "no"}),
]
NAMES = Names.of(loaded(definition(*STEPS))).steps


@pytest.mark.parametrize("step_type", STEP_TYPES)
def test_every_type_of_step_has_a_shape_or_says_what_it_hands_on(step_type: str) -> None:
    name = properties(step_type)
    if name is None:
        assert FREE[step_type]
    else:
        assert step_type not in FREE
        assert shape(name).type_name == "structure"


def test_tables_have_rows_for_types_of_steps_alone() -> None:
    assert OTHERS.keys() | FREE.keys() | READERS.keys() <= STEP_TYPES.keys()


def test_every_type_of_shape_of_the_models_has_a_type_as_a_reference() -> None:
    services = ("sagemaker", "emr", "emr-serverless")
    types = {each["type"] for name in services for each in model(name)["shapes"].values()}
    assert types <= KINDS.keys()


@pytest.mark.parametrize(
    ("name", "path", "kind"),
    [
        ("Train", "ModelArtifacts.S3ModelArtifacts", "String"),
        ("Train", "ResourceConfig.InstanceCount", "Integer"),
        ("Train", "FinalMetricDataList['val:acc'].Value", "Float"),
        ("Train", "EnableManagedSpotTraining", "Boolean"),
        ("Train", "CreationTime", "String"),
        ("Train", "InputDataConfig", "list"),
        ("Train", "InputDataConfig[0].DataSource", "structure"),
        ("Train", "Environment", "map"),
        ("Train", "Environment['SM_INPUT_NOTEBOOK_NAME']", "String"),
        ("Prepare", "ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri", "String"),
        ("Prepare", "ProcessingOutputConfig.Outputs[0].S3Output.S3Uri", "String"),
        ("Tune", "BestTrainingJob.TrainingJobName", "String"),
        ("Tune", "TrainingJobSummaries[1].TrainingJobName", "String"),
        ("Search", "BestCandidate.InferenceContainers[0].Environment['MODEL_NAME']", "String"),
        ("Search", "BestCandidateProperties.ModelInsightsJsonReportPath", "String"),
        ("Decide", "Outcome", None),
        ("Check", "CalculatedBaselineStatistics", "String"),
        ("Check", "BaselineUsedForDriftCheckConstraints", "String"),
        ("Bias", "CalculatedBaselineConstraints", "String"),
        ("Spark", "Config.Args[0]", "String"),
        ("Spark", "ClusterId", "String"),
        ("Serverless", "jobRun.jobRunId", "String"),
        ("Record", "ActionArns['run']", "String"),
        ("Tailor", "JobConfigDocument", "String"),
        ("Tailor", "JobConfigDocument.OutputModelPackageArn", None),
        ("Call", "OutputParameters['score']", "Float"),
        ("Each", "Status", "String"),
        ("Each", "InputItemCount", "Integer"),
        ("Each", "IterationOutputs[0].Body.OutputParameters['score']", "Float"),
        ("Each", "Selected.OutputParameters['text']", "String"),
    ],
)
def test_property_that_is_there_has_its_type(name: str, path: str, kind: str | None) -> None:
    assert missing_property(NAMES, name, parse_path(path)) is None
    assert property_kind(NAMES, name, parse_path(path)) == kind


@pytest.mark.parametrize(
    ("name", "path", "message"),
    [
        (
            "Train",
            "ModelArtifact.S3ModelArtifacts",
            "Training has no property 'ModelArtifact'; did you mean 'ModelArtifacts'?; "
            f"{version()} knows: TrainingJobName, ",
        ),
        (
            "Train",
            "ModelArtifacts.S3",
            f"Training.ModelArtifacts has no property 'S3'; {version()} knows: S3ModelArtifacts",
        ),
        (
            "Train",
            "TrainingJobName.Name",
            "Training.TrainingJobName is a single value without 'Name' inside; "
            "end the path before that",
        ),
        (
            "Train",
            "Environment[0]",
            "Training.Environment is a map; write a key, ['name'], instead of [0]",
        ),
        (
            "Train",
            "[0].Name",
            "Training has no property 0; ",
        ),
        (
            "Prepare",
            "ProcessingOutputConfig.Outputs['trian'].S3Output.S3Uri",
            "no element of Outputs has the OutputName 'trian'; did you mean 'train'?; "
            "there are: train",
        ),
        ("Bias", "CalculatedBaselineStatistics", "ClarifyCheck has no property "),
        (
            "Call",
            "OutputParameters['scores']",
            "the step declares no output 'scores'; did you mean 'score'?; "
            "its outputs are: score, text",
        ),
        (
            "Call",
            "OutputParameters['text'].inner",
            "output 'text' is a single value; end the path after it",
        ),
        ("Call", "Payload", "a Lambda step has only OutputParameters['<name>']; refer to one"),
        (
            "Each",
            "IterationOutputs[0].Other.Name",
            "that is no output of the body; "
            "write IterationOutputs[0].<step>.<property>, the steps are: Body",
        ),
        (
            "Each",
            "IterationOutputs[0].Body.OutputParameters['no']",
            "the step declares no output 'no'; its outputs are: score, text",
        ),
        ("Each", "Selected", "nothing is selected; give the step a Selector and name a property"),
        ("Each", "ItemCount", "ForEach has no property 'ItemCount'; did you mean "),
        ("Clean", "Status", "a Cleanup step has no properties; refer to another step"),
    ],
)
def test_property_that_is_not_there_is_told(name: str, path: str, message: str) -> None:
    found = missing_property(NAMES, name, parse_path(path))
    assert found
    assert found.startswith(f"step {name!r}: {message}")
    assert property_kind(NAMES, name, parse_path(path)) is None


def test_elements_without_literal_names_may_have_any_name() -> None:
    output: Json = {"OutputName": {"Std:Join": {"On": "", "Values": ["a"]}}}
    prepare = processing(ProcessingOutputConfig={"Outputs": [output]})
    steps = Names.of(loaded(definition(prepare))).steps
    path = parse_path("ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")
    assert missing_property(steps, "Prepare", path) is None


def test_property_that_is_not_there_is_a_warning_wherever_it_is_referred_to() -> None:
    join: Json = {"Std:Join": {"On": "", "Values": ["a", {"Get": "Steps.Prepare.Outputs"}]}}
    told = warning(training(HyperParameters={"a": join}), processing())
    assert told.startswith(
        "$.Steps[0].Arguments.HyperParameters.a.Std:Join.Values[1].Get: "
        "step 'Prepare': Processing has no property 'Outputs'; "
    )


def test_field_of_a_selector_is_looked_up_in_the_step_of_the_body() -> None:
    field: Json = {"Get": "IterationOutput.Body.OutputParameters['scores']"}
    arguments = EACH["Arguments"]
    assert isinstance(arguments, dict)
    selector: Json = {"Pick": "MaxBy", "Field": field}
    assert warning({**EACH, "Arguments": {**arguments, "Selector": selector}}).startswith(
        "$.Steps[0].Arguments.Selector.Field.Get: step 'Body': the step declares no output 'scores'"
    )
