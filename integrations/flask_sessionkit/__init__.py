"""Sessions for Flask: ``SessionKit(app)``, and ``flask.session`` as always."""

from __future__ import annotations

from .extension import SessionKit as SessionKit
from .extension import session as session
from .interface import SessionKitInterface as SessionKitInterface
from .owner_loader import load_user_from_owner as load_user_from_owner
from .routes import outage as outage
from .routes import passive as passive
from .settings import flask_policy as flask_policy
