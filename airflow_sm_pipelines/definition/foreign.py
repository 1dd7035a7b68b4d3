"""What was given instead of a definition, in one sentence that says where the definition is.

A text that is JSON is recognised by its keys (`JSON`), another by how it looks (`TEXTS`) or starts
(`BINARY`). To recognise one more thing, add a row.
"""

import re
from collections.abc import Callable, Iterator

from airflow_sm_pipelines.definition.node import Json, Node
from airflow_sm_pipelines.errors import listed

_Object = dict[str, Json]


def refuse(node: Node) -> None:
    """Raise a DefinitionError where a JSON value is known to be something else."""
    if not isinstance(node.value, dict) or "Steps" in node.value:
        return
    for name, matches, cure in JSON:
        if matches(node.value):
            raise node.error(f"{name}; {_whereabouts(node) or cure}")


def sentence(text: str) -> str | None:
    """What a text that is no JSON is, as an error's message; None where it is not recognised."""
    start = text[:LONGEST_LOOK]
    if _LIKE_JSON.match(start):  # the place where it is broken says more
        return None
    return next((said for pattern, said in TEXTS if pattern.search(start)), None)


def binary(text: bytes) -> str | None:
    """What bytes that are no UTF-8 are, as an error's message; None where it is not recognised."""
    return next((said for start, said in BINARY.items() if text.startswith(start)), None)


def _whereabouts(node: Node) -> str | None:
    """Where the definitions inside are: strings, objects in S3, or what a tool makes of a form."""
    strings: dict[str, str] = {}
    objects: dict[str, str] = {}
    forms: list[str] = []
    for member in _named(node, PLACES):
        match member.value:
            case str(text) if text.lstrip().startswith("{"):
                # A Terraform plan holds the same string before and after; one place is enough.
                strings.setdefault(text, member.path)
            case dict() | [dict(), *_] if uri := _uri(member.value):
                objects[uri] = uri
            case str() | dict():
                forms.append(member.path)
    told = (
        (strings.values(), "its definition is the string at {}, save that"),
        (objects, "its definition is the object {}, read that"),
        (
            forms,
            "its definition is put together on deployment, from {}; "
            "read what was deployed: pipeline:<name>",
        ),
    )
    return "; ".join(said.format(listed(places)) for places, said in told if places) or None


def _named(node: Node, names: frozenset[str]) -> Iterator[Node]:
    """The members of these names, at whatever depth; those inside of one are not looked at."""
    match node.value:
        case dict():
            for key, member in node.members().items():
                if key in names:
                    yield member
                else:
                    yield from _named(member, names)
        case list():
            for element in node.items():
                yield from _named(element, names)


def _uri(location: Json) -> str | None:
    """The URI of an S3 location in any tool's spelling; None where a part is no plain string."""
    members = location[0] if isinstance(location, list) else location
    match members:
        case (
            {"Bucket": str(bucket), "ObjectKey": str(key)}
            | {"Bucket": str(bucket), "Key": str(key)}
            | {"bucket": str(bucket), "object_key": str(key)}
        ):
            return f"s3://{bucket}/{key}"
    return None


def _has(*keys: str) -> Callable[[_Object], bool]:
    """Whether an object has all of these keys."""
    return lambda value: all(key in value for key in keys)


def _is_template(value: _Object) -> bool:
    """Whether an object is a CloudFormation template, as written or as the CDK makes it."""
    resources = value.get("Resources")
    return "AWSTemplateFormatVersion" in value or (
        isinstance(resources, dict)
        and any(isinstance(each, dict) and "Type" in each for each in resources.values())
    )


def _is_resource(value: _Object) -> bool:
    """Whether an object is one resource of a template, or its Properties alone."""
    properties = value.get("Properties", value)
    if not isinstance(properties, dict):
        return False
    definition = properties.get("PipelineDefinition")
    return isinstance(definition, dict) and not PLACES.isdisjoint(definition)


# The members that hold a definition's text or its place in S3: CloudFormation's, then the API's
# (CreatePipeline), then Terraform's.
PLACES = frozenset(
    {
        "PipelineDefinitionBody",
        "PipelineDefinitionS3Location",
        "pipeline_definition",
        "pipeline_definition_s3_location",
    }
)

