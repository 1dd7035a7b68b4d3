"""The AWS CLI against `airflow-sm local`."""

from tests.clients.conftest import Served, environment, found


def test_the_commands_of_the_page_run_a_job_and_read_what_it_left(served: Served) -> None:
    ((_, commands),) = found("bash")
    # `wait` would sleep for a minute, so it looks after each second here.
    quick = commands.replace("aws sagemaker wait", "until_ended", 1)
    until = """until_ended() {
    until aws sagemaker describe-processing-job --processing-job-name "$3" |
        grep -q '"ProcessingJobStatus": "[CFS]'; do sleep 0.2; done; }\n"""
    script = f"set -e\n{until}{quick}"
    done = served.run(["bash", "-c", script], path=str(environment("sdk-v3")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "make_bucket: rows" in done.stdout
    assert "\nCompleted\n" in done.stdout
    assert "train/train.csv" in done.stdout


def test_wait_of_the_page_is_a_waiter_that_the_cli_has(served: Served) -> None:
    ((_, commands),) = found("bash")
    command = next(line for line in commands.splitlines() if " wait " in line)
    done = served.run(["bash", "-c", command], path=str(environment("sdk-v3")))
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_is_told_as_the_cli_tells_those_of_aws(served: Served) -> None:
    command = ["aws", "sagemaker", "describe-training-job", "--training-job-name", "absent"]
    done = served.run(["env", *command], path=str(environment("sdk-v3")))
    assert done.returncode != 0
    assert "(ValidationException)" in done.stderr
    assert "Requested resource not found." in done.stderr
