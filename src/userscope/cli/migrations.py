"""``userscope migrate | status | verify | check | log | revert | plan``: the two Sqitch projects as one."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from userscope.migrations.inspection import Status
    from userscope.migrations.plan import Change
    from userscope.migrations.projects import Project
    from userscope.migrations.work import Event, Options
    from userscope.settings import Settings
    from userscope.urls import ConnectionURL

_Projects = Annotated[
    list[Path] | None,
    typer.Option("--project", metavar="DIR", help="A Sqitch project, or a folder of such; may be repeated."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_LockTimeout = Annotated[str, typer.Option(metavar="TIME", help="How long to wait for one lock.")]
_StatementTimeout = Annotated[str, typer.Option(metavar="TIME", help="How long a statement may run; 0 for ever.")]
_Wait = Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for another runner, or Sqitch.")]
_LogOnly = Annotated[bool, typer.Option("--log-only", help="Record it, but run no script.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (migrate, status, verify, check, log, revert, plan):
        app.command()(command)


def migrate(
    to: Annotated[str | None, typer.Option(metavar="PROJECT:CHANGE", help="The last change to deploy.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be deployed.")] = False,
    log_only: _LogOnly = False,
    lock_timeout: _LockTimeout = "5s",
    statement_timeout: _StatementTimeout = "0",
    wait: _Wait = 60,
    project: _Projects = None,
    as_json: _Json = False,
) -> None:
    """Deploy and verify every pending change. The embedded server is made and started where no URL is set.

    Example: userscope migrate --to schema:users
    """
    from userscope.migrations import runner
    from userscope.settings import Settings

    settings = Settings()
    projects = _find(project)
    if settings.embedded:
        from userscope.local.server import Server

        Server(settings.home).start()
    options = _options(lock_timeout, statement_timeout, wait, log_only=log_only)
    ledger = _Ledger(as_json=as_json)
    with _told_when_interrupted():
        deployed = runner.migrate(
            settings.url("admin"), projects, to=to, dry_run=dry_run, options=options, report=ledger.show
        )
    if settings.embedded and not dry_run:
        _make_logins(settings)
    if as_json:
        _print_json({"would_deploy" if dry_run else "deployed": deployed, "seconds": ledger.seconds})


def status(*, project: _Projects = None, as_json: _Json = False) -> None:
    """Tell where each project stands and what is pending. Exit code 1 if something is.

    Example: userscope status --json
    """
    from userscope.migrations import inspection

    url, projects = _connect(project)
    found = inspection.status(url, projects, report=_Ledger(as_json=as_json).show)
    if as_json:
        _print_json([vars(item) for item in found])
    else:
        print(f"# On database {url}")
        for item in found:
            _print_status(item)
    raise typer.Exit(int(any(item.pending or item.problem for item in found)))


def _print_status(item: "Status") -> None:
    print(f"#\n# Project:  {item.project}")
    if item.change_id is None:
        print("# No changes deployed\n#")
    else:
        print(f"# Change:   {item.change_id}\n# Name:     {item.change}")
        if item.tags:
            print(f"# {'Tag: ' if len(item.tags) == 1 else 'Tags:'}     {', '.join(item.tags)}")
        print(f"# Deployed: {item.deployed_at}\n# By:       {item.committer}\n#")
    if item.problem:
        print(item.problem)
    elif item.pending:
        print("Undeployed change:" if len(item.pending) == 1 else "Undeployed changes:")
        for label in item.pending:
            print(f"  * {label}")
    else:
        print("Nothing to deploy (up-to-date)")


def verify(*, project: _Projects = None, statement_timeout: _StatementTimeout = "0", as_json: _Json = False) -> None:
    """Run the verification of every deployed change. Exit code 1 if one fails or a change is pending.

    Example: userscope verify
    """
    from userscope.migrations import inspection

    url, projects = _connect(project)
    ledger = _Ledger(as_json=as_json)
    ledger.remark(f"Verifying {url}")
    options = _options("5s", statement_timeout, 0)
    with _told_when_interrupted():
        results, pending = inspection.verify(url, projects, options=options, report=ledger.show)
    errors = sum(len(result.problems) for result in results)
    if as_json:
        _print_json({"changes": [vars(result) for result in results], "errors": errors, "pending": pending})
    else:
        if not results:
            print("No changes deployed")
        if pending:
            print("Undeployed change:" if len(pending) == 1 else "Undeployed changes:")
            for label in pending:
                print(f"  * {label}")
        if errors:
            print(f"\nVerify Summary Report\n---------------------\nChanges: {len(results)}\nErrors:  {errors}")
        elif results:
            print("Verify successful")
    raise typer.Exit(int(bool(errors or pending)))


def check(*, project: _Projects = None, as_json: _Json = False) -> None:
    """Compare deployed scripts with the files, by hash. Exit code 1 if one differs.

    Example: userscope check
    """
    from userscope.migrations import inspection

    url, projects = _connect(project)
    ledger = _Ledger(as_json=as_json)
    ledger.remark(f"Checking {url}")
    checks = inspection.check(url, projects, report=ledger.show)
    failed = [item for item in checks if item.diverges]
    if as_json:
        _print_json([vars(item) for item in checks])
    else:
        for item in failed:
            print(f"Script signatures diverge at change {item.diverges}")
        if failed:
            print("Failed one check" if len(failed) == 1 else f"Failed {len(failed)} checks")
        elif any(item.deployed for item in checks):
            print("Check successful")
        else:
            print("No changes deployed")
    raise typer.Exit(int(bool(failed)))


def log(
    *,
    limit: Annotated[int | None, typer.Option("-n", "--max-count", metavar="N", help="Only the newest N.")] = None,
    project: _Projects = None,
    as_json: _Json = False,
) -> None:
    """Tell what was deployed, reverted and failed, newest first. Exit code 1 if nothing ever was.

    Example: userscope log -n 5
    """
    from userscope.migrations import inspection

    url, projects = _connect(project)
    events = inspection.log(url, projects, limit=limit, report=_Ledger(as_json=as_json).show)
    if as_json:
        _print_json(events)
    elif not events:
        print(f"No events logged for {url}")
    else:
        print(f"On database {url}")
        for event in events:
            tags = f" ({', '.join(event['tags'])})" if event["tags"] else ""
            print(f"{event['event'].capitalize()} {event['change_id']}{tags}")
            print(f"Name:      {event['project']}:{event['change']}")
            print(f"Committer: {event['committer_name']} <{event['committer_email']}>")
            print(f"Date:      {event['committed_at']}\n")
            print("".join(f"    {line}\n" for line in event["note"].splitlines()))
    raise typer.Exit(int(not events))


def revert(
    *,
    to: Annotated[
        str | None, typer.Option(metavar="PROJECT:CHANGE", help="The change to go back to; it stays.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Revert every change of the projects.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    log_only: _LogOnly = False,
    lock_timeout: _LockTimeout = "5s",
    statement_timeout: _StatementTimeout = "0",
    wait: _Wait = 60,
    project: _Projects = None,
    as_json: _Json = False,
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
    url, projects = _connect(project)
    ledger = _Ledger(as_json=as_json)
    with _told_when_interrupted():
        reverted = runner.revert(
            url,
            projects,
            to=to,
            confirm=(lambda _labels: True) if yes else _asking(url),
            options=_options(lock_timeout, statement_timeout, wait, log_only=log_only),
            report=ledger.show,
        )
    if as_json:
        _print_json({"reverted": reverted, "seconds": ledger.seconds})


def _asking(url: "ConnectionURL") -> Callable[[list[str]], bool]:
    from userscope.cli._ask import confirmed

    def ask(labels: list[str]) -> bool:
        typer.echo(f"To be reverted from {url}, with the data in it:", err=True)
        for label in labels:
            typer.echo(f"  - {label}", err=True)
        if not confirmed("Revert?"):
            typer.echo("Nothing reverted", err=True)
            raise typer.Exit(1)
        return True

    return ask


def plan(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A sqitch.plan.", show_default=False)],
    *,
    ids: Annotated[bool, typer.Option("--ids", help="One line a change or tag: its id and name.")] = False,
    as_json: _Json = False,
) -> None:
    """Print a plan, or refuse it as Sqitch would.

    Example: userscope plan schema/sqitch.plan --ids
    """
    from userscope.migrations import grammar

    read = grammar.read(file)
    if as_json:
        _print_json(
            {"project": read.project, "uri": read.uri, "changes": [_planned(change) for change in read.changes]}
        )
        return
    if not ids:
        print(f"# Project: {read.project}\n# File:    {file}")
        if read.uri is not None:
            print(f"# URI:     {read.uri}")
        print()
    for change in read.changes:
        if ids:
            print(f"{change.id} {change.name}")
            for tag in change.tags:
                print(f"{tag.id} {tag.label}")
            continue
        print(f"Deploy {change.id}\nName:    {change.name}")
        for word, items in (("Requires", change.requires), ("Conflicts", change.conflicts)):
            if items:
                print(f"{word}: {', '.join(item.text(read.project) for item in items)}")
        if change.tags:
            print(f"Tags:    {', '.join(tag.label for tag in change.tags)}")
        print(f"Planner: {change.planner_name} <{change.planner_email}>\nDate:    {change.timestamp}\n")
        print("".join(f"    {line}\n" for line in change.note.splitlines()))


def _planned(change: "Change") -> dict[str, object]:
    return {
        "id": change.id,
        "name": change.name,
        "requires": [item.text(change.project) for item in change.requires],
        "conflicts": [item.text(change.project) for item in change.conflicts],
        "tags": [{"id": tag.id, "name": tag.label} for tag in change.tags],
        "planner": f"{change.planner_name} <{change.planner_email}>",
        "planned_at": change.timestamp,
        "note": change.note,
    }


def _find(folders: Sequence[Path] | None) -> "list[Project]":
    from userscope.migrations import projects

    return projects.find(folders or ())


def _connect(folders: Sequence[Path] | None) -> "tuple[ConnectionURL, list[Project]]":
    """Return the admin's URL, once the embedded server runs, and the projects."""
    from userscope.settings import Settings

    settings = Settings()
    projects = _find(folders)
    url = settings.url("admin")
    if settings.embedded:
        from userscope.local.server import Server

        Server(settings.home).start()
    return url, projects


