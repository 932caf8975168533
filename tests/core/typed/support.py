"""Schemas of a shop."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from sessionkit import Typed


@dataclasses.dataclass
class Shop:
    user: str
    cart: list[str] = dataclasses.field(default_factory=list)
    prices: dict[str, int] = dataclasses.field(default_factory=dict)
    currency: str = "EUR"
    seen: datetime.datetime | None = None

    def total(self) -> int:
        return sum(self.prices[item] for item in self.cart)


class Basket(t.TypedDict, total=False):
    items: list[str]
    note: str


shop = Typed(Shop)


def split(version: int, values: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"items": values["list"].split(",")}


second: t.Any = Typed(Basket, version=2, migrate=split, former=["list"])


class Mixin:
    unrelated: int

    @property
    def doubled(self) -> int:
        return int(t.cast(t.Any, self).count * 2)

    @doubled.setter
    def doubled(self, value: int) -> None:
        t.cast(t.Any, self).count = value // 2


@dataclasses.dataclass(slots=True)
class Special(Mixin):
    shared: t.ClassVar[int] = 1
    given: dataclasses.InitVar[int] = 2
    _: dataclasses.KW_ONLY
    count: t.Annotated[int, "how many"] = 3
    _session: int = 4
    rows: tuple[list[int], ...] = ([],)
