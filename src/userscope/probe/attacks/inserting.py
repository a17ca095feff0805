"""Inserting: a row that is wholly Bob's, one's own under what is his, and one's own with more rights in it."""

from collections.abc import Mapping, Sequence

from userscope.probe import statements
from userscope.probe.attacks import moving, promoting
from userscope.probe.attacks.moving import Plant
from userscope.probe.catalog.model import Relation
from userscope.probe.findings import Expected, Level
from userscope.probe.scene import Scene
from userscope.probe.stage import Actor
from userscope.probe.worlds import ALICE, BOB, WORLDS, Row, World

_NEW = 7
"""The number of the rows that are inserted: their keys are like no other's."""


def insert(scene: Scene, actor: Actor, table: Relation) -> None:
    """Insert as somebody: a row of Bob's; and for Alice one that hangs on his, and one with more rights."""
    if not (rows := _rows(scene, table)):
        return
    allowed = scene.rights(actor, table).insert
    if not scene.findings.has(table.label, "forges", "inserts"):
        _forge(scene, actor, table, _given(table, allowed, rows[BOB].given))
    if actor.alice:
        hang(scene, actor, table)
        mine = _given(table, allowed, rows[ALICE].given)
        if table in scene.taken_out:
            promoting.enrol(scene, actor, table, statements.insert(table, mine))
        promoting.by_insert(scene, actor, table, mine, {**rows[ALICE].values, **mine})
        _ask_keys(scene, actor, table, mine)


def hang(scene: Scene, actor: Actor, table: Relation) -> None:
    """Insert a row of Alice's below what is Bob's."""
    if not (rows := _rows(scene, table)):
        return
    mine = _given(table, scene.rights(actor, table).insert, rows[ALICE].given)
    whole = {**rows[ALICE].values, **mine}
    for name in mine:
        if moving.points(scene, table, name) and not scene.meaning.personal(table, name):
            planted = {**mine, name: _his(scene, table, name, rows[BOB])}
            plant = Plant(
                "inserts", name, statements.insert(table, planted), {**whole, **planted},
                statements.insert(table, mine), whole,
            )  # fmt: skip
            moving.plant(scene, actor, table, plant)


def _ask_keys(scene: Scene, actor: Actor, table: Relation, mine: dict[str, str | None]) -> None:
    """Insert an own row with Bob's value of a key that spans everybody's rows: that it is refused tells of his."""
    bob = scene.row(table, BOB)
    if bob is None or not table.secured or scene.sees(actor, table, BOB):
        return
    whose = {*scene.links(table), *scene.scope(table)}
    for key in table.unique:
        his = {name: bob.values.get(name) for name in key}
        guessed = all(table.columns[name].type != "uuid" and name not in whose for name in key)
        if not guessed or not set(key) <= set(mine) or None in his.values():
            continue
        statement = statements.insert(table, {**mine, **his})
        with scene.stage.acting(actor):
            refused = scene.stage.attempt(statement).state == "23505"
            if refused and scene.stage.attempt(statements.insert(table, mine)).did:
                said = f"inserts a row with Bob's {', '.join(key)}: 23505 tells that a hidden row has it"
                expected = Expected("raises", "23505")
                scene.tell("warning", "oracle", table, actor, said, statement, expected=expected, detail=",".join(key))


def _his(scene: Scene, table: Relation, name: str, new: Row) -> str | None:
    """Return what Bob has in a column: a tenant's key is the one that is there, not a new one's."""
    there = scene.row(table, BOB)
    return (
        there.values.get(name) if there and name in table.primary and name not in table.parents else new.given.get(name)
    )


def _rows(scene: Scene, table: Relation) -> dict[World, Row]:
    """Return a row of each world that could be inserted; none where the table cannot be filled."""
    if table not in scene.new:
        scene.new[table] = {world: row for world in WORLDS if (row := _new(scene, table, world))}
    return scene.new[table] if len(scene.new[table]) == len(WORLDS) else {}


def _new(scene: Scene, table: Relation, world: World) -> Row | None:
    """Return a row that could be inserted, were it not for policies; it is not there."""
    with scene.stage.undone():
        scene.stage.execute("set local session_replication_role = replica")
        scene.stage.attempt(statements.delete(table))
        placed = scene.filling.put(table, world, _NEW)
    return placed[1] if placed else None


def _given(table: Relation, allowed: Sequence[str], values: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: value for name, value in values.items() if name in allowed and table.columns[name].identity != "a"}


def _forge(scene: Scene, actor: Actor, table: Relation, bobs: dict[str, str | None]) -> None:
    statement, works = statements.insert(table, bobs), Expected("works")
    done, setup = _inserted(scene, actor, table, bobs)
    if done and not scene.owned(table):
        said = "adds rows to a table that is nobody's"
        level: Level = "error" if scene.stranger(actor) and not table.secured else "note"
        scene.tell(level, "inserts", table, actor, said, statement, expected=works, setup=setup)
    elif done and _says_whose(scene, table, bobs):
        said = "inserts a row that is wholly Bob's"
        scene.tell("error", "forges", table, actor, said, statement, expected=works, setup=setup)
    for slice_ in scene.filling.slices:
        if slice_.oid == table.oid:
            path = f"{BOB.uuid}/{BOB.uuid}/probe"
            file = {n: v for n, v in bobs.items() if n not in ("owner", "owner_id")}
            file |= {"bucket_id": slice_.slice, "name": path}
            if _inserted(scene, actor, table, file)[0]:
                said = "puts a file into Bob's folder"
                scene.tell("error", "uploads", slice_, actor, said, statements.insert(table, file), expected=works)


def _says_whose(scene: Scene, table: Relation, given: Mapping[str, str | None]) -> bool:
    return any(
        name not in ("id", *table.primary) and (name in table.parents or scene.meaning.identifying(name))
        for name in given
    )


def _inserted(scene: Scene, actor: Actor, table: Relation, values: dict[str, str | None]) -> tuple[bool, list[str]]:
    """Try to insert; a key that is taken means that the policy had let it pass, and is freed. What was done for it."""
    statement, setup = statements.insert(table, values), list[str]()
    with scene.stage.acting(actor):
        before = _how_many(scene, actor, table, values)
        outcome = scene.stage.attempt(statement)
        if outcome.state == "23505":
            setup = scene.freed(actor, table, values)
            before = _how_many(scene, actor, table, values)
            outcome = scene.stage.attempt(statement)
        # A trigger may have made it somebody else's.
        return outcome.did and _how_many(scene, actor, table, values) > before, setup


def _how_many(scene: Scene, actor: Actor, table: Relation, values: Mapping[str, str | None]) -> int:
    """Count the rows that are whose a row of these values says that it is."""
    whose = {name for name in values if name in table.parents or scene.meaning.identifying(name)}
    conditions = [
        f"{table.columns[name].sql}::text = {statements.literal(value)}"
        for name in sorted(whose)
        if (value := values[name]) is not None and (table.columns[name].textual or table.columns[name].type == "uuid")
    ]
    query = f"select count(*) from {table.sql} where {' and '.join(conditions) or 'true'}"
    return int(scene.stage.as_superuser(actor.role, query)[0][0])
