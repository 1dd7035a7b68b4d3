import json
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS, LocalError
from airflow_sm_pipelines.local.images import Images


def client(aws: LocalAWS, service: str) -> Any:
    session: Any = boto3.Session("key", "secret", region_name="eu-west-1")
    return session.client(service, endpoint_url=aws.endpoint_url)


def test_the_role_and_the_bucket_are_there_from_the_start(aws: LocalAWS, s3: Any) -> None:
    iam = client(aws, "iam")
    role = iam.get_role(RoleName="SageMakerExecutionRole")["Role"]
    assert role["Arn"] == "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
    s3.head_bucket(Bucket="sagemaker-us-east-1-123456789012")


def test_a_start_loads_nothing_that_only_some_jobs_and_services_need(tmp_path: Path) -> None:
    unwanted = ["airflow", "optuna", "numpy", "pandas", "sklearn", "xgboost", "moto.iam", "moto.s3"]
    look = (
        "import sys; from pathlib import Path; from airflow_sm_pipelines.local import LocalAWS\n"
        f"with LocalAWS(Path({str(tmp_path)!r})): print(*sys.modules.keys() & {unwanted!r})"
    )
    seen = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)
    assert seen.stdout.split() == []


def test_it_can_stand_for_another_region(tmp_path: Path, images: Images) -> None:
    with LocalAWS(tmp_path, region="eu-west-1", images=images) as aws:
        client(aws, "s3").head_bucket(Bucket="sagemaker-eu-west-1-123456789012")
        sagemaker = client(aws, "sagemaker")
        group = sagemaker.create_model_package_group(ModelPackageGroupName="g")
        assert group["ModelPackageGroupArn"].startswith("arn:aws:sagemaker:eu-west-1:")


def test_the_environment_is_enough_for_boto_and_airflow(aws: LocalAWS) -> None:
    environment = aws.environment
    assert environment["AWS_ENDPOINT_URL"] == aws.endpoint_url
    assert environment["AWS_DEFAULT_REGION"] == environment["AWS_REGION"] == "us-east-1"
    connection = json.loads(environment["AIRFLOW_CONN_AWS_DEFAULT"])
    assert connection["conn_type"] == "aws"
    assert connection["extra"] == {"endpoint_url": aws.endpoint_url, "region_name": "us-east-1"}


def test_it_says_which_isolation_it_uses(aws: LocalAWS) -> None:
    name, _, reason = aws.isolation.partition(": ")
    assert name in ("namespace", "proot", "symlink")
    assert reason


def test_it_listens_on_the_loopback_address_only(aws: LocalAWS) -> None:
    assert aws.endpoint_url.startswith("http://127.0.0.1:")
    port = int(aws.endpoint_url.rpartition(":")[2])
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{port:04X}"]


def test_no_warning_is_given_on_the_loopback_interface(
    tmp_path: Path, images: Images, caplog: pytest.LogCaptureFixture
) -> None:
    with LocalAWS(tmp_path, host="127.0.0.2", images=images) as aws:
        assert aws.endpoint_url.startswith("http://127.0.0.2:")
    assert "runs code for whoever reaches it" not in caplog.text


def test_another_address_is_listened_on_with_a_warning(
    tmp_path: Path, images: Images, caplog: pytest.LogCaptureFixture
) -> None:
    with LocalAWS(tmp_path, host="0.0.0.0", images=images) as aws:
        assert aws.endpoint_url.startswith("http://127.0.0.1:")
        port = int(aws.endpoint_url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.3", port)):
            pass
    assert "0.0.0.0: the local AWS runs code for whoever reaches it, as " in caplog.text


@pytest.mark.parametrize("host", ["localhost", "::", "256.0.0.1", ""])
def test_what_is_no_address_is_said(tmp_path: Path, images: Images, host: str) -> None:
    with pytest.raises(LocalError, match="no IPv4 address; it would be"):
        LocalAWS(tmp_path, host=host, images=images).start()


def test_an_address_of_another_machine_is_said(tmp_path: Path, images: Images) -> None:
    with pytest.raises(LocalError, match=r"192\.0\.2\.1, port 0: Cannot assign requested"):
        LocalAWS(tmp_path, host="192.0.2.1", images=images).start()


def test_a_port_in_use_is_said(tmp_path: Path, images: Images) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalError, match="port") as refused:
            LocalAWS(tmp_path, port=port, images=images).start()
    assert str(refused.value) == (
        f"port {port}: Address already in use; 0 takes any port that is free"
    )


def test_a_number_that_is_no_port_is_said(tmp_path: Path, images: Images) -> None:
    with pytest.raises(LocalError, match="port 70000: no port; it would be 0 to 65535"):
        LocalAWS(tmp_path, port=70000, images=images).start()


def test_a_root_in_use_is_said(aws: LocalAWS, images: Images) -> None:
    with pytest.raises(LocalError, match="another local AWS uses it; give this one its own"):
        LocalAWS(aws.root, images=images).start()


def test_a_root_is_free_again_after_stop(tmp_path: Path, images: Images) -> None:
    for _ in range(2):
        with LocalAWS(tmp_path, images=images):
            pass


def test_nobody_answers_after_stop(tmp_path: Path, images: Images) -> None:
    aws = LocalAWS(tmp_path, images=images).start()
    port = int(aws.endpoint_url.rpartition(":")[2])
    aws.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_stop_without_start_does_nothing(tmp_path: Path, images: Images) -> None:
    LocalAWS(tmp_path, images=images).stop()


def test_the_address_is_not_known_before_the_start(tmp_path: Path, images: Images) -> None:
    with pytest.raises(LocalError, match=r"not running; call start\(\) first"):
        _ = LocalAWS(tmp_path, images=images).endpoint_url


def test_a_bucket_is_a_part_of_the_path(aws: LocalAWS, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"v", ACL="public-read")
    with urllib.request.urlopen(f"{aws.endpoint_url}/{bucket}/k") as response:
        assert response.read() == b"v"


def test_an_upload_of_several_parts_arrives_whole(s3: Any, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 20 * 1024 * 1024)
    s3.upload_file(str(tmp_path / "large"), bucket, "large")
    assert s3.head_object(Bucket=bucket, Key="large")["ContentLength"] == 20 * 1024 * 1024


def test_a_key_that_is_not_there_is_s3s_own_error(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=bucket, Key="nothing")
    assert refused.value.response["Error"]["Code"] == "NoSuchKey"
