"""Pages for a browser: what a job is at this moment, its log, and what is in S3. Read only.

/_local/resources/<kind>/<name>   what Describe answers, and the request of a job
/_local/logs/<kind>/<name>        the log of a job, as text
/_local/s3/<bucket>/<key>         an object, or what is below a prefix

Links in Airflow's UI lead here. A page is answered only where the browser asks for this very host:
a name that an attacker has pointed at this machine is none.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import wrap_file

from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.hosts import logs_of
from airflow_sm_pipelines.local.job import Fields, Job, JobKind
from airflow_sm_pipelines.local.jobs import Jobs
from airflow_sm_pipelines.local.registry import KINDS, Registry
from airflow_sm_pipelines.local.s3 import listing
from airflow_sm_pipelines.local.s3.store import Store
from airflow_sm_pipelines.local.s3.walk import Found
from airflow_sm_pipelines.local.transport import WSGIApp

_PREFIX = "/_local/"
_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_LARGEST_LOG_BYTES = 5_000_000
_MOST_OBJECTS = 1_000
_PIECE_BYTES = 1 << 20


class Pages:
    """The pages, before an app that answers everything else."""

    def __init__(
        self,
        app: WSGIApp,
        jobs: Jobs,
        registry: Registry,
        *,
        kinds: tuple[JobKind, ...],
        store: Store,
    ) -> None:
        self._app = app
        self._jobs = jobs
        self._registry = registry
        self._kinds = {kind.noun: kind for kind in kinds}
        self._store = store
        self._pages: dict[str, Callable[[str, Fields], Response]] = {
            "resources": self._resource,
            "logs": self._log,
            "s3": self._s3_page,
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        page = self._page(environ) or self._app
        return page(environ, start_response)

    def _page(self, environ: Mapping[str, Any]) -> Response | None:
        """The page that is asked for, or None where none is."""
        path = environ.get("PATH_INFO", "")
        name, _, rest = path.removeprefix(_PREFIX).partition("/")
        asked = path.startswith(_PREFIX) and name in self._pages and rest
        if not asked or environ["REQUEST_METHOD"] != "GET" or "HTTP_ORIGIN" in environ:
            return None
        request = Request(dict(environ))
        if urlsplit(f"//{request.host}").hostname not in _HOSTS:
            return _text(f"{request.host} is not this machine's own name\n", status=403)
        try:
            return self._pages[name](rest, request.args.to_dict())
        except AwsError as error:
            return _text(f"{error}\n", status=404)

    def _resource(self, path: str, told_apart: Fields) -> Response:
        kind, _, name = path.partition("/")
        if kind in KINDS:
            described = self._registry.get(KINDS[kind], name)
            return _html(kind, name, [("Description", _laid_out(described))])
        job = self._job(kind, name, told_apart)
        sections = [("Description", _laid_out(job.describe())), ("Request", _laid_out(job.request))]
        return _html(kind, name, sections, log=f"{_PREFIX}logs/{kind}/{quote(name)}")

    def _log(self, path: str, told_apart: Fields) -> Response:
        kind, _, name = path.partition("/")
        logs = logs_of(self._job(kind, name, told_apart))
        if len(logs) == 1:
            return _text(_end(*logs.values()))
        return _text(b"".join(b"==> %s\n%s\n" % (h.encode(), _end(f)) for h, f in logs.items()))

    def _job(self, noun: str, name: str, told_apart: Fields) -> Job:
        if noun not in self._kinds:
            known = ", ".join([*self._kinds, *KINDS])
            raise AwsError("UnknownKind", f"no kind {noun!r} of job; it would be one of {known}")
        kind = self._kinds[noun]
        scope = {kind.scope: told_apart.get(kind.scope, "")} if kind.scope else {}
        return self._jobs.get(kind, {kind.name_key: name, **scope})

    def _s3_page(self, path: str, _: Fields) -> Response:
        bucket, _slash, key = path.partition("/")
        if key and not key.endswith("/"):
            if self._store.find(bucket, key) is not None:
                content, _stored = self._store.open(bucket, key)
                return _text(wrap_file({}, content, _PIECE_BYTES))
            key += "/"
        return self._folder(bucket, key)

    def _folder(self, bucket: str, prefix: str) -> Response:
        """What is directly in a folder; no further than its first objects are looked at."""
        query = {"prefix": prefix, "delimiter": "/", "max-keys": str(_MOST_OBJECTS)}
        listed, more = listing.listed(self._store, bucket, query)
        rows = [_row(bucket, each, prefix) for each in listed if isinstance(each, str)]
        rows += [
            f"{_row(bucket, each.key, prefix)} {each.size:,} bytes"
            for each in listed
            if isinstance(each, Found)
        ]
        told = "\n".join([*rows, *(["..."] if more else ())]) or "nothing"
        return _html("s3", f"{bucket}/{prefix}", [("", told)])


def _row(bucket: str, key: str, prefix: str) -> str:
    """A link to an object or a folder, named by what is below the folder it is shown in."""
    address = f"{_PREFIX}s3/{quote(bucket)}/{quote(key)}"
    return f'<a href="{address}">{escape(key.removeprefix(prefix))}</a>'


def _laid_out(value: Fields) -> str:
    return escape(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def _end(log: Path) -> bytes:
    """The end of a log, or all of it."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LARGEST_LOG_BYTES))
        return file.read()


def _html(kind: str, name: str, sections: list[tuple[str, str]], *, log: str = "") -> Response:
    """A page of sections, whose content is HTML already."""
    head = f"<h1>{escape(kind)} <small>{escape(name)}</small></h1>"
    link = f'<p><a href="{log}">Log</a></p>' if log else ""
    body = "".join(
        f"<h2>{escape(title)}</h2><pre>{content}</pre>" if title else f"<pre>{content}</pre>"
        for title, content in sections
    )
    style = "body{font-family:sans-serif;margin:2em}pre{white-space:pre-wrap}"
    content = (
        f'<!doctype html><meta charset="utf-8"><title>{escape(name)}</title>'
        f"<style>{style}</style>{head}{link}{body}"
    )
    return Response(content, content_type="text/html; charset=utf-8", headers=_SAFE)


def _text(content: bytes | str | Iterable[bytes], *, status: int = 200) -> Response:
    """Text as it is: nothing of a job's is ever run by the browser."""
    return Response(content, status=status, content_type="text/plain; charset=utf-8", headers=_SAFE)


_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
