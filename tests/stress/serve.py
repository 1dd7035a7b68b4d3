"""A local AWS in a process of its own, so that what it holds can be counted from outside.

    python -m tests.stress.serve ROOT WORKERS

It ends when its stdin does.
"""

import sys
from pathlib import Path

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images

# Of the interpreter of the tests: script mode, a server on the port that containers have, others.
IMAGE_MAP = f"""
[[image]]
match = "script-mode"
name = "script mode"
python = "{sys.executable}"
train = "script-mode"

[[image]]
match = ""
name = "default"
python = "{sys.executable}"
serve = ["{{python}}", "/opt/ml/model/server.py", "8080"]
"""


def main() -> None:
    """Serve, and tell where."""
    root, workers = Path(sys.argv[1]), int(sys.argv[2])
    root.mkdir()
    (root / "images.toml").write_text(IMAGE_MAP)
    images = Images(root / "cache", config=root / "images.toml")
    with LocalAWS(root / "aws", images=images, workers=workers, grace_seconds=1) as aws:
        sys.stdout.write(f"{aws.endpoint_url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
