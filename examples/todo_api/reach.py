"""Reach for a row, whoever it is of: what PostgreSQL answers to one who asks for another's, and to its owner."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from userscope.errors import NotPermitted
from userscope.fastapi import AsyncUserSession, refusals

reach = APIRouter(tags=["page"])

_STATEMENTS = (
    "select title from app.todos where id = :todo_id",
    "update app.todos set completed = true where id = :todo_id",
    "delete from app.todos where id = :todo_id",
    "insert into app.todos (owner_id, title) values (:owner_id, 'Pay me')",
)


class Row(BaseModel):
    """A row that is reached for: whose it is, and which."""

    owner_id: UUID
    todo_id: UUID


class Attempt(BaseModel):
    """A statement, and PostgreSQL's answer."""

    statement: str
    answer: str


async def _answer(connection: AsyncConnection, statement: TextClause) -> str:
    """Send it and take it back: what is tried here is not to last, by whomever."""
    savepoint = await connection.begin_nested()
    try:
        done = await connection.execute(statement)
        return "1 row" if done.rowcount == 1 else f"{done.rowcount} rows"
    except NotPermitted as error:
        return f"ERROR:  {error.message}"
    finally:
        await savepoint.rollback()


@reach.post("/reach", responses=refusals(400, 413, 422))
async def reach_for(row: Row, session: AsyncUserSession) -> list[Attempt]:
    """Try to read, change and delete a row, and to add one in its owner's name."""
    connection = await session.connection()
    attempts = []
    for each in _STATEMENTS:
        names = [name for name in Row.model_fields if f":{name}" in each]
        statement = text(each).bindparams(**{name: getattr(row, name) for name in names})
        shown = each
        for name in names:
            shown = shown.replace(f":{name}", f"'{getattr(row, name)}'")
        attempts.append(Attempt(statement=shown, answer=await _answer(connection, statement)))
    return attempts
