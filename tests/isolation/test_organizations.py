"""Organizations as services reach them: the current one, one's own, its members, and what is addressed to oneself."""

from threading import Thread
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege, SerializationFailure, UniqueViolation

from tests.isolation.teams import Teams, ask
from tests.isolation.world import WRONG_SEAL, Connection

NOBODY = UUID("00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize(("name", "role"), [("alice", "owner"), ("member", "member"), ("admin", "member,admin")])
def test_members(teams: Teams, name: str, role: str) -> None:
    """A member sees the organization, whole, their memberships, and their colleagues by name and role."""
    with teams.acting(name, teams.acme) as connection:
        assert ask(connection, "select app.current_organization_id()") == {(teams.acme,)}
        assert ask(connection, "select id, name, slug from app.organization") == {(teams.acme, "Acme", "acme")}
        assert (teams.acme, "Acme", "acme", role) in ask(
            connection, "select organization_id, name, slug, role from app.memberships"
        )
        assert ask(connection, "select user_id, name, role from app.colleagues()") == {
            (teams.alice, "alice", "owner"),
            (teams.people["member"], "member", "member"),
            (teams.people["admin"], "admin", "member,admin"),
        }


def test_memberships_are_ones_own(teams: Teams) -> None:
    """Each sees the organizations that they are in, whichever one they act in, and nobody else's."""
    mine = "select organization_id from app.memberships"
    for name in ("alice", "bob", "former"):
        stored = {
            row[:1]
            for row in teams.world.admin.execute("select organization_id, user_id from app.members").fetchall()
            if row[1] == teams.people[name]
        }
        assert len(stored) > 0
        with teams.acting(name) as connection:
            assert ask(connection, mine) == stored
            assert ask(connection, "select id from app.organization") == set()
            assert ask(connection, "select user_id from app.colleagues()") == set()
    with teams.world.admin.transaction():
        teams.world.admin.execute("select app.set_user_id(%s)", [str(teams.bob)])
        teams.world.admin.execute("set local role app_gate")
        assert ask(teams.world.admin, "select distinct user_id from app.members") == {(teams.bob,)}
        assert (teams.acme,) not in ask(teams.world.admin, "select id from app.organizations")


@pytest.mark.parametrize("roles", [["owner"], ["admin"], ["owner", "admin"], ["member"], ["nobody"], ["mem"], [""]])
def test_roles(teams: Teams, roles: list[str]) -> None:
    """With roles the organization counts for whoever has one of them, each of a list's whole."""
    for name, has in (("alice", {"owner"}), ("member", {"member"}), ("admin", {"member", "admin"})):
        expected = teams.acme if has & set(roles) else None
        with teams.acting(name, teams.acme) as connection:
            row = connection.execute("select app.current_organization_id(variadic %s::text[])", [roles]).fetchone()
        assert row == (expected,)


REFUSED = ["app.current_organization_id()", "app.current_organization_id('owner')"]
FROM = ["app.organization", "app.colleagues()"]


@pytest.mark.parametrize("name", ["bob", "former", "invited"])
@pytest.mark.parametrize("query", [f"select {call}" for call in REFUSED] + [f"select * from {each}" for each in FROM])
def test_no_member(teams: Teams, name: str, query: str) -> None:
    """Who is no member is refused, as for an organization that does not exist, letter for letter."""
    said = set()
    for organization in (teams.acme, NOBODY):
        with pytest.raises(InsufficientPrivilege) as refused, teams.acting(name, organization) as connection:
            connection.execute(query.encode())
        diag = refused.value.diag
        said.add((diag.message_primary, diag.message_detail, diag.constraint_name, diag.table_name, diag.context))
    assert len(said) == 1
    with teams.acting("alice", teams.acme) as connection:
        assert ask(connection, query) != set()


def test_nobody(teams: Teams) -> None:
    """Without an identity an organization counts for nobody; without one there are no memberships and invitations."""
    with teams.world.acting_as(None) as connection:
        assert ask(connection, "select organization_id from app.memberships") == set()
        assert ask(connection, "select id from app.my_invitations()") == set()
    with teams.world.admin.transaction():  # nor does the owner of what answers see any
        teams.world.admin.execute("set local role app_gate")
        for query in ("select user_id from app.members", "select id from app.organizations"):
            assert ask(teams.world.admin, query) == set()
    with pytest.raises(InsufficientPrivilege, match="not a member"), teams.world.acting_as(None) as connection:
        connection.execute("select app.set_organization_id(%s)", [str(teams.acme)])
        connection.execute("select app.current_organization_id()")


def test_seals(teams: Teams) -> None:
    """A member's wrong seal opens no organization."""
    for query in ("select app.current_organization_id()", "select * from app.memberships", "select app.colleagues()"):
        acting = teams.world.acting_as(teams.alice, WRONG_SEAL)
        with pytest.raises(psycopg.Error, match="the identity's seal"), acting as connection:
            connection.execute("select app.set_organization_id(%s)", [str(teams.acme)])
            connection.execute(query.encode())


@pytest.mark.parametrize("claim", ["", "no uuid"])
def test_malformed(teams: Teams, claim: str) -> None:
    """An empty claim is none, and a malformed one an error."""
    if not claim:
        with teams.acting("alice", claim) as connection:
            assert ask(connection, "select app.current_organization_id()") == {(None,)}
        return
    with pytest.raises(psycopg.errors.InvalidTextRepresentation), teams.acting("alice", claim) as connection:
        connection.execute("select app.current_organization_id()")


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_removed(teams: Teams, isolation: str) -> None:
    """Who is removed is out with the next statement; in REPEATABLE READ and SERIALIZABLE with the next transaction."""
    with teams.acting("member", teams.acme) as connection:
        assert ask(connection, "select name from app.organization") == {("Acme",)}
        teams.leave("member")
        with pytest.raises(InsufficientPrivilege, match="not a member"), connection.transaction():
            connection.execute("select name from app.organization")
        assert (teams.acme,) not in ask(connection, "select organization_id from app.memberships")
    with teams.world.service.transaction():
        teams.world.service.execute(f"set transaction isolation level {isolation}".encode())
        teams.world.service.execute(
            "select app.set_user_id(%s), app.set_organization_id(%s)", [str(teams.alice), str(teams.acme)]
        )
        assert ask(teams.world.service, "select name from app.organization") == {("Acme",)}
        teams.join(teams.acme, "bob", "owner")
        teams.leave("alice")
        assert ask(teams.world.service, "select name from app.organization") == {("Acme",)}
    with pytest.raises(InsufficientPrivilege, match="not a member"), teams.acting("alice", teams.acme) as connection:
        connection.execute("select name from app.organization")


@pytest.mark.parametrize("leaving", [
    "delete from app.members where organization_id = '{acme}' and role = 'owner'",
    "update app.members set role = 'member' where organization_id = '{acme}'",
    "delete from app.members where organization_id = '{acme}'",
])  # fmt: skip
def test_last_owner(teams: Teams, leaving: str) -> None:
    """An organization keeps an owner; a second one may leave, and take the first one's place in one transaction."""
    before = teams.world.snapshot()
    with pytest.raises(CheckViolation, match="at least one owner") as refused:
        teams.world.auth.execute(leaving.format(acme=teams.acme).encode())
    assert refused.value.diag.constraint_name == "members_owner"
    assert teams.world.snapshot() == before
    with teams.world.auth.transaction():
        teams.world.auth.execute(
            "update app.members set role = 'member' where user_id = %s and organization_id = %s",
            [teams.alice, teams.acme],
        )
        teams.world.auth.execute(
            "update app.members set role = 'admin,owner' where user_id = %s", [teams.people["admin"]]
        )
    teams.leave("alice")


def test_an_organization_goes(teams: Teams) -> None:
    """An organization goes with its members and invitations, in Better Auth's order too; browsers forget it."""
    teams.world.auth.execute(
        "update app.sessions set active_organization_id = %s where user_id = %s", [teams.acme, teams.alice]
    )
    with teams.world.auth.transaction():
        teams.world.auth.execute("delete from app.members where organization_id = %s", [teams.acme])
        teams.world.auth.execute("delete from app.organizations where id = %s", [teams.acme])
    left = teams.world.admin.execute("select from app.invitations where organization_id = %s", [teams.acme]).rowcount
    active = teams.world.admin.execute(
        "select active_organization_id from app.sessions where user_id = %s", [teams.alice]
    ).fetchone()
    assert (left, active) == (0, (None,))
    teams.world.auth.execute("delete from app.organizations where id = %s", [teams.beta])
    assert (teams.beta,) not in ask(teams.world.admin, "select organization_id from app.members")


def test_a_last_owners_account_goes(teams: Teams) -> None:
    """Whoever deletes their account is kept by nothing: the organization stays, and another owner can be appointed."""
    teams.world.auth.execute("delete from app.users where id = %s", [teams.alice])
    teams.world.auth.execute("update app.members set role = 'owner' where user_id = %s", [teams.people["admin"]])
    with teams.acting("admin", teams.acme) as connection:
        assert ask(connection, "select app.current_organization_id('owner')") == {(teams.acme,)}


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_two_last_owners(teams: Teams, isolation_urls: dict[str, Any], isolation: str) -> None:
    """Of two owners who leave at once one stays, whatever their transactions' isolation."""
    teams.world.auth.execute("update app.members set role = 'owner' where user_id = %s", [teams.people["admin"]])
    leave = "delete from app.members where organization_id = %s and user_id = %s"
    failures: list[psycopg.Error] = []
    with psycopg.connect(isolation_urls["auth"].conninfo(), autocommit=True) as other:
        for connection, who in ((teams.world.auth, teams.alice), (other, teams.people["admin"])):
            connection.execute(f"begin isolation level {isolation}".encode())
            connection.execute(leave, [teams.acme, who])

        def commit(connection: Connection) -> None:
            try:
                connection.execute("commit")
            except psycopg.Error as error:
                failures.append(error)

        commits = [Thread(target=commit, args=[connection]) for connection in (teams.world.auth, other)]
        for thread in commits:
            thread.start()
        for thread in commits:
            thread.join()
    assert [type(error) for error in failures] in ([CheckViolation], [SerializationFailure])
    kept = "select count(*) from app.members where organization_id = %s and role = 'owner'"
    assert teams.world.admin.execute(kept, [teams.acme]).fetchone() == (1,)


@pytest.mark.parametrize("slug", ["", "A", "-a", "a-", "a--b", "a b", "é", "x" * 101])
def test_slugs(teams: Teams, slug: str) -> None:
    """A slug is what can stand in an address in lower case, and one organization's."""
    with pytest.raises(CheckViolation, match="organizations_slug_check"):
        teams.made("x", slug)
    with pytest.raises(UniqueViolation, match="organizations_slug_key"):
        teams.made("x", "acme")


@pytest.mark.parametrize(
    ("role", "fits"),
    [("owner", True), ("a,b-c_D", True), ("", False), ("a,", False), ("a b", False), ("x" * 256, False)],
)
def test_roles_form(teams: Teams, role: str, fits: bool) -> None:
    """Roles are words with commas between them, of members and in invitations."""
    statements = [
        "update app.members set role = %s where role = 'member'",
        "update app.invitations set role = %s",
    ]
    for statement in statements:
        try:
            with teams.world.admin.transaction():
                teams.world.admin.execute(statement.encode(), [role])
        except CheckViolation:
            assert not fits
        else:
            assert fits


def test_checks(teams: Teams) -> None:
    """An invitation's address is in lower case, its status one that Better Auth knows; nobody is a member twice."""
    for column, value in (("email", "A@b.c"), ("status", "taken")):
        with pytest.raises(CheckViolation, match=f"invitations_{column}_check"):
            teams.world.admin.execute(f"update app.invitations set {column} = %s".encode(), [value])
    with pytest.raises(UniqueViolation, match="members_organization_id_user_id_key"):
        teams.join(teams.acme, "alice", "member")


def test_defaults(teams: Teams) -> None:
    """What Better Auth leaves out is supplied."""
    teams.world.auth.execute(
        "insert into app.members (organization_id, user_id) values (%s, %s)", [teams.acme, teams.bob]
    )
    row = teams.world.auth.execute(
        "insert into app.invitations (organization_id, email, expires_at, inviter_id) values (%s, 'x@y.z', now(), %s) "
        "returning id is not null, status, created_at = now()",
        [teams.acme, teams.alice],
    ).fetchone()
    assert row == (True, "pending", True)
    joined = (
        "select role, created_at is not null, id is not null from app.members "
        "where user_id = %s and organization_id = %s"
    )
    assert teams.world.admin.execute(joined, [teams.bob, teams.acme]).fetchone() == ("member", True, True)
