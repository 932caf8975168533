"""The manager of this process: built when it is first needed, and again when settings change."""

from __future__ import annotations

import os
import threading
import typing as t

from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed

from sessionkit import SealedSessionManager
from sessionkit import SessionManager
from sessionkit import Store
from sessionkit.base_manager import BaseManager
from sessionkit.errors import ConfigurationError
from sessionkit.limit import check_index
from sessionkit.store import Closeable
from sessionkit.store import offers
from sessionkit.stores import open_store

from . import conf
from .conf import SettingsError
from .transactions import Transactional
from .transactions import TransactionalManager

#: The application that has the table of sessions in the project's own database.
MODEL_STORE: t.Final = "django_sessionkit.model_store"

_lock = threading.Lock()
_manager: BaseManager | None = None
#: Kept when other settings change, so that a test that overrides one does not lose its sessions.
_stores: dict[str | int, tuple[object, Store]] = {}


def get_manager() -> BaseManager:
    """Return the manager that Django's sessions use, for its ``sessions_of``, ``revoke`` and so on.

    :raises SettingsError: naming the setting that is wrong.
    """
    return _manager or _build()


def _build() -> BaseManager:
    global _manager  # noqa: PLW0603

    with _lock:
        if _manager is None:
            _manager = sealed_manager()

        if _manager is None:
            store = _store()
            refuse_limit(store)
            kind = TransactionalManager if offers(store, Transactional) else SessionManager
            _manager = kind(
                store,
                secrets=conf.secrets(),
                policy=conf.policy(),
                cookie=conf.cookie(),
                header=conf.header(),
                types=conf.types(),
                trace=conf.trace(),
                bare_ids=True,
            )

        return _manager


def sealed_manager() -> SealedSessionManager | None:
    """Return a manager of sessions inside of their cookies, if the settings ask for that."""
    encrypted = conf.encrypted()

    if encrypted is None:
        return None

    try:
        return SealedSessionManager(
            conf.strong_secrets(),
            encrypted=encrypted,
            policy=conf.policy(),
            cookie=conf.cookie(),
            header=conf.header(),
            types=conf.types(),
            trace=conf.trace(),
        )
    except SettingsError:
        raise
    except ConfigurationError as error:
        raise SettingsError(f"SESSIONKIT['STORE']: {error}") from error


def _store() -> Store:
    made_from = conf.store()
    key = made_from if isinstance(made_from, str) else id(made_from)

    if key not in _stores:
        _stores[key] = made_from, _opened(made_from)

    return _stores[key][1]


def _opened(made_from: t.Any) -> Store:
    store = made_from() if callable(made_from) else made_from

    if isinstance(store, str):
        store = open_url(store)

    refuse_application_database(store)
    return t.cast(Store, store)


def open_url(url: str) -> Store:
    """Return the store that *url* describes, ``django:`` among others."""
    try:
        if url.partition(":")[0].lower() != "django":
            return open_store(url)

        if not apps.is_installed(MODEL_STORE):
            raise ConfigurationError(
                f"django: needs {MODEL_STORE!r} in INSTALLED_APPS, and manage.py migrate"
            )

        from .model_store import ModelStore

        return ModelStore.from_url(url)
    except ConfigurationError as error:
        raise SettingsError(f"SESSIONKIT['STORE']: {error}") from error


def refuse_limit(store: object) -> None:
    """Raise ``SettingsError`` if the policy limits what *store* cannot list."""
    try:
        check_index(store, conf.policy())
    except SettingsError:
        raise
    except ConfigurationError as error:
        raise SettingsError(f"SESSIONKIT['POLICY']: {error}") from error


def refuse_application_database(store: object) -> None:
    """Raise ``SettingsError`` if *store* is in the file of one of the application's databases.

    Inside of a transaction of the application a session could not be written: it would wait for
    that transaction, which waits for it.
    """
    path = getattr(store, "path", None)

    if not isinstance(path, str):
        return

    for alias, database in settings.DATABASES.items():
        name = database.get("NAME")

        if name and "sqlite" in database.get("ENGINE", "") and _same_file(str(name), path):
            raise SettingsError(
                f"SESSIONKIT['STORE'] is the file of DATABASES[{alias!r}]; sessions need a file of "
                "their own"
            )


def _same_file(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _forget(*, setting: str, **_: t.Any) -> None:
    global _manager  # noqa: PLW0603

    if setting in ("SESSIONKIT", "BASE_DIR", "DEBUG") or setting.startswith("SESSION_"):
        conf.saves_every_request.cache_clear()

        with _lock:
            _manager = None

            for _made_from, store in _stores.values():
                if offers(store, Closeable):
                    t.cast(Closeable, store).close()


setting_changed.connect(_forget, dispatch_uid="django_sessionkit")
