"""Random runs, and random expressions and conditions that are made of the SDK's objects."""

import json
from typing import Any

from hypothesis import strategies as st

from airflow_sm_pipelines.definition.node import Json
from tests.differential import sdk
from tests.differential.ours import EXECUTION, Run

TEXTS = st.text(max_size=4) | st.sampled_from(["a", "b", "1", "true", "True", "", "10", "9"])
INTEGERS = st.integers(-3, 3) | st.integers()
FLOATS = st.sampled_from([0.0, -0.0, 1.0, 2.5, 1e22, 1e-7]) | st.floats(
    allow_nan=False, allow_infinity=False
)
METRICS = FLOATS | st.sampled_from([float("nan"), float("inf"), float("-inf")])
SCALARS = TEXTS | INTEGERS | FLOATS | st.booleans()
KEYS = st.sampled_from(
    ["a", "b", "rate", "train:rmse", "5fold", "f1/macro", "f1.macro", "it's", "x]"]
)


def _any_of(objects: list[Any]) -> st.SearchStrategy[Any]:
    """One of `objects`, which Hypothesis does not spell out: the SDK's are long."""
    return st.sampled_from(range(len(objects))).map(lambda index: objects[index])


def _members(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with all the members, or with some of them."""
    return st.fixed_dictionaries(members) | st.fixed_dictionaries({}, optional=members)


@st.composite
def _named(draw: st.DrawFn, member: str, names: list[str], others: dict[str, Any]) -> Json:
    """A list of objects with different names, as Describe operations have them."""
    chosen = draw(st.permutations(names) | st.lists(st.sampled_from(names), unique=True))
    return [{member: name, **draw(_members(others))} for name in chosen]


FOLDERS = st.sampled_from(["s3://bucket/a", "s3://bucket/a/b", "s3://bucket/c", "s3://other/a"])
PROCESSING = _members(
    {
        "ProcessingJobName": TEXTS,
        "ProcessingInputs": _named("InputName", ["in", "2nd"], {"AppManaged": st.booleans()}),
        "ProcessingOutputConfig": st.fixed_dictionaries(
            {
                "Outputs": _named(
                    "OutputName",
                    ["train", "test", "v1.0"],
                    {"S3Output": st.fixed_dictionaries({"S3Uri": FOLDERS})},
                )
            }
        ),
        "Environment": st.dictionaries(KEYS, TEXTS, max_size=4),
        "ExitMessage": st.none() | TEXTS,
    }
)
TRAINING = _members(
    {
        "TrainingJobName": TEXTS,
        "BillableTimeInSeconds": INTEGERS,
        "EnableNetworkIsolation": st.booleans(),
        "FailureReason": st.none(),
        "ModelArtifacts": st.fixed_dictionaries({"S3ModelArtifacts": TEXTS}),
        "HyperParameters": st.dictionaries(KEYS, TEXTS, max_size=4),
        "FinalMetricDataList": _named(
            "MetricName", ["val:acc", "train:rmse", "f1.macro"], {"Value": METRICS}
        ),
        "InputDataConfig": _named("ChannelName", ["train"], {"ContentType": TEXTS}),
    }
)
RESULTS = _members(
    {
        "Prepare": PROCESSING,
        "Train": TRAINING,
        "Decide": st.fixed_dictionaries({"Outcome": st.booleans()}),
        "Ask": st.fixed_dictionaries(
            {"OutputParameters": st.fixed_dictionaries({"answer": SCALARS})}
        ),
    }
)
REPORTS = st.fixed_dictionaries(
    {
        "metrics": st.fixed_dictionaries({"mse": st.fixed_dictionaries({"value": METRICS})}),
        "list": st.tuples(SCALARS, st.fixed_dictionaries({"k": SCALARS})).map(list),
        "f1.macro": SCALARS,
        "flag": st.booleans(),
        "none": st.none(),
    }
).map(json.dumps) | st.sampled_from(["not JSON", "[1]", ""])
URIS = [
    *(f"s3://bucket/{folder}/report.json" for folder in ("a", "a/b", "c")),
    *(f"s3://bucket/{folder}/dir/deep.json" for folder in ("a", "a/b", "c")),
    *(f"s3://bucket/{name}.json" for name in ("a", "true", "1")),
]
RUNS = st.builds(
    Run,
    parameters=st.fixed_dictionaries(
        {
            "Text": TEXTS.filter(bool),
            "Folder": st.sampled_from(["a", "b"]),
            "Count": INTEGERS,
            "Rate": FLOATS,
            "Flag": st.booleans(),
        }
    ),
    results=RESULTS,
    objects=st.dictionaries(st.sampled_from(URIS), REPORTS, min_size=3),
)

_PREPARE, _TRAIN = sdk.PREPARE.properties, sdk.TRAIN.properties
PROPERTIES = [
    _PREPARE.ProcessingJobName,
    _PREPARE.ExitMessage,
    _PREPARE.ProcessingInputs["in"].AppManaged,
    _PREPARE.ProcessingInputs["in"].S3Input,
    _PREPARE.ProcessingInputs[0].InputName,
    _PREPARE.ProcessingOutputConfig,
    _PREPARE.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri,
    _PREPARE.ProcessingOutputConfig.Outputs["test"].S3Output.S3Uri,
    _PREPARE.ProcessingOutputConfig.Outputs["v1.0"].OutputName,
    _PREPARE.ProcessingOutputConfig.Outputs["none"].S3Output.S3Uri,
    _PREPARE.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri,
    _PREPARE.ProcessingOutputConfig.Outputs[-1].OutputName,
    _PREPARE.Environment["rate"],
    _PREPARE.Environment["f1.macro"],
    _TRAIN.TrainingJobName,
    _TRAIN.BillableTimeInSeconds,
    _TRAIN.EnableNetworkIsolation,
    _TRAIN.FailureReason,
    _TRAIN.ModelArtifacts,
    _TRAIN.ModelArtifacts.S3ModelArtifacts,
    _TRAIN.HyperParameters["5fold"],
    _TRAIN.HyperParameters["f1/macro"],
    _TRAIN.HyperParameters["x]"],
    _TRAIN.FinalMetricDataList["val:acc"].Value,
    _TRAIN.FinalMetricDataList["f1.macro"].Value,
    _TRAIN.FinalMetricDataList[0].Value,
    _TRAIN.FinalMetricDataList[-2].MetricName,
    _TRAIN.FinalMetricDataList,
    _TRAIN.InputDataConfig["train"].ContentType,
    _TRAIN.InputDataConfig[0],
    sdk.DECIDE.properties.Outcome,
    sdk.LAMBDA.properties.Outputs["answer"],
]
REFUSED_PROPERTIES = [_TRAIN]
PATHS = [
    *("metrics.mse.value", "flag", "none", "missing", "list[0]", "list[1].k", "list[-1]['k']"),
    *("list[7]", "['f1.macro']", "$.metrics.mse['value']", "$['flag']", "[0]", "metrics.mse"),
]
REFUSED_PATHS = ["list[ 0 ]", "list[+1].k", "list[0]x", "a..b", "", "list[1]['']"]
VARIABLES = [sdk.ExecutionVariable(name) for name in EXECUTION]
PLAIN_VARIABLES = [each for each in VARIABLES if each.name.endswith("Name")]


def _json_gets(paths: list[str]) -> st.SearchStrategy[Any]:
    parts = _any_of([*sdk.PARAMETERS, *PLAIN_VARIABLES, *PROPERTIES])
    uris = parts.map(lambda part: sdk.Join(on="", values=["s3://bucket/", part, ".json"]))
    uris |= st.builds(
        lambda folder, file: sdk.Join(on="/", values=[folder, file]),
        _any_of([each for each in PROPERTIES if each.path.endswith("S3Uri")]),
        st.sampled_from(["report.json", "dir/deep.json"]),
    )
    files = _any_of([*sdk.PREPARE.property_files, "Report", "Deep"])
    path = st.sampled_from(paths)
    return st.builds(sdk.JsonGet, s3_uri=uris, json_path=path) | st.builds(
        sdk.JsonGet, step_name=st.just("Prepare"), property_file=files, json_path=path
    )


def _expressions(
    literals: st.SearchStrategy[Any], properties: list[Any], paths: list[str]
) -> st.SearchStrategy[Any]:
    leaves = st.one_of(
        literals,
        _any_of(sdk.PARAMETERS),
        _any_of(VARIABLES),
        _any_of(properties),
        _json_gets(paths),
    )
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            sdk.Join,
            on=st.sampled_from(["", "/", "-", ", "]),
            values=st.lists(inner, max_size=4),
        ),
        max_leaves=6,
    )


OPERANDS = _expressions(SCALARS, PROPERTIES, PATHS)
"""What a condition compares; nothing that we refuse before anything is evaluated."""

EXPRESSIONS = _expressions(
    SCALARS | st.none(), PROPERTIES + REFUSED_PROPERTIES, PATHS + REFUSED_PATHS
)
"""Whatever may stand in Arguments, what we refuse included."""

_COMPARED = st.tuples(OPERANDS, OPERANDS) | st.one_of(
    # Values of one type, so that not too many fail.
    *(st.tuples(values, values) for values in (TEXTS, INTEGERS | FLOATS, st.booleans()))
)
CONDITIONS = st.recursive(
    st.builds(
        lambda comparison, compared: comparison(*compared),
        _any_of(list(sdk.COMPARISONS.values())),
        _COMPARED,
    )
    | st.builds(sdk.ConditionIn, OPERANDS, st.lists(OPERANDS, max_size=4)),
    lambda inner: (
        st.builds(sdk.ConditionNot, inner) | st.builds(sdk.ConditionOr, st.lists(inner, max_size=4))
    ),
    max_leaves=5,
)

ARGUMENTS = st.recursive(
    EXPRESSIONS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["S3Uri", "Environment", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=4,
)
