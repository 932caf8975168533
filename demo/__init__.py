"""The demo: one login shared by raw WSGI, Flask and Django. Start it with ``make demo``."""
