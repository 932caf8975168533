"""The scenarios as applications of plain WSGI, Flask, Django and Pyramid."""

from __future__ import annotations

import functools
import sys
import types
import typing as t

from .scenarios import VIEWS
from .scenarios import Face
from .scenarios import View

if t.TYPE_CHECKING:
    import flask
    from _typeshed.wsgi import WSGIApplication

_TEXT = [("Content-Type", "text/plain; charset=utf-8")]


def wsgi(face: Face) -> WSGIApplication:
    def application(environ: t.Any, start_response: t.Any) -> list[bytes]:
        body = VIEWS[environ["PATH_INFO"]](environ, face)
        start_response("200 OK", [*_TEXT, ("Content-Length", str(len(body)))])
        return [body]

    return application


def flask_app(face: Face, **config: t.Any) -> flask.Flask:
    import flask

    app = flask.Flask("benchmark")
    app.config.update(config)
    for path, view in VIEWS.items():
        app.add_url_rule(path, path, functools.partial(view, flask, face))
    return app


class FlaskFace:
    """Sessions that stand in ``flask.session``."""

    def session(self, source: t.Any, /) -> t.Any:
        return source.session


def django(
    face: Face, *, middleware: str | None, apps: tuple[str, ...] = (), **more: t.Any
) -> t.Any:
    """Return the project; settings are for the whole process."""
    from django import urls
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse

    def page(view: View) -> t.Any:
        return lambda request: HttpResponse(view(request, face), content_type="text/plain")

    routes: t.Any = types.ModuleType("benchmark_routes")
    routes.urlpatterns = [urls.path(path[1:], page(view)) for path, view in VIEWS.items()]
    sys.modules[routes.__name__] = routes
    settings.configure(
        SECRET_KEY="k" * 50,
        ALLOWED_HOSTS=["localhost"],
        ROOT_URLCONF=routes.__name__,
        INSTALLED_APPS=list(apps),
        MIDDLEWARE=[middleware] if middleware else [],
        USE_TZ=True,
        LOGGING_CONFIG=None,
        **more,
    )
    return get_wsgi_application()


class DjangoFace:
    """Sessions that stand in ``request.session``."""

    def session(self, source: t.Any, /) -> t.Any:
        return source.session


def pyramid(face: Face, **settings: t.Any) -> WSGIApplication:
    from pyramid.config import Configurator
    from pyramid.response import Response

    def page(view: View) -> t.Any:
        return lambda request: Response(view(request, face))

    config = Configurator(**settings)
    for path, view in VIEWS.items():
        config.add_route(path, path)
        config.add_view(page(view), route_name=path)
    return t.cast("WSGIApplication", config.make_wsgi_app())
