"""`airflow-sm run`."""

from pathlib import Path
from typing import Annotated

import typer

from airflow_sm_pipelines.cli import source
from airflow_sm_pipelines.cli.console import others_write_to
from airflow_sm_pipelines.cli.home import fernet_key, new_run_folder
from airflow_sm_pipelines.cli.options import Connection, Parameters, Region, RoleArn, Root

EPILOG = """\
[bold]Examples[/]

airflow-sm run dags/pipelines/abalone/definition.json

airflow-sm run dags/pipelines/abalone/definition.json -p MseThreshold=0.1

airflow-sm run definition.json --connection aws_production

[bold]Exit code[/]

0 the run succeeded, 1 it failed or the definition is wrong, 2 nothing was started, 130 Ctrl-C
"""


def run(
    file: Annotated[
        str,
        typer.Argument(
            help="The pipeline definition: a JSON file, s3://bucket/key, pipeline:NAME, or - for "
            "standard input."
        ),
    ],
    parameter: Parameters = None,
    connection: Connection = None,
    region: Region = None,
    role_arn: RoleArn = None,
    root: Root = Path(".sm-local"),
) -> None:
    """Run a pipeline once, as an Airflow DAG, and show its steps while they run."""
    found = source.find(file, connection=connection, region=region)
    pipeline = source.pipeline(found)
    values = source.bind(pipeline, parameter or ())
    folder = new_run_folder(root / "runs", pipeline.name)
    key = fernet_key(root)
    with others_write_to(folder / "airflow.log") as terminal:
        from airflow_sm_pipelines.cli.session import Session

        session = Session(
            file=source.on_disk(found, folder),
            pipeline=pipeline,
            values=values,
            connection=connection,
            role_arn=role_arn,
            folder=folder,
            terminal=terminal,
            fernet_key=key,
        )
        code = session.run()
    raise typer.Exit(code)
