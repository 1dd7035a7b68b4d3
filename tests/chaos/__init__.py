"""The package proved by breaking Airflow under it: `README.md` says how."""
