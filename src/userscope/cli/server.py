"""``userscope up``, ``down``, ``url`` and ``psql``: the embedded server, and ways into the database."""

import sys
from typing import Annotated

import typer

from userscope.cli._ask import confirmed
from userscope.cli._options import start_embedded, start_migrated
from userscope.login import Login


def up() -> None:
    """Start the embedded PostgreSQL; make it if there is none.

    It runs until "userscope down". It is for development and tests. Where a database URL is set, the other commands
    use that one.

    Example: userscope up && userscope migrate
    """
    from userscope.local.server import Server
    from userscope.settings import Settings

    settings = Settings()
    server = Server(settings.home)
    started = server.start()
    folder = server.folder or server.home
    print("PostgreSQL has started." if started else "PostgreSQL is already running.")
    print(f"  data    {folder / 'data'}")
    print(f"  socket  {server.url(Login.ADMIN).host}")
    print(f"  log     {folder / 'server.log'}")
    if not settings.embedded:
        print("But a database URL is set, so the other commands use that one.", file=sys.stderr)


def down(
    delete: Annotated[bool, typer.Option("--delete", help="Remove the server with all its data.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before removing.")] = False,
) -> None:
    """Stop the embedded PostgreSQL; --delete removes it as well.

    Example: userscope down --delete --yes
    """
    from userscope.local.server import Server
    from userscope.settings import Settings

    settings = Settings()
    settings.require_local("userscope down")
    server = Server(settings.home)
    folder = server.folder
    if folder is None:
        print(f'There is no embedded PostgreSQL in "{settings.home}".')
    elif delete:
        if not yes and not confirmed(f'Remove the embedded PostgreSQL in "{folder}" with all its data?'):
            raise typer.Exit(1)
        server.delete()
        print(f'PostgreSQL and its data in "{folder}" are removed.')
    else:
        print("PostgreSQL has stopped." if server.stop() else "PostgreSQL was not running.")
        print(f'  data    {folder / "data"} (remove them with "userscope down --delete")')


def url(
    login: Annotated[Login, typer.Option("--as", help="Whom it logs in as.")] = Login.ADMIN,
) -> None:
    """Print the URL of the database, with its password.

    Nothing else is printed.

    Example: export DATABASE_URL="$(userscope url --as service)"
    """
    from userscope.settings import Settings

    print(Settings().url(login).text())


def psql(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="-- PSQL ARGUMENTS", help="For psql.")] = None,
    user_id: Annotated[str | None, typer.Option("--as", metavar="USER_ID", help="Act for this user.")] = None,
) -> None:
    """Open psql: as the admin or, with --as, for one user.

    With --as it logs in as a service does, and everything happens in one transaction that carries the user's identity,
    sealed where USERSCOPE_SEAL_KEY is set. At the prompt, \\q drops what was not committed. What -c, -f or standard
    input bring is committed at the end, unless a statement fails.

    Example: userscope psql --as 6d1f5a3e-1c7b-4c55-9a39-5f8f2d6b8a10 -- -c "select title from app.todos"
    """
    from userscope.cli import _psql
    from userscope.identity import credentials
    from userscope.settings import Settings

    settings = Settings()
    key, kind = settings.seal_key, settings.userscope_user_id
    if user_id is not None:
        credentials(user_id, key, kind)  # refuse what names no user before anything is started
    if user_id is None:
        start_embedded(settings)
        status = _psql.run(settings.url(Login.ADMIN), arguments or [])
    else:
        start_migrated(settings)
        status = _psql.run_as(settings.url(Login.SERVICE), arguments or [], lambda: credentials(user_id, key, kind))
    raise typer.Exit(status)
