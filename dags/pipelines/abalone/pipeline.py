"""The Abalone pipeline: preprocess, train, evaluate, then register the model if it is good enough.

Written with the SageMaker Python SDK v2, as for SageMaker itself. `python pipeline.py` uploads the
scripts and the data, and writes what the SDK emits to `definition.json`; see `build.py`.
"""

from __future__ import annotations

from build import build
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import (
    ParameterBoolean,
    ParameterFloat,
    ParameterInteger,
    ParameterString,
)
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import Properties, PropertyFile
from sagemaker.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.workflow.steps import CacheConfig, ProcessingStep, TrainingStep

MODEL_APPROVAL_STATUS = ParameterString(
    name="ModelApprovalStatus",
    default_value="PendingManualApproval",
    enum_values=["PendingManualApproval", "Approved", "Rejected"],
)
TRAINING_INSTANCE_TYPE = ParameterString(name="TrainingInstanceType", default_value="ml.m5.xlarge")
PROCESSING_INSTANCE_COUNT = ParameterInteger(name="ProcessingInstanceCount", default_value=1)
MSE_THRESHOLD = ParameterFloat(name="MseThreshold", default_value=6.0)
DROP_OUTLIERS = ParameterBoolean(name="DropOutliers", default_value=True)

EVALUATION_REPORT = PropertyFile(
    name="EvaluationReport", output_name="evaluation", path="evaluation.json"
)
CACHE = CacheConfig(enable_caching=True, expire_after="P30D")


def get_pipeline(
    session: PipelineSession,
    role: str,
    bucket: str,
    *,
    name: str = "abalone",
    model_package_group: str = "Abalone",
) -> Pipeline:
    """The pipeline; it keeps its code, data and models under `s3://<bucket>/<name>`."""
    folder = f"s3://{bucket}/{name}"
    input_data_uri = ParameterString(
        name="InputDataUri", default_value=f"{folder}/data/abalone.csv"
    )
    image = image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1")

    preprocess = preprocess_step(session, role, input_data_uri)
    sets = preprocess.properties.ProcessingOutputConfig.Outputs
    train = train_step(session, role, image, sets, output_path=f"{folder}/train")
    model_data = train.properties.ModelArtifacts.S3ModelArtifacts
    evaluate = evaluate_step(session, role, image, sets, model_data)

    model = Model(image_uri=image, model_data=model_data, role=role, sagemaker_session=session)
    create = ModelStep(
        name="Model",
        description="Makes the model ready to be deployed",
        step_args=model.create(instance_type="ml.m5.large"),
    )
    register = register_step(model, evaluate, model_package_group)
    return Pipeline(
        name=name,
        parameters=[
            input_data_uri,
            MODEL_APPROVAL_STATUS,
            TRAINING_INSTANCE_TYPE,
            PROCESSING_INSTANCE_COUNT,
            MSE_THRESHOLD,
            DROP_OUTLIERS,
        ],
        steps=[preprocess, train, evaluate, check_step(evaluate, if_steps=[create, register])],
        sagemaker_session=session,
    )


def preprocess_step(
    session: PipelineSession, role: str, input_data_uri: ParameterString
) -> ProcessingStep:
    """Clean, split and encode the measurements."""
    processor = SKLearnProcessor(
        framework_version="1.2-1",
        instance_type="ml.m5.xlarge",
        instance_count=PROCESSING_INSTANCE_COUNT,
        role=role,
        sagemaker_session=session,
    )
    return ProcessingStep(
        name="Preprocess",
        description="Splits the measurements into a training, a validation and a test set",
        step_args=processor.run(
            code="code/preprocess.py",
            arguments=["--drop-outliers", DROP_OUTLIERS.to_string(), "--test-share", "0.2"],
            inputs=[
                ProcessingInput(
                    input_name="data",
                    source=input_data_uri,
                    destination="/opt/ml/processing/input/data",
                )
            ],
            outputs=[
                ProcessingOutput(output_name="train", source="/opt/ml/processing/train"),
                ProcessingOutput(output_name="validation", source="/opt/ml/processing/validation"),
                ProcessingOutput(output_name="test", source="/opt/ml/processing/test"),
            ],
        ),
        cache_config=CACHE,
    )


