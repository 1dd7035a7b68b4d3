"""What runs the executions of a local AWS: the DAG of each, in an Airflow of its own.

    runner.py     what a `LocalAWS` is given for it
    __main__.py   the program of one execution
    reusing.py    what it does of a pipeline of which a part has run before
    telling.py    what that program tells of its steps
    served.py     the local AWS as a process, with all this

It runs a pipeline as `airflow-sm run` does: there is no other engine than the DAG.
"""
