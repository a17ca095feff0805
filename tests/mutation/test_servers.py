"""``--server``: any database, any extension and test command, on a server of one's own, which is left empty."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import Cluster, Database, cluster_of, run_psql, unavailable
from tests.mutation.running import Mutate
from userscope.mutation.mutants import every

NOTES = Path(__file__).parent / "notes"
PROVE = ["--", "pg_prove", "--quiet", str(NOTES / "tap.sql")]


@pytest.fixture
def notes(cluster15: Cluster) -> Iterator[Database]:
    """A database with what Debian's PostgreSQL brings, and the embedded one does not."""
    if shutil.which("pg_prove") is None:
        unavailable("pg_prove is not installed (Debian: apt-get install libtap-parser-sourcehandler-pgtap-perl)")
    if not Path("/usr/share/postgresql/15/extension/pgtap.control").exists():
        unavailable("pgTAP is not installed (Debian: apt-get install postgresql-15-pgtap)")
    made = cluster15.database()
    run_psql(made.url(), "-f", NOTES / "notes.sql")
    yield made
    made.drop()
    with cluster15.superuser_connection() as connection:
        connection.execute("drop role notes_web")


@pytest.mark.breadth
def test_pgtap(mutate: Mutate, notes: Database) -> None:
    """A suite of pgTAP is judged on a server that has its extensions: what it does not try survives, and no more."""
    code, _, errors = mutate(notes, "--accepted", "none", *PROVE)
    assert code == 2
    assert "the copied schema cannot be loaded" in errors
    assert "userscope mutate --server URL" in errors, "the embedded PostgreSQL has neither extension"
    with cluster_of(version=15) as own:
        own.drop_database("app")
        url = own.url("admin", dbname="postgres").text()
        given = ["--server", "OWN_SERVER", "--accepted", "none"]
        code, listed, errors = mutate(notes, *given, "--list", OWN_SERVER=url)
        assert code == 0, errors
        assert "revoked: select on public.notes from notes_web" in listed.splitlines(), (
            "a policy for PUBLIC has roles too"
        )
        assert "pgtap" not in listed
        only = ["--only", "* own on public.notes", "--json", "-v"]
        code, output, errors = mutate(notes, *given, *only, *PROVE, OWN_SERVER=url)
        assert code == 1, errors
        result = json.loads(output)
        assert {told["mutant"] for told in result["survived"]} == {
            "using or no identity: own on public.notes",  # nobody tries
            "to notes_web: own on public.notes",  # nobody could notice: only it has rights
        }, errors
        assert "using true: own on public.notes" in result["killed_mutants"]
        with own.superuser_connection() as connection:
            left = "select datname from pg_database where not datistemplate union select rolname from pg_roles"
            names = {name for (name,) in connection.execute(left.encode()) if not name.startswith("pg_")}
        assert names == {"postgres"}


def test_a_server_that_is_in_use(mutate: Mutate, database: Database) -> None:
    """Roles are changed and databases dropped there: somebody's server, or a login that may not, is refused."""
    url = database.url("admin")
    code, output, errors = mutate(database, "--server", url.text(), "--", "true")
    assert (code, output) == (2, "")
    assert "the server of --server is in use" in errors
    assert url.params["password"] not in errors
    code, _, errors = mutate(database, "--server", database.url("service").text(), "--", "true")
    assert (code, "is no superuser" in errors) == (2, True)
    code, _, errors = mutate(database, "--server", "NO_SUCH_VARIABLE", "--", "true")
    assert (code, 'there is no environment variable "NO_SUCH_VARIABLE"' in errors) == (2, True)


def test_policies_to_public(database: Database) -> None:
    """Where a policy names nobody, the roles that are tried are those whom its table is granted to."""
    with database.superuser_connection() as connection, connection.transaction(force_rollback=True):
        before = set(every(connection))
        connection.execute(
            "create table public.notes (owner text, body text); alter table public.notes enable row level security;"
            "create policy own on public.notes using (owner = current_user); create role web; create role api;"
            "create role above bypassrls; grant select on public.notes to web, above;"
            "grant update (body) on public.notes to api"
        )
        made = {mutant.id for mutant in set(every(connection)) - before}
    assert {"using true: own on public.notes", "to web: own on public.notes", "bypasses row security: api"} <= made
    assert "revoked: select on public.notes from web" in made
    assert "granted: update (owner) on public.notes to api" in made
    assert not [name for name in made if "above" in name]
