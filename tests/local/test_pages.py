"""The pages that links in Airflow's UI lead to."""

import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from airflow_sm_pipelines.local import LocalAWS

from .calls import IMAGE, final_processing_job, resources

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"


def get(aws: LocalAWS, path: str, **headers: str) -> tuple[int, str, Any]:
    request = urllib.request.Request(f"{aws.endpoint_url}/_local/{path}", headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read().decode(), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


@pytest.fixture(scope="module")
def job(sagemaker: "SageMakerClient") -> str:
    name = f"job-{uuid4().hex[:8]}"
    cluster: Any = {"ClusterConfig": resources()}
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        ProcessingResources=cluster,
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "-c", "print('<script>alert(1)</script>')"],
        },
        RoleArn=ROLE,
    )
    assert final_processing_job(sagemaker, name)["ProcessingJobStatus"] == "Completed"
    return name


def test_the_page_of_a_job_has_its_description_and_leads_to_its_log(
    aws: LocalAWS, job: str
) -> None:
    status, page, headers = get(aws, f"resources/ProcessingJob/{job}")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "&quot;ProcessingJobStatus&quot;: &quot;Completed&quot;" in page
    assert f'<a href="/_local/logs/ProcessingJob/{job}">Log</a>' in page


def test_the_log_of_a_job_is_text(aws: LocalAWS, job: str) -> None:
    status, log, headers = get(aws, f"logs/ProcessingJob/{job}")
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert "<script>alert(1)</script>" in log.splitlines()


def test_nothing_of_a_job_is_run_by_the_browser(aws: LocalAWS, job: str) -> None:
    _, page, headers = get(aws, f"resources/ProcessingJob/{job}")
    assert "<script" not in page
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_what_is_only_recorded_has_a_page(aws: LocalAWS, sagemaker: "SageMakerClient") -> None:
    group = f"group-{uuid4().hex[:8]}"
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    status, page, _ = get(aws, f"resources/ModelPackage/{quote(arn, safe='')}")
    assert status == 200
    assert arn in page


def test_a_kind_whose_names_are_told_apart_is_asked_for_with_what_does(
    aws: LocalAWS, sagemaker: "SageMakerClient"
) -> None:
    name = f"job-{uuid4().hex[:8]}"
    sagemaker.create_job(
        JobName=name,
        RoleArn=ROLE,
        JobCategory="AgentRFT",
        JobConfigSchemaVersion="1.0.0",
        JobConfigDocument="{}",
    )
    assert get(aws, f"resources/Job/{name}?JobCategory=AgentRFT")[0] == 200
    assert get(aws, f"resources/Job/{name}?JobCategory=DataTransformation")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "resources/ProcessingJob/nobody",
        "resources/Model/nobody",
        "resources/Unicorn/nobody",
        "logs/ProcessingJob/nobody",
        "logs/Model/nobody",
        "s3/no-such-bucket/",
    ],
)
def test_what_is_not_there_is_told(aws: LocalAWS, path: str) -> None:
    status, text, _ = get(aws, path)
    assert status == 404
    assert "nobody" in text or "Unicorn" in text or "bucket" in text or "no kind" in text


def test_objects_are_found_below_their_folders(aws: LocalAWS, s3: "S3Client") -> None:
    bucket = f"bucket-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="out/a b/<i>.html", Body=b"<script>alert(1)</script>")
    s3.put_object(Bucket=bucket, Key="out/two.txt", Body=b"two")
    _, top, _ = get(aws, f"s3/{bucket}")
    assert links(top) == [f"/_local/s3/{bucket}/out/"]
    _, folder, _ = get(aws, f"s3/{bucket}/out")
    assert links(folder) == [f"/_local/s3/{bucket}/out/a%20b/", f"/_local/s3/{bucket}/out/two.txt"]
    assert ">two.txt</a> 3 bytes" in folder
    status, text, headers = get(aws, f"s3/{bucket}/out/a%20b/%3Ci%3E.html")
    assert (status, text) == (200, "<script>alert(1)</script>")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "nothing" in get(aws, f"s3/{bucket}/elsewhere/")[1]


def links(page: str) -> list[str]:
    return re.findall('href="([^"]+)"', page)


def test_a_web_page_of_another_is_answered_nothing(aws: LocalAWS, job: str) -> None:
    path = f"resources/ProcessingJob/{job}"
    assert get(aws, path, Origin="http://evil.example")[0] == 403
    status, text, _ = get(aws, path, Host="evil.example")
    assert status == 403
    assert job not in text


def test_pages_are_for_reading_alone(aws: LocalAWS, job: str) -> None:
    url = f"{aws.endpoint_url}/_local/resources/ProcessingJob/{job}"
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(urllib.request.Request(url, b"", method="POST"))
    with raised.value as error:
        assert error.code == 404
