"""What an adopter writes is understood by mypy, strictly, with no word about us in their settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVICE = """
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Header
from sqlmodel import Field, Session, select

from userscope import Accounts, AsyncDatabase, Database, EngineOptions, Organizations, Owned, Settings, User
from userscope.fastapi import AsyncUserReader, UserReader, UserSession, install, lifespan, refusals, sessions
from userscope.testing import Sandbox


class Item(Owned, table=True):
    __tablename__ = "items"
    title: str
    size: int = Field(default=1, ge=1)


db = Database(Settings(), options=EngineOptions(max_overflow=2, pool_recycle=840))


def add(user_id: UUID, title: str) -> UUID:
    with db.session(user_id) as session:
        item = Item(title=title)
        session.add(item)
        session.flush()
        return item.id


def titles(user_id: UUID) -> Sequence[str]:
    with db.reader(user_id) as session:
        return session.exec(select(Item.title).where(Item.size > 1)).all()


async def all_of(user_id: UUID) -> list[Item]:
    async with AsyncDatabase() as database, database.session(user_id) as session:
        return list(await session.exec(select(Item)))


def found(organization_owner: UUID) -> UUID:
    with Accounts() as accounts, Organizations() as organizations:
        user: User | None = accounts.get(organization_owner)
        owner = user or accounts.create("ada@example.com", name="Ada")
        return organizations.create("Acme", slug="acme", owner=owner.id).id


def who_acts(key: Annotated[str, Header()]) -> UUID:
    return UUID(key)


Mine = Annotated[Session, sessions(user_id=who_acts)]
app = FastAPI(lifespan=lifespan())
install(app)


@app.get("/items", responses=refusals())
def items(session: UserReader) -> Sequence[Item]:
    return session.exec(select(Item)).all()


@app.get("/sizes")
async def sizes(session: AsyncUserReader) -> Sequence[int]:
    return (await session.exec(select(Item.size))).all()


@app.post("/items", status_code=201)
def add_item(title: str, session: UserSession, mine: Mine, user_id: Annotated[UUID, Depends(who_acts)]) -> None:
    session.add(Item(title=title))
    mine.add(Item(title=f"{title} of {user_id}"))


def test_own(userscope: Sandbox) -> None:
    alice = userscope.user("Alice")
    with userscope.acting_as(alice) as session:
        session.add(Item(title=alice.name))
"""
WRONG = """
from service import Item, add, db, found, titles
from userscope import EngineOptions

number: int = titles(found(add("no id", "title")))
EngineOptions(max_overflow="2")
with db.session() as session:
    session.add(Item(title="nobody's").title.missing)
"""


@pytest.mark.breadth
def test_strictly(tmp_path: Path) -> None:
    """A small service of every kind of session has no error; each wrong use of it is found."""
    (tmp_path / "service.py").write_text(SERVICE, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary", "service.py", "wrong.py"],
        cwd=tmp_path, env=os.environ | {"MYPY_FORCE_COLOR": "0"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = [line.partition(": error: ")[::2] for line in done.stdout.splitlines() if ": error: " in line]
    assert [(place, said.rpartition("  [")[2]) for place, said in found] == [
        ("wrong.py:5", "assignment]"),
        ("wrong.py:5", "arg-type]"),
        ("wrong.py:6", "arg-type]"),
        ("wrong.py:7", "call-arg]"),
        ("wrong.py:8", "attr-defined]"),
    ], done.stdout + done.stderr
