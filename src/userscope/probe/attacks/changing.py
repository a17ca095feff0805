"""Changing: UPDATE and DELETE of everything, and of Bob's row; TRUNCATE; through tables and views."""

from userscope.probe import statements
from userscope.probe.attacks import inserting, moving, promoting
from userscope.probe.catalog.model import Relation
from userscope.probe.findings import Expected, Level
from userscope.probe.scene import Scene
from userscope.probe.stage import Actor
from userscope.probe.worlds import ALICE, BOB


def write(scene: Scene) -> None:
    """Write to everything as everybody."""
    for actor in scene.actors:
        for relation in scene.relations:
            if relation.slice or relation.kind == "m":
                continue
            if not relation.table:
                _through_view(scene, actor, relation)
                continue
            if not scene.findings.has(relation.label, "truncates"):
                _truncate(scene, actor, relation)
            if scene.row(relation, BOB):
                change(scene, actor, relation)
                rights = scene.rights(actor, relation)
                if rights.update:
                    moving.move(scene, actor, relation)
                    promoting.by_update(scene, actor, relation)
                if rights.insert:
                    inserting.insert(scene, actor, relation)
    scene.findings.summed_up("truncates", 1 if scene.truncating else 3)


def change(scene: Scene, actor: Actor, table: Relation) -> None:
    """Delete and change Bob's row of a table, unless that was done before."""
    rights = scene.rights(actor, table)
    if rights.delete and not scene.findings.has(table.label, "deletes"):
        _delete(scene, actor, table)
    if rights.update and not scene.findings.has(table.label, "updates"):
        _update(scene, actor, table)
        _take(scene, actor, table)


def level(scene: Scene, actor: Actor, relation: Relation) -> Level:
    """Say how bad it is to write to a table: a catalogue may be written by who is trusted to."""
    return "error" if scene.owned(relation) or scene.stranger(actor) else "warning"


def whose(scene: Scene, relation: Relation) -> str:
    """Name the row that is written to."""
    return "Bob's row" if scene.owned(relation) else "everybody's row"


def _truncate(scene: Scene, actor: Actor, relation: Relation) -> None:
    if not scene.rights(actor, relation).truncate:
        return
    said = "empties the table by TRUNCATE; no policy is asked"
    worst: Level = "warning" if actor.role in scene.truncating else "error"
    for statement in (f"truncate {relation.sql} cascade", f"truncate {relation.sql}"):
        with scene.stage.acting(actor):
            outcome = scene.stage.attempt(statement)
        if outcome.error is None:
            watch = Expected("changes", f"select count(*) from {relation.sql}")
            scene.tell(worst, "truncates", relation, actor, said, statement, expected=watch)
        elif outcome.state == "0A000":  # what refers to it stands in the way, and not the table's own rights
            watch = Expected("raises", "0A000")
            hindered = f"{said}, were it not referred to"
            scene.tell(worst, "truncates", relation, actor, hindered, statement, expected=watch)


def _delete(scene: Scene, actor: Actor, relation: Relation) -> None:
    where = scene.where(relation, BOB)
    # Without WHERE first: a WHERE adds the policies for SELECT, and hides a hole.
    for statement in (statements.delete(relation), statements.delete(relation, where)):
        with scene.stage.acting(actor):
            outcome = scene.stage.attempt(statement)
            hit = scene.bobs(actor, relation) if outcome.did else []
        if outcome.state == "23503" and " where " in statement:
            expected = Expected("raises", "23503")  # it was let pass, and stopped by what refers to it
        elif hit:
            expected = Expected("changes", f"select count(*) from {relation.sql} where {statements.line(hit[0])}")
        else:
            continue
        said = f"deletes {whose(scene, relation)}"
        scene.tell(level(scene, actor, relation), "deletes", relation, actor, said, statement, expected=expected)
        return


def _update(scene: Scene, actor: Actor, relation: Relation) -> None:
    bob = scene.row(relation, BOB)
    settable = [name for name in scene.rights(actor, relation).update if relation.columns[name].settable]
    for column in _free(relation, settable)[:2]:
        for where in ("", scene.where(relation, BOB)):
            statement = statements.update(relation, column, bob.values.get(column) if bob else None, where)
            if hit := scene.hit(actor, relation, statement):
                said, worst = f"changes {whose(scene, relation)}", level(scene, actor, relation)
                scene.tell(worst, "updates", relation, actor, said, statement, expected=Expected.moved(hit[0]))
                return


def _take(scene: Scene, actor: Actor, relation: Relation) -> None:
    """Make Bob's row Alice's: what is asked of the new row says nothing of whose it was."""
    bob, alice = scene.row(relation, BOB), scene.row(relation, ALICE)
    if not actor.alice or not bob or not alice or scene.findings.has(relation.label, "updates"):
        return
    for column in scene.rights(actor, relation).update:
        mine = alice.values.get(column)
        if mine is None or mine == bob.values.get(column) or not relation.columns[column].settable:
            continue
        for where in ("", scene.where(relation, BOB)) if moving.points(scene, relation, column) else ():
            statement = statements.update(relation, column, mine, where)
            if hit := scene.hit(actor, relation, statement):
                said, worst = f"takes {whose(scene, relation)}: it is hers then", level(scene, actor, relation)
                scene.tell(worst, "updates", relation, actor, said, statement, expected=Expected.moved(hit[0]))
                return


def _free(relation: Relation, columns: list[str]) -> list[str]:
    """Order columns so that those come first that a constraint has least to say about."""
    plain = [name for name in columns if name not in relation.unique_columns]
    content = [name for name in plain if name not in relation.parents and relation.columns[name].type != "uuid"]
    return content or plain or columns


def _through_view(scene: Scene, actor: Actor, view: Relation) -> None:
    """A view passes on what is written to it, by itself or by triggers of its own."""
    rights = scene.rights(actor, view)
    row = next((r for s in view.sources if (t := scene.catalog.relations.get(s)) and (r := scene.row(t, BOB))), None)
    tried = [("deletes", "deletes", statements.delete(view))] if rights.delete else []
    if row:
        where = statements.where(view, {n: v for n, v in row.values.items() if n in view.columns})
        tried += [("deletes", "deletes", statements.delete(view, where))] if rights.delete and where != "true" else []
        columns = [name for name in rights.update if name in row.table.columns]
        for column in _free(row.table, columns)[:2]:
            setting = row.values.get(column)
            tried += [("updates", "changes", statements.update(view, column, setting, w)) for w in ("", where)]
    for kind, verb, statement in tried:
        with scene.stage.acting(actor):
            hit = scene.bobs(actor) if scene.stage.attempt(statement).error is None else []
        if hit:
            table = hit[0].table
            said = f"{verb} Bob's row of {table.label} through the view"
            worst: Level = "error" if scene.owned(table) else level(scene, actor, view)
            scene.tell(worst, kind, view, actor, said, statement, expected=Expected.moved(hit[0]))
