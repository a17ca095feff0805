"""Roles belong to the whole server: what another owner made, or withheld, is used as it is or named with its cure."""

import re

import pytest

from tests.clusters import CHANGES, MAIN, ROOT, Database, cluster_of, deploy, dump, first_of, run_psql
from tests.versions import both_ends
from userscope.errors import MigrationError
from userscope.migrations import projects, runner


@pytest.mark.parametrize("owned", ["plain2"], indirect=True)
def test_temporary_stays_open(owned: Database) -> None:
    """Who does not own the database cannot close it to temporary objects: the verification says so, with the cure."""
    run_psql(owned.url(), "-f", ROOT / "schema" / "deploy" / "app.sql")
    verify = ROOT / "schema" / "verify" / "app.sql"
    with pytest.raises(AssertionError, match="may create temporary objects") as raised:
        run_psql(owned.url(), "-f", verify)
    assert f"revoke temporary on database {owned.name} from public" in str(raised.value)
    with owned.superuser_connection() as connection:
        connection.execute(f"revoke temporary on database {owned.name} from public")
    run_psql(owned.url(), "-f", verify)


@pytest.mark.parametrize("owned", first_of("neon", "plain"), indirect=True)
def test_roles_of_another_database(owned: Database) -> None:
    """Roles that another database's owner made are used as they are, without ADMIN on them."""
    with owned.superuser_connection() as connection:
        for role in ("app_user", "app_auth"):
            connection.execute(
                f"do $$ begin create role {role}; exception when duplicate_object then null; end $$; "
                f"revoke {role} from {owned.owner}"
            )
    deploy(owned.url())
    for project, change in CHANGES:
        run_psql(owned.url(), "-f", ROOT / project / "verify" / f"{change}.sql")


@pytest.mark.parametrize("version", both_ends(MAIN, 15))
def test_second_owner(version: int) -> None:
    """Who may not become app_gate is told before anything of ours is made, and by which GRANT that is cured."""
    ours = projects.find()
    with cluster_of(version=version) as cluster:
        first = cluster.database("neon")  # it makes the roles itself, and may become app_gate
        runner.migrate(first.url(), ours)
        second = cluster.database("plain")
        with second.superuser_connection() as superuser:
            superuser.execute(f"revoke app_gate from {second.owner}".encode())
            if version < 16:  # CREATEROLE grants itself what it needs there; without it, it may not
                superuser.execute(f"alter role {second.owner} nocreaterole".encode())
            with pytest.raises(MigrationError, match=f'role "{second.owner}" may not become app_gate') as refused:
                runner.migrate(second.url(), ours)
            grant = re.search(r"a superuser, runs: (grant .*)[.]", refused.value.hint or "")
            assert grant
            assert "SCHEMA app" not in dump(second)
            superuser.execute(grant[1].encode())
            if version < 16:  # app_roster comes later; what was deployed before it stays
                with pytest.raises(MigrationError, match=f'role "{second.owner}" may not become app_roster') as refused:
                    runner.migrate(second.url(), ours)
                grant = re.search(r"a superuser, runs: (grant .*)[.]", refused.value.hint or "")
                assert grant
                superuser.execute(grant[1].encode())
        runner.migrate(second.url(), ours)
        assert "SCHEMA app" in dump(second)
        if version >= 16:
            with second.connect() as owner:
                rights = owner.execute("select pg_has_role('app_gate', 'set'), pg_has_role('app_gate', 'usage')")
                assert rights.fetchone() == (True, False)
