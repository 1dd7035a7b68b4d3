"""Abalone as AWS's template for monitored models: the bias of the data and of the model is checked.

Both analyses are baselines of the model that is registered, or are compared with those of the last.
"""

from sagemaker.clarify import BiasConfig, DataConfig, ModelConfig, ModelPredictedLabelConfig
from sagemaker.drift_check_baselines import DriftCheckBaselines
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.workflow.check_job_config import CheckJobConfig
from sagemaker.workflow.clarify_check_step import (
    ClarifyCheckStep,
    DataBiasCheckConfig,
    ModelBiasCheckConfig,
)
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.functions import Join
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterBoolean, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TrainingStep
from shared import XGBOOST, split


def pipeline(session, role, bucket):
    """The pipeline; its data is at `s3://<bucket>/examples/abalone.csv`."""
    data = ParameterString("InputData", default_value=f"s3://{bucket}/examples/abalone.csv")
    group = ParameterString("Group")
    first = ParameterBoolean("First", default_value=False)
    place = f"s3://{bucket}/examples/bias"
    preprocess = split(
        "Preprocess",
        session,
        role,
        code="code/abalone_preprocess.py",
        data=data,
        sets=("train", "validation", "test", "batch"),
    )
    rows = preprocess.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri
    # Those of more than 15 rings, and one of the columns that the sex has become.
    bias = BiasConfig(
        label_values_or_threshold=[15.0], facet_name=[8], facet_values_or_threshold=[[0.5]]
    )
    job = CheckJobConfig(role=role, instance_type="ml.m5.large", sagemaker_session=session)

    def check(name, config, **keys):
        output = Join(on="/", values=[place, ExecutionVariables.PIPELINE_EXECUTION_ID, name])
        dataset = DataConfig(
            s3_data_input_path=rows,
            s3_output_path=output,
            s3_analysis_config_output_path=f"{place}/{name}/config",
            label=0,
            dataset_type="text/csv",
        )
        return ClarifyCheckStep(
            name,
            clarify_check_config=config(dataset, data_bias_config=bias, **keys),
            check_job_config=job,
            skip_check=first,
            register_new_baseline=first,
            model_package_group_name=group,
        )

    of_data = check("DataBias", DataBiasCheckConfig)
    estimator = Estimator(
        image_uri=XGBOOST,
        instance_type="ml.m5.large",
        instance_count=1,
        output_path=f"{place}/models",
        role=role,
        sagemaker_session=session,
    )
    estimator.set_hyperparameters(objective="reg:squarederror", num_round=10, max_depth=4)
    train = TrainingStep(
        "Train",
        step_args=estimator.fit({"train": TrainingInput(rows, content_type="text/csv")}),
        depends_on=[of_data],
    )
    model = Model(
        image_uri=XGBOOST,
        model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
        role=role,
        sagemaker_session=session,
    )
    create = ModelStep("Abalone", step_args=model.create(instance_type="ml.m5.large"))
    of_model = check(
        "ModelBias",
        ModelBiasCheckConfig,
        model_config=ModelConfig(
            model_name=create.properties.ModelName, instance_count=1, instance_type="ml.m5.large"
        ),
        model_predicted_label_config=ModelPredictedLabelConfig(),
    )
    register = ModelStep(
        "Keep",
        step_args=model.register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            model_package_group_name=group,
            approval_status="Approved",
            model_metrics=ModelMetrics(
                bias_pre_training=metrics(of_data.properties.CalculatedBaselineConstraints),
                bias_post_training=metrics(of_model.properties.CalculatedBaselineConstraints),
            ),
            drift_check_baselines=DriftCheckBaselines(
                bias_pre_training_constraints=metrics(
                    of_data.properties.BaselineUsedForDriftCheckConstraints
                ),
                bias_post_training_constraints=metrics(
                    of_model.properties.BaselineUsedForDriftCheckConstraints
                ),
            ),
        ),
    )
    return Pipeline(
        "bias",
        parameters=[data, group, first],
        steps=[preprocess, of_data, train, create, of_model, register],
        sagemaker_session=session,
    )


def metrics(uri):
    """A file of constraints."""
    return MetricsSource(s3_uri=uri, content_type="application/json")
