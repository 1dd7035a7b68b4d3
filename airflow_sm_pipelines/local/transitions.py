"""Secondary statuses: which ones a job has been in, and since when."""

from collections.abc import Mapping
from typing import Any

from airflow_sm_pipelines.local.account import now


def moved(
    fields: Mapping[str, Any], secondary: str, *, message: str, final: bool = False
) -> dict[str, Any]:
    """What a description gains by the transition to `secondary`; a final one ends at once."""
    moment = now()
    past = [dict(each) for each in fields.get("SecondaryStatusTransitions", ())]
    for each in past[-1:]:
        each.setdefault("EndTime", moment)
    current = {"Status": secondary, "StartTime": moment, "StatusMessage": message}
    if final:
        current["EndTime"] = moment
    return {"SecondaryStatus": secondary, "SecondaryStatusTransitions": [*past, current]}
