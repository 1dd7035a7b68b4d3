"""Keep the rows that have a label."""

from pathlib import Path

BASE = Path("/opt/ml/processing")

lines = (BASE / "raw" / "raw.csv").read_text().splitlines()
labelled = [line for line in lines if not line.startswith(",")]
(BASE / "rows" / "rows.csv").write_text("\n".join(labelled))
