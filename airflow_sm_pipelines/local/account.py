"""The one account and region that the local AWS stands for."""

from dataclasses import dataclass
from datetime import UTC, datetime

ACCOUNT_ID = "123456789012"  # moto's default account, so that its ARNs and ours agree


@dataclass(frozen=True, slots=True)
class Account:
    """Where resources live: it gives them their ARNs."""

    region: str
    id: str = ACCOUNT_ID

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a SageMaker resource; SageMaker writes names in ARNs in lower case."""
        return f"arn:aws:sagemaker:{self.region}:{self.id}:{kind}/{name.lower()}"

    @property
    def role_arn(self) -> str:
        """The execution role that exists from the start."""
        return f"arn:aws:iam::{self.id}:role/SageMakerExecutionRole"

    @property
    def bucket(self) -> str:
        """The bucket that exists from the start, named like the SDK's default bucket."""
        return f"sagemaker-{self.region}-{self.id}"


def now() -> datetime:
    """The current time in milliseconds, the unit of SageMaker's answers."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
