"""Lambda functions, invoked by boto3: what they return, how they fail, what their log says."""

import base64
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images
from airflow_sm_pipelines.local.lambdas.files import LambdaError
from tests.fakes import until

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"

Create = Callable[..., str]


def zipped(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return packed.getvalue()


@pytest.fixture(scope="session")
def functions(client: Callable[[str], Any]) -> Any:
    return client("lambda")


@pytest.fixture
def create(functions: Any, name: str) -> Create:
    """Make a function of a Python module; its name."""

    def made(code: str, **changes: Any) -> str:
        content = zipped(**{"main.py": code})
        request = {
            "FunctionName": name,
            "Runtime": "python3.11",
            "Role": ROLE,
            "Handler": "main.handler",
            "Code": {"ZipFile": content},
        }
        functions.create_function(**{**request, **changes})
        return name

    return made


def invoke(functions: Any, name: str, event: Any = None, **changes: Any) -> Any:
    """What a function answers, its payload parsed."""
    payload = json.dumps(event if event is not None else {}).encode()
    response = functions.invoke(FunctionName=name, Payload=payload, **changes)
    return {**response, "Payload": json.loads(response["Payload"].read() or b"null")}


def error(functions: Any, name: str) -> dict[str, Any]:
    answered = invoke(functions, name)
    assert answered["FunctionError"] == "Unhandled"
    assert answered["StatusCode"] == 200
    return dict(answered["Payload"])


def test_a_function_gets_its_event_and_its_return_value_is_answered(
    functions: Any, create: Create
) -> None:
    name = create("def handler(event, context): return {'sum': event['a'] + 1, 'text': 'ä'}")
    answered = invoke(functions, name, {"a": 2})
    assert answered["Payload"] == {"sum": 3, "text": "ä"}
    assert answered["StatusCode"] == 200
    assert answered["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answered
    assert "LogResult" not in answered


@pytest.mark.parametrize(
    "form", ["{name}", "{arn}", "123456789012:function:{name}", "{arn}:$LATEST"]
)
def test_a_function_is_found_by_every_form_of_its_name(
    functions: Any, create: Create, form: str
) -> None:
    name = create("def handler(event, context): return context.function_name")
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert invoke(functions, form.format(name=name, arn=arn))["Payload"] == name


def test_a_function_has_its_environment_and_nothing_of_the_servers(
    functions: Any, create: Create, aws: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "of the shell")
    code = "import os\ndef handler(event, context): return dict(os.environ)"
    name = create(code, Environment={"Variables": {"MINE": "1"}})
    environment = invoke(functions, name)["Payload"]
    assert environment["MINE"] == "1"
    assert environment["AWS_ENDPOINT_URL"] == aws.endpoint_url
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert environment["_HANDLER"] == "main.handler"
    assert "A_SECRET" not in environment


def test_a_function_has_a_context(functions: Any, create: Create) -> None:
    name = create(
        "def handler(event, context):\n"
        "    left = context.get_remaining_time_in_millis()\n"
        "    return [context.invoked_function_arn, context.memory_limit_in_mb, 0 < left <= 7000,\n"
        "            context.client_context.custom['token'], context.log_group_name]",
        Timeout=7,
        MemorySize=256,
    )
    custom = base64.b64encode(json.dumps({"custom": {"token": "t"}}).encode()).decode()
    assert invoke(functions, name, ClientContext=custom)["Payload"] == [
        f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        "256",
        True,
        "t",
        f"/aws/lambda/{name}",
    ]


def test_an_exception_is_told_with_its_type_and_its_trace(functions: Any, create: Create) -> None:
    name = create("def handler(event, context):\n    raise KeyError('no')")
    told = error(functions, name)
    assert (told["errorType"], told["errorMessage"]) == ("KeyError", "'no'")
    (frame,) = told["stackTrace"]
    assert frame.endswith("line 2, in handler\n    raise KeyError('no')\n")
    assert told["requestId"]


@pytest.mark.parametrize(
    ("code", "handler", "kind", "message"),
    [
        ("import nothing_like_it", "main.handler", "Runtime.ImportModuleError", "Unable to import"),
        ("x = 1", "main.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module"),
        ("def (", "main.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'main'"),
        ("x = 1", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("def handler(e, c): return {1, 2}", "main.handler", "Runtime.MarshalError", "Unable to"),
        ("1 / 0", "main.handler", "ZeroDivisionError", "division by zero"),
    ],
)
def test_what_cannot_be_called_or_returned_is_told(
    functions: Any, create: Create, code: str, handler: str, kind: str, message: str
) -> None:
    told = error(functions, create(code, Handler=handler))
    assert told["errorType"] == kind
    assert told["errorMessage"].startswith(message)


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("import os\ndef handler(e, c): os._exit(3)", "exited with error: exit status 3"),
        ("import sys\ndef handler(e, c): sys.exit(0)", "exited without providing a reason"),
        ("import os\ndef handler(e, c): os.kill(os.getpid(), 9)", "signal: SIGKILL"),
    ],
)
def test_the_end_of_the_runtime_is_an_error(
    functions: Any, create: Create, code: str, end: str
) -> None:
    told = error(functions, create(code))
    assert told["errorType"] == "Runtime.ExitError"
    assert told["errorMessage"].endswith(end)


def test_a_function_that_takes_too_long_times_out_whatever_it_does(
    functions: Any, create: Create
) -> None:
    # One call into C, which no exception would interrupt.
    name = create("def handler(e, c):\n    print('begun')\n    sum(range(10 ** 12))", Timeout=1)
    answered = invoke(functions, name, LogType="Tail")
    told = answered["Payload"]
    assert answered["FunctionError"] == "Unhandled"
    assert told["errorType"] == "Sandbox.Timedout"
    assert told["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    tail = base64.b64decode(answered["LogResult"]).decode()
    assert "begun\n" in tail
    assert "Task timed out after 1.00 seconds\n" in tail


def test_a_response_that_is_too_large_is_an_error(functions: Any, create: Create) -> None:
    told = error(functions, create("def handler(e, c): return 'x' * 6_291_555"))
    assert told["errorType"] == "Function.ResponseSizeTooLarge"
    assert "6291556 bytes" in told["errorMessage"]


def test_the_log_is_answered_and_is_in_cloudwatch(
    functions: Any, create: Create, logs: Any
) -> None:
    name = create("def handler(e, c): print('hello')")
    answered = invoke(functions, name, LogType="Tail")
    lines = base64.b64decode(answered["LogResult"]).decode().splitlines()
    assert lines[0].startswith("START RequestId: ")
    assert lines[1] == "hello"
    assert lines[2].startswith("END RequestId: ")
    assert lines[3].startswith("REPORT RequestId: ")
    (stream,) = logs.describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    events = logs.get_log_events(
        logGroupName=f"/aws/lambda/{name}", logStreamName=stream["logStreamName"]
    )["events"]
    assert [event["message"] for event in events] == lines


def test_a_function_can_reach_the_local_aws(functions: Any, create: Create, bucket: str) -> None:
    name = create(
        "import boto3\n"
        "def handler(event, context):\n"
        "    s3 = boto3.client('s3')\n"
        "    s3.put_object(Bucket=event['bucket'], Key='k', Body=b'b')\n"
        "    return s3.list_objects_v2(Bucket=event['bucket'])['KeyCount']",
        Timeout=60,
    )
    assert invoke(functions, name, {"bucket": bucket})["Payload"] == 1


def test_an_event_invocation_is_answered_at_once_and_carried_out(
    functions: Any, create: Create, tmp_path: Path
) -> None:
    name = create("def handler(e, c): open(e['file'], 'w').close()")
    payload = json.dumps({"file": str(tmp_path / "done")})
    response = functions.invoke(FunctionName=name, InvocationType="Event", Payload=payload)
    assert (response["StatusCode"], response["Payload"].read()) == (202, b"")
    until((tmp_path / "done").exists)


def test_a_dry_run_runs_nothing(functions: Any, create: Create, tmp_path: Path) -> None:
    name = create("def handler(e, c): open(e['file'], 'w').close()")
    payload = json.dumps({"file": str(tmp_path / "done")})
    response = functions.invoke(FunctionName=name, InvocationType="DryRun", Payload=payload)
    assert response["StatusCode"] == 204
    assert not (tmp_path / "done").exists()


def test_new_code_and_code_from_s3_are_what_runs(
    functions: Any, create: Create, s3: Any, bucket: str
) -> None:
    name = create("def handler(e, c): return 'old'")
    assert invoke(functions, name)["Payload"] == "old"
    new = zipped(
        **{"main.py": "from lib.a import b\ndef handler(e, c): return b", "lib__a.py": "b = 'new'"}
    )
    s3.put_object(Bucket=bucket, Key="code.zip", Body=new)
    functions.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key="code.zip")
    assert invoke(functions, name)["Payload"] == "new"


def test_a_name_in_a_zip_file_leads_nowhere_else(
    functions: Any, create: Create, aws: LocalAWS
) -> None:
    content = zipped(**{"main.py": "def handler(e, c): return 1", "..__..__escaped.py": "x"})
    assert invoke(functions, create("", Code={"ZipFile": content}))["Payload"] == 1
    assert not [*aws.root.parent.glob("escaped.py"), *aws.root.glob("lambda/escaped.py")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip uploaded file"),
        (
            {"Code": {"S3Bucket": "not-there-at-all", "S3Key": "k"}},
            "Error occurred while GetObject",
        ),
    ],
)
def test_code_that_is_none_is_refused(
    create: Create, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        create("", **changes)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Runtime": "java21"}, "runtime 'java21' is not on this machine"),
        (
            {
                "PackageType": "Image",
                "Code": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/f:1"},
            },
            "a function of a container image does not run in the local AWS",
        ),
    ],
)
def test_what_this_machine_cannot_run_is_refused_once(
    functions: Any, create: Create, changes: dict[str, Any], message: str
) -> None:
    name = create("", **changes)
    with pytest.raises(ClientError, match=message) as refused:
        invoke(functions, name)
    assert refused.value.response["Error"]["Code"] == "InvalidRuntimeException"


