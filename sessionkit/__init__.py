"""Server-side sessions for Flask, Django and plain WSGI."""

from __future__ import annotations

from . import errors as errors
from . import signals as signals
from .codec import CustomType as CustomType
from .cookie import CookieOptions as CookieOptions
from .counting import Count as Count
from .current import current_session as current_session
from .devices import device_of as device_of
from .manager import SessionManager as SessionManager
from .middleware import SessionMiddleware as SessionMiddleware
from .owners import SessionInfo as SessionInfo
from .policy import SessionPolicy as SessionPolicy
from .routes import outage as outage
from .routes import passive as passive
from .sealed import SealedSessionManager as SealedSessionManager
from .session import Session as Session
from .store import Record as Record
from .store import Store as Store
from .typed import Typed as Typed
