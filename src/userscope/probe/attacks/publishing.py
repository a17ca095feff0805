"""Once more, with everything shown that has a flag for the public: what does a shown parent let through?"""

from userscope.probe import statements, words
from userscope.probe.attacks import changing, inserting, moving
from userscope.probe.catalog.model import Relation
from userscope.probe.filling import Place
from userscope.probe.scene import Scene
from userscope.probe.stage import Actor
from userscope.probe.worlds import ALICE, BOB, Row, World


def write(scene: Scene) -> None:
    """Show all rows of Alice's, and write; then all of Bob's."""
    for world in (ALICE, BOB):
        _write(scene, world)


def _write(scene: Scene, world: World) -> None:
    places, seen = dict(scene.filling.places), scene.seen
    with scene.stage.undone():
        for table in scene.catalog.tables:
            if row := scene.row(table, world):
                _show(scene, table, row)
        if scene.arranged:
            _know_again(scene)
            scene.seen = {actor: scene.sight.by(actor)[0] for actor in seen}
            for actor in scene.actors:
                if actor.alice or scene.stranger(actor):
                    _as(scene, actor, world)
    scene.filling.places, scene.seen, scene.arranged = places, seen, []
    _know_again(scene)


def _as(scene: Scene, actor: Actor, world: World) -> None:
    """What is shown of Bob's may be changed; what is shown of either may be hung on."""
    for table in scene.catalog.tables:
        if not scene.row(table, BOB):
            continue
        if world is BOB:
            changing.change(scene, actor, table)
        rights = scene.rights(actor, table)
        if rights.update and actor.alice:
            moving.move(scene, actor, table)
        if rights.insert and actor.alice:
            inserting.hang(scene, actor, table)


def _know_again(scene: Scene) -> None:
    scene.sight.contents.clear()
    scene.sight.prepare(scene.identities.roles)


def _show(scene: Scene, table: Relation, row: Row) -> None:
    for name, column in table.columns.items():
        if column.generated or name not in scene.meaning.decisive:
            continue
        for value in scene.meaning.candidates(column):
            if not _public(name, value):
                continue
            statement = statements.update(table, name, value, statements.line(row))
            before = _places(scene, row)
            if row.values.get(name) != value and scene.stage.arrange(statement):
                for place in before:
                    scene.filling.places.pop(place, None)
                scene.filling.places |= dict.fromkeys(_places(scene, row), row)
                scene.arranged.append(statement)
                break


def _places(scene: Scene, row: Row) -> list[Place]:
    query = f"select tableoid::int8, ctid::text from {row.table.sql} where {statements.line(row)}"
    return [(oid, ctid) for oid, ctid in scene.stage.rows(query)]


def _public(name: str, value: str) -> bool:
    shown = words.PUBLIC.search(value) or (value == "true" and words.PUBLIC.search(name))
    return bool(shown) and not words.PRIVILEGED.search(value)
