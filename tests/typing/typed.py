"""What an editor shows for typed sessions. Checked by mypy and pyright, never run."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import dataclasses
import typing as t

from typing_extensions import assert_type

from sessionkit import Session
from sessionkit import Typed
from sessionkit import current_session


@dataclasses.dataclass
class Shop:
    cart: list[str] = dataclasses.field(default_factory=list[str])
    currency: str = "EUR"


class Basket(t.TypedDict):
    items: list[str]


shop = Typed(Shop)
basket = Typed(Basket)


def fields_have_their_types(session: Session) -> None:
    assert_type(shop(session), Shop)
    assert_type(shop(session).cart, list[str])
    assert_type(shop(current_session()).currency, str)
    assert_type(basket(session)["items"], list[str])


def mistakes_are_found(session: Session) -> None:
    shop(session).currency = 5  # type: ignore[assignment]
    shop(session).cart.append(5)  # type: ignore[arg-type]
    _ = basket(session)["item"]  # type: ignore[typeddict-item]
