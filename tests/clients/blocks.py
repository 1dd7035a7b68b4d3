"""Runs blocks of a page one after another, as the cells of a notebook: JSON in, JSON out.

It runs in the environment of a client, which has neither our package nor pytest.
"""

import json
import os
import sys
import time
import traceback

LONGEST_SLEEP_SECONDS = 0.2  # the SDKs sleep for ten between two looks at a job of one second


def main() -> None:
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(float(seconds), LONGEST_SLEEP_SECONDS))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    namespace: dict[str, object] = {"__name__": "__main__"}
    said = {}
    for name, code in json.load(sys.stdin):
        try:
            exec(compile(code, name, "exec"), namespace)
        except Exception:
            said[name] = traceback.format_exc()
        else:
            said[name] = ""
    json.dump(said, answers)
    answers.close()


main()
