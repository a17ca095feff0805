"""Invitations as services reach them, those to one's own address alone; and what the views are built as."""

import pytest

from tests.isolation.teams import Teams, ask

JOINED = "select from app.invitations join app.users on users.email = invitations.email where users.id = %s"
"""What app.my_invitations() does not do: whoever sets the planner can have it go through both addresses in order."""
READ = "select idx_tup_fetch from pg_stat_xact_user_tables where relid = 'app.invitations'::regclass"


def test_invitations(teams: Teams) -> None:
    """An invitation is shown to whoever has shown that the address is theirs, while it is pending and not expired."""
    mine = "select organization_id, name, slug, role, inviter from app.my_invitations()"
    with teams.acting("invited") as connection:
        assert ask(connection, mine) == set()  # signed up with the invited address, and did not verify it
    teams.world.auth.execute("update app.users set email_verified = true")
    with teams.acting("invited") as connection:
        assert ask(connection, mine) == {(teams.acme, "Acme", "acme", "member", "alice")}
    teams.invite("former", expires="-1 second")
    teams.invite("former", status="canceled")
    for name in ("former", "alice"):
        with teams.acting(name) as connection:
            assert ask(connection, mine) == set()
    assert (
        teams.world.admin.execute("select from app.invitations where organization_id = %s", [teams.acme]).rowcount == 3
    )


@pytest.mark.parametrize("view", ["organization", "memberships"])
def test_built_as_fences(teams: Teams, view: str) -> None:
    """What the views keep by: a barrier, offset 0, and an owner whom the policies bind."""
    query = "select pg_get_userbyid(relowner), reloptions, pg_get_viewdef(oid) from pg_class where oid = %s::regclass"
    row = teams.world.admin.execute(query, [f"app.{view}"]).fetchone()
    assert row is not None
    assert (row[0], row[1]) == ("app_gate", ["security_barrier=true"])
    assert row[2].split()[-2:] == ["OFFSET", "0;"]


def told(teams: Teams) -> list[int]:
    """How many invitations were read by an index: by the function, and by the join."""
    invited, counted = teams.people["invited"], []
    for connection, query in ((teams.world.service, "select * from app.my_invitations()"), (teams.world.admin, JOINED)):
        with connection.transaction():
            connection.execute("discard plans")  # those of a function that an earlier test called
            for way in ("nestloop", "hashjoin", "sort", "seqscan", "bitmapscan", "indexonlyscan"):
                connection.execute(f"set local enable_{way} = off".encode())
            connection.execute("select app.set_user_id(%s)", [str(invited)])
            ((before,),) = ask(connection, READ)  # of earlier transactions, not reported yet
            assert connection.execute(query.encode(), [invited] if "%s" in query else None).rowcount == 1
            ((after,),) = ask(connection, READ)
            counted.append(after - before)
    return counted


def test_addresses_of_others(teams: Teams) -> None:
    """How many of them sort before one's own address is not told, whatever the plan; a join tells."""
    teams.world.auth.execute("update app.users set email_verified = true")
    by_function, joined = told(teams)
    teams.world.admin.execute("update app.invitations set email = 'z' || email where email not like 'invited%'")
    function_again, joined_again = told(teams)
    assert by_function == function_again == 1
    assert joined > joined_again
