"""How records go through the servers of a transform job, several requests at a time.

Results come in the order of the input; what is held in memory are the requests under way.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from airflow_sm_pipelines.local import reasons
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.job import Fields, Job
from airflow_sm_pipelines.local.serving.association import Association, association
from airflow_sm_pipelines.local.serving.caller import Reply
from airflow_sm_pipelines.local.serving.model_server import ModelServer
from airflow_sm_pipelines.local.serving.records import Batch, batches, split
from airflow_sm_pipelines.local.serving.transform_input import Source

_MB = 1024 * 1024
_DEFAULT_PAYLOAD_MB = 6
_TIMEOUT_SECONDS = 600
_RETRIES = 3
_MAX_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How requests are made: what the job says, or else the container, or else the default."""

    at_once: int
    single: bool
    payload_mb: int
    timeout_seconds: int
    retries: int

    @property
    def told(self) -> str:
        """The line that the service writes into a job's log."""
        strategy = "SINGLE_RECORD" if self.single else "MULTI_RECORD"
        return (
            f"MaxConcurrentTransforms={self.at_once}, MaxPayloadInMB={self.payload_mb}, "
            f"BatchStrategy={strategy}"
        )


def settings(request: Fields, parameters: Mapping[str, object]) -> Settings:
    """The settings of a job, from its request and the container's execution parameters."""
    client = request.get("ModelClientConfig") or {}
    strategy = request.get("BatchStrategy") or parameters.get("BatchStrategy")
    payload = request.get("MaxPayloadInMB", parameters.get("MaxPayloadInMB"))
    at_once = request.get("MaxConcurrentTransforms") or parameters.get("MaxConcurrentTransforms")
    splits = (request["TransformInput"].get("SplitType") or "None") != "None"
    return Settings(
        at_once=min(_whole(at_once, 1), _MAX_AT_ONCE),
        single=splits and strategy in ("SingleRecord", "SINGLE_RECORD"),
        payload_mb=_whole(payload, _DEFAULT_PAYLOAD_MB),
        timeout_seconds=client.get("InvocationsTimeoutInSeconds", _TIMEOUT_SECONDS),
        retries=client.get("InvocationsMaxRetries", _RETRIES),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One input that has been through: its results, or why there are none."""

    source: Source
    file: Path
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A part of one input on its way; the last one of an input has no batch."""

    source: Source
    batch: Batch = ()
    failure: str = ""


class Feed:
    """Sends the records of a job to the servers of its model, one after the other."""

    def __init__(self, job: Job, servers: list[ModelServer], asked: Settings) -> None:
        self._job = job
        self._servers = servers
        self._asked = asked
        self._split = job.request["TransformInput"].get("SplitType") or "None"
        self._assembles = job.request["TransformOutput"].get("AssembleWith") == "Line"
        self._association: Association = association(job.request, single=asked.single)
        self._content_type = _header("Content-Type", job.request["TransformInput"], "ContentType")
        self._accept = _header("Accept", job.request["TransformOutput"], "Accept")
        self._failed: set[Source] = set()

    def results(self, inputs: Iterable[Source]) -> Iterator[Done]:
        """The inputs, each when all of its records have been answered, or one of them has not."""
        failure = ""
        for piece, answer in self._in_order(self._pieces(inputs)):
            file = self._job.folder / "output" / f"{piece.source.name}.out"
            failure = failure or piece.failure
            if answer is None:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
                yield Done(source=piece.source, file=file, failure=failure)
                failure = ""
                continue
            try:
                self._write(file, answer.result())
            except JobError as error:
                self._failed.add(piece.source)
                failure = failure or str(error)

    def _pieces(self, inputs: Iterable[Source]) -> Iterator[_Piece]:
        limit = self._asked.payload_mb * _MB
        for source in inputs:
            failure = ""
            try:
                with source.open() as file:
                    records = split(file, self._split)
                    for batch in batches(records, single=self._asked.single, limit_bytes=limit):
                        if source in self._failed:
                            break
                        yield _Piece(source=source, batch=batch)
            except JobError as error:
                failure = str(error)
            except (EOFError, OSError) as error:
                failure = f"ClientError: {error}"
            yield _Piece(source=source, failure=failure)

    def _in_order(
        self, pieces: Iterator[_Piece]
    ) -> Iterator[tuple[_Piece, "Future[bytes] | None"]]:
        """Every piece with its results to come; twice as many as are answered at once are ahead."""
        ahead: deque[tuple[_Piece, Future[bytes] | None]] = deque()
        with ThreadPoolExecutor(self._asked.at_once, thread_name_prefix="transform") as pool:
            try:
                for piece in pieces:
                    self._job.go_on()
                    answer = pool.submit(self._answer, piece.batch) if piece.batch else None
                    ahead.append((piece, answer))
                    if len(ahead) > 2 * self._asked.at_once:
                        yield ahead.popleft()
                while ahead:
                    yield ahead.popleft()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, batch: Batch) -> bytes:
        """What the model makes of a batch, as it is to be stored."""
        content = self._association.body(batch)
        headers = self._content_type
        for server in self._servers:
            accept = self._accept if server is self._servers[-1] else {}
            reply = self._ask(server, content, {**headers, **accept})
            content, headers = reply.body, _header("Content-Type", reply.headers, "content-type")
        return self._association.results(batch, content)

    def _ask(self, server: ModelServer, body: bytes, headers: Mapping[str, str]) -> Reply:
        failure = ""
        for _ in range(1 + self._asked.retries):
            self._job.go_on()
            try:
                reply = server.invoke(body, headers, timeout_seconds=self._asked.timeout_seconds)
            except OSError as error:
                if server.dies():
                    raise JobError(server.death()) from error
                failure = f"AlgorithmError: no answer from /invocations: {error}"
                continue
            if reply.fine:
                return reply
            failure = self._bad(reply)
            if reply.status < 500:  # the same request would be refused again
                break
        raise JobError(failure)

    def _bad(self, reply: Reply) -> str:
        """What a refusal tells: the answer's text, or else the last error in the log."""
        kind = "ClientError" if reply.status < 500 else "AlgorithmError"
        text = reply.body[: reasons.REASON_LENGTH].decode(errors="replace").strip()
        said = text if text and not text.startswith("<") else reasons.last_error(self._job.log)
        return f"{kind}: Bad HTTP status received from algorithm: {reply.status}: {said}"

    def _write(self, file: Path, content: bytes) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as output:
            output.write(content)
            if self._assembles and content and not content.endswith(b"\n"):
                output.write(b"\n")


def _header(name: str, told: Mapping[str, str], key: str) -> dict[str, str]:
    """A header of what is told under `key`, if anything is."""
    return {name: told[key]} if told.get(key) else {}


def _whole(value: object, default: int) -> int:
    with suppress(TypeError, ValueError):
        return int(value)  # type: ignore[call-overload, no-any-return]
    return default
