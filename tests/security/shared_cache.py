"""A shared cache after RFC 9111, as simple and as greedy as the standard allows."""

from __future__ import annotations

import typing as t

from tests.security.sites import Answer
from tests.security.sites import Jar

#: Statuses that may be kept without an explicit lifetime (RFC 9110 section 15.1).
HEURISTIC = (200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501)


class SharedCache:
    """Stands between browsers and a site; time stands still, so nothing gets stale."""

    def __init__(self) -> None:
        self._stored: list[tuple[str, dict[str, str | None], Answer]] = []
        self.hits = 0

    def get(self, jar: Jar, path: str, **extra: t.Any) -> Answer:
        headers = {"cookie": _cookie_of(jar), **_header_fields(extra)}

        for stored_path, selecting, answer in self._stored:
            if stored_path == path and all(headers.get(n) == v for n, v in selecting.items()):
                self.hits += 1
                jar._keep(answer)
                return answer

        answer = jar.get(path, **extra)
        names = {name.strip().lower() for value in answer.all("Vary") for name in value.split(",")}

        if self._may_store(answer) and "*" not in names:
            self._stored.append((path, {name: headers.get(name) for name in names}, answer))

        return answer

    def _may_store(self, answer: Answer) -> bool:
        directives = {
            part.strip().lower()
            for value in answer.all("Cache-Control")
            for part in value.split(",")
        }
        names = {directive.partition("=")[0] for directive in directives}

        if directives & {"private", "no-store", "no-cache", "max-age=0", "s-maxage=0"}:
            return False

        explicit = bool(names & {"max-age", "s-maxage", "public"} or answer.all("Expires"))
        return explicit or answer.status in HEURISTIC


def _cookie_of(jar: Jar) -> str | None:
    return "; ".join(f"{key}={value}" for key, value in jar.cookies.items()) or None


def _header_fields(extra: dict[str, t.Any]) -> dict[str, t.Any]:
    prefix = "HTTP_"
    return {
        name.removeprefix(prefix).lower().replace("_", "-"): value
        for name, value in extra.items()
        if name.startswith(prefix)
    }
