"""botocore's service models, read once in this process.

Each task makes clients in sessions of their own, and each session parses megabytes of JSON again:
half a second per client, which is most of what a short step takes.
"""

import functools

import botocore.loaders
import botocore.session


def share() -> None:
    """Let all sessions that are made from now on share what one of them has read."""
    botocore.session.create_loader = _create_loader


_create_loader = functools.cache(botocore.loaders.create_loader)
