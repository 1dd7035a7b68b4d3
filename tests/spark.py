"""A stand-in for Spark: a `spark-submit` that runs its application with Python alone."""

import sys
from pathlib import Path

SUBMIT = f"""\
#!{sys.executable}
import os, sys
words = sys.argv[1:]
while words[0].startswith("--"):
    words = words[2:]
print("submitted", *sys.argv[1:], flush=True)
os.execv({sys.executable!r}, [{sys.executable!r}, *words])
"""

RULE = """
[[image]]
match = '^emr:'
name = "spark"
python = "{python}"
"""


def mapped(folder: Path) -> Path:
    """An `images.toml` that gives EMR an environment with the stand-in."""
    commands = folder / "bin"
    commands.mkdir(parents=True)
    (commands / "python").symlink_to(sys.executable)
    submit = commands / "spark-submit"
    submit.write_text(SUBMIT)
    submit.chmod(0o755)
    images = folder / "images.toml"
    images.write_text(RULE.format(python=commands / "python"))
    return images
