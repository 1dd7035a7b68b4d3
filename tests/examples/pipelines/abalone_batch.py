"""Abalone: preprocess, train, evaluate; if it is good, make the model and transform a batch."""

from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.transformer import Transformer
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TrainingStep, TransformStep
from shared import REPORT, XGBOOST, measure, split


def pipeline(session, role, bucket):
    """The pipeline; its data is at `s3://<bucket>/examples/abalone.csv`."""
    data = ParameterString("InputData", default_value=f"s3://{bucket}/examples/abalone.csv")
    threshold = ParameterFloat("MseThreshold", default_value=8.0)

    preprocess = split(
        "Preprocess",
        session,
        role,
        code="code/abalone_preprocess.py",
        data=data,
        sets=("train", "validation", "test", "batch"),
    )
    sets = preprocess.properties.ProcessingOutputConfig.Outputs

    estimator = Estimator(
        image_uri=XGBOOST,
        instance_type="ml.m5.large",
        instance_count=1,
        output_path=f"s3://{bucket}/examples/models",
        role=role,
        sagemaker_session=session,
    )
    estimator.set_hyperparameters(objective="reg:squarederror", num_round=40, max_depth=4, eta=0.2)
    train = TrainingStep(
        "Train",
        step_args=estimator.fit(
            {
                channel: TrainingInput(sets[channel].S3Output.S3Uri, content_type="text/csv")
                for channel in ("train", "validation")
            }
        ),
    )
    model_data = train.properties.ModelArtifacts.S3ModelArtifacts

    evaluate = measure(
        "Evaluate", session, role, model_data=model_data, test=sets["test"].S3Output.S3Uri
    )

    model = Model(image_uri=XGBOOST, model_data=model_data, role=role, sagemaker_session=session)
    create = ModelStep("Abalone", step_args=model.create(instance_type="ml.m5.large"))
    transformer = Transformer(
        model_name=create.properties.ModelName,
        instance_type="ml.m5.large",
        instance_count=1,
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        output_path=f"s3://{bucket}/examples/predictions",
        sagemaker_session=session,
    )
    transform = TransformStep(
        "Transform",
        step_args=transformer.transform(
            sets["batch"].S3Output.S3Uri,
            content_type="text/csv",
            split_type="Line",
            input_filter="$[1:]",
            join_source="Input",
            output_filter="$[0,-1]",
        ),
    )
    mse = JsonGet(
        step_name=evaluate.name, property_file=REPORT, json_path="regression_metrics.mse.value"
    )
    check = ConditionStep(
        "CheckMse",
        conditions=[ConditionLessThanOrEqualTo(left=mse, right=threshold)],
        if_steps=[create, transform],
        else_steps=[
            FailStep("TooBad", error_message=Join(on=" ", values=["MSE is above", threshold]))
        ],
    )
    return Pipeline(
        "abalone-batch",
        parameters=[data, threshold],
        steps=[preprocess, train, evaluate, check],
        sagemaker_session=session,
    )
