"""The index of owners in a folder that the system reads part by part."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionkit.stores._file_index import Entry
from sessionkit.stores.file import FileStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor


def test_a_session_that_is_renewed_while_a_large_folder_is_read_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(tmp_path / "sessions")
    records = {new_key(): new_record(owner="ann") for _ in range(20)}

    for key, record in records.items():
        assert store.swap(key, None, record)

    old, new = next(iter(records)), new_key()
    entries = store._index._entries

    def read(part: str) -> list[Entry]:
        """The new entry is made where it was read before; the old one is gone where it is not."""
        found = entries(part)
        monkeypatch.setattr(store._index, "_entries", entries)
        assert store.swap(new, None, new_record(owner="ann"))
        assert store.swap(old, records[old], successor(records[old], owner=None))
        return [entry for entry in found if entry.key != old]

    monkeypatch.setattr(store._index, "_entries", read)
    listed = store.owned_by("ann", 0.0)
    assert set(listed) == {new, *records} - {old}
    assert len(listed) == len(records)
