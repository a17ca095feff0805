"""One run: read, fill, fit, try, and show again what was found."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from userscope.errors import AuditError
from userscope.postgres.url import ConnectionURL
from userscope.probe import answers, profiles, proof, rosters, statements
from userscope.probe import identities as who
from userscope.probe.attacks import around, calling, changing, promoting, publishing, ranking, reading
from userscope.probe.catalog import read
from userscope.probe.coverage import Coverage, measure
from userscope.probe.filling import Filling
from userscope.probe.findings import Finding, by_level
from userscope.probe.identities import Identities, Kind
from userscope.probe.meaning import Meaning
from userscope.probe.scene import Scene
from userscope.probe.sight import Sight
from userscope.probe.stage import Stage
from userscope.probe.worlds import ALICE, BOB, WORLDS, Values, World

type Progress = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What a run is told; the identity's settings are kinds, or texts with ``{uuid}`` and its like in them."""

    roles: Sequence[str] = ()
    identity: Mapping[str, str] = field(default_factory=dict)
    profile: str = profiles.AUTOMATIC
    seed: Path | None = None
    order: Sequence[str] = ()
    """The roles within a tenant, who may least first."""
    limit: float = 2.0
    """Seconds that one statement may take."""


@dataclass(frozen=True)
class Result:
    """What was found, worst first, and how much was tried."""

    findings: list[Finding]
    coverage: Coverage
    scene: Scene


def probe(url: ConnectionURL, options: Options, progress: Progress = lambda _: None) -> Result:
    """Try everything on the database that ``url`` names, as its superuser; but for the seed it is left as it was.

    Raises AuditError where that is not possible at all.
    """
    with ExitStack() as left, closing(Stage(url, options.limit)) as stage:
        return _try(_prepare(stage, options, progress, left), options.order, progress)


def _try(scene: Scene, order: Sequence[str], progress: Progress) -> Result:
    steps: dict[str, Callable[[], None]] = {
        "reading": lambda: reading.read(scene),
        "writing": lambda: changing.write(scene),
        "roles and claims": lambda: promoting.elevate(scene),
        "ranks": lambda: ranking.overrule(scene, order),
        "functions": lambda: calling.call(scene, profiles.PROFILES[scene.identities.profile].vetted),
        "roles, plans, sign-up": lambda: around.look_around(scene),
        "what is public": lambda: publishing.write(scene),
    }
    for name, step in steps.items():
        progress(name)
        step()
    progress("proof")
    scene.findings.summed_up("oracle")
    found = proof.again(scene.stage, scene.findings.found)
    progress("coverage")
    coverage = measure(scene)
    found = [replace(each, basis=answers.basis(scene, each.object)) for each in found]
    return Result(by_level(found), coverage, scene)


def _prepare(stage: Stage, options: Options, progress: Progress, left: ExitStack) -> Scene:
    """Fill the database, and find out who acts in it and how; ``left`` gets what takes out again what is put in."""
    try:
        stage.execute("set session_replication_role = origin")
    except psycopg.errors.InsufficientPrivilege:
        raise AuditError(
            "nothing can be tried: this login may not set session_replication_role",
            detail="Rows are put in past triggers and foreign keys, and everybody is acted as.",
            hint="Connect as a superuser of a server that is thrown away, or leave --here out: a copy is made then.",
        ) from None
    progress("catalog")
    catalog = read.read(stage.connection)
    name = profiles.chosen(options.profile, catalog)
    profile = profiles.PROFILES[name]
    if profile.outside:
        catalog = read.read(stage.connection, profile.outside)
    meaning = Meaning(catalog, everything_owned=profile.everything_owned)
    roles = who.roles(stage.connection, meaning, list(options.roles or who.there(stage.connection, profile.roles)))
    if options.seed:
        _sow(stage, options.seed)
    progress("filling")
    filling = Filling(stage, Values(catalog, meaning))
    empty = {oid for (oid,) in stage.rows("select oid::int8 from pg_class where relkind = 'm' and not relispopulated")}
    filling.fill()
    left.callback(_take_out, stage, filling, empty)
    key = profiles.seal_key(stage) if name == "userscope" else None
    identities = Identities(meaning, roles, options.identity, name, key)
    scene = Scene(stage, catalog, meaning, filling, Sight(stage, filling), identities)
    scene.sight.prepare(roles)
    for view in catalog.materialized:
        stage.attempt(f"refresh materialized view {view.sql}")
    progress("identities")
    _fit(scene)
    rosters.take_out(scene)
    for role in roles:
        if role not in identities.strangers:
            scene.actors.append(identities.person(ALICE, role))
        scene.actors += identities.nobody(role)
    return scene


