"""The exceptions of the toolkits."""

_UNSUPPORTED = (
    "Content type {} is not supported by this framework; write an input_fn that reads it, or an "
    "output_fn that writes it"
)


class ClientError(Exception):
    """A user's mistake, as opposed to one of the framework."""


class ImportModuleError(ClientError):
    """A module could not be imported."""


class ChannelDoesNotExistException(Exception):  # noqa: N818  # the toolkit's name
    """There is no channel of that name."""

    def __init__(self, channel_name: str) -> None:
        super().__init__(f"Channel {channel_name} is not a valid channel")


class UnsupportedFormatError(Exception):
    """A content type that is neither read nor written."""

    def __init__(self, content_type: object) -> None:
        super().__init__(_UNSUPPORTED.format(content_type))


class BaseInferenceToolkitError(Exception):
    """What a request is answered with: an HTTP status, a message, and the body of the answer."""

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        super().__init__(status_code, message, phrase)
        self.status_code = status_code
        self.message = message
        self.phrase = phrase


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """The same, where one text is the message and the body."""

    def __init__(
        self, status_code: int, message: str | None = None, phrase: str | None = None
    ) -> None:
        told = message or "Invalid Request"
        super().__init__(status_code, told, phrase or told)
