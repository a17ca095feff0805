"""Reading: everybody looks at everything, and sees Bob's rows or does not."""

import re
from dataclasses import replace

import psycopg

from userscope.probe import sight, statements, words
from userscope.probe.attacks import variants
from userscope.probe.catalog.model import Policy, Relation
from userscope.probe.findings import Expected, Level
from userscope.probe.scene import Scene
from userscope.probe.stage import Actor
from userscope.probe.worlds import ALICE, BOB

_BROKEN = ("42P17", "54001", "XX000")
_NOT_OF_THE_ROW = {"uid", "role", "email", "jwt"}
"""Names of columns that are those of functions as well."""


def read(scene: Scene) -> None:
    """Look at everything as everybody: as it is, with each variant of a row, and as identities in the policies."""
    for actor in sorted(scene.actors, key=lambda actor: actor.world is None and not scene.stranger(actor)):
        seen, errors = scene.sight.by(actor)
        scene.seen[actor] = seen
        for relation, error in errors.items():
            _failed(scene, actor, relation, error)
        for relation in sight.of(BOB, seen):
            if not _in_slice(scene, relation):
                _shown(scene, actor, relation)
    for role in scene.identities.members:
        _never(scene, scene.identities.never(role))
    variants.read(scene)
    for uuid in scene.identities.built_in():
        for role in scene.identities.members:
            _built_in(scene, scene.identities.person(ALICE, role, uuid=uuid), uuid)


def _in_slice(scene: Scene, relation: Relation) -> bool:
    """Whether Bob's row of a table lies in one of its slices, of which it is told then."""
    row = scene.row(relation, BOB)
    return (
        not relation.slice
        and row is not None
        and any(
            slice_.oid == relation.oid and slice_.slice == row.values.get("bucket_id")
            for slice_ in scene.filling.slices
        )
    )


def _failed(scene: Scene, actor: Actor, relation: Relation, error: psycopg.Error) -> None:
    said, proof = error.diag.message_primary, f"select from {relation.sql}"
    expected = Expected("raises", error.sqlstate or "")
    if error.sqlstate == "57014":
        scene.not_tried.append(f"{relation.label}: reading did not end within {scene.stage.limit:g} s")
    elif error.sqlstate in _BROKEN:
        scene.tell("error", "broken", relation, actor, f"every read fails: {said}", proof, expected=expected)
    elif actor.alice:
        scene.tell("warning", "read fails", relation, actor, f"reading fails: {said}", proof, expected=expected)


def _shown(scene: Scene, actor: Actor, relation: Relation) -> None:
    look, expected = scene.look(relation, actor)
    if not relation.table:
        if hidden := _hidden_sources(scene, actor, relation):
            kind = "view" if relation.kind == "v" else "materialized view"
            said = f"the {kind} shows Bob's rows of {', '.join(hidden)}, which are hidden otherwise"
            scene.tell("error", "view", relation, actor, said, look, expected=expected)
        return
    level, kind, said = _judged(scene, actor, relation)
    scene.tell(level, kind, relation, actor, said, look, expected=expected)


def _judged(scene: Scene, actor: Actor, relation: Relation) -> tuple[Level, str, str]:
    """Say what it means that everybody's rows of a table are shown: a hole, or something that may be meant so."""
    if relation.slice:
        whole = re.compile(rf"\(bucket_id = '{re.escape(relation.slice)}'::text\)")
        if any(whole.fullmatch(policy.using) for policy in relation.policies):
            return "question", "read by all", "is shown everybody's files: a public bucket?"
        return "error", "reads", "reads Bob's file"
    if not scene.owned(relation):
        if relation.secured and (told := [n for n in relation.columns if words.SENSITIVE.search(n)][:3]):
            return "question", "read by all", f"reads everything, and it holds {', '.join(told)}: meant?"
        return "note", "read by all", "reads everything; nothing ties its rows to anybody"
    says_true = any(policy.using == "true" for policy in _for(scene, relation, actor))
    if (says_true or (relation.secured and _session_only(scene, relation, actor))) and (
        told := [name for name in relation.columns if words.SECRET.search(name)][:3]
    ):
        return "error", "reads", f"reads Bob's row, and it holds {', '.join(told)}"
    if scene.meaning.everything_owned:
        return "error", "reads", "reads Bob's row"
    if says_true:
        return "question", "read by all", "is shown everybody's rows, by a policy that says so (true): meant?"
    if relation.secured and _session_only(scene, relation, actor):
        said = "is shown everybody's rows; the policy looks at the session only: meant?"
        return "question", "read by all", said
    if flag := _flag(scene, relation, actor):
        return "question", "shown by default", f"is shown others' rows while {flag}, as new rows are: meant?"
    return "error", "reads", "reads Bob's row"


