"""The first tables of docs/seeds.md: what one wrote there, and the tests of what one writes here.

Tests are named as ``file:function``: a file of this folder without ``test_``, or a path below
``tests``.
"""

from __future__ import annotations

#: What each page of the five documents; all of it must stand in the first column of its table.
PUBLIC: dict[str, str] = {
    "Genie.jl": "id start set! get get!! unset! is_set persist load",
    "GenieSession.jl": (
        "Session init get id isset load persist session set! start unset! session_key_name "
        "session_options"
    ),
    "x.sessions": (
        "new_session_id verify_session_id DBStore.create Store all clear DBStore get destroy set "
        "MemoryStore Sessions set_session_id validate_session logout save resave get_session_id "
        "CookieOptions CurrentSession DBStoreSessions"
    ),
    "@sact/session": (
        "session Session _id _store _options _req _reply delete get getKey getSessionId set "
        "setCookie setCostumCookie"
    ),
    "lucid": (
        "session.File session.Cookie session.Database session.Redis ses.Get ses.Set ses.Destroy "
        "ses.SetFlash ses.GetFlash ses.SetFlashMap ses.GetFlashMap"
    ),
}

CALLS: dict[str, dict[str, tuple[str, ...]]] = {
    "Genie.jl": {
        "start(req, res)": ("genie:test_a_request_is_given_a_session",),
        "start(id, req, res; options)": ("genie:test_with_an_id_and_cookie_options",),
        "session(params)": ("genie_session:test_session_of_the_request",),
        "set!(s, :key, value)": ("genie:test_set_get_unset_is_set",),
        "get(s, :key)": ("genie:test_a_stored_nothing_is_told_from_a_missing_key",),
        "get!!(s, :key)": ("genie:test_get_strictly",),
        "unset!(s, :key)": ("genie:test_set_get_unset_is_set",),
        "is_set(s, :key)": ("genie:test_set_get_unset_is_set",),
        "persist(s)": ("genie:test_persist",),
        "load(id)": ("genie:test_load", "genie:test_load_of_what_is_not_there"),
        "id()": ("genie:test_id",),
        "id(req)": ("genie:test_id_of_a_request", "genie:test_id_of_a_request_without_one"),
        "id(req, res)": ("genie:test_an_id_that_the_answer_carries_already_wins",),
        "flash(value)": ("genie:test_it_may_be_shown_in_the_current_request",),
        "flash()": ("genie:test_it_is_for_the_next_request_that_reads_it",),
        "flash_has_message()": ("genie:test_it_is_for_the_next_request_that_reads_it",),
        "login, authenticate": ("genie:test_log_in_and_who_it_is",),
        "is_authenticated, get_authentication": ("genie:test_log_in_and_who_it_is",),
        "logout, deauthenticate": (
            "genie:test_logging_out_ends_the_session_and_not_one_key",
            "genie:test_log_out_keeps_nothing_but_messages",
        ),
        "load in a WebSocket": ("genie:test_one_may_read_a_session_without_writing_it",),
        "session_storage": ("lucid:test_adaptors",),
        "session_key_name": ("genie_session:test_init_is_a_constructor",),
    },
    "GenieSession.jl": {
        "Session": ("genie_session:test_the_whole_of_it",),
        "init()": ("genie_session:test_init_is_a_constructor",),
        "start(req, res; options)": ("genie:test_a_request_is_given_a_session",),
        "start(id, req, res; options)": ("genie:test_with_an_id_and_cookie_options",),
        "session(params)": (
            "genie_session:test_session_of_the_request",
            "genie_session:test_every_call_is_the_same_session",
        ),
        "set!(s, :key, value), set!(:key, value)": (
            "genie_session:test_several_assignments_are_one_write",
        ),
        "get(s, :key), get(:key)": ("genie_session:test_get_with_a_default",),
        "get(s, :key, default)": ("genie_session:test_get_with_a_default",),
        "get!(s, :key, default)": (
            "genie_session:test_get_or_set",
            "core/typed/test_fields.py:test_looking_makes_no_session",
        ),
        "get()": ("genie_session:test_the_whole_of_it",),
        "unset!(s, :key)": ("genie_session:test_unset_is_saved_as_set_is",),
        "isset(s, :key)": ("genie:test_set_get_unset_is_set",),
        "persist(s)": ("genie:test_persist",),
        "load(id)": ("genie:test_load",),
        "id(), id(payload), id(req, res)": ("genie:test_id", "genie:test_id_of_a_request"),
        "session_key_name(name)": ("genie_session:test_init_is_a_constructor",),
        "session_options(options)": (
            "genie_session:test_the_defaults_are_safe",
            "genie_session:test_every_samesite_works",
        ),
        "flash(), flash(value), flash_has_message()": (
            "genie:test_it_is_for_the_next_request_that_reads_it",
        ),
        "File adapter, sessions_path(path)": ("lucid:test_adaptors",),
        "Cookie adapter": ("lucid:test_adaptors",),
        "Redis adapter, GENIE_REDIS_HOST": ("lucid:test_adaptors",),
    },
    "x.sessions": {
        "new_session_id(secret)": ("v_x_sessions:test_new_session_id",),
        "verify_session_id(raw, secret)": (
            "v_x_sessions:test_new_session_id",
            "v_x_sessions:test_verify_session_id_of_what_is_not_ours",
            "v_x_sessions:test_a_wrong_secret",
        ),
        "Sessions[T]": ("v_x_sessions:test_validate_session",),
        "T, CurrentSession[T]": ("v_x_sessions:test_a_session_knows_its_type",),
        "CurrentSession": ("genie_session:test_every_call_is_the_same_session",),
        "veb_middleware.create(mut s)": ("genie:test_a_request_is_given_a_session",),
        "validate_session(ctx)": ("v_x_sessions:test_validate_session",),
        "get_session_id(ctx)": (
            "sact_session:test_what_names_a_session_is_kept_and_opens_nothing",
        ),
        "set_session_id(ctx)": (
            "v_x_sessions:test_set_session_id_before_there_is_anything_to_store",
        ),
        "get(ctx)": ("v_x_sessions:test_get_tells_expired_ended_and_unknown",),
        "save(ctx, data)": ("v_x_sessions:test_get_set_destroy",),
        "resave(ctx, data)": (
            "v_x_sessions:test_a_new_id_is_really_given_and_the_old_one_is_dead",
        ),
        "destroy(ctx), logout(ctx)": ("v_x_sessions:test_destroy_and_logout",),
        "save_uninitialized": ("v_x_sessions:test_save_uninitialized_is_off",),
        "a pre-session for CSRF": (
            "v_x_sessions:test_a_form_that_was_sent_twice_has_its_token_and_a_stranger_has_not",
        ),
        "max_age": ("v_x_sessions:test_max_age",),
        "CookieOptions": ("v_x_sessions:test_cookie_options",),
        "Store[T]": ("v_x_sessions:test_a_store_of_ones_own",),
        "get, set, destroy of a store": ("v_x_sessions:test_get_set_destroy",),
        "all()": ("v_x_sessions:test_all_and_clear",),
        "clear()": ("v_x_sessions:test_all_and_clear",),
        "MemoryStore[T]": ("lucid:test_adaptors",),
        "DBStore[T], DBStore.create(db), DBStoreSessions": (
            "lucid:test_adaptors",
            "django/model_store/test_statements.py:test_a_creation_needs_one",
        ),
        "a store without the web": ("v_x_sessions:test_it_works_without_the_web",),
    },
    "@sact/session": {
        "session(app, options)": ("genie:test_a_request_is_given_a_session",),
        "new Session(req, reply, store, options)": ("genie:test_id_of_a_request",),
        "_id, _store, _options, _req, _reply": (
            "sact_session:test_a_session_knows_its_manager_and_no_request",
        ),
        "options.store": ("sact_session:test_a_store_is_required",),
        "options.key, options.cookie": ("genie_session:test_init_is_a_constructor",),
        "set(id, meta)": ("sact_session:test_set_and_get",),
        "get()": ("sact_session:test_set_and_get", "sact_session:test_get_of_nobody"),
        "delete()": ("sact_session:test_delete",),
        "getSessionId()": ("sact_session:test_what_names_a_session_is_kept_and_opens_nothing",),
        "getKey()": ("sact_session:test_the_id_is_the_cookies_and_the_key_its_digest",),
        "setCookie()": ("v_x_sessions:test_set_session_id_before_there_is_anything_to_store",),
        "setCookie(true)": ("sact_session:test_delete",),
        "setCostumCookie(name, value)": (
            "sact_session:test_a_cookie_of_ones_own_with_options",
            "sact_session:test_a_signed_cookie_of_ones_own",
        ),
        "setCostumCookie(name, value, true)": (
            "sact_session:test_a_cookie_of_ones_own_with_options",
        ),
        "MemoryStore, RedisStore": ("lucid:test_adaptors",),
        "maxAge of a store": ("sact_session:test_sessions_end_in_memory_too",),
        "prefix, namespace": (
            "genie_session:test_redis_forgets_and_applications_have_names_of_their_own",
        ),
        "deleteActiveSessions(userId)": ("sact_session:test_active_sessions_and_ending_them",),
        "getActiveSessions()": (
            "sact_session:test_active_sessions_and_ending_them",
            "sact_session:test_sessions_are_counted",
        ),
        "get(fields) of 0.1": ("sact_session:test_some_fields",),
        "set(values, maxAge) of 0.1": (
            "sact_session:test_set_with_a_life_of_its_own",
            "sact_session:test_set_of_a_key_with_a_life_of_its_own",
        ),
        "unset(fields) of 0.1": ("sact_session:test_unset_several",),
        "touch() of 0.1": (
            "sact_session:test_touching_extends_the_life",
            "core/test_timeouts.py:test_a_read_extends_the_life_only_after_a_tenth",
        ),
        "delete_all(field, value) of 0.1": ("sact_session:test_active_sessions_and_ending_them",),
        "signed, secret of 0.1": ("v_x_sessions:test_no_way_in_skips_the_signature",),
    },
    "lucid": {
        "session.File(w, r)": ("lucid:test_adaptors",),
        "session.Cookie(w, r)": ("lucid:test_adaptors",),
        "session.Database(w, r)": ("lucid:test_adaptors",),
        "session.Redis(w, r)": ("lucid:test_adaptors",),
        'ses.Get("key")': ("lucid:test_get_and_set",),
        'ses.Set("key", 100), ses.Put': ("lucid:test_get_and_set",),
        'ses.Destroy("key"), ses.Flush': ("lucid:test_destroy_of_one_key",),
        'ses.SetFlash("message", text)': ("lucid:test_set_and_get",),
        'ses.GetFlash("message")': ("lucid:test_set_and_get",),
        'ses.SetFlashMap("messages", map)': ("lucid:test_set_and_get_of_a_map",),
        'ses.GetFlashMap("messages")': (
            "lucid:test_set_and_get_of_a_map",
            "lucid:test_get_of_a_map_that_is_not_there",
        ),
        "old input after a form that failed": ("lucid:test_old_input_is_shown_once_more",),
        "SESSION_LIFETIME": ("v_x_sessions:test_max_age",),
        "SESSION_NAME, SESSION_DOMAIN": (
            "genie_session:test_init_is_a_constructor",
            "v_x_sessions:test_logging_out_deletes_the_cookie_at_its_own_path_and_domain",
        ),
    },
}
