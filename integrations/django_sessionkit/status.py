"""A view that tells a page how long its session lives yet, or why it is over.

``path("session-status/", status)``; needs ``django_sessionkit.middleware.SessionMiddleware``.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http import HttpResponse

from sessionkit.status import answer_for

from .engine import SessionStore


def status(request: HttpRequest) -> HttpResponse:
    """Answer as :class:`sessionkit.status.Status` does."""
    session = request.session

    if not isinstance(session, SessionStore):
        raise ImproperlyConfigured("the view needs SESSION_ENGINE = 'django_sessionkit.engine'")

    answer = answer_for(session.core, request.method or "GET")
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
