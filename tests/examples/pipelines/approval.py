"""A model in script mode; a Lambda function judges it, and someone behind a queue approves it."""

from sagemaker.inputs import TrainingInput
from sagemaker.lambda_helper import Lambda
from sagemaker.sklearn import SKLearn
from sagemaker.workflow.callback_step import (
    CallbackOutput,
    CallbackOutputTypeEnum,
    CallbackStep,
)
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionEquals, ConditionGreaterThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join
from sagemaker.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.workflow.parameters import ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TrainingStep


def pipeline(session, role, bucket):
    """The pipeline; its data is at `s3://<bucket>/examples/churn.csv`."""
    data = ParameterString("InputData", default_value=f"s3://{bucket}/examples/churn.csv")
    queue = ParameterString("QueueUrl")
    estimator = SKLearn(
        entry_point="churn_train.py",
        source_dir="code",
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        hyperparameters={"depth": 3, "note": "with 'quotes' and spaces"},
        metric_definitions=[{"Name": "accuracy", "Regex": "accuracy=([0-9.]+)"}],
        output_path=f"s3://{bucket}/examples/approval",
        role=role,
        sagemaker_session=session,
    )
    train = TrainingStep("Fit", step_args=estimator.fit({"train": TrainingInput(data)}))

    verdict = LambdaOutput("verdict", LambdaOutputTypeEnum.String)
    score = LambdaOutput("score", LambdaOutputTypeEnum.Float)
    judge = LambdaStep(
        "Judge",
        lambda_func=Lambda(
            function_name="examples-judge",
            execution_role_arn=role,
            script="code/judge.py",
            handler="judge.handler",
            session=session,
        ),
        inputs={
            "accuracy": train.properties.FinalMetricDataList["accuracy"].Value,
            "model": train.properties.ModelArtifacts.S3ModelArtifacts,
        },
        outputs=[verdict, score],
    )
    decision = CallbackOutput("decision", CallbackOutputTypeEnum.String)
    approve = CallbackStep(
        "Approve",
        sqs_queue_url=queue,
        inputs={"score": judge.properties.Outputs["score"]},
        outputs=[decision],
    )
    check = ConditionStep(
        "Approved",
        conditions=[
            ConditionEquals(left=judge.properties.Outputs["verdict"], right="good"),
            ConditionEquals(left=approve.properties.Outputs["decision"], right="yes"),
            ConditionGreaterThanOrEqualTo(left=judge.properties.Outputs["score"], right=0.5),
        ],
        if_steps=[],
        else_steps=[
            FailStep(
                "Rejected",
                error_message=Join(
                    on=" ", values=["rejected:", approve.properties.Outputs["decision"]]
                ),
            )
        ],
    )
    return Pipeline(
        "approval",
        parameters=[data, queue],
        steps=[train, judge, approve, check],
        sagemaker_session=session,
    )