def test_a_function_that_is_not_there_is_not_found(functions: Any) -> None:
    with pytest.raises(ClientError) as refused:
        invoke(functions, "nobody")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.skipif(not shutil.which("node", path="/usr/local/bin:/usr/bin"), reason="no node")
@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("main.mjs", "export const handler = async (e) => ({ sum: e.a + 1 });"),
        ("main.js", "exports.handler = (e, c, done) => done(null, { sum: e.a + 1 });"),
    ],
)
def test_a_function_in_javascript_runs_where_node_is(
    functions: Any, create: Create, file: str, code: str
) -> None:
    name = create("", Runtime="nodejs20.x", Code={"ZipFile": zipped(**{file: code})})
    assert invoke(functions, name, {"a": 2})["Payload"] == {"sum": 3}


# Functions that are files of this machine


@pytest.fixture
def local(tmp_path: Path, images: Images) -> Iterator[tuple[Any, Path]]:
    """A client of a server that has such a function, and the function's file."""
    file = tmp_path / "count.py"
    file.write_text("import os\ndef handler(event, context): return [event, os.environ['TABLE']]")
    config = tmp_path / "lambdas.toml"
    config.write_text(
        '[lambda.count-rows]\nhandler = "count.py:handler"\nenvironment = {TABLE = "orders"}\n'
    )
    with LocalAWS(tmp_path / "aws", images=images, lambdas=config) as aws:
        made: Any = boto3.Session("key", "secret", region_name="us-east-1").client
        yield made("lambda", endpoint_url=aws.endpoint_url), file


