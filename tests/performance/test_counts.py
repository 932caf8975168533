"""What a request asks of its store: at the wire, of SQLite and of the file system. Exact."""

from __future__ import annotations

import pytest

from tests.performance.conftest import CountAll
from tests.performance.conftest import Found

#: By store: what is sent to read; beside that to replace, to renew and to end; and to create.
WSGI = {
    "redis": ("GET", "EVALSHA", "EVALSHA", "EVALSHA", "SET"),
    "memcached": ("gets", "cas", "add cas", "md", "add"),
    "postgres": ("SELECT", "UPDATE", "UPDATE+INSERT", "DELETE", "INSERT"),
    "sqlite": ("SELECT", "UPDATE", "BEGIN UPDATE INSERT COMMIT", "DELETE", "INSERT"),
}
#: What is large goes to a place beside in the same round trip, since scripts copy their arguments.
REPLACE_LARGE = {"redis": "SET EVALSHA UNLINK"}
AT_A_WIRE = ("redis", "memcached", "postgres")


def assert_commands(found: Found, store: str, login: str) -> None:
    read, replace, renew, end, create = WSGI[store]
    assert {name: " ".join(counts.commands) for name, counts in found.items()} == {
        "untouched": "",
        "untouched-cookie": "",
        "read": read,
        "write": f"{read} {replace}",
        "nested": f"{read} {replace}",
        "create": create,
        "rolling": read,
        "refresh": f"{read} {replace}",
        "login": f"{read} {renew} {login}".strip(),
        "logout": f"{read} {end}",
        "read-100k": read,
        "write-100k": f"{read} {REPLACE_LARGE.get(store, replace)}",
    }


@pytest.mark.parametrize("framework", ["wsgi", "flask"])
@pytest.mark.parametrize("store", WSGI)
def test_requests_of_wsgi_and_flask(count_all: CountAll, store: str, framework: str) -> None:
    found = count_all(f"sessionkit/{framework}/{store}")
    assert_commands(found, store, login="")

    for name, counts in found.items():
        one_each = len(counts.commands) - (2 if "UNLINK" in counts.commands else 0)
        assert counts.round_trips == (one_each if store in AT_A_WIRE else 0), name


@pytest.mark.parametrize("store", ["redis", "sqlite"])
def test_requests_of_django(count_all: CountAll, store: str) -> None:
    # cycle_key() saves at once, as its callers rely on; what follows is another write.
    _, replace, *_ = WSGI[store]
    assert_commands(count_all(f"sessionkit/django/{store}"), store, login=replace)


def test_files_are_opened_and_never_moved(count_all: CountAll) -> None:
    found = count_all("sessionkit/wsgi/file")
    commands = {name: sorted(counts.commands) for name, counts in found.items()}

    # Read without the lock; then the lock's folder and the file are opened.
    replace = ["flock", "open", "open", "open"]

    for name in ("untouched", "untouched-cookie"):
        assert commands[name] == []

    for name in ("read", "rolling", "read-100k"):
        assert commands[name] == ["open"], name

    for name in ("write", "nested", "refresh", "write-100k"):
        assert commands[name] == replace, name

    assert commands["logout"] == sorted([*replace, "remove"])
    assert not any("rename" in done for done in commands.values())


@pytest.mark.parametrize("store", ["memory", "cookie"])
def test_no_server_and_no_file_is_asked(count_all: CountAll, store: str) -> None:
    found = count_all(f"sessionkit/wsgi/{store}")
    assert not any(counts.commands or counts.round_trips for counts in found.values())
