"""The packages one would take instead, each set up as its own README says, on a table and policies of its own kind."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime

import fastapi_rls  # type: ignore[import-untyped]  # it has no types
import pgcommon
import psycopg
import pydantic
import sqlalchemy
from fastapi_rls.adapters.sqlalchemy import RLSMixin  # type: ignore[import-untyped]  # it has no types
from rls.register_rls import register_rls
from rls.rls_session import RlsSession
from rls.rls_sessioner import ContextGetter, RlsSessioner
from rls.schemas import Command, ConditionArg, Permissive
from sqlalchemy import URL, Engine, create_engine, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from userscope.postgres.url import ConnectionURL

type Read = Callable[[int], object]
"""Reads one's todos so many times, one after the other, and returns those of the last."""


COLUMNS = ("owner_id", "id", "title", "description", "completed", "due_at", "created_at", "updated_at")


class _Todo:
    """The columns of app.todos."""

    owner_id: Mapped[uuid.UUID]
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    description: Mapped[str | None]
    completed: Mapped[bool]
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class _RlsBase(DeclarativeBase):
    pass


class _RlsTodo(_Todo, _RlsBase):
    __tablename__ = "todos_rls"
    __rls_policies__ = (
        Permissive(
            condition_args=[ConditionArg(comparator_name="user_id", type=sqlalchemy.UUID)],
            cmd=[Command.select],
            custom_expr=lambda user_id: sqlalchemy.column("owner_id") == user_id,
            custom_policy_name="own",
        ),
    )


class _FastapiBase(DeclarativeBase):
    pass


class _FastapiTodo(_Todo, _FastapiBase, RLSMixin):  # type: ignore[misc]  # it has no types
    __tablename__ = "todos_fastapi_rls"
    __rls_policies__ = [fastapi_rls.UserPolicy("own", column="owner_id", context_type="uuid")]  # noqa: RUF012 -- as its README


