"""Lists of those who may do more, such as administrators: whoever is in one reaches everybody's rows, as is meant."""

from userscope.probe import sight, statements, words
from userscope.probe.catalog.model import Relation, labels
from userscope.probe.scene import Scene
from userscope.probe.worlds import ALICE, BOB


def take_out(scene: Scene) -> None:
    """Take Alice out of each list that shows her everybody's rows, and say so: she tries to get in by herself."""
    everybody = _written_at_sign_up(scene)
    for table in sorted(scene.meaning.believed, key=lambda table: table.sql):
        row = scene.row(table, ALICE)
        links = scene.links(table)
        known = any(pattern.fullmatch(table.name) for pattern in (words.PEOPLE, words.SOMEBODYS))
        listed = any(set(key) <= set(links) for key in table.unique) or words.PRIVILEGED.search(table.name)
        if row is None or not links or set(scene.scope(table)) - set(links) or known or table.name in everybody:
            continue
        if not listed:  # several rows a person: what is theirs, and no list of persons
            continue
        leaving = statements.delete(table, scene.where(table, ALICE))
        lost = {role: gone for role in scene.identities.members if (gone := _lost(scene, role, table, leaving))}
        if not lost:
            continue
        scene.taken_out.add(table)
        with scene.stage.connection.transaction():
            scene.stage.arrange(leaving)
        scene.filling.places = {place: each for place, each in scene.filling.places.items() if each is not row}
        for role, gone in lost.items():
            look, expected = scene.look(gone[0], scene.identities.person(ALICE, role))
            names = labels(gone)
            scene.tell(
                "note", "global role", table, scene.identities.person(ALICE, role),
                f"with a row in it reads everybody's rows of {names}", look,
                expected=expected, setup=[statements.insert(table, row.given)],
            )  # fmt: skip


def _lost(scene: Scene, role: str, table: Relation, leaving: str) -> list[Relation]:
    """Of what Alice sees no row of Bob's any more, once she is not in a table."""
    alice = scene.identities.person(ALICE, role)
    before, _ = scene.sight.by(alice, tables_only=True)
    with scene.stage.undone():
        if not scene.stage.arrange(leaving):
            return []
        after, _ = scene.sight.by(alice, tables_only=True)
    lost = sight.of(BOB, before - after)
    return [relation for relation in lost if scene.owned(relation) and relation is not table]


def _written_at_sign_up(scene: Scene) -> set[str]:
    """The words of what runs when somebody signs up: a table that is filled then has a row of everybody."""
    triggers = " ".join(source for table in scene.meaning.users for source in table.triggers)
    return words.words(triggers)
