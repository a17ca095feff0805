"""``userscope migrate | revert``: the two Sqitch projects as one."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from userscope.cli._ask import confirmed
from userscope.cli._ledger import Ledger, print_json, told_when_interrupted
from userscope.cli._options import (
    AllowShell,
    Json,
    LockTimeout,
    LogOnly,
    Projects,
    StatementTimeout,
    Target,
    Variables,
    Wait,
    admin,
    place,
    run_options,
    start_embedded,
)
from userscope.login import Login

if TYPE_CHECKING:
    from userscope.postgres.url import ConnectionURL


def migrate(
    to: Annotated[str | None, typer.Option(metavar="PROJECT:CHANGE", help="The last change to deploy.")] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be deployed, and what it locks for how long at worst.")
    ] = False,
    log_only: LogOnly = False,
    verify: Annotated[
        bool | None,
        typer.Option("--verify/--no-verify", help="Verify what is deployed (or as [deploy] verify says: yes)."),
    ] = None,
    lock_timeout: LockTimeout = "5s",
    statement_timeout: StatementTimeout = "0",
    wait: Wait = 60,
    variables: Variables = None,
    allow_shell: AllowShell = False,
    target: Target = None,
    project: Projects = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask where DATABASE_URL alone names a remote database.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Deploy and verify every pending change. The embedded server is made and started where no URL is set.

    Example: userscope migrate --to schema:users
    """
    from userscope.migrations import runner
    from userscope.settings import Settings

    settings = Settings()
    named, projects = place(project, target)
    embedded = settings.embedded and named is None
    if not (yes or dry_run or named):
        _ask_about_remote(settings.url(Login.ADMIN) if not embedded else None)
    started = embedded and start_embedded(settings)
    options = run_options(
        lock_timeout,
        statement_timeout,
        wait,
        log_only=log_only,
        verify=verify,
        variables=variables,
        backticks=allow_shell,
    )
    ledger = Ledger(as_json=as_json)
    with told_when_interrupted(), ledger.going_on():
        deployed = runner.migrate(
            named or settings.url(Login.ADMIN), projects, to=to, dry_run=dry_run, options=options, report=ledger.show
        )
    if embedded and not dry_run:
        from userscope.admin.logins import ensure_all

        ensure_all(settings)
    if started:
        from userscope.local.server import Server

        folder = Server(settings.home).folder
        ledger.remark(f'PostgreSQL goes on running, in "{folder}", until "userscope down".')
    if as_json:
        found = {"would_deploy": deployed, "locks": ledger.locks} if dry_run else {"deployed": deployed}
        print_json({**found, "seconds": ledger.seconds})


def _ask_about_remote(url: "ConnectionURL | None") -> None:
    """Ask before anything is deployed where only the services' variable says so: a .env may have brought it along."""
    from userscope.errors import ConfigurationError

    if url is None or url.local or url.variable != Login.SERVICE.variable:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"whether to deploy to {url} was not asked",
            detail="It is remote, and DATABASE_URL alone names it, which services connect with.",
            hint="Set ADMIN_DATABASE_URL to the owner's URL, or add --yes.",
        )
    if not confirmed(f"DATABASE_URL names a remote database. Deploy to {url}?"):
        typer.echo("Nothing deployed", err=True)
        raise typer.Exit(1)


def revert(
    *,
    to: Annotated[
        str | None, typer.Option(metavar="PROJECT:CHANGE", help="The change to go back to; it stays.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Revert every change of the projects.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    log_only: LogOnly = False,
    lock_timeout: LockTimeout = "5s",
    statement_timeout: StatementTimeout = "0",
    wait: Wait = 60,
    variables: Variables = None,
    allow_shell: AllowShell = False,
    target: Target = None,
    project: Projects = None,
    as_json: Json = False,
) -> None:
    """Revert what came after a change, and what needs that. Data goes with the tables.

    Example: userscope revert --to schema:users
    """
    from userscope.errors import ConfigurationError
    from userscope.migrations import runner

    if (to is None) == (not everything):
        raise ConfigurationError(
            "revert needs either --to or --all", hint='For example "userscope revert --to schema:users".'
        )
    named, projects = place(project, target)
    url = named or admin()
    ledger = Ledger(as_json=as_json)
    with told_when_interrupted(), ledger.going_on():
        reverted = runner.revert(
            url,
            projects,
            to=to,
            confirm=(lambda _labels: True) if yes else _asking(url),
            options=run_options(
                lock_timeout,
                statement_timeout,
                wait,
                log_only=log_only,
                variables=variables,
                backticks=allow_shell,
            ),
            report=ledger.show,
        )
    if as_json:
        print_json({"reverted": reverted, "seconds": ledger.seconds})


def _asking(url: "ConnectionURL") -> Callable[[list[str]], bool]:
    def ask(labels: list[str]) -> bool:
        typer.echo(f"To be reverted from {url}, with the data in it:", err=True)
        for label in labels:
            typer.echo(f"  - {label}", err=True)
        if not confirmed("Revert?"):
            typer.echo("Nothing reverted", err=True)
            raise typer.Exit(1)
        return True

    return ask