def test_a_function_of_the_configuration_is_invoked_and_its_file_is_read_anew(
    local: tuple[Any, Path],
) -> None:
    functions, file = local
    arn = "arn:aws:lambda:eu-west-1:999999999999:function:count-rows"
    assert invoke(functions, arn, {"a": 1})["Payload"] == [{"a": 1}, "orders"]
    file.write_text("def handler(event, context): return 'changed'")
    assert invoke(functions, "count-rows")["Payload"] == "changed"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[lambda.f]", "lambda.f.handler: missing; it would be 'file.py:function'"),
        ('[lambda.f]\nhandler = "f.py"', "lambda.f.handler: 'f.py'; it would be"),
        ('[lambda.f]\nhandler = "f.py:g"', "lambda.f.handler: there is no file "),
        ('[lambda.f]\nhandlr = "f.py:g"', "lambda.f.handlr: unknown key; did you mean 'handler'?"),
        ('[lambda.f]\ntimeout = "3"', "lambda.f.timeout: '3'; write seconds, 1 to 900"),
        ("[functions]", "write [lambda.<name>] tables only"),
        ("lambda = 1", "write [lambda.<name>] tables only"),
        ("[lambda]\nf = 1", "lambda.f: not a table"),
        ("[", "not TOML"),
    ],
)
def test_a_configuration_that_is_wrong_is_told(tmp_path: Path, text: str, problem: str) -> None:
    config = tmp_path / "lambdas.toml"
    config.write_text(text)
    with pytest.raises(LambdaError) as told:
        LocalAWS(tmp_path / "aws", lambdas=config)
    assert problem in str(told.value)


def test_a_configuration_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LambdaError, match="name a file that can be read"):
        LocalAWS(tmp_path / "aws", lambdas=tmp_path / "none.toml")
