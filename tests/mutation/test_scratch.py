"""A copy is like its source in all that decides who reaches what."""

from collections.abc import Iterator

import psycopg
import pytest
from pydantic import SecretStr

from tests.attacks.attack import NAIVE
from tests.clusters import Cluster, Database
from tests.processes import eventually
from userscope.login import Login
from userscope.mutation.scratch import copied
from userscope.postgres.clones import defaults
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

CARRIED = """
select setconfig from pg_db_role_setting join pg_roles on pg_roles.oid = setrole
 where rolname = 'a "careful" role' and setdatabase = 0
"""


def carried(connection: psycopg.Connection) -> list[str]:
    row = connection.execute(CARRIED).fetchone()
    assert row is not None
    return sorted(row[0])


@pytest.fixture
def source(cluster: Cluster) -> Iterator[Database]:
    """A database, and a role of its server's that carries settings."""
    made = cluster.database()
    with made.superuser_connection() as connection:
        connection.execute('create role "a ""careful"" role"')
    yield made
    made.drop()
    with cluster.superuser_connection() as connection:
        connection.execute('drop role "a ""careful"" role"')


def test_settings_of_roles(source: Database) -> None:
    """What a role carries, here or anywhere, is copied as it is: lists of names, one of them empty, and quotes."""
    wanted = ["DateStyle=ISO, DMY", 'application_name=o\'clock, by the "hour"', 'search_path="", public, "a, ""b"""']
    admin = source.url("admin")
    settings = Settings(_env_file=None, admin_database_url=SecretStr(admin.text()))
    with connect(admin, autocommit=True) as connection:
        for setting in (
            'search_path = \'\', public, "a, ""b"""',
            "application_name = 'o''clock, by the \"hour\"'",
            "datestyle = 'ISO, DMY'",
        ):
            connection.execute(f'alter role "a ""careful"" role" set {setting}'.encode())
        assert carried(connection) == wanted
        for whose in ("", 'role "a ""careful"" role" in '):
            connection.execute(f"alter {whose}database {source.name} set work_mem = '5MB'".encode())
        here = {(None, "work_mem=5MB"), ('a "careful" role', "work_mem=5MB")}
        with copied(settings) as copy:
            with copy.clone() as clone, connect(clone) as target:
                assert carried(target) == wanted
                assert set(defaults(target, clone.params["dbname"])) == here
            others = "select from pg_stat_activity where datname = %s and pid <> pg_backend_pid()"
            eventually(lambda: not connection.execute(others, [source.name]).rowcount)  # what is tried may take hours


@pytest.mark.breadth
def test_an_owner_clones_the_copy(cluster: Cluster) -> None:
    """A copy belongs to whom its source does, who clones it for each test, and ends whoever is connected still."""
    made = cluster.database("neon")
    settings = Settings(_env_file=None, admin_database_url=SecretStr(made.url().text()))
    with copied(settings) as copy, copy.clone() as clone:
        owner = ConnectionURL("clone", {**clone.params, **copy.logins[Login.ADMIN]})
        with connect(owner.on("postgres"), autocommit=True) as connection:
            owns = "select pg_get_userbyid(datdba)::text from pg_database where datname = %s"
            assert connection.execute(owns, [clone.params["dbname"]]).fetchone() == (made.url().user,)
            signals = "select pg_has_role('pg_signal_backend', 'usage')"
            assert connection.execute(signals).fetchone() == (True,)
            connection.execute(f"create database again template {clone.params['dbname']}".encode())
            connection.execute("drop database again with (force)")
    made.drop()


def test_a_changed_helper_is_copied_as_it_is(database: Database) -> None:
    """Whether seals are required comes along; its trigger, which would mend the helper, runs only on later changes."""
    helper = "select pg_get_functiondef('app.current_user_key()'::regprocedure)"
    settings = Settings(_env_file=None, admin_database_url=SecretStr(database.url("admin").text()))
    with database.superuser_connection() as source:
        source.execute("update app_private.sealing set required = true")
        sound = source.execute(helper).fetchone()
        source.execute(NAIVE.encode())
        changed = source.execute(helper).fetchone()
        with copied(settings) as copy, connect(copy.superuser, autocommit=True) as target:
            assert target.execute(helper).fetchone() == changed != sound
            assert target.execute("select required from app_private.sealing").fetchall() == [(True,)]
            target.execute("update app_private.sealing set required = true")
            assert target.execute(helper).fetchone() == sound
