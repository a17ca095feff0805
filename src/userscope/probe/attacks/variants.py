"""Variants of Bob's row: with a flag on, without an owner, past its date. Is it shown then, and can it be taken?"""

from itertools import islice

from userscope.probe import statements
from userscope.probe.catalog.model import Relation
from userscope.probe.filling import Place, variants
from userscope.probe.findings import Expected
from userscope.probe.scene import Scene
from userscope.probe.stage import Actor
from userscope.probe.worlds import ALICE, BOB, Row

_MOST = 14
_OWN = 12
_FIRST = 50
"""The number of the first row of a variant: its keys are like no other's."""


def read(scene: Scene) -> None:
    """Try each table of which Bob's row is hidden from somebody."""
    for table in scene.catalog.tables:
        actors = [a for a in scene.actors if scene.rights(a, table).select and not scene.sees(a, table, BOB)]
        if table.secured and actors:
            _table(scene, actors, table)


def _table(scene: Scene, actors: list[Actor], table: Relation) -> None:
    for number, (name, value) in enumerate(islice(variants(scene.values, table), _MOST), _FIRST):
        with scene.stage.undone("set local session_replication_role = replica"):
            placed = scene.filling.put(table, BOB, number, {name: value})
            scene.stage.execute("set local session_replication_role = origin")
            if placed is not None and placed[1].values.get(name) == value:
                for actor in actors:
                    _shown(scene, actor, table, name, value, placed)


def _shown(
    scene: Scene, actor: Actor, table: Relation, name: str, value: str | None, placed: tuple[Place, Row]
) -> None:
    place, row = placed
    where, setup = statements.line(row), [statements.insert(table, row.given)]
    with scene.stage.acting(actor):
        if not scene.sight.sees(actor.role, table, place):
            return
        if value is None and actor.alice and _taken(scene, actor, table, name, where, setup):
            return
    shown = f"{name} = {value}" if value is not None else f"{name} is null"
    scene.tell(
        "note", "shown when", table, actor, f"is shown others' rows when {shown}: public by design?",
        f"{scene.reading(actor, table)} where {where}", expected=Expected("shows"), setup=setup, detail=shown,
    )  # fmt: skip


def _taken(scene: Scene, actor: Actor, table: Relation, name: str, where: str, setup: list[str]) -> bool:
    """Take a row that is nobody's; one that is shown to everybody, and is taken by the first who comes."""
    if name not in scene.rights(actor, table).update:
        return False
    mine = scene.values.value(table, table.columns[name], ALICE)
    taking = statements.update(table, name, mine, where)
    if not scene.stage.attempt(taking).did:
        return False
    said = f"sees a row without {name}, and takes it"
    return scene.tell("error", "ownerless", table, actor, said, taking, expected=Expected("works"), setup=setup)


def shown_otherwise(scene: Scene, actor: Actor, table: Relation) -> bool:
    """Whether Alice sees her row with another value in it, or with another role of hers."""
    for other in [table, *(each for each in scene.filled_by_alice if each is not table and not each.slice)]:
        for name, value in islice(_changes(scene, table, other), _OWN):
            with scene.stage.undone():
                if scene.stage.arrange(statements.update(other, name, value, scene.where(other, ALICE))):
                    with scene.stage.acting(actor):
                        outcome = scene.stage.attempt(f"select 1 from {table.sql} where {scene.where(table, ALICE)}")
                    if outcome.rows:
                        return True
    return False


def _changes(scene: Scene, table: Relation, other: Relation) -> list[tuple[str, str | None]]:
    if other is table:
        return list(variants(scene.values, table))
    return [
        (name, value)
        for name, column in other.columns.items()
        if name not in other.parents and not column.generated and name in scene.meaning.decisive
        for value in scene.meaning.candidates(column)
    ]
