"""Commands that show, by being run, what this machine can do."""

import subprocess
from collections.abc import Sequence

_PROBE_SECONDS = 20


def attempt(argv: Sequence[str]) -> str | None:
    """Run a command; None where it ends with 0, else what it says, or why it cannot be run."""
    try:
        ran = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except OSError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return f"a command did not end within {_PROBE_SECONDS} seconds"
    return None if ran.returncode == 0 else " ".join(ran.stderr.split())
