"""``userscope status | verify | check | log | plan``: what was deployed, and what is planned."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from userscope.cli._ledger import Ledger, print_json, told_when_interrupted
from userscope.cli._options import (
    AllowShell,
    Json,
    Projects,
    StatementTimeout,
    Target,
    Variables,
    admin,
    place,
    run_options,
)

if TYPE_CHECKING:
    from userscope.migrations.engine import Options
    from userscope.migrations.inspection import Status
    from userscope.migrations.plan.plan import Change
    from userscope.migrations.projects import Project
    from userscope.postgres.url import ConnectionURL


def status(*, target: Target = None, project: Projects = None, as_json: Json = False) -> None:
    """Tell where each project stands and what is pending. Exit code 1 if something is.

    On Citus it tells as well what a node lacks, which is exit code 1 too; "userscope nodes" gives it that.

    Example: userscope status --json
    """
    from userscope.admin import nodes
    from userscope.cli.nodes import show
    from userscope.migrations import inspection

    url, projects = _connect(project, target)
    found = inspection.status(url, projects, report=Ledger(as_json=as_json).show)
    distributed = nodes.found(url)
    if as_json:
        print_json([vars(item) for item in (*found, *distributed)])
    else:
        print(f"# On database {url}")
        for item in found:
            _print_status(item)
        if distributed:
            print("#\n# Nodes:")
            show(distributed)
    lacking = any(node.problems for node in distributed)
    raise typer.Exit(int(lacking or any(item.pending or item.problem for item in found)))


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
        if item.hint:
            print(f"HINT:  {item.hint}")
    elif item.pending:
        _print_undeployed(item.pending)
    else:
        print("Nothing to deploy (up-to-date)")


def _print_undeployed(labels: list[str]) -> None:
    print("\n  * ".join(["Undeployed change:" if len(labels) == 1 else "Undeployed changes:", *labels]))


def verify(
    *,
    target: Target = None,
    project: Projects = None,
    statement_timeout: StatementTimeout = "0",
    variables: Variables = None,
    allow_shell: AllowShell = False,
    as_json: Json = False,
) -> None:
    """Run the verification of every deployed change. Exit code 1 if one fails or a change is pending.

    Example: userscope verify
    """
    from userscope.migrations import inspection

    url, projects = _connect(project, target)
    ledger = Ledger(as_json=as_json)
    ledger.remark(f"Verifying {url}")
    options = run_options("5s", statement_timeout, 0, variables=variables, backticks=allow_shell)
    with told_when_interrupted():
        results, pending = inspection.verify(url, projects, options=options, report=ledger.show)
    errors = sum(len(result.problems) for result in results)
    if as_json:
        print_json({"changes": [vars(result) for result in results], "errors": errors, "pending": pending})
    else:
        if not results:
            print("No changes deployed")
        if pending:
            _print_undeployed(pending)
        if errors:
            print(f"\nVerify Summary Report\n---------------------\nChanges: {len(results)}\nErrors:  {errors}")
        elif results:
            print("Verify successful")
    raise typer.Exit(int(bool(errors or pending)))


def check(
    *,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Find out how much a database holds that was made without, and how to record it."),
    ] = False,
    variables: Variables = None,
    allow_shell: AllowShell = False,
    target: Target = None,
    project: Projects = None,
    as_json: Json = False,
) -> None:
    """Compare deployed scripts with the files, by hash. Exit code 1 if one differs.

    Example: userscope check
    """
    from userscope.migrations import inspection
    from userscope.migrations.registry.read import UNRELEASED

    url, projects = _connect(project, target)
    ledger = Ledger(as_json=as_json)
    ledger.remark(f"Checking {url}")
    if adopt:
        _adopt(url, projects, run_options("5s", "0", 0, variables=variables, backticks=allow_shell), ledger)
    checks = inspection.check(url, projects, report=ledger.show)
    failed = [item for item in checks if item.diverges]
    if as_json:
        print_json([vars(item) for item in checks])
    else:
        for item in failed:
            print(f"Script signatures diverge at change {item.diverges}")
        if failed:
            print("Failed one check" if len(failed) == 1 else f"Failed {len(failed)} checks")
            print("HINT:  These scripts were edited after they were deployed: bring back the files as they were.")
            print(UNRELEASED)
        elif any(item.deployed for item in checks):
            print("Check successful")
        else:
            print("No changes deployed")
    raise typer.Exit(int(bool(failed)))


def log(
    *,
    limit: Annotated[
        int | None, typer.Option("-n", "--max-count", min=1, metavar="N", help="Only the newest N.")
    ] = None,
    target: Target = None,
    project: Projects = None,
    as_json: Json = False,
) -> None:
    """Tell what was deployed, reverted and failed, newest first. Exit code 1 if nothing ever was.

    Example: userscope log -n 5
    """
    from userscope.migrations import inspection

    url, projects = _connect(project, target)
    events = inspection.log(url, projects, limit=limit, report=Ledger(as_json=as_json).show)
    if as_json:
        print_json(events)
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


def plan(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A sqitch.plan.", show_default=False)],
    *,
    ids: Annotated[bool, typer.Option("--ids", help="One line a change or tag: its id and name.")] = False,
    as_json: Json = False,
) -> None:
    """Print a plan, or refuse it as Sqitch would.

    Example: userscope plan schema/sqitch.plan --ids
    """
    from userscope.migrations.plan import grammar

    read = grammar.read(file)
    if as_json:
        print_json({"project": read.project, "uri": read.uri, "changes": [_planned(change) for change in read.changes]})
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


def _adopt(url: "ConnectionURL", projects: "list[Project]", options: "Options", ledger: Ledger) -> NoReturn:
    """Tell how much of what is pending is there already. Exit code 1 if something is pending."""
    from userscope.migrations import adoption

    with told_when_interrupted():
        found = adoption.standing(url, projects, options=options, report=ledger.show)
    if ledger.as_json:
        print_json([vars(item) for item in found])
    else:
        for item in found:
            print(f"{item.project}: {item.sentence}")
        commands = [f"  userscope migrate --log-only --to {item.project}:{item.last}" for item in found if item.last]
        if commands:
            print("\n".join(["To record that, as if it had been deployed:", *commands]))
    raise typer.Exit(int(any(item.pending for item in found)))


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


def _connect(folders: Sequence[Path] | None, target: Sequence[str] | None) -> "tuple[ConnectionURL, list[Project]]":
    """Return the target's or the admin's URL, and the projects, which are read before a server is started."""
    url, projects = place(folders, target)
    return url or admin(), projects
