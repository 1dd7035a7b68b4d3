"""What EMR would run, as a command of this machine, or why there is none.

A new jar is a function and a row of `JARS`.
"""

from collections.abc import Callable, Iterator, Sequence

from airflow_sm_pipelines.local.emr.bench import Bench, Ready
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.spark_job import HERE, on_folders


def of_jar(bench: Bench, jar: str, arguments: Sequence[str]) -> Ready:
    """The command of a HadoopJarStep; a `JobError` where this machine has none."""
    name = jar.rpartition("/")[2]
    if name not in JARS:
        raise JobError(
            f"{jar}: a jar of one's own needs Hadoop, which the local AWS does not have; "
            f"it runs {', '.join(JARS)}"
        )
    if not arguments:
        raise JobError(f"{name}: no arguments; the first one is what it runs")
    return JARS[name](bench, arguments)


def spark_submit(bench: Bench, arguments: Sequence[str]) -> Ready:
    """`spark-submit` on this machine alone, with what it is to run taken from S3.

    What an application reads and writes in S3 are the files of the buckets that there are.
    """
    submit = bench.spark()
    words, kept = list(arguments), ["--master", "local[*]", *_configuration(bench)]
    while words and words[0].startswith("-"):
        option, *words = words
        option, equals, value = option.partition("=")
        if not equals and option not in FLAGS and words:
            value, *words = words
        if option in ELSEWHERE:
            continue
        if option in FILES:
            value = ",".join(bench.fetched(each) for each in value.split(","))
        kept += [option] if option in FLAGS else [option, value]
    if not words:
        raise JobError("spark-submit: no application; name a .py or .jar file")
    application, *rest = words
    argv = [*submit.argv, *kept, bench.fetched(application), *rest]
    return Ready(argv=argv, variables={**submit.variables, **HERE})


def _configuration(bench: Bench) -> Iterator[str]:
    """Options that let Spark find the buckets without a client of S3: as folders.

    They come before an application's own, which count where both say something.
    """
    for name, value in on_folders(bench.objects.folders()).items():
        yield from ("--conf", f"{name}={value}")


def _command_runner(bench: Bench, arguments: Sequence[str]) -> Ready:
    program, *rest = arguments
    if program == "spark-submit":
        return spark_submit(bench, rest)
    return bench.command(program, *rest)


def _script_runner(bench: Bench, arguments: Sequence[str]) -> Ready:
    script, *rest = arguments
    return bench.command("bash", bench.fetched(script), *rest)


# Where Spark runs: here, whatever the cluster's way is.
ELSEWHERE = frozenset({"--master", "--deploy-mode"})
FLAGS = frozenset({"--verbose", "-v", "--supervise", "--help", "--version"})
FILES = frozenset({"--py-files", "--files", "--jars", "--archives", "--properties-file"})

JARS: dict[str, Callable[[Bench, Sequence[str]], Ready]] = {
    "command-runner.jar": _command_runner,
    "script-runner.jar": _script_runner,
}
