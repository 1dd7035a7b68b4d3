"""Differences in `Std:Join` (operand: one of the values) and `Execution.X` (operand: X)."""

import math

from tests.differential.differences.row import Difference, fails, is_nan
from tests.differential.ours import EXECUTION, EXECUTION_ID, NAME
from tests.differential.outcomes import Outcome, value

LOCAL_NAMES = {"PipelineArn": NAME, "PipelineExecutionArn": EXECUTION_ID}
LOCAL_START_SECONDS = 1767323045.5
"""When an execution of local mode started, in seconds since 1970."""


def _spelled(element: float) -> Outcome:
    if is_nan(element):
        return value("NaN")
    return value("Infinity" if element > 0 else "-Infinity")


JOIN = (
    Difference(
        name="boolean in a Join",
        reason="the service splices `true` and `false`; so the Outcome of a Condition too",
        source="AWS's test of Fail steps; SDK, local/pipeline.py: str(value)",
        applies=lambda element: isinstance(element, bool),
        local=lambda element: value(str(element)),
        ours=lambda element: value(str(element).lower()),
        examples=((True,), (False,)),
    ),
    Difference(
        name="NaN or infinity in a Join",
        reason="spelled as by Java and by JSON's extensions, not as by Python",
        source="no source; SDK, local/pipeline.py: str(value)",
        applies=lambda element: isinstance(element, float) and not math.isfinite(element),
        local=lambda element: value(str(element)),
        ours=_spelled,
        examples=((math.nan,), (math.inf,), (-math.inf,)),
    ),
    Difference(
        name="object or array in a Join",
        reason="strings, numbers and booleans are joined; Python's notation means nothing to AWS",
        source="SDK, workflow/functions.py: Join joins primitive values",
        applies=lambda element: isinstance(element, dict | list),
        local=lambda element: value(str(element)),
        ours=fails,
        examples=(({"S3ModelArtifacts": "s3://bucket"},), ([1, "a"],)),
    ),
)

VARIABLE = (
    Difference(
        name="ARN",
        reason="an ARN is an ARN; local mode has none and gives the name",
        source="API, PipelineExecutionArn; SDK, local/pipeline.py",
        applies=lambda name: name in LOCAL_NAMES,
        local=lambda name: value(LOCAL_NAMES[name]),
        ours=lambda name: value(EXECUTION[name]),
        examples=(("PipelineArn",), ("PipelineExecutionArn",)),
    ),
    Difference(
        name="start time",
        reason="every execution variable is a string; local mode has seconds since 1970",
        source="SDK, workflow/execution_variables.py; local/entities.py: creation_time",
        applies=lambda name: name == "StartDateTime",
        local=lambda name: value(LOCAL_START_SECONDS),
        ours=lambda name: value(EXECUTION[name]),
        examples=(("StartDateTime",),),
    ),
    Difference(
        name="current time",
        reason="every execution variable is a string; local mode has Python's datetime",
        source="SDK, workflow/execution_variables.py; local/pipeline.py: datetime.now()",
        applies=lambda name: name == "CurrentDateTime",
        local=lambda name: value("datetime"),
        ours=lambda name: value(EXECUTION[name]),
        examples=(("CurrentDateTime",),),
    ),
    Difference(
        name="job name",
        reason="the name of the step's own job, which local mode does not know",
        source="SDK, workflow/execution_variables.py; local/pipeline.py: undefined",
        applies=lambda name: name in {"TrainingJobName", "ProcessingJobName"},
        local=fails,
        ours=lambda name: value(EXECUTION[name]),
        examples=(("TrainingJobName",), ("ProcessingJobName",)),
    ),
)
