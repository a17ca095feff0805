"""A login that cannot connect: what is a mistake, and what may pass."""

import traceback
from pathlib import Path
from uuid import uuid4

import pytest

from tests.clusters import Database
from tests.connection.conftest import MakeServed
from tests.connection.served import run
from userscope.errors import (
    ConfigurationError,
    Unavailable,
)

LOGINS = {
    "password": "password authentication failed for user",
    "user": "password authentication failed for user",
    "dbname": 'database "wrong" does not exist',
}


def test_one_of_several_hosts(make_served: MakeServed, home: Database, folder: Path) -> None:
    """Where one host refuses the login and another is not there, waiting may help."""
    url = home.url("service")
    port = url.params.get("port", "5432")
    params = {**url.params, "password": "wrong", "host": f"{url.host},{folder}", "port": f"{port},{port}"}
    with pytest.raises(Unavailable, match="the server cannot be reached"):
        make_served(type(url)(url.variable, params)).reader(uuid4(), lambda session: run(session, "select 1"))


@pytest.mark.parametrize("wrong", LOGINS)
def test_refused_login(make_served: MakeServed, home: Database, wrong: str) -> None:
    """A login that PostgreSQL refuses is a matter of configuration, not of waiting; the password is not repeated."""
    url = home.url("service")
    mistaken = type(url)(url.variable, {**url.params, wrong: "wrong"})
    with pytest.raises(ConfigurationError, match=LOGINS[wrong]) as raised:
        make_served(mistaken).reader(uuid4(), lambda session: run(session, "select 1"))
    shown = "".join(traceback.format_exception(raised.value))
    assert url.params["password"] not in shown


def test_too_many_connections(make_served: MakeServed, home: Database) -> None:
    """A server that is full is unavailable, not misconfigured."""
    with home.superuser_connection() as superuser:
        superuser.execute("create role crowded login password 'x' connection limit 0 in role app_user")
        url = home.url("service")
        try:
            served = make_served(type(url)(url.variable, {**url.params, "user": "crowded", "password": "x"}))
            with pytest.raises(Unavailable, match="too many connections"):
                served.reader(uuid4(), lambda session: run(session, "select 1"))
        finally:
            superuser.execute("drop role crowded")
