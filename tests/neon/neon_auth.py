"""Neon Auth as far as a service can tell: its tables in the database, and an issuer of tokens for who is in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.clusters import ROOT, Cluster, Database, OwnerKind, make_logins
from tests.docs import console
from tests.issuer import Issuer, Key, serving
from tests.migrations.conftest import copied
from userscope.migrations import runner
from userscope.migrations.projects import load

PAGE = (ROOT / "docs" / "neon-auth.md").read_text(encoding="utf-8")
SCRIPTS = {kind: text for text, kind, _ in console.scripts(PAGE)}
PLAN = console.blocks(PAGE, "text")
TABLES = Path(__file__).with_name("neon_auth.sql").read_text(encoding="utf-8")


@dataclass
class NeonAuth:
    """Neon's side: it keeps users in its own tables, and signs tokens for them."""

    database: Database
    issuer: Issuer

    def sign_up(self, name: str) -> UUID:
        with self.database.superuser_connection() as neon:
            row = neon.execute(
                'insert into neon_auth."user" (name, email, "emailVerified") values (%s, %s, true) returning id',
                [name, f"{name.lower()}@example.org"],
            ).fetchone()
        assert row is not None
        user: UUID = row[0]
        return user

    def delete(self, user: UUID) -> None:
        with self.database.superuser_connection() as neon:
            neon.execute('delete from neon_auth."user" where id = %s', [user])

    def token(self, user: UUID, name: str, **claims: Any) -> str:
        """As Neon signs them: iss and aud are the origin of its URL, and the whole user is in it."""
        told: dict[str, Any] = {
            "aud": self.issuer.url,
            "name": name,
            "email": f"{name.lower()}@example.org",
            "emailVerified": True,
            "role": "authenticated",
        }
        return self.issuer.token(user, **(told | claims))

    def profiles(self) -> dict[UUID, tuple[str, str, bool, int]]:
        """What is stored: by id the name, the address, whether it is verified, and how many todos."""
        with self.database.superuser_connection() as neon:
            rows = neon.execute(
                "select id, name, email, email_verified, (select count(*) from app.todos where owner_id = users.id) "
                "from app.users"
            ).fetchall()
        return {user: (name, email, verified, todos) for user, name, email, verified, todos in rows}


@contextmanager
def migrated(cluster: Cluster, kind: OwnerKind, folder: Path) -> Iterator[NeonAuth]:
    """A database of Neon's with its tables in it, migrated with the page's change by an owner who owns none of them."""
    database = cluster.database(kind)
    with database.superuser_connection() as neon:
        neon.execute(TABLES.encode())
        neon.execute(f"grant usage on schema neon_auth to {database.owner}".encode())
        neon.execute(f'grant select, references on neon_auth."user" to {database.owner}'.encode())
    schema, policies = copied(ROOT, folder, "schema", "policies")
    for script_kind, script in SCRIPTS.items():
        (schema.folder / script_kind / "neon_auth.sql").write_text(script, encoding="utf-8")
    plan = schema.folder / "sqitch.plan"
    plan.write_text(plan.read_text(encoding="utf-8") + PLAN[0], encoding="utf-8")
    pair = [load(schema.folder), policies]
    assert "schema:neon_auth" in runner.migrate(database.url(), pair)
    runner.revert(database.url(), pair, to="schema:better_auth", confirm=lambda _: True)
    runner.migrate(database.url(), pair)
    make_logins(database)
    with serving() as issuer:
        issuer.published = lambda key: Key.public(key, alg=None)
        yield NeonAuth(database, issuer)
    database.drop()
