"""The ways to read a user's todos that are compared, in words, and how often each waits for the network."""

import re

DISTANCES = (0, 1, 5, 20)
"""Milliseconds of a round trip."""

TRIPS = {
    "reader": 1,
    "session": 2,
    "async_reader": 1,
    "async_session": 2,
    "where": 3,
    "autocommit": 1,
    "autocommit_unprepared": 1,
    "psycopg": 1,
    "psycopg_pipeline": 1,
    "event": 4,
    "rls": 4,
    "fastapi_rls": 7,
    "fastapi_rls_async": 5,
    "pgcommon": 3,
    "pgcommon_transaction": 5,
    "pgcommon_pooled": 7,
    "django_rls": 6,
    "reader_unwiped": 1,
    "session_unwiped": 2,
}
"""Counted in each run; a count that differs is an error."""

WAYS = {
    "reader": "**reader**",
    "session": "**session**",
    "async_reader": "**reader**, asyncio",
    "async_session": "**session**, asyncio",
    "event": "SQLModel, an event that sets the identity",
    "rls": "rls 0.3.2",
    "fastapi_rls": "fastapi-rls 0.1.0",
    "fastapi_rls_async": "fastapi-rls 0.1.0, asyncio",
    "pgcommon": "pgcommon 0.4.1, `with_conn`",
    "pgcommon_transaction": "pgcommon 0.4.1, `run_in_tx`",
    "pgcommon_pooled": "pgcommon 0.4.1, behind a pooler",
    "django_rls": "SETs of each request, as django-rls",
    "where": "SQLModel, `WHERE` by hand",
    "autocommit": "SQLModel, `WHERE` by hand, AUTOCOMMIT",
    "autocommit_unprepared": "the same, as poolers need it: nothing prepared",
    "psycopg": "psycopg, `WHERE` by hand",
    "psycopg_pipeline": "psycopg, identity and query in one pipeline",
}

OURS = ("reader", "reader_unwiped", "session", "session_unwiped", "async_reader", "async_session")
UNSAFE = ("where", "autocommit", "autocommit_unprepared")
"""A WHERE that somebody has to remember."""
LIMITS = ("psycopg", "psycopg_pipeline")
"""Without an ORM, and without a pool."""
ISOLATING = tuple(name for name in TRIPS if name not in (*OURS, *UNSAFE, *LIMITS))
ASYNC = ("fastapi_rls_async", "pgcommon", "pgcommon_transaction", "pgcommon_pooled")


def in_words(way: str) -> str:
    """What a way is called where there is no Markdown."""
    return re.sub(r"[*`]", "", WAYS[way])