def prepare(admin: ConnectionURL) -> None:
    """Copy app.todos for each peer, and let each make its policies. All this in search_path: they know no schemas."""
    tables = ("todos_rls", "todos_fastapi_rls", "todos_setting")
    with psycopg.connect(admin.conninfo(), autocommit=True) as connection:
        connection.execute("create schema peers")
        connection.execute("grant usage on schema peers to app_user")
        for table in tables:
            connection.execute(f"create table peers.{table} (like app.todos including all)".encode())
            connection.execute(f"insert into peers.{table} select * from app.todos".encode())
            connection.execute(f"grant select on peers.{table} to app_user".encode())
        connection.execute("alter table peers.todos_setting enable row level security, force row level security")
        own = "(select nullif(pg_catalog.current_setting('app.user_id', true), '')::uuid)"
        connection.execute(f"create policy own on peers.todos_setting using (owner_id = {own})".encode())
    engine = engine_of(admin)
    with engine.connect() as connection:
        register_rls(_RlsBase)  # type: ignore[arg-type]  # its types know older bases only
        _RlsBase.metadata.create_all(connection)  # the tables are there: it makes the policies
    fastapi_rls.RLS(engine=engine, install_hygiene=False).sync()
    engine.dispose()
    with psycopg.connect(admin.conninfo(), autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
        found = connection.execute(
            "select count(*) from pg_policies where schemaname = 'peers' and policyname <> ''"
        ).fetchone()
    if found != (len(tables),):
        raise RuntimeError(f"the peers made {found} policies")


def engine_of(url: ConnectionURL, **options: object) -> Engine:
    """Return an engine as one makes it without userscope, which finds the peers' tables."""
    target = URL.create("postgresql+psycopg", query={**url.params, "options": "-csearch_path=peers,public"})
    return create_engine(target, **options)


@contextlib.contextmanager
def rls(url: ConnectionURL, user: uuid.UUID) -> Iterator[Read]:
    """rls 0.3: RlsSessioner and a context of each request."""

    class Context(pydantic.BaseModel):
        user_id: uuid.UUID

    class Getter(ContextGetter):
        def get_context(self, *_: object, **values: object) -> Context:
            return Context.model_validate(values)

    engine = engine_of(url)
    made = sessionmaker(class_=RlsSession, autoflush=False, autocommit=False, bind=engine)
    sessioner = RlsSessioner(sessionmaker=made, context_getter=Getter())

    def read(times: int) -> object:
        for _ in range(times):
            with sessioner(user_id=user) as session:
                found = session.execute(select(_RlsTodo)).scalars().all()
        return found

    yield read
    engine.dispose()


@contextlib.contextmanager
def fastapi_rls_sync(url: ConnectionURL, user: uuid.UUID) -> Iterator[Read]:
    """fastapi-rls 0.1: the dependency that its README gives a route, without FastAPI around it."""
    engine = engine_of(url)
    dependency = fastapi_rls.RLS(engine=engine).session_dependency(identity=dict)
    request = contextlib.contextmanager(dependency)

    def read(times: int) -> object:
        for _ in range(times):
            with request({"user_id": str(user)}) as session:
                found = session.scalars(select(_FastapiTodo)).all()
        return found

    yield read
    engine.dispose()


@contextlib.contextmanager
def fastapi_rls_async(url: ConnectionURL, user: uuid.UUID) -> Iterator[Read]:
    """fastapi-rls 0.1 with asyncio and asyncpg."""
    params = url.params
    target = URL.create(
        "postgresql+asyncpg",
        params["user"],
        params["password"],
        database=params["dbname"],
        query={"host": params["host"], "port": params["port"]},
    )
    engine = create_async_engine(target, connect_args={"server_settings": {"search_path": "peers,public"}})
    dependency = fastapi_rls.RLS(async_engine=engine).async_session_dependency(identity=dict)
    request = contextlib.asynccontextmanager(dependency)

    async def read(times: int) -> object:
        for _ in range(times):
            async with request({"user_id": str(user)}) as session:
                found = (await session.scalars(select(_FastapiTodo))).all()
        return found

    with asyncio.Runner() as runner:
        yield lambda times: runner.run(read(times))
        runner.run(engine.dispose())


@contextlib.contextmanager
def pgcommon_pool(
    url: ConnectionURL, user: uuid.UUID, *, transaction: bool = False, pooled: bool = False
) -> Iterator[Read]:
    """pgcommon 0.4: asyncpg's records, no ORM. Its identity needs a tenant beside the user: any will do."""
    query = f"select {', '.join(COLUMNS)} from peers.todos_setting"
    identity = pgcommon.GUCSet(user_id=str(user), tenant_id="1")

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[pgcommon.Pool]:
        config = pgcommon.Config(dsn=url.text(), guc_provider=pgcommon.guc_set_from_context, pgbouncer_mode=pooled)
        pool = await pgcommon.Pool.create(config)
        yield pool
        await pool.drain_and_close()

    async def read(pool: pgcommon.Pool, times: int) -> object:
        run = pool.run_in_tx if transaction else pool.with_conn
        for _ in range(times):
            with pgcommon.with_validated_guc_set(identity):
                found = await run(lambda connection: connection.fetch(query))
        return found

    with asyncio.Runner() as runner:
        manager = opened()
        pool = runner.run(manager.__aenter__())
        yield lambda times: runner.run(read(pool, times))
        runner.run(manager.__aexit__(None, None, None))


@contextlib.contextmanager
def django_rls(url: ConnectionURL, user: uuid.UUID) -> Iterator[Read]:
    """The statements of django-rls 2's middleware, in autocommit as Django works, but sent by SQLAlchemy."""
    engine = engine_of(url, isolation_level="AUTOCOMMIT")
    put = "select set_config(%s, %s, false)"

    def read(times: int) -> object:
        for _ in range(times):
            with sqlalchemy.orm.Session(engine) as session:
                connection = session.connection()
                for name in ("rls.tenant_id", "rls.user_id", "rls.user_id"):
                    connection.exec_driver_sql(put, (name, ""))
                connection.exec_driver_sql(put, ("rls.user_id", str(user)))
                found = session.scalars(select(_FastapiTodo)).all()
                connection.exec_driver_sql(put, ("rls.user_id", ""))
        return found

    yield read
    engine.dispose()
