"""Merging: everybody's keys survive; of one key, the last writer's value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessionkit.merge import apply
from sessionkit.merge import changed_keys
from sessionkit.merge import merge
from sessionkit.merge import merge_queue

KEYS = st.sampled_from("abcd")
CONTENTS = st.dictionaries(KEYS, st.binary(max_size=1))
QUEUES = st.lists(st.integers(0, 5), max_size=6)

Content = dict[str, bytes]


@given(CONTENTS, CONTENTS)
def test_changed_keys_are_exactly_those_that_differ(base: Content, ours: Content) -> None:
    assert changed_keys(base, ours) == {
        key for key in "abcd" if (key in base, base.get(key)) != (key in ours, ours.get(key))
    }


@given(CONTENTS, CONTENTS, CONTENTS, st.booleans())
def test_each_key_is_ours_if_we_changed_it_and_theirs_if_not(
    base: Content, ours: Content, theirs: Content, keep_new: bool
) -> None:
    merged = merge(base, ours, theirs, keep_new=keep_new)
    changed = changed_keys(base, ours)

    for key in "abcd":
        removed_by_us = key in changed and key not in ours
        stays = keep_new and removed_by_us and theirs.get(key) != base.get(key)
        source = ours if key in changed and not stays else theirs
        assert merged.get(key) == source.get(key)


@given(CONTENTS, CONTENTS, st.lists(CONTENTS, min_size=1, max_size=4))
def test_changes_that_are_applied_are_those_that_would_be_merged(
    base: Content, theirs: Content, requests: list[Content]
) -> None:
    one_after_the_other = theirs

    for ours in requests:
        one_after_the_other = merge(base, ours, one_after_the_other)

    changes = [{key: ours.get(key) for key in changed_keys(base, ours)} for ours in requests]
    assert apply(changes, theirs) == one_after_the_other


@given(CONTENTS, CONTENTS)
def test_merging_with_nobody_gives_ours(base: Content, ours: Content) -> None:
    assert merge(base, ours, base) == ours


@given(CONTENTS, CONTENTS)
def test_whoever_changed_nothing_gets_theirs(base: Content, theirs: Content) -> None:
    assert merge(base, base, theirs) == theirs


@given(CONTENTS, CONTENTS, CONTENTS)
def test_merging_again_changes_nothing(base: Content, ours: Content, theirs: Content) -> None:
    merged = merge(base, ours, theirs)
    assert merge(theirs, merged, theirs) == merged


@given(CONTENTS, CONTENTS, CONTENTS)
def test_arguments_are_left_as_they_are(base: Content, ours: Content, theirs: Content) -> None:
    before = [base.copy(), ours.copy(), theirs.copy()]
    merge(base, ours, theirs)["new"] = b""
    assert [base, ours, theirs] == before


@given(QUEUES, QUEUES)
def test_a_queue_nobody_else_touched_holds_what_we_left(base: list[int], ours: list[int]) -> None:
    assert sorted(merge_queue(base, ours, base)) == sorted(ours)


@given(QUEUES, QUEUES, QUEUES)
def test_items_that_two_requests_added_are_all_kept(
    base: list[int], ours: list[int], theirs: list[int]
) -> None:
    merged = merge_queue(base, base + ours, base + theirs)
    assert merged == base + theirs + ours


@given(QUEUES, QUEUES, QUEUES)
def test_what_we_consumed_is_gone_and_what_they_added_is_not(
    consumed: list[int], rest: list[int], theirs: list[int]
) -> None:
    merged = merge_queue(consumed + rest, rest, consumed + rest + theirs)
    assert sorted(merged) == sorted(rest + theirs)


@given(QUEUES)
def test_what_both_consumed_does_not_come_back(consumed: list[int]) -> None:
    assert merge_queue(consumed, [], []) == []
