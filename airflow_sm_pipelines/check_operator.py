"""The operator of check steps: a processing job that is judged by what it has written."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_sm_pipelines import analysis_configs, baselines
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import JobFailedError
from airflow_sm_pipelines.job_operator import JobOperator
from airflow_sm_pipelines.requests import Requests
from airflow_sm_pipelines.scope import RunScope

if TYPE_CHECKING:
    from botocore.client import BaseClient


class CheckOperator(JobOperator):
    """Runs the job of a check, with an earlier baseline where it is to be compared with one.

    Violations fail the step, unless FailOnViolation is false.
    """

    def requests(
        self, client: "BaseClient", scope: RunScope, experiment: Mapping[str, str] | None
    ) -> Requests:
        check = baselines.check_of(self.step, scope)
        before = baselines.earlier(client, self.step, check)
        # A package that is approved meanwhile may not give the job of the next try another name.
        sent = self.step if check.skip else baselines.with_baseline(self.step, before)
        if check.model:
            s3 = self.connection.client("s3")
            sent = analysis_configs.with_model(sent, scope, s3, check.model)
        return Requests(self.step, scope, experiment=experiment, sent=sent)

    def handed_on(
        self, context: Any, client: "BaseClient", described: dict[str, Json]
    ) -> dict[str, Json]:
        scope = self.scope(context, now=datetime.now(UTC))
        check = baselines.check_of(self.step, scope)
        compared = baselines.compared_with(described)
        if not check.skip:
            self._judge_report(described, fails=check.fails)
        before = compared or baselines.earlier(client, self.step, check)
        return {**described, **baselines.properties(described, check, before)}

    def _judge_report(self, described: dict[str, Json], *, fails: bool) -> None:
        """Log what breaks the baseline, and fail the step where it is to fail."""
        uri = baselines.report_uri(described)
        created = datetime.fromisoformat(str(described[self.job.created]))
        found = baselines.violations(self.connection.client("s3"), uri, since=created)
        for violation in found:
            self.log.warning("%s: %s", self.step.name, violation)
        if found and fails:
            raise JobFailedError(
                step=self.step.name,
                noun=self.job.noun,
                job_name=str(described[self.job.describe_name]),
                status=str(described[str(self.job.status)]),
                reason=f"ClientError: {CHECKS[self.step.type]} failed. See violation report: {uri}",
            )


# SageMaker's words, as its SDK's integration tests expect them.
CHECKS = {"ClarifyCheck": "Clarify check", "QualityCheck": "Quality check"}
