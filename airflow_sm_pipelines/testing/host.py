"""`python -m airflow_sm_pipelines.testing.host`: a local AWS that is made anew for each test.

Asked for a `Root` it serves one there, with nothing else in it; asked without, it serves none. The
port stays.
"""

from contextlib import ExitStack
from pathlib import Path

from airflow_sm_pipelines.errors import LocalRunError
from airflow_sm_pipelines.executions.runner import AirflowRunner
from airflow_sm_pipelines.local import LocalAWS, LocalError
from airflow_sm_pipelines.testing.child import Message, serve


class Host:
    """At most one local AWS at a time, all on the same port."""

    def __init__(self) -> None:
        self._serving = ExitStack()
        self._port = 0

    def answer(self, question: Message) -> Message:
        """End the local AWS that there is; where a root is named, start one there."""
        self._serving.close()
        if "Root" not in question:
            return {}
        try:
            aws = self._started(Path(question["Root"]))
        except LocalError as error:
            raise LocalRunError(str(error)) from error
        self._serving.callback(aws.stop)
        self._port = int(aws.endpoint_url.rpartition(":")[2])
        return {
            "EndpointUrl": aws.endpoint_url,
            "Environment": aws.environment,
            "AccountId": aws.account.id,
            "Region": aws.account.region,
            "RoleArn": aws.account.role_arn,
            "Bucket": aws.account.bucket,
        }

    def _started(self, root: Path) -> LocalAWS:
        try:
            return LocalAWS(root, port=self._port, runner=AirflowRunner()).start()
        except LocalError:
            if not self._port:
                raise
            # another program took the port meanwhile
            return LocalAWS(root, runner=AirflowRunner()).start()


if __name__ == "__main__":
    host = Host()
    serve(host.answer)
    host.answer({})
