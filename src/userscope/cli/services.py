"""``userscope health``, ``create-login`` and ``sample-data``: what services need, and whether they have it."""

from typing import Annotated

import typer

from userscope.cli._ledger import print_json
from userscope.cli._options import Json, start_embedded, start_migrated
from userscope.login import Login

_MANY = 10_000
"""Rows from which a progress bar is shown."""


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
        for problem in found.problems:
            print(f"  not ok: {problem}")
        print("It must not serve users." if found.problems else "It may serve users.")
    raise typer.Exit(int(not found.fit))


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
    seed: Annotated[int, typer.Option(min=0, max=999_999_999, help="Another seed, other content.")] = 0,
) -> None:
    """Write users with todos, as real ones: through both logins.

    It runs only against a server on this machine. The same seed writes the same; a second run replaces the first.

    Example: userscope sample-data --users 100 --todos 50
    """
    from rich.console import Console
    from rich.progress import track

    from userscope.demo.sample_data import write
    from userscope.settings import Settings

    settings = Settings()
    settings.require_local("sample-data")
    start_migrated(settings)
    writing = write(settings, users=users, todos=todos, seed=seed)
    many = users * (todos + 1) > _MANY
    made = list(track(writing, "Writing", users, console=Console(stderr=True)) if many else writing)
    print(f"{len(made)} users with {todos} todos each. Look at the first as a service sees them:")
    print(f"  userscope psql --as {made[0]}")