def _make_logins(settings: "Settings") -> None:
    """Make the embedded server's service logins ready, once their roles exist."""
    import psycopg

    from userscope.logins import ensure_login

    admin = settings.url("admin")
    service, auth = settings.url("service").params, settings.url("auth").params
    with psycopg.connect(admin.conninfo()) as connection:
        roles = connection.execute("select to_regrole('app_user'), to_regrole('app_auth')").fetchone()
    if roles is not None and all(roles):  # a project of one's own, or --to, may have made none
        ensure_login(admin, service["user"], "app_user", service["password"])
        ensure_login(admin, auth["user"], "app_auth", auth["password"])


@contextmanager
def _told_when_interrupted() -> Iterator[None]:
    """Say how things stand after Ctrl-C or SIGTERM, where Typer says nothing."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(
            "ERROR:  interrupted\n"
            "DETAIL:  What the ledger calls ok stays; the transaction that was under way was rolled back.\n"
            "HINT:  Run the command again to go on.",
            err=True,
        )
        raise typer.Exit(130) from None


def _options(lock: str, statement: str, wait: float, *, log_only: bool = False) -> "Options":
    from userscope.migrations.wire import Timeouts
    from userscope.migrations.work import Options

    return Options(Timeouts(lock, statement), wait=wait, log_only=log_only)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


class _Ledger:
    """Prints events as Sqitch does; with ``as_json`` only warnings, to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.seconds: dict[str, float] = {}
        self._line = ""  # what is written and not ended yet

    def remark(self, text: str) -> None:
        """Print a line of its own."""
        if not self.as_json:
            print(text, flush=True)

    def show(self, event: "Event") -> None:
        """Print what the runner reports."""
        if event.kind == "warning":
            if self._line and not self.as_json:
                print(flush=True)
            self._line = ""
            typer.echo(event.text, err=True)
        elif event.kind == "remark":
            self.remark(event.text)
        elif event.kind == "start":
            self._start(event)
        else:
            self._end(event)

    def _start(self, event: "Event") -> None:
        self._line = f"  {event.sign} {event.text} ..{'.' * (event.width - len(event.text))} "
        if not self.as_json:
            print(self._line, end="", flush=True)

    def _end(self, event: "Event") -> None:
        self.seconds[event.text] = round(event.seconds, 4)
        if self.as_json:
            return
        if not self._line:  # a warning stands between
            self._start(event)
        time = f" ({event.seconds * 1000:.0f} ms)" if event.seconds else ""
        print(f"{'ok' if event.kind == 'ok' else 'not ok'}{time}", flush=True)
        self._line = ""
