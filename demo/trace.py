"""What a request did with its session: recorded at the store and at the answer's headers."""

from __future__ import annotations

import collections.abc as cabc
import contextvars
import time
import typing as t

from markupsafe import Markup
from markupsafe import escape

from sessionkit import Record
from sessionkit import Store
from sessionkit import signals

if t.TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

#: Stands in the page where the trace of its own request goes.
MARKER: t.Final = "<!-- trace -->"

R = t.TypeVar("R")

_lines: contextvars.ContextVar[list[str]] = contextvars.ContextVar("demo.trace")


def note(line: str) -> None:
    lines = _lines.get(None)

    if lines is not None:
        lines.append(line)


class RecordingStore:
    """Passes everything on to *store*, and notes each command."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str, /) -> Record | None:
        return self._timed("get", self._store.get, key)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        what = "swap (update)" if expected else "swap (create)"
        return self._timed(what, self._store.swap, key, expected, record)

    def delete(self, key: str, expected: Record, /) -> bool:
        return self._timed("delete", self._store.delete, key, expected)

    def __getattr__(self, name: str) -> t.Any:
        attribute = getattr(self._store, name)

        if name not in ("move", "owned_by"):
            return attribute

        return lambda *args: self._timed(name.replace("_", " "), attribute, *args)

    def _timed(self, what: str, call: cabc.Callable[..., R], *args: object) -> R:
        begin = time.perf_counter()
        result = call(*args)
        lost = " – refused, somebody else was faster" if result is False else ""
        note(f"store: {what}, {(time.perf_counter() - begin) * 1000:.2f} ms{lost}")
        return result


class Trace:
    """Puts the trace of each request into its page, in place of :data:`MARKER`."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._receivers = [_listen(name) for name in ("created", "saved", "renewed", "merged")]
        self._receivers += [_listen(name) for name in ("destroyed", "dropped", "superseded_use")]

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> cabc.Iterable[bytes]:
        lines: list[str] = []
        token = _lines.set(lines)
        said: list[tuple[str, list[tuple[str, str]], OptExcInfo | None]] = []

        def hold(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
        ) -> cabc.Callable[[bytes], object]:
            said.append((status, headers, exc_info))
            return written.append

        written: list[bytes] = []

        try:
            chunks = self._app(environ, hold)
            body = b"".join([*written, *chunks])
            getattr(chunks, "close", lambda: None)()
        finally:
            _lines.reset(token)

        status, headers, exc_info = said[-1]
        lines.append(_cookie_line(headers))
        body = body.replace(MARKER.encode(), _as_list(lines).encode())
        headers = [header for header in headers if header[0].lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))], *_given(exc_info))
        return [body]


def _listen(name: str) -> cabc.Callable[..., None]:
    def receiver(sender: object, **values: t.Any) -> None:
        keys = ", ".join(sorted(values.get("keys") or ()))
        reason = f" ({values['reason']})" if values.get("reason") else ""
        note(f"session {name.replace('_', ' ')}{reason}{': ' if keys else ''}{keys}")

    getattr(signals, name).connect(receiver)
    return receiver


def _cookie_line(headers: list[tuple[str, str]]) -> str:
    cookies = [value for key, value in headers if key.lower() == "set-cookie"]

    if not cookies:
        return "cookie: none sent, since the id did not change"

    _, _, attributes = cookies[0].partition("; ")
    kind = "deleted" if "Max-Age=0" in attributes else "set for a new id"
    return f"cookie: {kind}; {attributes}"


def _as_list(lines: list[str]) -> str:
    items = Markup("").join(Markup("<li>{}</li>").format(escape(line)) for line in lines)
    return str(Markup('<ol class="trace">{}</ol>').format(items))


def _given(exc_info: OptExcInfo | None) -> tuple[OptExcInfo, ...]:
    return () if exc_info is None else (exc_info,)
