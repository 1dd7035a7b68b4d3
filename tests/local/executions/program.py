"""The program of executions in these tests: it does what the parameter `Do` says, a JSON list.

An element with a `Step` or a `Status` is told, `{"exit": code}` ends it, `{"wait": true}` waits to
be ended, and ends with its server. What has `times` is for that try alone: 0 is the first one.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

order = json.loads((Path(sys.argv[1]) / "order.json").read_text())
(Path(sys.argv[1]) / "work").mkdir()
sys.stderr.write("at work\n")
for each in json.loads(order["Parameters"]["Do"]):
    if each.pop("times", order["Times"]) != order["Times"]:
        continue
    if "exit" in each:
        sys.exit(each["exit"])
    elif "wait" in each:
        sys.stdin.read()
        sys.exit(1)
    else:
        event = {"Time": datetime.now(UTC).isoformat(), "Attempt": 0} | each
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()
