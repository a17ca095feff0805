"""``userscope audit``: who may do what in the live database, and what is wrong with it."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from userscope.cli import _paint
from userscope.cli._options import Json, Projects, admin, beside_ours, form_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from userscope.audit.model import Report


class Format(StrEnum):
    """How the report is printed; each has its renderer."""

    text = "text"
    json = "json"
    markdown = "markdown"
    sarif = "sarif"
    github = "github"
    junit = "junit"
    html = "html"


class Platform(StrEnum):
    """What brings roles and an identity along."""

    userscope = "userscope"
    supabase = "supabase"
    postgrest = "postgrest"
    neon = "neon"


class Level(StrEnum):
    """From which level on a finding makes the exit code 1."""

    error = "error"
    warning = "warning"
    info = "info"


def audit(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="With --sql: this question alone.")] = None,
    *,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.text,
    as_json: Json = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the questions for psql, and ask nothing.")] = False,
    drift: Annotated[
        bool, typer.Option("--drift", help="Also compare with a scratch deployment of the migrations.")
    ] = False,
    profile: Annotated[
        Platform | None, typer.Option(help="The platform, whose own is left alone; else what it looks like.")
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Also try it, in a scratch copy, and show the proofs beside the findings.")
    ] = False,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What is accepted, each with its reason: audit.toml.")
    ] = None,
    before: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --format html: what an earlier --json printed, to compare."),
    ] = None,
    fail_on: Annotated[Level, typer.Option(help="From which level on a finding makes the exit code 1.")] = Level.error,
    only: Annotated[list[str] | None, typer.Option(metavar="RULE", help="Tell of this rule alone; repeatable.")] = None,
    skip: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Tell nothing of this rule; repeatable.")
    ] = None,
    project: Projects = None,
    folder: Annotated[
        Path | None, typer.Option("--questions", metavar="DIR", help="Questions other than policies/audit/*.sql.")
    ] = None,
) -> None:
    """Ask who may do what, and what is wrong with it. Exit code 1 if there is an error among the findings.

    What is meant to be so is accepted by an entry in a --baseline, with the reason; it goes on to be told of as such.
    Policies are read by PostgreSQL's own parser; --profile says whose roles and identity they are written for.
    --format html is a page to look at: which rows each role reaches, and why.
    With --probe a copy is filled and everybody is acted as: what was shown has its statements, and an error that trying
    could have shown and did not is a warning.
    With --drift, --project names projects of your own beside ours.
    Other schemas and roles: alter database app set userscope.audit_schemas = 'app, billing' (docs/audit.md).

    Example: userscope audit --baseline audit.toml --fail-on warning
    """
    from dataclasses import replace
    from datetime import UTC, datetime

    from userscope.audit import baseline as baselines
    from userscope.audit import difference, run
    from userscope.audit.examples import examples
    from userscope.audit.judge import RULES
    from userscope.audit.places import Places, files_of
    from userscope.audit.render import RENDERERS, Occasion
    from userscope.cli._progress import progress
    from userscope.errors import ConfigurationError

    printed = form_of(form, as_json=as_json)
    asked = run.questions(folder)
    if sql:
        print(run.script(_chosen(asked, name)), end="")
        return
    if name:
        raise ConfigurationError(f'"{name}" goes with --sql', hint="Without a name everything is asked.")
    known = {*asked, *RULES, run.NODES, "drift", "probe", baselines.RULE} - {run.MATRIX}
    wanted = _known(only, known, "--only") or known
    wanted = (wanted | {baselines.RULE}) - _known(skip, known, "--skip")
    if before and form is not Format.html:
        raise ConfigurationError("--before goes with --format html", hint="Without it nothing is compared.")
    accepted = baselines.Baseline.read(baseline) if baseline else None
    earlier = difference.read(before) if before else None
    url = admin()
    ran = wanted - {rule for rule, asked_for in (("drift", drift), ("probe", probe)) if not asked_for}
    with progress("audit", quiet=as_json) as say:
        report = run.audit(url, asked, profile)
        if drift:
            from userscope.audit.drift import drifted

            say("drift")
            report = report.with_findings(drifted(url, beside_ours(project)))
        if probe:
            report = _tried(report, profile, say)
    if accepted:
        report = baselines.applied(report, accepted, known=known, asked=ran)
    report = report.about(wanted)
    occasion = Occasion(fail_on, ran, width=_paint.width(sys.stdout))
    if form in (Format.sarif, Format.github):
        occasion = replace(occasion, place=Places(files_of(beside_ours(project))).of)
    if form is Format.html:
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        occasion = replace(
            occasion, database=url.params["dbname"], when=now, examples=examples(url, report), before=earlier
        )
    print(_paint.levels(RENDERERS[printed](report, occasion), sys.stdout))
    raise typer.Exit(int(report.failed(fail_on)))


def _tried(report: "Report", profile: Platform | None, say: "Callable[[str], None]") -> "Report":
    """Try it in a copy; say what could not be tried."""
    from userscope.cli._options import start_embedded
    from userscope.mutation.scratch import copied
    from userscope.probe import run
    from userscope.probe.beside import with_proofs
    from userscope.settings import Settings

    settings = Settings()
    start_embedded(settings)
    options = run.Options(profile=profile.value) if profile else run.Options()
    with copied(settings, forgiving=True) as copy:
        result = run.probe(copy.superuser, options, say)
    for reason in (*copy.failures, *result.coverage.not_tried, *result.coverage.too_little):
        print(f"not tried: {reason}", file=sys.stderr)
    return with_proofs(report, result.findings)


def _known(rules: list[str] | None, known: set[str], option: str) -> set[str]:
    """Refuse a rule that there is not: nothing would be found, or nothing left out, unseen."""
    from userscope.errors import ConfigurationError

    for rule in rules or ():
        if rule not in known:
            raise ConfigurationError(
                f'{option}: there is no rule "{rule}"', hint=f"There are: {', '.join(sorted(known))}."
            )
    return set(rules or ())


def _chosen(asked: dict[str, str], name: str | None) -> dict[str, str]:
    """Return one of the questions, or all."""
    from userscope.errors import ConfigurationError

    if name is None:
        return asked
    if name not in asked:
        raise ConfigurationError(f'there is no question "{name}"', hint=f"There are: {', '.join(asked)}.")
    return {name: asked[name]}
