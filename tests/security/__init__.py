"""Attacks from outside, numbered like the checklist of session security that they follow.

One application in raw WSGI, Flask and Django (``sites.py``) is attacked over HTTP on memory, SQLite
and Redis; conflicts are staged by a request that makes another one before it goes on.

=====================  =============================================================================
items                  where
=====================  =============================================================================
1-7                    ``test_a_identifier.py``
8-15                   ``test_b_life_cycle.py``
17-19                  ``test_i_owners.py``, ``test_asvs.py``; 18 of Django, where it does by
                       itself, in ``tests/django/test_passwords.py``
21-28                  ``test_c_failure.py``; 27 with real servers in ``tests/attacks``
30, 31, 33-38          ``test_d_serialisation.py``; 37 in depth in ``tests/core/codec``
34                     refused where the secret is the only protection. On the server the id is the
                       secret: no secret, or an empty one, is refused and a weak one accepted
39, 40, 42, 43, 45     ``test_e_cookie.py``
46-50                  ``test_f_shared_caches.py``, with the cache of ``shared_cache.py``
51-57                  ``test_g_concurrency.py``; 51, 53, 55-57 on servers: ``tests/attacks``,
                       51-54 in all orders in ``tests/interleavings``
58-62                  ``test_g_servers.py``; 59 in ``tests/wsgi``, 61 of SQLite (the other files
                       have their own store's tests)
62                     the tokens of Flask-WTF in ``tests/flask/test_csrf.py``
sealed sessions        ``sealed``, by the same numbers
ASVS 5.0, V7           ``test_asvs.py``, and what an application alone can do
63                     ``tests/suites``: the suites of the frameworks themselves
hostile input          ``test_fuzz_cookie.py``, ``test_fuzz_store.py``, ``test_fuzz_settings.py``
defects of peers       ``test_peers.py``; those of the seeds in ``tests/seeds``
=====================  =============================================================================

Not here: 16, 20, 25 in depth, 29, 32, 41 and 44, which are features with tests of their own.
"""
