"""What several tests of Flask share."""

from __future__ import annotations

from flask.testing import FlaskClient


def cookie(client: FlaskClient) -> str | None:
    found = client.get_cookie("session")
    return None if found is None else found.value


def login(client: FlaskClient) -> str:
    with client.session_transaction() as opened:
        opened["user_id"] = 1

    value = cookie(client)
    assert value is not None
    return value