_NO_PIPELINE = "no pipeline's definition is in it, name the JSON that Pipeline.definition() returns"
_RUN = "run it, and save what Pipeline.definition() returns"

JSON: tuple[tuple[str, Callable[[_Object], bool], str], ...] = (
    ("a CloudFormation template", _is_template, _NO_PIPELINE),
    ("the output of GetTemplate", _has("TemplateBody"), "save the template inside, and look there"),
    ("a CloudFormation resource", _is_resource, _NO_PIPELINE),
    ("a request of CreatePipeline", _has("PipelineDefinitionS3Location"), _NO_PIPELINE),
    (
        "the manifest of a CDK assembly",
        _has("artifacts", "version"),
        "the templates beside it, *.template.json, say where the definition is",
    ),
    (
        "the construct tree of a CDK assembly",
        _has("tree", "version"),
        "the templates beside it, *.template.json, say where the definition is",
    ),
    ("a Terraform state", _has("terraform_version", "resources"), _NO_PIPELINE),
    ("a Terraform plan", _has("terraform_version", "planned_values"), _NO_PIPELINE),
    ("a Terraform state", _has("terraform_version", "format_version"), _NO_PIPELINE),
    ("Terraform configuration", _has("resource"), _NO_PIPELINE),
    ("a notebook", _has("cells", "nbformat"), _RUN),
    (
        "the list of an account's pipelines",
        _has("PipelineSummaries"),
        "save what DescribePipeline answers of one of them",
    ),
    (
        "the description of an execution",
        lambda value: "PipelineExecutionArn" in value and "PipelineDefinition" not in value,
        "save what DescribePipelineDefinitionForExecution answers of it",
    ),
    (
        "a state machine of Step Functions",
        _has("StartAt", "States"),
        "a definition of SageMaker Pipelines has Version and Steps",
    ),
)
"""What it is, how it is told by its keys, and what to do where no definition is inside."""

TEXTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"\A\s*\{\s*'(Version|Steps|Metadata|Parameters|Pipeline\w+)'"),
        "a Python dictionary as it is printed; write it with json.dumps, or save its "
        "PipelineDefinition",
    ),
    (
        re.compile(r"\A\s*<"),
        "HTML or XML, maybe a page that asks to sign in or an error of AWS; "
        "a definition is the JSON that Pipeline.definition() returns",
    ),
    (
        re.compile(r'^[ \t]*resource[ \t]+"aws_sagemaker_pipeline"', re.M),
        "Terraform configuration; its definition is what pipeline_definition is after "
        "`terraform apply`, read what was deployed: pipeline:<name>",
    ),
    (
        re.compile(
            r'^((terraform|locals)[ \t]*\{|(resource|provider|module|variable|data|output)[ \t]+")',
            re.M,
        ),
        "Terraform configuration without a pipeline; its aws_sagemaker_pipeline may be in "
        "another file, read what was deployed: pipeline:<name>",
    ),
    (
        re.compile(r"^AWSTemplateFormatVersion[ \t]*:|^[ \t]+Type:[ \t]*[\"']?AWS::\w+::", re.M),
        "a CloudFormation template; its definition is the string PipelineDefinitionBody or the "
        "object PipelineDefinitionS3Location of its AWS::SageMaker::Pipeline, save that",
    ),
    (
        re.compile(r"^(#!.*python|import \w|from [\w.]+ import |def \w+\(|class \w+[(:])", re.M),
        f"Python source; {_RUN}",
    ),
    (
        re.compile(r"""\A([ \t]*(#.*)?\n)*(---|[\w"'-]+[ \t]*:([ \t]|$)|-[ \t])""", re.M),
        "YAML; a definition is JSON, write it as JSON",
    ),
)
"""How a text that is no JSON looks, and what is said of it; the first that fits is taken."""

BINARY = {
    b"\xff\xfe": "UTF-16, as PowerShell's > writes it; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
    b"PK\x03\x04": "a zip archive; unpack it, and name the JSON inside",
    b"\x1f\x8b": "a gzip archive; unpack it, and name the JSON inside",
}
"""The first bytes of a file, and what is said of it."""

# The first lines say what a text is; the patterns are not run over megabytes.
LONGEST_LOOK = 65_536
_LIKE_JSON = re.compile(r'\s*[{\[]\s*["{\[]')
