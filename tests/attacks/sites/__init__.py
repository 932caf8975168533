"""One site, written for raw WSGI, Flask and Django, and browsers that attack it through HTTP.

``wsgi_site``, ``flask_site`` and ``django_site`` have an ``application`` each, which servers
import; ``views`` is what the three have in common. ``environment`` says how they are configured.
"""
