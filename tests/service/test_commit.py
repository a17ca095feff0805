"""A session commits before its answer is sent: what was not stored is never answered with success."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from sqlalchemy import text
from sqlmodel import Session, col, select

from tests.issuer import Issuer
from tests.service.conftest import As, trusting
from tests.service.served import served
from tests.service.test_requests import problem
from userscope.fastapi import (
    AsyncUserReader,
    AsyncUserSession,
    UserId,
    UserReader,
    UserSession,
    install,
    lifespan,
    refusals,
)
from userscope.fastapi.service import Service
from userscope.models import Todo, User
from userscope.settings import Settings
from userscope.testing import Sandbox

type Hook = Callable[[], object]


def _kept_too_long(request: Request, user_id: UserId) -> Iterator[Session]:
    """A session as FastAPI's default scope would have it; from ours FastAPI itself refuses to make one."""
    with Service.of(request).database.session(user_id) as session:
        yield session


class Probe:
    """A service with the same routes on both kinds of session; ``before_commit`` runs where a route is done."""

    def __init__(self, settings: Settings) -> None:
        self.before_commit: Hook = lambda: None
        self.app = FastAPI(lifespan=lifespan(settings))
        install(self.app)
        after_the_answer = Depends(_kept_too_long)

        @self.app.post("/sync", status_code=201)
        def add(title: str, session: UserSession) -> UUID:
            return self._add(session, title)

        @self.app.post("/async", status_code=201)
        async def add_async(title: str, session: AsyncUserSession) -> UUID:
            return await session.run_sync(lambda _: self._add(session.sync_session, title))

        @self.app.post("/late", status_code=201)
        def add_late(title: str, session: Session = after_the_answer) -> UUID:
            return self._add(session, title)

        @self.app.get("/sync")
        def read(session: UserReader) -> list[str]:
            return list(session.exec(select(Todo.title).order_by(col(Todo.title))))

        @self.app.get("/async")
        async def read_async(session: AsyncUserReader) -> list[str]:
            return list(await session.exec(select(Todo.title).order_by(col(Todo.title))))

        @self.app.get("/me")
        def me(user_id: UserId) -> UUID:
            return user_id

        @self.app.post("/run")
        def run(sql: str, session: UserSession) -> None:
            session.connection().execute(text(sql))

        @self.app.post("/run-reading")
        def run_reading(sql: str, session: UserReader) -> None:
            session.connection().execute(text(sql))

        @self.app.post("/refuse/{how}")
        def refuse(how: str, session: UserSession) -> None:
            self._add(session, "refused")
            raise HTTPException(418, "No.") if how == "http" else RuntimeError("it broke, and this is a secret")

    def _add(self, session: Session, title: str) -> UUID:
        todo = Todo(title=title)
        session.add(todo)
        session.flush()
        self.before_commit()
        return todo.id


@pytest.fixture
def probe(userscope: Sandbox, issuer: Issuer) -> Probe:
    """On a database of its own."""
    return Probe(trusting(userscope.settings, issuer))


@pytest.fixture
def alice(userscope: Sandbox) -> User:
    return userscope.user("Alice")


@pytest.fixture
def service(probe: Probe, alice: User, bearer: As) -> Iterator[httpx.Client]:
    """A client of the probe, as Alice."""
    with served(probe.app) as client:
        client.headers.update(bearer(alice))
        yield client


def _stored(userscope: Sandbox) -> list[str]:
    with userscope.admin() as connection:
        return [title for (title,) in connection.execute("select title from app.todos order by title")]


@pytest.fixture
def unique_titles(userscope: Sandbox) -> None:
    """A constraint that is checked at the commit, and not before."""
    with userscope.admin() as connection:
        connection.execute(
            "alter table app.todos add constraint todos_title_key"
            " unique (owner_id, title) deferrable initially deferred"
        )
        connection.execute("comment on constraint todos_title_key on app.todos is 'You have a todo of this title.'")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_both_kinds(service: httpx.Client, userscope: Sandbox, alice: User, kind: str) -> None:
    """Both kinds of sessions act for the bearer of the token, and both kinds of readers read as them."""
    bob = userscope.user("Bob")
    with userscope.acting_as(bob) as session:
        session.add(Todo(title="Bob's"))
    assert service.post(f"/{kind}?title=mine").status_code == 201
    assert service.get(f"/{kind}").json() == ["mine"]
    assert service.get("/me").json() == str(alice.id)
    assert _stored(userscope) == ["Bob's", "mine"]


