"""``userscope protect`` as somebody who could not deploy it: refused with who can, before anything is written."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.clusters import Cluster, Database
from tests.generate.existing import LISTS, application
from userscope.errors import ConfigurationError
from userscope.generate.protection.study import Asked, Found, study
from userscope.postgres.url import ConnectionURL


@pytest.fixture
def newcomer(database: Database) -> Iterator[ConnectionURL]:
    """The URL of a login without any right, beside an application's tables."""
    application(database)
    name = f"newcomer_{database.name}"
    database.cluster.create_login(name)
    url = database.url()
    yield ConnectionURL(url.variable, {**url.params, "user": name, "password": database.cluster.passwords[name]})
    with database.superuser_connection() as superuser:
        superuser.execute(f"drop owned by {name} cascade; drop role {name}".encode())


def refused(newcomer: ConnectionURL, asked: Asked) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as raised:
        study(newcomer, asked)
    return raised.value


def test_not_migrated(cluster: Cluster) -> None:
    """Who has their own tables alone is told what comes first."""
    empty = cluster.database()
    with empty.superuser_connection() as superuser:
        superuser.execute("create table public.orders (owner_id uuid not null)")
    assert "has not been migrated yet" in refused(empty.url(), Asked("public.orders", "owner_id")).message
    empty.drop()


def test_rights(newcomer: ConnectionURL, database: Database) -> None:
    """Each right that is missing is named with who can give it; given one after another, in the end it is let."""
    name = newcomer.params["user"]
    in_shop = Asked("shop.orders", "owner_id")
    nightly = f"nightly_{database.name}"
    with database.superuser_connection() as superuser:
        superuser.execute("create schema shop; create table shop.orders (owner_id uuid not null)")
        assert refused(newcomer, in_shop).message == '"shop.orders" cannot be looked at'
        superuser.execute(f"grant usage on schema shop to {name}".encode())
        for asked, owner in ((LISTS, "postgres"), (in_shop, "postgres")):
            error = refused(newcomer, asked)
            assert error.message == f'"{name}" does not own {asked.table}, and may not protect it'
            assert f"Let ADMIN_DATABASE_URL name {owner}" in (error.hint or "")
        superuser.execute(f"alter table shop.orders owner to {name}".encode())
        error = refused(newcomer, in_shop)
        assert error.message == f'"{name}" may not use what "userscope migrate" deployed, and policies call it'
        assert f"Let ADMIN_DATABASE_URL name postgres, who deployed it, and have the rights of {name}" in (
            error.hint or ""
        )
        superuser.execute(f"grant usage on schema app, app_private to {name}".encode())
        superuser.execute(f"grant execute on all functions in schema app, app_private to {name}".encode())
        error = refused(newcomer, in_shop)
        assert error.message == f'"{name}" may not let app_user into schema shop'
        cured(superuser, error)
        error = refused(newcomer, Asked("shop.orders", "owner_id", every_row=[nightly]))
        assert error.message == f'"{name}" may not make the role {nightly}'
        cured(superuser, error)
        error = refused(newcomer, Asked("shop.orders", "owner_id", every_row=[nightly]))
        assert error.message == f'"{name}" may not make an index in schema shop'
        cured(superuser, error)
        found = study(newcomer, Asked("shop.orders", "owner_id", every_row=[nightly]))
        deployed(newcomer, found)
        superuser.execute(f"drop owned by {nightly}; drop role {nightly}".encode())


def cured(superuser: psycopg.Connection, error: ConfigurationError) -> None:
    """Run what an error says would cure it."""
    superuser.execute((error.hint or "").partition(": ")[2].rstrip(".").encode())


def deployed(owner: ConnectionURL, found: Found) -> None:
    """Deploy and verify what was written, as who asked for it."""
    scripts = found.protection.scripts("schema", "policies")
    with psycopg.connect(owner.conninfo(), autocommit=True) as connection:
        for project in ("schema", "policies"):
            for word in ("deploy", "verify"):
                connection.execute(scripts[project, word].encode())
