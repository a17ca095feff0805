"""``userscope health``, ``create-login`` and ``sample-data``: what services need, and whether they have it."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from userscope.cli._ledger import print_json
from userscope.cli._options import Json, start_embedded, start_migrated
from userscope.login import Login

if TYPE_CHECKING:
    from userscope.connection.health import ReplicaHealth


def health(*, as_json: Json = False) -> None:
    """Tell whether the service's login can and may serve users. Exit code 1 if it must not, 2 if unreachable.

    Example: userscope health
    """
    from dataclasses import asdict

    from userscope.database import Database

    with Database() as database:
        found = database.health()
    if as_json:
        print_json({"fit": found.fit, **asdict(found)})
    else:
        print(f'  role "{found.role}" on database "{found.database}", PostgreSQL {found.server_version}')
        print(f"  one round trip takes {found.latency * 1000:.1f} ms")
        print(f"  identities are {'sealed' if found.sealing else 'not sealed: USERSCOPE_SEAL_KEY is not set'}")
        for replica in found.replicas:
            print(f'  replica at "{replica.host}" {_how_far(replica)}')
        for problem in found.problems:
            print(f"  not ok: {problem}")
        print("It must not serve users." if found.problems else "It may serve users.")
    raise typer.Exit(int(not found.fit))


def _how_far(replica: "ReplicaHealth") -> str:
    if replica.problem:
        return f"answers no readers: {replica.problem}"
    far = "an unknown number of bytes" if replica.behind is None else f"{replica.behind} bytes"
    late = "" if replica.late is None else f", {replica.late:.1f} s"
    return f"is {far}{late} behind; one round trip takes {(replica.latency or 0) * 1000:.1f} ms"


def create_login(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The login's name, such as todo_service.")],
    *,
    role: Annotated[
        str,
        typer.Option(
            help="app_user for services, app_auth for the identity provider, or a role of policies of your own."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Make a login with a new password; print its URL this once.

    Roles made in Neon's console get BYPASSRLS, which no policy binds; make them here.

    Example: userscope create-login todo_service --role app_user
    """
    from userscope.admin import logins
    from userscope.settings import Settings

    settings = Settings()
    start_embedded(settings)
    url = logins.create_login(settings.url(Login.ADMIN), name, role).text()
    if as_json:
        print_json({"name": name, "role": role, "url": url})
    else:
        print(url)


def sample_data(
    *,
    users: Annotated[int, typer.Option(min=1, help="How many users.")] = 10,
    todos: Annotated[int, typer.Option(min=0, help="How many todos each.")] = 20,
    rows: Annotated[int, typer.Option(min=0, help="How many rows each, in every table of your own.")] = 20,
    seed: Annotated[int, typer.Option(min=0, max=999_999_999, help="Another seed, other content.")] = 0,
) -> None:
    """Write users with todos, and rows in your own tables.

    They are written as real ones are, through both logins. Tables of your own are those with a policy that asks who
    acts; types, checks and keys are read from the catalog.
    It runs only against a server on this machine. The same seed writes the same; a second run replaces the first.
    Exit code 1 if a table could not be filled.

    Example: userscope sample-data --users 100 --todos 50
    """
    from userscope.cli._progress import progress
    from userscope.demo.own_tables import OwnTables
    from userscope.demo.sample_data import Sample
    from userscope.settings import Settings

    settings = Settings()
    settings.require_local("sample-data")
    start_migrated(settings)
    made: list[str] = []
    with OwnTables(settings) as own, progress("sample-data") as say:
        sample = Sample(settings, own, users=users, todos=todos, rows=rows, seed=seed)
        for user_id in sample.write():
            made.append(user_id)
            say(f"{len(made)} of {users} users")
    names = ", ".join(table.sql for table in own.tables if table.sql not in own.failures)
    told = [f"{todos} todos each"] if sample.with_accounts else []
    told += [f"{sample.written} rows in {names}"] if sample.written else []
    print(f"{len(made)} users with {' and '.join(told) or 'nothing'}. Look at the first as a service sees them:")
    print(f"  userscope psql --as {made[0]}")
    for table, why in own.failures.items():
        print(f"WARNING:  no row could be put into {table}\nDETAIL:  PostgreSQL said: {why}.", file=sys.stderr)
    raise typer.Exit(int(bool(own.failures)))
