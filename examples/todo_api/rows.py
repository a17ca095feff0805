"""What the routes of one's own todos and of a team's do alike."""

from uuid import UUID

from fastapi import HTTPException
from sqlmodel import SQLModel, col, update

from examples.todo_api.team_todos import TeamTodo
from userscope import Account, Todo
from userscope.fastapi import AsyncUserSession


def found[T](row: T | None) -> T:
    """Return it, or answer 404: the same for an id that nobody has and for one of somebody else's."""
    if row is None:
        raise HTTPException(404, "There is no such todo.")
    return row


async def change[T: (Todo, TeamTodo, Account)](
    session: AsyncUserSession, model: type[T], row_id: UUID, given: SQLModel
) -> T | None:
    """Change what is given, in one statement: nobody can delete the row in between."""
    values = given.model_dump(exclude_unset=True)
    if not values:
        return await session.get(model, row_id)
    statement = update(model).where(col(model.id) == row_id).values(values).returning(model)
    return (await session.exec(statement)).scalars().first()
