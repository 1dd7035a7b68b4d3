"""The file that tells the SageMaker SDK of the local AWS."""

import json

from airflow_sm_pipelines.local import LocalAWS


def test_the_variable_leads_to_a_file_with_the_bucket_that_is_there(local_aws: LocalAWS) -> None:
    path = local_aws.environment["SAGEMAKER_USER_CONFIG_OVERRIDE"]
    with open(path) as file:
        modules = json.load(file)["SageMaker"]["PythonSDK"]["Modules"]
    assert modules["Session"]["DefaultS3Bucket"] == local_aws.account.bucket
    assert modules["TelemetryOptOut"] is True
