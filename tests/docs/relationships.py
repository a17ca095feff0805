"""A service that uses the classes of docs/relationships.md; ``folders`` is the page's module. Prints "whole"."""

# mypy: ignore-errors
# The page's module is no part of the tree, so nothing is known of its types.

import asyncio
from uuid import UUID

from folders import Folder, Label, Note, NoteLabel
from sqlalchemy import event, exc, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload, selectinload
from sqlmodel import select

from userscope import Accounts, AsyncDatabase, Database
from userscope.errors import UnknownReference

with Accounts() as accounts:
    alice, bob = (accounts.create(f"{name}@x.io", name=name).id for name in ("alice", "bob"))
SAME = UUID(int=7)


def bodies(folder: Folder) -> list[str]:
    return sorted(note.body for note in folder.notes)


def write(db: Database) -> None:
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *said: sent.append(said[2].split()[0]))
    notes = [Note(body="one", labels=[Label(name="new"), Label(name="old")]), Note(body="two")]
    with db.session(alice) as session:
        session.add(Folder(id=SAME, name="hers", notes=notes))
    assert sent == ["INSERT"] * 4, sent
    assert {note.owner_id for note in notes} == {alice}
    with db.session(bob) as session:
        session.add(Folder(id=SAME, name="his", notes=[Note(body="bob's")]))


def read(db: Database) -> None:
    for how in (selectinload(Folder.notes), joinedload(Folder.notes)):
        with db.reader(alice) as session:
            folder = session.exec(select(Folder).options(how)).unique().one()
        assert bodies(folder) == ["one", "two"]
    with db.reader(alice) as session:
        folder = session.get(Folder, SAME)
        assert bodies(folder) == ["one", "two"]
        assert {note.folder.name for note in folder.notes} == {"hers"}
        assert sorted(len(note.labels) for note in folder.notes) == [0, 2]
    with db.reader(bob) as session:
        assert bodies(session.get(Folder, SAME)) == ["bob's"]


def change(db: Database) -> None:
    with db.session(alice) as session:
        note = session.exec(select(Note).where(Note.body == "one")).one()
        note.labels.remove(note.labels[0])
        folder = session.get(Folder, SAME)
        folder.notes.remove(next(each for each in folder.notes if each.body == "two"))
    with db.session(alice) as session:
        note = session.exec(select(Note)).one()
        assert (note.body, len(note.labels)) == ("one", 1)
        note.folder = Folder(name="another")
    with db.session(alice) as session:
        assert bodies(session.get(Folder, SAME)) == []
        named = insert(Folder).values(id=SAME, name="renamed")
        session.execute(
            named.on_conflict_do_update(index_elements=["owner_id", "id"], set_={"name": named.excluded.name})
        )
    with db.reader(alice) as session:
        assert session.get(Folder, SAME).name == "renamed"
        assert session.exec(select(Note)).one().folder.name == "another"


def refuse(db: Database) -> None:
    with db.session(bob) as session:
        session.add(alone := Folder(name="bob's alone"))
    try:
        with db.session(alice) as session:
            session.add(Note(body="into his", folder_id=alone.id))
    except UnknownReference:
        return
    raise AssertionError("a row refers to another user's")


def remove(db: Database) -> None:
    with db.session(alice) as session:
        session.delete(session.exec(select(Note)).one().folder)
    with db.reader(alice) as session:
        assert [session.exec(select(func.count()).select_from(what)).one() for what in (Note, NoteLabel, Label)] == [
            0,
            0,
            2,
        ]
    with db.reader(bob) as session:
        assert bodies(session.get(Folder, SAME)) == ["bob's"]


async def read_async() -> None:
    async with AsyncDatabase() as db, db.reader(bob) as session:
        query = select(Folder).where(Folder.id == SAME)
        folder = (await session.exec(query)).one()
        try:
            bodies(folder)
        except exc.StatementError as error:
            if not isinstance(error.orig, exc.MissingGreenlet):
                raise
            again = query.options(selectinload(Folder.notes)).execution_options(populate_existing=True)
            assert bodies((await session.exec(again)).one()) == ["bob's"]
            return
    raise AssertionError("it was read lazily")


with Database() as database:
    for step in (write, read, change, refuse, remove):
        step(database)
asyncio.run(read_async())
print("whole")