def _for(scene: Scene, relation: Relation, actor: Actor) -> list[Policy]:
    """Return the policies that are meant to let this role read."""
    meant = scene.meant(actor.role)
    return [
        policy
        for policy in relation.policies
        if policy.permissive and policy.command in ("select", "all") and (not policy.roles or meant & set(policy.roles))
    ]


def _session_only(scene: Scene, relation: Relation, actor: Actor) -> bool:
    """Whether some policy says yes without a look at the row or at a table; it is asked, not guessed."""
    columns = set(relation.columns) - _NOT_OF_THE_ROW
    asked = [
        policy.using
        for policy in _for(scene, relation, actor)
        if policy.using != "true"
        and " FROM " not in policy.using
        and not words.words(re.sub(r"'[^']*'", "", policy.using)) & columns
    ]
    with scene.stage.acting(actor):
        return any(scene.stage.attempt(f"select 1 where {condition}").rows for condition in asked)


def _flag(scene: Scene, relation: Relation, actor: Actor) -> str:
    """Return the flag that shows the row, if it is one: without it the row is hidden."""
    for name, column in relation.columns.items():
        if column.type != "bool" or column.generated or not words.PUBLIC.search(name):
            continue
        where = scene.where(relation, BOB)
        with scene.stage.undone():
            if scene.stage.arrange(statements.update(relation, name, "false", where)):
                with scene.stage.acting(actor):
                    outcome = scene.stage.attempt(f"select 1 from {relation.sql} where {where}")
                if outcome.error is None and not outcome.rows:
                    return f"{name} = true"
    return ""


def _hidden_sources(scene: Scene, actor: Actor, view: Relation) -> list[str]:
    """Return the tables below a view whose rows are somebody's, and of which Bob's are hidden from who looks."""
    found, left = set[int](), list(view.sources)
    while left:
        oid = left.pop()
        if oid in scene.catalog.relations and oid not in found:
            found.add(oid)
            left += scene.catalog.relations[oid].sources
    below = [scene.catalog.relations[oid] for oid in found]
    return sorted(
        table.label
        for table in below
        if table.table and scene.owned(table) and not scene.sees(actor, table, BOB)
    )  # fmt: skip


def _never(scene: Scene, actor: Actor) -> None:
    """A session that never made a setting finds null where another finds ''. It is a new one, each time."""
    with scene.stage.anew() as fresh:
        seen, _ = replace(scene.sight, stage=fresh).by(actor)
    known = {relation for other, rows in scene.seen.items() if other.role == actor.role for relation, world in rows
             if world is BOB and not other.alice}  # fmt: skip
    scene.seen[actor] = seen
    for relation in sight.of(BOB, seen):
        if relation not in known and not scene.findings.has(relation.label, "reads"):
            _shown(scene, actor, relation)


def _built_in(scene: Scene, actor: Actor, uuid: str) -> None:
    seen, _ = scene.sight.by(actor, tables_only=True)
    before = scene.seen[scene.alice(actor.role)]
    for relation in sight.of(BOB, seen - before):
        if scene.owned(relation):
            look, expected = scene.look(relation, actor)
            said = f"with the identity {uuid}, which is written into the policy, reads everybody's rows"
            scene.tell("error", "built-in identity", relation, actor, said, look, expected=expected)
