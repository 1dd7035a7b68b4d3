"""Steps that more than one of these pipelines has."""

from sagemaker import image_uris
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import ProcessingStep

XGBOOST = image_uris.retrieve("xgboost", "us-east-1", version="1.5-1")
REPORT = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")


def split(name, session, role, *, code, data, sets, instances=1):
    """A script for scikit-learn's image that makes sets of the data, an output each."""
    processor = SKLearnProcessor(
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        instance_count=instances,
        role=role,
        sagemaker_session=session,
    )
    return ProcessingStep(
        name,
        step_args=processor.run(
            code=code,
            inputs=[ProcessingInput(source=data, destination="/opt/ml/processing/input")],
            outputs=[
                ProcessingOutput(output_name=each, source=f"/opt/ml/processing/{each}")
                for each in sets
            ],
        ),
    )


def measure(name, session, role, *, model_data, test, arguments=None):
    """The model of XGBoost's image measured on the test set; writes `REPORT`."""
    processor = ScriptProcessor(
        image_uri=XGBOOST,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        role=role,
        sagemaker_session=session,
    )
    return ProcessingStep(
        name,
        step_args=processor.run(
            code="code/xgboost_evaluate.py",
            arguments=arguments,
            inputs=[
                ProcessingInput(source=model_data, destination="/opt/ml/processing/model"),
                ProcessingInput(source=test, destination="/opt/ml/processing/test"),
            ],
            outputs=[
                ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")
            ],
        ),
        property_files=[REPORT],
    )
