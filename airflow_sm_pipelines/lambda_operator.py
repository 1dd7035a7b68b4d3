"""The operator of Lambda steps: invoke the function, hand on what it returns."""

import base64
import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError

from airflow_sm_pipelines import aws, outputs, patience, settings
from airflow_sm_pipelines.definition.node import Json, kind
from airflow_sm_pipelines.definition.values import resolve
from airflow_sm_pipelines.errors import JobFailedError, WaitInterruptedError
from airflow_sm_pipelines.operators import StepOperator
from airflow_sm_pipelines.scope import RunScope

if TYPE_CHECKING:
    from botocore.client import BaseClient


class LambdaOperator(StepOperator):
    """Invokes the function of a step with its resolved Arguments and waits for what it returns.

    AWS has no call that asks after an invocation, or that ends one. So a try that died while its
    function ran is followed by another invocation; a function that must not do its work twice finds
    the same `sm_pipelines_token` in `context.client_context.custom`. An answer that got lost fails
    the step instead.
    """

    ui_color = "#ffe6cc"
    _killed = False

    def execute(self, context: Any) -> dict[str, Json]:
        """Resolve, invoke, convert."""
        self.enter(context)
        with self.judging(context):
            scope = self.scope(context)
            function = str(resolve(self.step.keys["FunctionArn"], scope))
            event = {key: resolve(value, scope) for key, value in self.step.arguments.items()}
            returned = self._invoke(function, event, token=self._token(scope))
            answered = outputs.typed(self.step, self._members(function, returned))
        return {"FunctionArn": function, outputs.OUTPUT_PARAMETERS: answered}

    def on_kill(self) -> None:
        """Say what cannot be helped."""
        self._killed = True
        self.log.warning("the function goes on to its end: AWS has no call to stop it")

    def _invoke(self, function: str, event: dict[str, Json], *, token: str) -> Json:
        """What the function returns; asked again only where it cannot have begun."""
        custom = json.dumps({"custom": {TOKEN: token}}).encode()
        request = {
            "FunctionName": function,
            "Payload": json.dumps(event).encode(),
            "ClientContext": base64.b64encode(custom).decode(),
            "LogType": "Tail",
        }
        self.log.info("invoking %s with %s", function, sorted(event))
        response = patience.persist(
            lambda: self._answer(function, request),
            at_most=settings.create_patience_seconds(),
            meanwhile=self._heed_kill,
            new=False,
        )
        tail = base64.b64decode(response.get("LogResult") or "").decode(errors="replace")
        for line in tail.splitlines():
            self.log.info("%s | %s", self.step.name, line)
        returned: Json = json.loads(response["Payload"] or b"null")
        if response.get("FunctionError"):
            raise self._failed(function, "Failed", _reason(returned), tail=tail)
        return returned

    def _answer(self, function: str, request: dict[str, Any]) -> dict[str, Any]:
        """The response, its payload read; a client for each attempt, for its credentials' sake."""
        try:
            response = aws.call(self._client(), "Invoke", request)
            return {**response, "Payload": response["Payload"].read()}
        except (ClientError, HTTPClientError) as error:  # without a connection it is neither
            if isinstance(error, ClientError) and aws.http_status(error) < SERVER_FAULTS:
                raise
            raise self._failed(
                function, "of unknown end", f"its answer was lost, it may have run: {error}"
            ) from error

    def _client(self) -> "BaseClient":
        # Of botocore's own attempts each would be an invocation.
        return self.connection.client(
            "lambda",
            read_timeout=LONGEST_SECONDS,
            retries={"total_max_attempts": 1},
            tcp_keepalive=True,
        )

    def _members(self, function: str, returned: Json) -> dict[str, Json]:
        """What was returned as an object, which it need not be where no output is declared."""
        if isinstance(returned, dict):
            return returned
        if not self.step.outputs:
            return {}
        names = ", ".join(repr(output.name) for output in self.step.outputs)
        raise self._failed(
            function, "Failed", f"it returned {kind(returned)}, not an object with {names}"
        )

    def _heed_kill(self) -> None:
        if self._killed:
            raise WaitInterruptedError("the worker is told to end before AWS has taken the request")

    def _token(self, scope: RunScope) -> str:
        return f"{scope.execution_id}-{self.step.name}-{scope.context['ti'].max_tries}"

    def _failed(self, function: str, status: str, reason: str, *, tail: str = "") -> JobFailedError:
        return JobFailedError(
            step=self.step.name,
            noun="function",
            job_name=function,
            status=status,
            reason=reason,
            log_tail=tail.splitlines(),
        )


def _reason(returned: Json) -> str:
    """An error as Lambda describes it: its type and its message."""
    if not isinstance(returned, dict):
        return str(returned)
    told = (returned.get("errorType"), returned.get("errorMessage"))
    return ": ".join(str(each) for each in told if each) or json.dumps(returned)


TOKEN = "sm_pipelines_token"
SERVER_FAULTS = 500
LONGEST_SECONDS = 960.0
"""A function may run for 15 minutes; no answer comes from one that has run for longer."""
