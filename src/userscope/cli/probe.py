"""``userscope probe``: proof by trying."""

from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from userscope.cli._options import Json, form_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from userscope.postgres.url import ConnectionURL
    from userscope.settings import Settings


class Format(StrEnum):
    """How the report is printed; each has its renderer."""

    text = "text"
    json = "json"
    sarif = "sarif"
    sql = "sql"
    pgtap = "pgtap"
    html = "html"


class Level(StrEnum):
    """From which level on a finding makes the exit code 1."""

    error = "error"
    question = "question"


class Profile(StrEnum):
    """What is known of the database."""

    auto = "auto"
    none = "none"
    userscope = "userscope"
    supabase = "supabase"
    postgrest = "postgrest"
    neon = "neon"


def probe(
    *,
    profile: Annotated[
        Profile, typer.Option(help="The platform: whose roles act, and what is its own; else what it looks like.")
    ] = Profile.auto,
    roles: Annotated[
        str, typer.Option("--as", metavar="ROLE,…", help="Whom to act as; else those that policies are for.")
    ] = "",
    identity: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SETTING=KIND", help="What a setting holds: uuid, number, email, or a text with {uuid} in it."
        ),
    ] = None,
    order: Annotated[
        str,
        typer.Option(
            "--roles-order", metavar="ROLE,…", help="Ranks within a tenant, as columns hold them: least first."
        ),
    ] = "",
    migrations: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="A Supabase project's migrations, instead of a database."),
    ] = None,
    seed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="SQL that is run before anything is filled.", dir_okay=False)
    ] = None,
    accept: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Answers, each with its reason: probe.toml.", dir_okay=False)
    ] = None,
    fail_on: Annotated[Level, typer.Option(help="From which level on a finding makes the exit code 1.")] = Level.error,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.text,
    as_json: Json = False,
    matrix: Annotated[bool, typer.Option("--matrix", help="Print who sees whose rows, instead of findings.")] = False,
    here: Annotated[
        int,
        typer.Option("--here", count=True, help="Work in the database itself; twice: though it holds rows."),
    ] = 0,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="An empty server of your own to copy into, with the extensions that it takes."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --here: though it is not local.")] = False,
    limit: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.001, max=86_400, help="How long one statement may take.")
    ] = 2.0,
) -> None:
    """Show by trying how one user reaches another's rows.

    A copy is filled with two made-up worlds, everybody is acted as, and what reached across is shown, with the
    statements that show it. The admin database is read, never touched: its schema, roles and grants are copied into
    a server of this command's own. Functions of the copy really run. Exit code 1 if an error is found, 2 if too little
    could be filled or tried.

    Example: userscope probe --as app_user --accept probe.toml --fail-on question
    """
    from userscope.cli._progress import progress
    from userscope.errors import ConfigurationError
    from userscope.probe import answers, platform, run
    from userscope.probe.render import RENDERERS
    from userscope.probe.render.report import Report
    from userscope.probe.render.text import as_matrix
    from userscope.settings import Settings

    printed = form_of(form, as_json=as_json)
    if matrix and printed != Format.text:
        raise ConfigurationError("--matrix is text", hint="Leave it out: --json and --format html tell the same.")
    ways = {"--here": here, "--server": server, "--migrations": migrations}
    if len(given := [name for name, value in ways.items() if value]) > 1:
        raise ConfigurationError(
            f"{' and '.join(given)} cannot be given together",
            hint="Try in the database itself, in a copy on that server, or on those scripts.",
        )
    answers.answered([], accept)  # a file that is none is told of at once
    options = run.Options(
        roles=_listed(roles),
        identity=_identity(identity or []),
        profile="" if profile is Profile.none else profile,
        seed=seed,
        order=_listed(order),
        limit=limit,
    )
    settings = Settings()
    tried = platform.migrated(migrations) if migrations else _database(settings, server, here=here, yes=yes)
    with tried as (url, failures):
        with progress("probe", quiet=printed == Format.json) as say:
            result = run.probe(url, options, say)
        result.coverage.not_tried[:0] = [f"not copied: {failure}" for failure in failures]
        scene, sorted_ = result.scene, answers.answered(result.findings, accept)
        report = Report(sorted_, result.coverage, run.matrix(scene), run.seed(scene), run.looks(scene))
    print(as_matrix(report) if matrix else RENDERERS[printed](report))
    raise typer.Exit(1 if report.failed(fail_on) else 2 if report.coverage.too_little else 0)


def _listed(given: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in given.split(",") if name.strip())


def _identity(given: list[str]) -> dict[str, str]:
    from userscope.errors import ConfigurationError

    wrong = [text for text in given if not all(part.strip() for part in text.partition("="))]
    if wrong:
        raise ConfigurationError(
            f'--identity "{wrong[0]}" says nothing', hint="For example: --identity app.tenant=number"
        )
    return {name.strip(): kind.strip() for name, _, kind in (text.partition("=") for text in given)}


@contextmanager
def _database(
    settings: "Settings", server: str | None, *, here: int, yes: bool
) -> "Iterator[tuple[ConnectionURL, tuple[str, ...]]]":
    """Copy the database, or take it itself where that was asked for, and is meant."""
    from userscope.cli._options import start_embedded
    from userscope.errors import ConfigurationError
    from userscope.login import Login
    from userscope.mutation.scratch import copied
    from userscope.mutation.servers import given
    from userscope.postgres.connect import connect
    from userscope.probe.catalog import read

    source = settings.url(Login.ADMIN)
    start_embedded(settings)
    if not here:
        with copied(settings, given(server) if server else None, forgiving=True) as copy:
            yield copy.superuser, copy.failures
        return
    name = source.params["dbname"]
    if not source.local and not yes:
        raise ConfigurationError(
            f'database "{name}" is not on this machine, and --here would write to it',
            hint="Leave out --here: a copy is made then. Or say --yes, if it is there to be thrown away.",
        )
    with connect(source) as connection:
        full = read.first_with_rows(connection)
    if full and here < 2:
        raise ConfigurationError(
            f'database "{name}" holds rows: {full} does',
            hint="--here writes to it and calls its functions. If it may be thrown away, say --here --here.",
        )
    yield source, ()
