"""A browser without JavaScript."""

from __future__ import annotations

import html
import http.cookiejar
import re
import typing as t
import urllib.error
import urllib.parse
import urllib.request

SESSION: t.Final = "sessionkit-demo"
TRACE: t.Final = "sessionkit-demo-trace"


class Page(t.NamedTuple):
    """What a visitor sees."""

    status: int
    source: str

    def all(self, pattern: str) -> list[str]:
        """Return what stands between tags that match *pattern*, as text."""
        found = re.findall(f"<{pattern}[^>]*>(.*?)</", self.source, re.DOTALL)
        return [_text(part) for part in found]

    def by_id(self, name: str) -> str:
        """Return the text of the element with this id."""
        match = re.search(rf'<(\w+)[^<>]* id="{name}"[^>]*>(.*?)</\1>', self.source, re.DOTALL)
        return _text(match[2]) if match else ""

    @property
    def owner(self) -> str | None:
        """Who is logged in."""
        said = self.by_id("identity").removeprefix("Logged in as ")
        return None if said == "Nobody is logged in." else said

    @property
    def flashes(self) -> list[str]:
        return self.all('p class="flash"')

    @property
    def cart(self) -> list[str]:
        match = re.search(r'<ul id="cart">(.*?)</ul>', self.source, re.DOTALL)
        return Page(200, match[1]).all("li") if match else []

    @property
    def visits(self) -> int:
        return int(self.by_id("visits"))

    @property
    def requests(self) -> list[str]:
        """Whose steps are shown."""
        return self.all("h3")

    def steps(self, request: str) -> list[str]:
        """Return what the session did in *request*, such as ``GET /wsgi/``."""
        part = self.source.partition(f"<h3><code>{request}</code></h3>")[2].partition("</ol>")[0]
        return [_text(item) for item in re.findall("<li>(.*?)</li>", part, re.DOTALL)]


class Visitor:
    """Keeps cookies; follows redirects unless told otherwise."""

    def __init__(self, url: str, user_agent: str = "visitor") -> None:
        self.url = url
        self._user_agent = user_agent
        self.cookies = http.cookiejar.CookieJar()
        self._handlers = [
            urllib.request.HTTPCookieProcessor(self.cookies),
            urllib.request.ProxyHandler({}),
        ]

    def get(self, path: str) -> Page:
        return self._open(urllib.request.Request(self.url + path))

    def post(self, path: str, *, follow: bool = True, **form: str) -> Page:
        body = urllib.parse.urlencode(form).encode()
        return self._open(urllib.request.Request(self.url + path, body), follow=follow)

    def cookie(self, name: str = SESSION) -> str | None:
        return next((cookie.value for cookie in self.cookies if cookie.name == name), None)

    def _open(self, request: urllib.request.Request, *, follow: bool = True) -> Page:
        handlers = [*self._handlers, *([] if follow else [_NoRedirect()])]

        try:
            request.add_header("User-Agent", self._user_agent)

            with urllib.request.build_opener(*handlers).open(request, timeout=30) as answer:
                return Page(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, error.read().decode())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: object) -> None:
        return None


def _text(source: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", "", source)).split())
