"""What is durable when a write returns."""

from __future__ import annotations

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.stores import open_store
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import PostgreSQLServer


class TestSynchronousCommit:
    @pytest.mark.parametrize(
        ("setting", "writes", "ends"),
        [
            (None, "local", "local"),
            ("on", "on", "on"),
            ("off", "off", "local"),
            ("remote_apply", "remote_apply", "remote_apply"),
        ],
    )
    def test_what_a_write_commits_with(
        self,
        postgresql_server: PostgreSQLServer,
        url: str,
        new_table: str,
        setting: str | None,
        writes: str,
        ends: str,
    ) -> None:
        query = "" if setting is None else f"&synchronous_commit={setting}"
        # The server's own setting is another one, so that it can be told apart.
        store = open_store(
            f"{url}?table={new_table}&options=-c%20synchronous_commit%3Dlocal{query}"
        )
        assert isinstance(store, PostgresStore)
        store.create_schema()
        with postgresql_server.client() as client:
            client.execute(TOLD.format(table=new_table).encode())
        key, record = new_key(), new_record()
        stub = successor(record)
        assert store.swap(key, None, record)
        assert store.swap(key, record, stub)
        assert store.move(key, stub, successor(stub), new_key(), record)
        assert store.delete(key, successor(stub))
        told = postgresql_server.execute(f"SELECT commit FROM {new_table}_told ORDER BY n")
        assert [commit for (commit,) in told] == [writes, writes, ends, ends, ends]

    def test_something_else(self) -> None:
        with pytest.raises(ConfigurationError, match="synchronous_commit cannot be 'never'"):
            open_store("postgresql:///?synchronous_commit=never")


TOLD = """\
CREATE TABLE {table}_told (n serial, commit text);
CREATE FUNCTION {table}_tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO {table}_told (commit) SELECT current_setting('synchronous_commit');
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_tell();
"""