def _take_out(stage: Stage, filling: Filling, empty: Collection[int]) -> None:
    """Take out what was put in, in a session of its own: whatever ended the other one. ``empty`` are views by oid."""
    with stage.anew() as fresh:
        filling.clear(fresh)
        profiles.forget_key(fresh)
        for view in filling.values.catalog.materialized:
            fresh.attempt(f"refresh materialized view {view.sql}{' with no data' if view.oid in empty else ''}")


def _sow(stage: Stage, path: Path) -> None:
    try:
        stage.execute(path.read_text(encoding="utf-8"))
    except (OSError, psycopg.Error) as error:
        said = error.strerror if isinstance(error, OSError) else error.diag.message_primary
        raise AuditError(f'"{path}" cannot be run: {said}', hint="--seed names a file of SQL statements.") from None


def _fit(scene: Scene) -> None:
    """Find out which settings and claims are uuids and which numbers: by fewest errors, then most own rows seen."""

    def score(kinds: Mapping[str, Kind]) -> tuple[int, int]:
        wrong = right = 0
        for role in scene.identities.members:
            seen, errors = scene.sight.by(scene.identities.person(ALICE, role, kinds=kinds), tables_only=True)
            wrong += sum((error.sqlstate or "").startswith("22") for error in errors.values())
            right += sum(world is ALICE for _, world in seen)
        return -wrong, right

    best = score(scene.identities.kinds)
    for kinds in scene.identities.variations():
        kinds = {name: kinds[name] if kinds[name] != "uuid" else scene.identities.kinds[name] for name in kinds}
        if (fitting := score(kinds)) > best:
            best, scene.identities.kinds = fitting, kinds


def matrix(scene: Scene) -> list[tuple[str, str, str]]:
    """Return who sees whose rows of what: a line for each object and person who may look at it at all."""
    return [
        (f"{actor.who} ({actor.role})", relation.label, _whose({w for r, w in scene.seen[actor] if r is relation}))
        for relation in scene.relations
        for actor in scene.actors
        if scene.rights(actor, relation).select
    ]


def looks(scene: Scene) -> list[tuple[str, str, str, tuple[str, ...], str]]:
    """Return the matrix of tables again, each line with how it is asked for: a login, and a query that gives ``seen``.

    A row is known again by its key; where that may not be read, the line is left out.
    """
    found = []
    for relation in scene.catalog.tables:
        rows = [row for world in (ALICE, BOB) if (row := scene.row(relation, world))]
        for actor in scene.actors:
            rights = scene.rights(actor, relation)
            if len(rows) != len(WORLDS) or not rights.select or not set(relation.primary) <= set(rights.select):
                continue
            if not relation.primary:
                continue
            mine, his = (f"exists (select from {relation.sql} where {statements.line(row)})" for row in rows)
            said = f"case when {his} then 'everybody''s rows' when {mine} then 'own rows' else 'nothing' end"
            seen = _whose({world for table, world in scene.seen[actor] if table is relation})
            found.append((f"{actor.who} ({actor.role})", relation.label, seen, actor.login, f"select {said} as seen"))
    return found


def _whose(worlds: set[World]) -> str:
    if BOB in worlds:
        return "everybody's rows"
    return "own rows" if worlds else "nothing"


def seed(scene: Scene) -> tuple[str, ...]:
    """Return the statements that put in what everything was tried on."""
    return tuple(statements.insert(row.table, row.given) for row in scene.filling.places.values())
