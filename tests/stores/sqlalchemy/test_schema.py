"""The table: who makes it, what it is called, and what becomes of another one."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
import sqlalchemy.event
import sqlalchemy.exc
import sqlalchemy.orm
import sqlalchemy.pool

from sessionkit.errors import ConfigurationError
from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.testing import new_key
from sessionkit.testing._support import in_threads
from tests.stores.sqlalchemy.support import drop
from tests.stores.sqlalchemy.support import each
from tests.stores.sqlalchemy.support import execute
from tests.stores.sqlalchemy.support import fails
from tests.stores.sqlalchemy.support import opened
from tests.stores.sqlalchemy.support import write


class TestSchema:
    def test_a_table_that_is_not_there(self, url: str) -> None:
        store = SQLAlchemyStore(url, table="not_there")
        for operation in each(store):
            fails(operation, r"no table not_there: call create_schema\(\)", unreachable=False)

    def test_it_can_be_made_again(self, url: str) -> None:
        store = opened(url)
        key, record = write(store)
        store.create_schema()
        assert store.get(key) == record

    def test_many_make_it_at_once(self, url: str) -> None:
        for turn in range(3):
            stores = [SQLAlchemyStore(url, table=f"table_{turn}") for _ in range(4)]
            drop(url, f"table_{turn}")
            in_threads([store.create_schema for store in stores])
            write(stores[0])
            inspector = sa.inspect(sa.create_engine(url, poolclass=sa.pool.NullPool))
            assert len(inspector.get_indexes(f"table_{turn}")) == 2

    def test_an_index_that_is_missing_is_made(self, url: str) -> None:
        store = opened(url, table="half")
        inspector = sa.inspect(sa.create_engine(url, poolclass=sa.pool.NullPool))
        on = " ON half" if url.startswith("mysql") else ""
        execute(url, f"DROP INDEX half_owner{on}")
        store.create_schema()
        assert len(inspector.get_indexes("half")) == 2

    def test_the_sql_for_those_who_migrate_by_hand(self, url: str) -> None:
        drop(url, "by_hand")
        store = SQLAlchemyStore(url, table="by_hand")
        for statement in filter(str.strip, store.schema().split(";")):
            execute(url, statement)
        write(store)
        store.create_schema()

    def test_another_table_of_that_name(self, url: str) -> None:
        drop(url, "another")
        execute(url, "CREATE TABLE another (x INTEGER)")
        store = SQLAlchemyStore(url, table="another")
        fails(lambda: store.get(new_key()), "another is not a table of", unreachable=False)
        fails(lambda: write(store), "another is not a table of", unreachable=False)
        with pytest.raises(ConfigurationError, match="without key, payload"):
            store.create_schema()

    @pytest.mark.parametrize("table", ["", "a-b", "a.b", "1a", "a b", "a;--", "x" * 55, "é"])
    def test_names_that_are_none(self, table: str) -> None:
        with pytest.raises(ConfigurationError, match="no table name"):
            SQLAlchemyStore("mysql+pymysql://host/db", table=table)

    def test_a_reserved_word(self, url: str) -> None:
        write(opened(url, table="select"))