@pytest.mark.usefixtures("unique_titles")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_failed_commit(service: httpx.Client, userscope: Sandbox, kind: str) -> None:
    """A commit that a constraint refuses is a conflict, in the constraint's words."""
    assert service.post(f"/{kind}?title=x").status_code == 201
    answer = service.post(f"/{kind}?title=x")
    assert problem(answer) == (409, "You have a todo of this title.")
    assert service.post(f"/{kind}?title=y").status_code == 201
    assert _stored(userscope) == ["x", "y"]


@pytest.mark.usefixtures("unique_titles")
def test_control(service: httpx.Client, userscope: Sandbox) -> None:
    """A session that FastAPI ends after the answer, its default, would claim a success that did not happen."""
    assert service.post("/late?title=x").status_code == 201
    assert service.post("/late?title=x").status_code == 201
    assert _stored(userscope) == ["x"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_lost_server(service: httpx.Client, probe: Probe, userscope: Sandbox, kind: str) -> None:
    """Where the server goes before the commit, the service is unavailable for now; later it serves again."""

    def kill() -> None:
        with userscope.admin() as connection:
            connection.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                " where datname = current_database() and state = 'idle in transaction'"
            )

    probe.before_commit = kill
    answer = service.post(f"/{kind}?title=lost")
    assert problem(answer) == (503, "The service cannot answer now.")
    assert answer.headers["retry-after"].isdecimal()
    probe.before_commit = lambda: None
    assert service.post(f"/{kind}?title=found").status_code == 201
    assert _stored(userscope) == ["found"]


@pytest.mark.parametrize(("how", "status"), [("http", 418), ("surprise", 500)])
def test_rolled_back(service: httpx.Client, userscope: Sandbox, how: str, status: int) -> None:
    """Whatever a route raises, nothing of it is stored, and a surprise tells nothing of itself."""
    answer = service.post(f"/refuse/{how}")
    assert problem(answer) == (status, "No." if how == "http" else None)
    assert "secret" not in answer.text
    assert _stored(userscope) == []


ANSWERS: dict[str, tuple[int, str | None]] = {
    "select 1": (200, None),
    "insert into app.todos (title) values ('')": (422, "A title has 1 to 200 characters and is not blank."),
    "insert into app.todos (title) values (null)": (422, '"title" of "todos" cannot be empty.'),
    "select 'secret'::uuid": (422, "A value has no valid form."),
    "select 1/0": (422, "A value has no valid form."),
    "insert into app.todos (owner_id, title) values (gen_random_uuid(), 'secret')": (403, "This is not permitted."),
    "delete from app.users": (403, "This is not permitted."),
    "select * from app.sessions": (403, "This is not permitted."),
    "select pg_sleep(60)": (503, "The service cannot answer now."),
    "do 'begin raise serialization_failure; end'": (503, "The service cannot answer now."),
    "do $$begin raise 'secret' using errcode = '23503', constraint = 'x_fkey', table = 'x'; end$$":
        (422, "A value has no valid form."),
    "select secret from nowhere": (500, None),
}  # fmt: skip


def test_answers(userscope: Sandbox, issuer: Issuer, alice: User, bearer: As) -> None:
    """Each of PostgreSQL's answers has its status; a constraint's own sentence is repeated, other words are not."""
    settings = trusting(userscope.settings, issuer).model_copy(update={"database_statement_timeout": "1s"})
    with served(Probe(settings).app) as client:
        found = {sql: client.post("/run", params={"sql": sql}, headers=bearer(alice)) for sql in ANSWERS}
        reader = client.post("/run-reading", params={"sql": "delete from app.todos"}, headers=bearer(alice))
        after = client.get("/sync", headers=bearer(alice))
    told: dict[str, tuple[Any, Any]] = {
        sql: problem(answer) if answer.is_error else (answer.status_code, None) for sql, answer in found.items()
    }
    assert told == ANSWERS
    assert all(answer.headers.get("retry-after") for answer in found.values() if answer.status_code == 503)
    assert not [sql for sql, answer in found.items() if "secret" in answer.text]
    assert problem(reader) == (403, "This is not permitted.")
    assert (after.status_code, after.json()) == (200, [])


def test_described() -> None:
    """What a route may refuse is described: 401 and 503 always, and what is named."""
    described = refusals(404, 422)
    assert list(described) == [401, 404, 422, 503]
    assert all(list(each["content"]) == ["application/problem+json"] for each in described.values())
    assert {status for status, each in described.items() if "headers" in each} == {401, 503}
