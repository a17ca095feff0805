"""A team's todos beside one's own. The token says which team; Better Auth makes teams, and lets people in."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import SQLModel, col, delete, select

from examples.todo_api.rows import change, found
from examples.todo_api.team_todos import TeamTodo, TeamTodoCreate, TeamTodoPublic, TeamTodoUpdate
from userscope import CurrentOrganization, Membership, colleagues, my_invitations
from userscope.fastapi import AsyncUserReader, AsyncUserSession, refusals

_MOST = 100

team = APIRouter(prefix="/team", tags=["team"], responses=refusals(403))


class Belonging(SQLModel):
    """A team that one belongs to, and as what."""

    organization_id: UUID
    name: str
    role: str


class Mate(SQLModel):
    """Who belongs to the team, and as what."""

    name: str
    role: str


class Invited(SQLModel):
    """An invitation to oneself."""

    id: UUID
    name: str
    inviter: str


class Team(SQLModel):
    """The team that one acts in, if any, who else belongs to it, and where else one does or may."""

    id: UUID | None
    mates: list[Mate]
    mine: list[Belonging]
    invitations: list[Invited]


def _as[T: SQLModel](model: type[T], rows: Any) -> list[T]:
    return [model.model_validate(row, from_attributes=True) for row in rows]


@team.get("")
async def get_team(session: AsyncUserReader) -> Team:
    """Tell of the team that one acts in; not one statement says which that is."""
    return Team(
        id=(await session.exec(select(CurrentOrganization.id))).first(),
        mates=_as(Mate, await session.exec(colleagues())),
        mine=_as(Belonging, await session.exec(select(Membership).order_by(col(Membership.name)))),
        invitations=_as(Invited, await session.exec(my_invitations())),
    )


@team.get("/todos", response_model=list[TeamTodoPublic])
async def list_todos(session: AsyncUserReader) -> Any:
    """List the team's newest todos."""
    return (await session.exec(select(TeamTodo).order_by(col(TeamTodo.created_at).desc()).limit(_MOST))).all()


@team.post("/todos", status_code=201, response_model=TeamTodoPublic, responses=refusals(400, 413, 422))
async def add_todo(given: TeamTodoCreate, session: AsyncUserSession) -> TeamTodo:
    """Add a todo for the team."""
    todo = TeamTodo.model_validate(given)
    session.add(todo)
    await session.flush()
    return todo


@team.patch("/todos/{todo_id}", response_model=TeamTodoPublic, responses=refusals(400, 404, 413, 422))
async def change_todo(todo_id: UUID, given: TeamTodoUpdate, session: AsyncUserSession) -> TeamTodo:
    """Change what is given of one of the team's todos."""
    return found(await change(session, TeamTodo, todo_id, given))


@team.delete("/todos/{todo_id}", status_code=204, responses=refusals(404, 422))
async def delete_todo(todo_id: UUID, session: AsyncUserSession) -> None:
    """Delete one of the team's todos."""
    gone = await session.exec(delete(TeamTodo).where(col(TeamTodo.id) == todo_id).returning(col(TeamTodo.id)))
    found(gone.first())
