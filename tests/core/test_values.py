"""Values: decoded one at a time, watched for nested changes, replayed on what others stored."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit.codec import Codec
from sessionkit.errors import ValueNotSupported
from sessionkit.values import Values

UNREADABLE = b"\xff\xff"

codec = Codec()


def encoded(**values: object) -> dict[str, bytes]:
    return {key: codec.encode(value, key) for key, value in values.items()}


def made(**values: object) -> Values:
    return Values(codec, encoded(**values), "session")


def decoded(values: Values) -> dict[str, t.Any]:
    return {key: codec.decode(value) for key, value in values.encoded().items()}


def add(number: int) -> t.Callable[[int], int]:
    return lambda value: value + number


def test_only_what_is_read_is_decoded() -> None:
    decodings = []

    class Counting(Codec):
        def decode(self, data: bytes, /) -> t.Any:
            decodings.append(data)
            return super().decode(data)

    values = Values(Counting(), encoded(a=1, b=[1], c={}), "session")
    assert values.get("b") == [1]
    assert values.get("b") is values.get("b")
    assert len(decodings) == 1


def test_nested_changes_are_found() -> None:
    values = made(cart={"items": [1]}, other=1)
    values.get("cart")["items"].append(2)
    values.settle()
    assert values.changed() == {"cart"}
    assert decoded(values) == {"cart": {"items": [1, 2]}, "other": 1}


def test_a_value_that_was_assigned_is_watched_too() -> None:
    values = made()
    cart: list[int] = []
    values.put("cart", cart)
    cart.append(1)
    values.settle()
    assert decoded(values) == {"cart": [1]}


def test_what_is_changed_back_has_not_changed() -> None:
    values = made(cart=[1])
    values.get("cart").append(2)
    values.settle()
    values.get("cart").pop()
    values.settle()
    assert values.changed() == set()


def test_an_unsupported_value_is_refused_where_it_is_assigned_and_leaves_the_old_one() -> None:
    values = made(a=1)

    with pytest.raises(ValueNotSupported, match=r"session\['a'\]"):
        values.put("a", object())

    assert values.get("a") == 1


def test_an_unsupported_nested_value_is_named_when_changes_are_looked_for() -> None:
    values = made(a={"b": []})
    values.get("a")["b"].append(object())

    with pytest.raises(ValueNotSupported, match=r"session\['a'\]\['b'\]\[0\]"):
        values.settle()


def test_a_removed_value_is_no_longer_watched() -> None:
    values = made(a=[1])
    held = values.get("a")
    values.remove("a")
    held.append(2)
    values.settle()
    assert decoded(values) == {}

    with pytest.raises(KeyError):
        values.remove("a")


class TestUndecodable:
    def test_it_is_absent_and_kept(self) -> None:
        values = Values(codec, {"bad": UNREADABLE, **encoded(good=1)}, "session")
        assert not values.has("bad")
        assert values.readable_keys() == ["good"]
        values.put("good", 2)
        assert values.changed() == {"good"}
        assert values.encoded()["bad"] == UNREADABLE

    def test_deleting_it_fails_and_keeps_it(self) -> None:
        values = Values(codec, {"bad": UNREADABLE}, "session")
        assert not values.has("bad")

        with pytest.raises(KeyError):
            values.remove("bad")

        assert values.encoded() == {"bad": UNREADABLE}

    def test_assigning_replaces_it(self) -> None:
        values = Values(codec, {"bad": UNREADABLE}, "session")
        assert not values.has("bad")
        values.put("bad", 1)
        assert values.changed() == {"bad"}
        assert decoded(values) == {"bad": 1}

    def test_it_can_be_deleted_unread(self) -> None:
        values = Values(codec, {"bad": UNREADABLE}, "session")
        values.remove("bad")
        assert values.changed() == {"bad"}
        assert values.encoded() == {}

    def test_it_survives_a_merge(self) -> None:
        values = Values(codec, {"bad": UNREADABLE, **encoded(a=1)}, "session")
        assert not values.has("bad")
        values.put("a", 2)
        values.rebase({"bad": UNREADABLE, **encoded(a=1, b=1)})
        assert values.encoded() == {"bad": UNREADABLE, **encoded(a=2, b=1)}

    def test_a_mutation_of_it_begins_with_the_default(self) -> None:
        values = Values(codec, {"bad": UNREADABLE}, "session")
        assert values.mutate("bad", add(1), 0) == 1
        assert decoded(values) == {"bad": 1}


class TestRebase:
    def test_keys_of_both_survive(self) -> None:
        values = made(a=1, b=1)
        values.put("ours", 1)
        values.remove("a")
        assert values.rebase(encoded(a=1, b=2, theirs=1)) == set()
        assert decoded(values) == {"b": 2, "ours": 1, "theirs": 1}
        assert values.changed() == {"a", "ours"}

    def test_the_last_writer_of_a_key_wins(self) -> None:
        values = made(a=1)
        values.put("a", 2)
        values.rebase(encoded(a=3))
        assert decoded(values) == {"a": 2}

    def test_containers_that_the_application_holds_show_what_was_merged(self) -> None:
        values = made(items=[1], table={"a": 1}, tags={1}, pair=(1,))
        held = [values.get(key) for key in ("items", "table", "tags", "pair")]
        values.rebase(encoded(items=[2], table={"b": 2}, tags={2}, pair=(2,)))
        assert held == [[2], {"b": 2}, {2}, (1,)]
        assert values.get("pair") == (2,)
        held[0].append(3)
        values.settle()
        assert decoded(values)["items"] == [2, 3]

    def test_containers_whose_key_is_gone_are_left_alone(self) -> None:
        values = made(items=[1])
        held = values.get("items")
        values.rebase({})
        held.append(2)
        values.settle()
        assert (held, values.encoded()) == ([1, 2], {})

    def test_nested_changes_win_over_theirs_as_a_whole(self) -> None:
        values = made(cart={"a": 1})
        values.get("cart")["ours"] = 1
        values.rebase(encoded(cart={"a": 1, "theirs": 1}))
        assert decoded(values) == {"cart": {"a": 1, "ours": 1}}

    def test_what_they_set_again_after_we_removed_it_stays_if_asked_for(self) -> None:
        for keep_new, expected in [(True, {"a": 2}), (False, {})]:
            values = made(a=1)
            values.remove("a")
            values.rebase(encoded(a=2), keep_new=keep_new)
            assert decoded(values) == expected


class TestMutate:
    def test_it_is_replayed_on_the_fresh_value(self) -> None:
        values = made(n=1)
        assert values.mutate("n", add(10), 0) == 11
        assert values.mutate("n", add(100), 0) == 111
        values.rebase(encoded(n=5))
        assert decoded(values) == {"n": 115}
        values.rebase(encoded(n=7))
        assert decoded(values) == {"n": 117}

    def test_the_default_takes_the_place_of_a_missing_value_here_and_there(self) -> None:
        values = made()
        assert values.mutate("n", add(1), 10) == 11
        values.rebase({})
        assert decoded(values) == {"n": 11}

    def test_the_default_is_not_changed(self) -> None:
        default: list[int] = []
        values = made()

        def append(items: list[int]) -> list[int]:
            items.append(1)
            return items

        values.mutate("items", append, default)
        values.rebase({})
        assert default == []
        assert decoded(values) == {"items": [1]}

    def test_on_top_of_an_assignment_it_is_an_assignment(self) -> None:
        values = made(n=1)
        values.put("n", 50)
        values.mutate("n", add(1), 0)
        values.rebase(encoded(n=7))
        assert decoded(values) == {"n": 51}

    def test_an_assignment_or_a_nested_change_on_top_ends_the_replay(self) -> None:
        values = made(n=1, items=[])
        values.mutate("n", add(1), 0)
        values.put("n", 50)
        values.mutate("items", lambda items: [*items, 1], []).append(2)
        values.rebase(encoded(n=7, items=["theirs"]))
        assert decoded(values) == {"n": 50, "items": [1, 2]}

    def test_one_that_fails_on_the_fresh_value_is_given_up_for_good(self) -> None:
        values = made(n=1)
        values.mutate("n", add(1), 0)
        assert values.rebase(encoded(n="text")) == {"n"}
        assert decoded(values) == {"n": "text"}
        assert values.changed() == set()
        assert values.rebase(encoded(n=5)) == set()
        assert decoded(values) == {"n": 5}

    def test_it_is_told_which_one_failed_and_how_but_not_on_what(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        values = made(n=1)
        values.mutate("n", lambda value: 1 // (value - 7) and value, 0)
        values.rebase(encoded(n=7))
        (record,) = caplog.records
        assert "'n' raised ZeroDivisionError" in record.getMessage()
        assert record.exc_info is None

    def test_one_that_changed_nothing_may_fail_where_the_key_is_gone(self) -> None:
        def only_one(value: int | None) -> int:
            if value != 1:
                raise ValueError
            return value

        values = made(n=1)
        values.mutate("n", only_one, None)
        assert values.rebase({}) == {"n"}
        assert values.encoded() == {}

    def test_one_that_fails_at_once_changes_nothing(self) -> None:
        values = made(n=1)

        with pytest.raises(TypeError):
            values.mutate("n", lambda value: value + "text", 0)

        assert values.changed() == set()


class TestQueues:
    def test_theirs_minus_what_we_consumed_plus_what_we_added(self) -> None:
        values = made(queue=["old"])
        values.get("queue").clear()
        values.get("queue").append("ours")
        values.rebase(encoded(queue=["old", "theirs"]), queues={"queue"})
        assert decoded(values) == {"queue": ["theirs", "ours"]}

    def test_an_emptied_queue_is_removed(self) -> None:
        values = made(queue=["old"])
        values.remove("queue")
        values.rebase(encoded(queue=["old"], other=1), queues={"queue"})
        assert decoded(values) == {"other": 1}

    def test_what_is_no_list_is_taken_as_a_whole(self) -> None:
        values = made(queue=["old"])
        values.put("queue", "text")
        values.rebase(encoded(queue=["old", "theirs"]), queues={"queue"})
        assert decoded(values) == {"queue": "text"}

    def test_an_undecodable_queue_is_replaced(self) -> None:
        values = made(queue=["old"])
        values.put("queue", ["ours"])
        values.rebase({"queue": UNREADABLE}, queues={"queue"})
        assert decoded(values) == {"queue": ["ours"]}
