"""The site in Django, under our session middleware and login, or under Django's own."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from django_sessionkit import get_manager

from . import environment
from . import views

_SESSIONS = {
    True: "django.contrib.sessions.middleware.SessionMiddleware",
    False: "django_sessionkit.middleware.SessionMiddleware",
}
_USERS = {
    True: "django.contrib.auth.middleware.AuthenticationMiddleware",
    False: "django_sessionkit.auth.AuthenticationMiddleware",
}

settings.configure(
    SECRET_KEY="for Django's tokens",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=f"{__package__}.django_views",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django_sessionkit",
    ],
    MIDDLEWARE=[
        _SESSIONS[environment.IS_STOCK],
        "django.middleware.csrf.CsrfViewMiddleware",
        _USERS[environment.IS_STOCK],
    ],
    AUTHENTICATION_BACKENDS=[f"{__package__}.django_views.Anybody"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    CSRF_USE_SESSIONS=environment.CSRF_IN_SESSION,
    SESSION_ENGINE="django_sessionkit.engine",
    SESSION_COOKIE_NAME=environment.COOKIE,
    # Under its own middleware Django writes the cookie, and knows nothing of signatures.
    SESSIONKIT={
        "STORE": environment.STORE,
        "SECRETS": None if environment.IS_STOCK else environment.SECRETS,
    },
    USE_TZ=True,
)
django.setup()
application = get_wsgi_application()

if environment.IS_WARM:
    views.warm_up(get_manager())
