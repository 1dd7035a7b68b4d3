"""Lambda: functions that are really run."""
