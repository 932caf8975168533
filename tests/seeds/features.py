"""Everything that at least one of the five can do: the tests of it here, or what replaces it.

Tests are named as in ``calls``; a text is a line of the last table of docs/seeds.md.
"""

from __future__ import annotations

FEATURES: dict[str, tuple[str, ...] | str] = {
    "a session is an object with an id and data": ("genie_session:test_the_whole_of_it",),
    "its data has a type": ("v_x_sessions:test_a_session_knows_its_type",),
    "its data is replaced as a whole": "replacing all data at once",
    "a new id": ("genie:test_id", "sact_session:test_an_id_needs_no_quoting_in_a_cookie"),
    "an id of a chosen length": "ids of another length, or of another making",
    "the id of a request": ("genie:test_id_of_a_request",),
    "the id of this session": "the id, for the application",
    "sign and verify an id": (
        "v_x_sessions:test_new_session_id",
        "v_x_sessions:test_a_wrong_secret",
    ),
    "say whether a request has a session": ("v_x_sessions:test_validate_session",),
    "encrypt what is in the cookie": (
        "genie:test_encryption_is_fresh_each_time_and_notices_a_change",
    ),
    "set": ("genie:test_set_get_unset_is_set",),
    "chain setters": "setters that return the session",
    "get, or nothing, or a default": ("genie_session:test_get_with_a_default",),
    "get, or an error": ("genie:test_get_strictly",),
    "get, or set": ("genie_session:test_get_or_set",),
    "get everything": ("genie_session:test_the_whole_of_it",),
    "get several": ("sact_session:test_some_fields",),
    "unset one or several": ("lucid:test_destroy_of_one_key", "sact_session:test_unset_several"),
    "is set": ("genie:test_set_get_unset_is_set",),
    "start": (
        "genie:test_a_request_is_given_a_session",
        "genie:test_with_an_id_and_cookie_options",
    ),
    "the session of the current request": ("genie_session:test_every_call_is_the_same_session",),
    "load": ("genie:test_load",),
    "save, with the answer or at once": ("genie:test_persist", "lucid:test_get_and_set"),
    "save in any case": "saving with every request",
    "a new id for the same data": (
        "v_x_sessions:test_a_new_id_is_really_given_and_the_old_one_is_dead",
    ),
    "destroy": ("v_x_sessions:test_destroy_and_logout",),
    "log out": (
        "genie:test_log_out_keeps_nothing_but_messages",
        "sact_session:test_deleting_sends_a_header_that_deletes",
    ),
    "a session before there is data": (
        "v_x_sessions:test_set_session_id_before_there_is_anything_to_store",
    ),
    "bind a CSRF token to the session": (
        "v_x_sessions:test_a_form_that_was_sent_twice_has_its_token_and_a_stranger_has_not",
    ),
    "make and check a CSRF token": "a CSRF token",
    "how long it lives": (
        "v_x_sessions:test_max_age",
        "v_x_sessions:test_a_session_in_use_goes_on_until_the_absolute_limit",
    ),
    "durations as text": "durations as text",
    "live longer by use": ("sact_session:test_touching_extends_the_life",),
    "a life of its own": ("sact_session:test_set_with_a_life_of_its_own",),
    "tell unknown from expired": ("v_x_sessions:test_get_tells_expired_ended_and_unknown",),
    "errors of the store": ("genie:test_a_read_that_fails_overwrites_nothing",),
    "options of the cookie": (
        "v_x_sessions:test_cookie_options",
        "genie_session:test_every_samesite_works",
    ),
    "headers for caches": (
        "security/test_f_shared_caches.py:test_item_46_every_access_varies",
        "security/test_f_shared_caches.py:test_item_47_a_cookie_that_is_sent_again_varies",
    ),
    "the very header of x.sessions": 'Cache-Control: no-cache="Set-Cookie"',
    "cookies of one's own, signed too": (
        "sact_session:test_a_cookie_of_ones_own_with_options",
        "sact_session:test_a_signed_cookie_of_ones_own",
    ),
    "send the cookie now": ("v_x_sessions:test_data_saved_without_an_id_is_not_dropped",),
    "flash one message": ("genie:test_it_is_for_the_next_request_that_reads_it",),
    "flash by key": ("lucid:test_set_and_get",),
    "flash a map": ("lucid:test_set_and_get_of_a_map",),
    "flash: peek, keep, now": (
        "core/test_flash.py:test_peek_leaves_the_message",
        "lucid:test_old_input_is_shown_once_more",
        "genie:test_it_may_be_shown_in_the_current_request",
    ),
    "a user with metadata": ("sact_session:test_set_and_get",),
    "log out everywhere": ("sact_session:test_active_sessions_and_ending_them",),
    "sessions by any field": "sessions by any field",
    "all data in the store": ("v_x_sessions:test_all_and_clear",),
    "clear the store": ("v_x_sessions:test_all_and_clear",),
    "count": ("sact_session:test_sessions_are_counted",),
    "remove what has expired": (
        "v_x_sessions:test_expired_ones_are_not_counted_and_can_be_removed",
    ),
    "a store of one's own": ("v_x_sessions:test_a_store_of_ones_own",),
    "a prefix for keys": (
        "genie_session:test_redis_forgets_and_applications_have_names_of_their_own",
    ),
    "a store without the web": ("v_x_sessions:test_it_works_without_the_web",),
    "memory, file, cookie, SQL, Redis": ("lucid:test_adaptors",),
    "memcached": ("stores/memcached/test_trouble.py:test_a_flush_is_the_end_of_all_sessions",),
    "a serialiser of one's own": "a serialiser of your own",
    "values encrypted in the store": (
        "core/encryption/test_encryption.py:test_neither_data_nor_owner",
    ),
    "switch sessions off": "a switch that turns sessions off",
    "answers without a session": "answers that are not saved, by their type",
    "read in a WebSocket": ("genie:test_one_may_read_a_session_without_writing_it",),
    "settings in the environment": "settings by environment variables of its own",
    "guard a page": "a guard for pages that need a login",
}
