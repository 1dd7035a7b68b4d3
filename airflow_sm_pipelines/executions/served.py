"""`python -m airflow_sm_pipelines.executions.served`: the local AWS, which can start executions.

It has the options of `python -m airflow_sm_pipelines.local`.
"""

import sys

from airflow_sm_pipelines.executions.runner import AirflowRunner
from airflow_sm_pipelines.local.__main__ import main

if __name__ == "__main__":
    sys.exit(main(runner=AirflowRunner()))
