"""`sagemaker_training.logging_config`."""

import logging


def get_logger() -> logging.Logger:
    """The toolkit's logger."""
    return logging.getLogger("sagemaker-training-toolkit")


def configure_logger(
    level: int, log_format: str = "%(asctime)s %(name)-12s %(levelname)-8s %(message)s"
) -> None:
    """Let all that is logged from `level` on be printed."""
    logging.basicConfig(format=log_format, level=level)
