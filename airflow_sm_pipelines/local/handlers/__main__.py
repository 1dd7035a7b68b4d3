"""The command of a handler: `python -I .../handlers NAME`, NAME being a package beside this."""

import runpy
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def main() -> None:
    """Run the handler that the first argument names, as part of a package `handlers`."""
    sys.path[0] = str(_HERE.parent)
    sys.path.append(sys.path.pop(0))
    runpy.run_module(f"{_HERE.name}.{sys.argv[1]}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
