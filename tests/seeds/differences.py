"""The second tables of docs/seeds.md: what they do and we do not, and the tests of that.

Tests are named as in ``calls``.
"""

from __future__ import annotations

DIFFERENCES: dict[str, dict[str, tuple[str, ...]]] = {
    "Genie.jl": {
        "an id comes from the time and a seeded generator": (
            "genie:test_ids_do_not_come_from_a_seed",
        ),
        "an id that the browser made up is taken over": (
            "genie:test_an_id_of_the_clients_choice_is_not_adopted",
        ),
        "every answer sets the cookie": ("genie:test_a_cookie_is_not_sent_with_every_answer",),
        "encryption with a fixed vector and no check": (
            "genie:test_encryption_is_fresh_each_time_and_notices_a_change",
        ),
        "a cookie that is no hexadecimal text is a 500": (
            "genie:test_a_cookie_that_cannot_be_read_is_no_error",
        ),
        "JSON answers are not saved": ("genie:test_changes_made_in_a_json_answer_are_saved",),
        "a message is used up by any request": (
            "genie_session:test_a_request_that_shows_no_messages_leaves_them",
        ),
        "logging out removes one key": ("genie:test_logging_out_ends_the_session_and_not_one_key",),
        "files are called like the ids": ("genie:test_no_file_is_called_like_an_id",),
        "a read that fails stores an empty session": (
            "genie:test_a_read_that_fails_overwrites_nothing",
        ),
        "a damaged record goes on as an empty one under its id": (
            "genie:test_a_damaged_record_is_not_served_under_its_id",
        ),
        "ids need a secret, and fail without one": (
            "genie:test_no_secret_is_needed_before_there_is_an_id",
        ),
        "keys come back as text where they were symbols": ("genie:test_keys_stay_what_they_were",),
        "when a handler raises, nothing is said of its session": (
            "genie:test_an_exception_saves_nothing_and_passes",
        ),
    },
    "GenieSession.jl": {
        "every request stores a session, pages not found too": (
            "genie_session:test_requests_that_store_nothing_make_no_record_and_no_cookie",
        ),
        "session() outside of a request makes a new one": (
            "genie_session:test_outside_of_requests_no_session_is_made_up",
        ),
        "every assignment is a write, and unset! is none": (
            "genie_session:test_several_assignments_are_one_write",
            "genie_session:test_unset_is_saved_as_set_is",
        ),
        "get! writes to another session than it was given": (
            "genie_session:test_get_or_set_writes_to_the_session_that_was_asked",
        ),
        "a default is given for a stored nothing": (
            "genie:test_a_stored_nothing_is_told_from_a_missing_key",
        ),
        "a cookie whose name begins like ours is taken for ours": (
            "genie_session:test_a_cookie_whose_name_begins_like_ours_is_not_ours",
        ),
        "only SameSite=Lax works": (
            "genie_session:test_every_samesite_works",
            "genie_session:test_a_samesite_that_would_fail_later_fails_at_once",
        ),
        "settings are global": ("genie_session:test_each_manager_has_its_own_settings",),
        "a message is shown twice, or eaten by a request that shows nothing": (
            "genie_session:test_a_message_is_not_shown_twice",
            "genie_session:test_a_request_that_shows_no_messages_leaves_them",
        ),
        "a message comes back after an error": (
            "genie_session:test_a_message_that_could_not_be_removed_is_no_reason_to_lose_data",
        ),
        "a failed write makes a new session and forgets the old one": (
            "genie_session:test_a_write_that_fails_is_an_error_and_no_new_session",
        ),
        "what is stored is executed when it is read": (
            "genie_session:test_what_a_stranger_has_written_into_the_store_is_not_executed",
        ),
        "a cookie session is written at any size, and never expires": (
            "genie_session:test_a_session_in_a_cookie_that_would_not_fit_is_refused",
            "genie_session:test_a_session_in_a_cookie_expires",
        ),
        "keys in Redis have no prefix and no end": (
            "genie_session:test_redis_forgets_and_applications_have_names_of_their_own",
        ),
        "a failed read of Redis logs everybody out": (
            "genie:test_a_read_that_fails_overwrites_nothing",
        ),
        "without an adapter every request fails": (
            "genie_session:test_without_a_store_it_fails_at_the_start",
        ),
        "ids die with a secret that was made up at the start": (
            "genie_session:test_a_restart_without_secrets_ends_nothing",
        ),
        "nothing removes what has expired": (
            "v_x_sessions:test_expired_ones_are_not_counted_and_can_be_removed",
        ),
    },
    "x.sessions": {
        "resave keeps the id": (
            "v_x_sessions:test_a_new_id_is_really_given_and_the_old_one_is_dead",
        ),
        "ids come from a generator that can be computed": (
            "genie:test_ids_do_not_come_from_a_seed",
        ),
        "the signature covers the id alone": (
            "v_x_sessions:test_the_name_of_the_cookie_is_signed_too",
        ),
        "a refused cookie still hands out its id": (
            "v_x_sessions:test_an_invalid_signature_hands_out_no_id",
        ),
        "some ways to the id skip the signature": (
            "v_x_sessions:test_no_way_in_skips_the_signature",
        ),
        "a changed secret invalidates nothing": (
            "v_x_sessions:test_a_change_of_secrets_ends_what_the_old_one_signed",
            "core/test_session_cookie.py:test_old_secrets_are_accepted_and_the_newest_signs",
        ),
        "logout deletes a cookie of another path and domain": (
            "v_x_sessions:test_logging_out_deletes_the_cookie_at_its_own_path_and_domain",
        ),
        "a save after the logout goes to the old id": (
            "v_x_sessions:test_what_is_written_after_logging_out_gets_another_id",
        ),
        "without an id save drops the data": (
            "v_x_sessions:test_data_saved_without_an_id_is_not_dropped",
        ),
        "an expired id can be filled again": ("v_x_sessions:test_an_expired_id_is_not_revived",),
        "a session ends at a fixed time though it is in use": (
            "v_x_sessions:test_a_session_in_use_goes_on_until_the_absolute_limit",
        ),
        "max_age 0 is for ever": ("v_x_sessions:test_no_limit_is_none_and_not_nought",),
        "Max-Age was in nanoseconds": ("v_x_sessions:test_a_duration_is_in_seconds_in_the_cookie",),
        "all and clear of a store that cannot do it succeed": (
            "v_x_sessions:test_what_a_store_cannot_do_does_not_succeed_in_silence",
        ),
        "all has expired data in it": (
            "v_x_sessions:test_expired_ones_are_not_counted_and_can_be_removed",
        ),
        "two writers overwrite each other": (
            "lucid:test_two_requests_at_once_lose_nothing",
            "v_x_sessions:test_of_two_requests_that_create_one_id_the_second_overwrites_nothing",
        ),
        "the whole value is written at once": (
            "core/typed/test_fields.py:test_two_requests_that_change_different_fields_both_win",
        ),
    },
    "@sact/session": {
        "the browser's id is kept, at the login too": (
            "sact_session:test_the_clients_choice_of_an_id_is_gone_after_the_login",
            "sact_session:test_an_anonymous_id_that_somebody_else_knows_is_gone_too",
        ),
        "reading sets a cookie": ("sact_session:test_reading_sends_no_cookie_and_stores_nothing",),
        "delete sends no header": ("sact_session:test_deleting_sends_a_header_that_deletes",),
        "an unset cookie is an empty one that stays": (
            "sact_session:test_deleting_sends_a_header_that_deletes",
            "sact_session:test_a_cookie_of_ones_own_with_options",
        ),
        "the id goes on after delete": ("sact_session:test_the_id_is_not_reused_after_a_deletion",),
        "a second cookie overwrites that of the session": (
            "sact_session:test_a_cookie_of_ones_own_does_not_take_the_place_of_the_sessions",
            "security/test_custom_cookies.py:test_the_session_cookie_is_out_of_reach",
        ),
        "the cookie is for the folder of the page, without SameSite": (
            "sact_session:test_the_cookie_is_for_the_whole_site",
        ),
        "memory replaces what Redis merges into": (
            "every_store:test_metadata_is_replaced_as_a_whole",
            "every_store:test_a_value_is_replaced_and_not_merged",
        ),
        "values come back from Redis as text": ("every_store:test_types_survive",),
        "meta.id may overwrite the user": (
            "sact_session:test_metadata_keeps_its_types_and_is_replaced_as_a_whole",
        ),
        "sessions in memory never end": ("sact_session:test_sessions_end_in_memory_too",),
        "a duration that cannot be read is 28 days": (
            "sact_session:test_a_duration_that_cannot_be_understood_is_refused",
        ),
        "the list of a user's sessions never forgets": (
            "sact_session:test_the_index_of_owners_forgets",
            "sact_session:test_an_ended_session_is_no_longer_listed",
        ),
        "counting counts nothing": (
            "sact_session:test_sessions_are_counted",
            "v_x_sessions:test_what_a_store_cannot_do_does_not_succeed_in_silence",
        ),
        "ids have characters that cookies quote": (
            "sact_session:test_an_id_needs_no_quoting_in_a_cookie",
        ),
        "there is a default secret": ("sact_session:test_there_is_no_default_secret",),
    },
    "lucid": {
        'Set("key", 100) stores an empty text': ("lucid:test_values_of_every_type_survive",),
        "a missing key is an error or nothing, by what else there is": (
            "lucid:test_missing_has_one_representation",
            "every_store:test_what_is_missing_is_missing",
        ),
        "messages and a creation date stand among the values": (
            "lucid:test_messages_share_no_names_with_values",
        ),
        "a map that cannot be written is a panic": (
            "lucid:test_a_message_that_cannot_be_kept_fails_where_it_is_set",
        ),
        "numbers of a map become floats": ("lucid:test_set_and_get_of_a_map",),
        "reading makes a file": ("lucid:test_reading_makes_no_record",),
        "each use in a first request makes another id": (
            "lucid:test_several_uses_in_the_first_request_are_one_session",
        ),
        "the first request cannot write": (
            "lucid:test_several_uses_in_the_first_request_are_one_session",
        ),
        "a cookie of another key is a panic": ("lucid:test_a_cookie_of_another_key_is_no_panic",),
        "the cookie has no HttpOnly, Secure and SameSite": (
            "lucid:test_the_cookie_has_all_its_attributes",
        ),
        "a login keeps the id": ("lucid:test_a_login_changes_the_id",),
        "there is no way to log out": (
            "genie:test_logging_out_ends_the_session_and_not_one_key",
            "lucid:test_a_late_save_brings_nothing_back",
        ),
        "files are readable by all users of the machine": ("lucid:test_files_are_nobody_elses",),
        "two requests overwrite each other's file": (
            "lucid:test_two_requests_at_once_lose_nothing",
        ),
        "nothing expires on the server": ("every_store:test_sessions_expire",),
        "an unknown driver is nil": ("lucid:test_an_adaptor_that_is_not_there_is_an_error",),
    },
}