def train_step(
    session: PipelineSession, role: str, image: str, sets: Properties, *, output_path: str
) -> TrainingStep:
    """SageMaker's built-in XGBoost in algorithm mode."""
    estimator = Estimator(
        image_uri=image,
        instance_type=TRAINING_INSTANCE_TYPE,
        instance_count=1,
        max_run=3600,
        output_path=output_path,
        role=role,
        sagemaker_session=session,
    )
    estimator.set_hyperparameters(
        objective="reg:squarederror",
        num_round=100,
        max_depth=4,
        eta=0.1,
        gamma=4,
        min_child_weight=6,
        subsample=0.7,
        seed=42,
    )
    inputs = {
        channel: TrainingInput(s3_data=sets[channel].S3Output.S3Uri, content_type="text/csv")
        for channel in ("train", "validation")
    }
    return TrainingStep(
        name="Train",
        display_name="Train XGBoost",
        description="Trains XGBoost, watching its error on the validation set",
        step_args=estimator.fit(inputs=inputs),
        cache_config=CACHE,
        retry_policies=RETRIES,
    )


def evaluate_step(
    session: PipelineSession, role: str, image: str, sets: Properties, model_data: Properties
) -> ProcessingStep:
    """The model on the test set, in the image that trained it."""
    processor = ScriptProcessor(
        image_uri=image,
        command=["python3"],
        instance_type="ml.m5.xlarge",
        instance_count=1,
        role=role,
        sagemaker_session=session,
    )
    return ProcessingStep(
        name="Evaluate",
        description="Measures the model on the test set",
        step_args=processor.run(
            code="code/evaluate.py",
            inputs=[
                ProcessingInput(
                    input_name="model",
                    source=model_data,
                    destination="/opt/ml/processing/model",
                ),
                ProcessingInput(
                    input_name="test",
                    source=sets["test"].S3Output.S3Uri,
                    destination="/opt/ml/processing/test",
                ),
            ],
            outputs=[
                ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")
            ],
        ),
        property_files=[EVALUATION_REPORT],
    )


def register_step(model: Model, evaluate: ProcessingStep, model_package_group: str) -> ModelStep:
    """A new version in the model registry, with its measurements."""
    evaluation = evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"]
    statistics = MetricsSource(
        s3_uri=Join(on="/", values=[evaluation.S3Output.S3Uri, EVALUATION_REPORT.path]),
        content_type="application/json",
    )
    return ModelStep(
        name="Package",
        description="Adds a version with its measurements to the model registry",
        step_args=model.register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.t2.medium", "ml.m5.large"],
            transform_instances=["ml.m5.large"],
            model_package_group_name=model_package_group,
            approval_status=MODEL_APPROVAL_STATUS,
            model_metrics=ModelMetrics(model_statistics=statistics),
        ),
    )


def check_step(evaluate: ProcessingStep, *, if_steps: list[ModelStep]) -> ConditionStep:
    """`if_steps` when the model is good enough, else the end of the execution."""
    mse = JsonGet(
        step_name=evaluate.name,
        property_file=EVALUATION_REPORT,
        json_path="regression_metrics.mse.value",
    )
    too_inaccurate = FailStep(
        name="TooInaccurate",
        description="Ends the execution when the model misses the threshold",
        error_message=Join(on=" ", values=["Execution failed due to MSE >", MSE_THRESHOLD]),
    )
    return ConditionStep(
        name="CheckMse",
        display_name="MSE within threshold?",
        description="Compares the mean squared error with MseThreshold",
        conditions=[ConditionLessThanOrEqualTo(left=mse, right=MSE_THRESHOLD)],
        if_steps=if_steps,
        else_steps=[too_inaccurate],
    )


RETRIES = [
    StepRetryPolicy(
        exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
        interval_seconds=10,
        backoff_rate=2.0,
        max_attempts=3,
    ),
    SageMakerJobStepRetryPolicy(
        exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
        interval_seconds=300,
        expire_after_mins=120,
    ),
]


if __name__ == "__main__":
    build(get_pipeline)
