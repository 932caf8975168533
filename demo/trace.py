"""Shows on each page what its request did with the session, and what the form before it did."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from itsdangerous import BadData
from itsdangerous import URLSafeTimedSerializer
from markupsafe import Markup
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from .recording import Recording
from .recording import Step
from .recording import record

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

#: Stands in a page where the list goes.
MARKER: t.Final = "<!-- trace -->"

# A form is answered by a redirect, so its steps wait in a cookie of their own for the next page.
# In the session they would change what they tell of.
COOKIE: t.Final = "sessionkit-demo-trace"
SECONDS: t.Final = 30
MOST_STEPS: t.Final = 20
MOST_CHARACTERS: t.Final = 120

LIST = Markup('<h3><code>{}</code></h3>\n<ol class="trace">{}</ol>\n')
ITEM = Markup('<li><b class="{0}">{0}</b> <span>{1} <small>{2}</small></span></li>')


class Trace:
    """Middleware around everything: records each request.

    :param cookie: name of the session's cookie.
    :param secrets: newest first; what waits for the next page is signed.
    """

    def __init__(self, app: WSGIApplication, cookie: str, secrets: cabc.Sequence[str]) -> None:
        self._app = app
        self._cookie = cookie
        self._serializer = URLSafeTimedSerializer([*reversed(secrets)], salt="demo trace")

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> cabc.Iterable[bytes]:
        request = Request(environ)

        with record() as recording:
            response = Response.from_app(self._app, environ, buffered=True)

        title = f"{request.method} {request.path}"
        steps = [*recording.steps, self._cookie_step(response, recording)]

        if request.method == "POST" and response.status_code == 303:
            self._keep(response, title, steps)
        elif MARKER.encode() in response.data:
            lists = [*self._kept(request), (title, steps)]
            shown = Markup("").join(_as_list(title, steps) for title, steps in lists)
            response.data = response.data.replace(MARKER.encode(), shown.encode())
            response.delete_cookie(COOKIE)

        return response(environ, start_response)

    def _cookie_step(self, response: Response, recording: Recording) -> Step:
        """Say what the answer does to the session's cookie, and why."""
        headers = map(str.strip, response.headers.getlist("Set-Cookie"))
        ours = [header for header in headers if header.startswith(f"{self._cookie}=")]
        events = recording.events

        if not ours:
            return Step("cookie", "not sent, since the id is still the same")

        attributes = ours[0].partition("; ")[2]

        if "Max-Age=0" in attributes:
            return Step("cookie", "deleted, since this request ended the session", attributes)

        if "renewed" in events:
            return Step("cookie", "set, since the session has a new id", attributes)

        if "destroyed" in events:
            return Step("cookie", "set, since the message waits in a new session", attributes)

        return Step("cookie", "set, since the session is new", attributes)

    def _keep(self, response: Response, title: str, steps: list[Step]) -> None:
        short = [[part[:MOST_CHARACTERS] for part in step] for step in steps[-MOST_STEPS:]]
        value = self._serializer.dumps([title[:MOST_CHARACTERS], short])
        response.set_cookie(COOKIE, str(value), max_age=SECONDS, httponly=True, samesite="Lax")

    def _kept(self, request: Request) -> list[tuple[str, list[Step]]]:
        try:
            title, steps = self._serializer.loads(request.cookies.get(COOKIE, ""), SECONDS)
        except BadData:
            return []

        return [(title, [Step(*step) for step in steps])]


def _as_list(title: str, steps: list[Step]) -> Markup:
    return LIST.format(title, Markup("").join(ITEM.format(*step) for step in steps))
