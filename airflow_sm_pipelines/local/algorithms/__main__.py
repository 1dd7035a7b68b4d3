"""The `train` command of a built-in algorithm's image: `python -I .../algorithms NAME`.

With a `sagemaker_program` among the hyperparameters it is script mode, as in AWS's XGBoost image.
"""

import importlib
import os
import runpy
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def main() -> None:
    """Run the user's script, or the algorithm that the first argument names.

    Python has put this directory first on `sys.path`, where `xgboost.py` would hide the library;
    the modules are those of a package `algorithms` instead, after everything else.
    """
    del sys.path[0]
    sys.path.append(str(_HERE.parent))
    container = importlib.import_module(f"{_HERE.name}.container")
    if "sagemaker_program" in container.read_config("hyperparameters.json"):
        script_mode = str(_HERE.with_name("script_mode.py"))
        os.execv(sys.executable, [sys.executable, "-I", script_mode])
    runpy.run_module(f"{_HERE.name}.{sys.argv[1]}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
