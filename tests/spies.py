"""Memory stores that say what was asked of them, and can be out of reach."""

from __future__ import annotations

from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.stores.memory import MemoryStore


class Watched(MemoryStore):
    """Calls :meth:`called` with the name of each method before it does anything."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def called(self, name: str) -> None:
        self.calls.append(name)

    def get(self, key: str, /) -> Record | None:
        self.called("get")
        return super().get(key)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        self.called("swap")
        return super().swap(key, expected, record)

    def delete(self, key: str, expected: Record, /) -> bool:
        self.called("delete")
        return super().delete(key, expected)

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        self.called("move")
        return super().move(old_key, expected, stub, new_key, record)

    def last_calls(self) -> list[str]:
        """Return the calls since this was last asked."""
        calls, self.calls = self.calls, []
        return calls


class Spy(Watched):
    """One that is out of reach as long as it is told to be."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False

    def called(self, name: str) -> None:
        super().called(name)

        if self.down:
            raise StoreUnavailable("no answer")
