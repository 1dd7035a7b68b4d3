"""Data and predictions whose bias is checked; both are baselines of a registered model."""

from sagemaker.clarify import BiasConfig, DataConfig, ModelConfig, ModelPredictedLabelConfig
from sagemaker.drift_check_baselines import DriftCheckBaselines
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
from shared import XGBOOST

HEADERS = ["age", "calls", "minutes", "churned", "predicted"]


def pipeline(session, role, bucket):
    """The pipeline; its data has no header line."""
    data = ParameterString("InputData")
    group = ParameterString("Group")
    first = ParameterBoolean("First", default_value=False)
    place = f"s3://{bucket}/examples/bias"
    older = BiasConfig(
        label_values_or_threshold=["yes"], facet_name="age", facet_values_or_threshold=[50]
    )
    job = CheckJobConfig(role=role, instance_type="ml.m5.large", sagemaker_session=session)

    def dataset(name, **keys):
        output = Join(on="/", values=[place, ExecutionVariables.PIPELINE_EXECUTION_ID, name])
        return DataConfig(
            s3_data_input_path=data,
            s3_output_path=output,
            s3_analysis_config_output_path=f"{place}/{name}/config",
            label="churned",
            headers=HEADERS,
            **keys,
        )

    def check(name, config):
        return ClarifyCheckStep(
            name,
            clarify_check_config=config,
            check_job_config=job,
            skip_check=first,
            register_new_baseline=first,
            model_package_group_name=group,
        )

    model = Model(
        image_uri=XGBOOST,
        model_data=f"{place}/model.tar.gz",
        role=role,
        sagemaker_session=session,
    )
    create = ModelStep("Churn", step_args=model.create(instance_type="ml.m5.large"))
    of_data = check("DataBias", DataBiasCheckConfig(dataset("data"), data_bias_config=older))
    of_model = check(
        "ModelBias",
        ModelBiasCheckConfig(
            dataset("model", predicted_label="predicted"),
            data_bias_config=older,
            model_config=ModelConfig(
                model_name=create.properties.ModelName,
                instance_count=1,
                instance_type="ml.m5.large",
            ),
            model_predicted_label_config=ModelPredictedLabelConfig(probability_threshold=0.8),
        ),
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
        steps=[create, of_data, of_model, register],
        sagemaker_session=session,
    )


def metrics(uri):
    """A file of constraints."""
    return MetricsSource(s3_uri=uri, content_type="application/json")
