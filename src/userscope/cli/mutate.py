"""``userscope mutate``: would the tests notice?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from userscope.cli._options import Json, Projects, beside_ours
from userscope.errors import ConfigurationError

if TYPE_CHECKING:
    from userscope.postgres.url import ConnectionURL

_ACCEPTED = Path("policies/accepted-mutants.toml")


def mutate(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- COMMAND", help="What runs the tests; exit code 0 if they pass."),
    ] = None,
    only: Annotated[
        str, typer.Option(metavar="PATTERN", help="Only mutants whose name contains this; * is any text.")
    ] = "*",
    sample: Annotated[
        int, typer.Option(metavar="N", min=0, help="Only so many of them, drawn at random; 0 for all.")
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="S", help="What the sample is drawn with.")] = 0,
    jobs: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many to try at a time; 0 for one a processor.")
    ] = 0,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="How long COMMAND may take unmutated.")
    ] = 600,
    accepted: Annotated[
        Path, typer.Option(metavar="FILE", dir_okay=False, help="Mutants that may survive, each with its reason.")
    ] = _ACCEPTED,
    servers: Annotated[
        list[str] | None,
        typer.Option(
            "--server",
            metavar="URL",
            help="An empty server of your own to copy into: a superuser's URL, or a variable with it; repeatable.",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name the mutants that were killed, too.")] = False,
    project: Projects = None,
    ours: Annotated[
        bool, typer.Option("--ours", help='Try what userscope brings, too, where ours = "core" leaves it out.')
    ] = False,
    list_only: Annotated[bool, typer.Option("--list", help="Print the mutants' names, and try none.")] = False,
    as_json: Json = False,
) -> None:
    """Plant defects, and tell which ones COMMAND does not notice.

    The admin database is read, never touched: its schema, roles and grants are copied into servers of this command's
    own, and each copy gets one defect at a time. COMMAND finds each copy by DATABASE_URL, AUTH_DATABASE_URL and
    ADMIN_DATABASE_URL. Exit code 1 if a defect survives. Ctrl-C tells what was tried so far.

    With ours = "core" in pyproject.toml only what is beside the core gets defects: a project's own tables and roles.

    Example: userscope mutate -- pytest -x -q tests/isolation
    """
    import os
    from contextlib import ExitStack

    from userscope import pyproject
    from userscope.mutation import mutants, selection
    from userscope.mutation.execute import Execution
    from userscope.mutation.report import Tally, progress
    from userscope.mutation.scratch import scratch_copy
    from userscope.mutation.servers import given
    from userscope.postgres.connect import connect
    from userscope.settings import Settings

    if not command and not list_only:
        raise ConfigurationError("no command was given", hint="For example: userscope mutate -- pytest -x -q")
    settings = Settings()
    own = [given(text) for text in servers or ()]
    tally = Tally({})
    try:
        with ExitStack() as stack:
            first = stack.enter_context(scratch_copy(settings, *own[:1]))
            with connect(first.superuser) as connection:
                every = mutants.every(connection, (project.folder / "mutants" for project in beside_ours(project)))
            may_survive, notes = selection.accepted(accepted, every)
            for note in notes:
                print(f"WARNING:  {note.object}: {note.finding}\nDETAIL:  {note.detail}", file=sys.stderr)
            if pyproject.read().ours == "core" and not ours:
                every = selection.beside_core(every)
            chosen = selection.some(every, only, sample, seed)
            if not every:
                print('Nothing of your own to mutate yet; "--ours" tries the core.', file=sys.stderr)
            if list_only or not command:
                print("".join(f"{mutant.id}\n" for mutant in chosen), end="")
                return
            tally = Tally(may_survive, len(chosen), verbose)
            others = max(1, min(jobs or len(own) or os.cpu_count() or 1, len(chosen), len(own) or len(chosen))) - 1
            more: list[ConnectionURL | None] = [*own[1:]] or [None] * others
            copies = [first, *(stack.enter_context(scratch_copy(settings, one)) for one in more[:others])]
            with progress(len(chosen), tally, quiet=as_json) as report:
                Execution(copies, command, timeout).run(chosen, report)
    except KeyboardInterrupt:
        if tally.total:
            print(tally.json() if as_json else tally.text())
        raise
    print(tally.json() if as_json else tally.text())
    sys.exit(1 if tally.holes else 0)
