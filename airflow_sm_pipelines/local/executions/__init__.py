"""Executions of pipelines: what StartPipelineExecution starts, and what is asked of it.

    service.py    the operations of SageMaker
    execution.py  one execution: what Describe and ListPipelineExecutionSteps say of it
    selection.py  what it reuses of an execution before
    metadata.py   what a step has made, as the list of steps tells it
    engine.py     runs executions, a few at once
    findings.py   what the server knows of a step that has not ended
    runner.py     what runs an execution: a program that is given from outside
    process.py    that program while it runs

Nothing here knows how a pipeline is run.
"""
