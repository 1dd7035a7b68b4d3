"""Customer churn: preprocess, tune XGBoost, evaluate and register the best model, if it is good."""

from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThan
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TuningStep
from shared import REPORT, XGBOOST, measure, split


def pipeline(session, role, bucket):
    """The pipeline; its data is at `s3://<bucket>/examples/churn.csv`."""
    data = ParameterString("InputData", default_value=f"s3://{bucket}/examples/churn.csv")
    least = ParameterFloat("AucThreshold", default_value=0.7)
    instances = ParameterInteger("ProcessingInstanceCount", default_value=1)

    preprocess = split(
        "ChurnPreprocess",
        session,
        role,
        code="code/churn_preprocess.py",
        data=data,
        sets=("train", "validation", "test"),
        instances=instances,
    )
    sets = preprocess.properties.ProcessingOutputConfig.Outputs

    prefix = "examples/churn"
    estimator = Estimator(
        image_uri=XGBOOST,
        instance_type="ml.m5.large",
        instance_count=1,
        output_path=f"s3://{bucket}/{prefix}",
        role=role,
        sagemaker_session=session,
    )
    estimator.set_hyperparameters(objective="binary:logistic", eval_metric="auc", num_round=15)
    tuner = HyperparameterTuner(
        estimator,
        objective_metric_name="validation:auc",
        hyperparameter_ranges={
            "eta": ContinuousParameter(0.05, 0.5, scaling_type="Logarithmic"),
            "max_depth": IntegerParameter(2, 6),
        },
        strategy="Random",
        max_jobs=3,
        max_parallel_jobs=2,
    )
    tune = TuningStep(
        "ChurnTune",
        step_args=tuner.fit(
            {
                channel: TrainingInput(sets[channel].S3Output.S3Uri, content_type="text/csv")
                for channel in ("train", "validation")
            }
        ),
    )
    best = tune.get_top_model_s3_uri(top_k=0, s3_bucket=bucket, prefix=prefix)

    evaluate = measure(
        "ChurnEvaluate",
        session,
        role,
        model_data=best,
        test=sets["test"].S3Output.S3Uri,
        arguments=["--classification"],
    )

    evaluation = evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"]
    statistics = MetricsSource(
        s3_uri=Join(on="/", values=[evaluation.S3Output.S3Uri, REPORT.path]),
        content_type="application/json",
    )
    model = Model(image_uri=XGBOOST, model_data=best, role=role, sagemaker_session=session)
    register = ModelStep(
        "Churn",
        step_args=model.register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            model_package_group_name="churn",
            model_metrics=ModelMetrics(model_statistics=statistics),
        ),
    )
    auc = JsonGet(
        step_name=evaluate.name,
        property_file=REPORT,
        json_path="binary_classification_metrics.auc.value",
    )
    check = ConditionStep(
        "CheckAuc",
        conditions=[ConditionGreaterThan(left=auc, right=least)],
        if_steps=[register],
        else_steps=[],
    )
    return Pipeline(
        "churn-tuning",
        parameters=[data, least, instances],
        steps=[preprocess, tune, evaluate, check],
        sagemaker_session=session,
    )
