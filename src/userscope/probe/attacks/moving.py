"""Moving and planting: one's own row is given to Bob, or hung on what is his."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from userscope.probe import statements, words
from userscope.probe.catalog.model import Relation, labels
from userscope.probe.findings import Expected, Level
from userscope.probe.scene import Scene
from userscope.probe.stage import Actor
from userscope.probe.worlds import ALICE, BOB

type Given = Mapping[str, str | None]


@dataclass(frozen=True)
class Plant:
    """One statement that makes Alice's row point to what is Bob's, by ``column``."""

    verb: str
    column: str
    statement: str
    values: dict[str, str | None]
    own: str = ""
    """The same without the link; empty for a row that was there."""
    own_values: dict[str, str | None] = field(default_factory=dict)


def move(scene: Scene, actor: Actor, table: Relation) -> None:
    """Change in Alice's row each column that says whose it is."""
    alice, bob = scene.row(table, ALICE), scene.row(table, BOB)
    if not actor.alice or not alice or not bob or not scene.owned(table):
        return
    for name in scene.rights(actor, table).update:
        mine, his = alice.values.get(name), bob.values.get(name)
        if not table.columns[name].settable or mine is None or mine == his or table.primary == (name,):
            continue
        if points(scene, table, name):
            for where in (scene.where(table, ALICE), ""):
                statement = statements.update(table, name, his, where)
                if plant(scene, actor, table, Plant("moves", name, statement, {**alice.values, name: his})):
                    break


def points(scene: Scene, table: Relation, name: str) -> bool:
    """Whether a column says whose a row is, or below which it hangs."""
    parent = table.parent(name)
    if parent is not None:
        return parent in scene.meaning.owned or (name in table.primary and table in scene.meaning.believed)
    kind = table.columns[name].type
    return table.primary != (name,) and kind in (*words.KEYS, "int2") and scene.meaning.identifying(name)


def plant(scene: Scene, actor: Actor, table: Relation, tried: Plant) -> bool:
    """Try it, and say what it means: whether Alice reads more, and whether Bob sees it as his. Whether it was done."""
    if scene.meaning.personal(table, tried.column) and _alice_remains(scene, table, tried):
        return True
    setup: list[str] = []
    with scene.stage.acting(actor):
        outcome = scene.stage.attempt(tried.statement)
        if outcome.state == "23505":
            setup = scene.freed(actor, table, tried.values)
            outcome = scene.stage.attempt(tried.statement)
        if not outcome.did:
            return False
        gained = scene.gained(actor, table, told=tried.statement)
        sees = not gained and scene.bob_sees(table, tried.values)
    if gained:
        look, expected = scene.look(gained[0], actor)
        said = f"{tried.verb} a row with Bob's {tried.column}: then reads Bob's rows of {labels(gained)}"
        scene.tell(
            "error", "promotion", table, actor, said, tried.statement, look, expected=expected, setup=setup,
            detail=tried.column,
        )  # fmt: skip
        return True
    sees = sees and not _seen_without(scene, actor, table, tried)
    if meant := _meant(scene, actor, table, tried, sees=sees):
        level, kind, said = meant
        scene.tell(
            level, kind, table, actor, f"{tried.verb} a row {said}", tried.statement,
            expected=Expected("works"), setup=setup,
        )  # fmt: skip
    return True


def _meant(scene: Scene, actor: Actor, table: Relation, tried: Plant, *, sees: bool) -> tuple[Level, str, str] | None:
    """Say what it means that a row points to what is Bob's, and whether he ``sees`` it; None where it is nothing."""
    parent, to = table.parent(tried.column), f"({tried.column})"
    if parent is None or scene.meaning.personal(table, tried.column):
        return ("error", "plants", f"to Bob {to}: Bob sees it as his") if sees else None
    if scene.sees(actor, parent, BOB):
        shown = f"under Bob's {parent.label} {to}, which is shown to Alice; Bob sees it: meant?"
        return ("question", "adds to a shown parent", shown) if sees else None
    if sees and (both := _joined(scene, table, tried)):
        joins = f"that joins Alice's {both.label} with Bob's {parent.label} {to}, which she cannot see"
        return "question", "links", f"{joins}; Bob sees it: an invitation?"
    hidden = f"under Bob's {parent.label} {to}, which Alice cannot see"
    if sees:
        return "error", "plants", f"{hidden}; Bob sees it"
    return "warning", "oracle", f"{hidden}; tells that it exists"


def _alice_remains(scene: Scene, table: Relation, tried: Plant) -> bool:
    """Whether Alice is named in the row beside Bob: a message to him, or work that is given to him."""
    mine = scene.row(table, ALICE)
    return mine is not None and any(
        name not in (tried.column, *table.primary)
        and value is not None
        and value == mine.values.get(name)
        and scene.meaning.identifying(name)
        and scene.meaning.personal(table, name)
        for name, value in tried.values.items()
    )


def _seen_without(scene: Scene, actor: Actor, table: Relation, tried: Plant) -> bool:
    """Whether Bob sees the row without the link as well: then it is not the link that shows it to him."""
    with scene.stage.acting(actor):
        if not tried.own:
            row = scene.row(table, ALICE)
            return row is not None and scene.bob_sees(table, dict(row.values))
        return scene.stage.attempt(tried.own).did and scene.bob_sees(table, tried.own_values)


def _joined(scene: Scene, table: Relation, tried: Plant) -> Relation | None:
    """Return what else of Alice's the row hangs on, if it does."""
    mine = scene.row(table, ALICE)
    for name, value in tried.values.items():
        parent = table.parent(name)
        same = mine is not None and value is not None and value == mine.values.get(name)
        if parent and same and name != tried.column and parent in scene.meaning.owned - scene.meaning.users:
            return parent
    return None
