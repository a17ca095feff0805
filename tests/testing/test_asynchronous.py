"""What adopters with asyncio get: the sandbox, awaited."""

import asyncio

from sqlmodel import select

from userscope import Todo
from userscope.testing import AsyncSandbox, Sandbox, denied


def test_two_users(userscope_async: AsyncSandbox, userscope: Sandbox) -> None:
    """Each sees their own, and both are there; both sandboxes are the same database."""

    async def meet() -> None:
        alice, bob = await userscope_async.user("Alice"), await userscope_async.user("Bob")
        async with userscope_async.acting_as(alice) as session:
            session.add(Todo(title="alice's"))
        with denied("permission denied for table todos"):
            async with userscope_async.acting_as(alice) as session:
                session.add(Todo(title="planted", owner_id=bob.id))
        async with userscope_async.reading_as(bob) as session:
            assert (await session.exec(select(Todo))).all() == []
        with userscope_async.admin() as connection:
            assert connection.execute("select title from app.todos").fetchall() == [("alice's",)]
        with userscope.reading_as(alice) as there:
            assert there.exec(select(Todo.title)).all() == ["alice's"]

    asyncio.run(meet())


def test_counting(userscope_async: AsyncSandbox) -> None:
    """Round trips are counted from the first statement on."""

    async def count() -> None:
        alice = await userscope_async.user()
        async with userscope_async.counting(alice) as (database, count):
            async with database.reader(alice.id) as session:
                await session.exec(select(Todo))
            assert count.trips == 1
            async with database.session(alice.id) as session:
                session.add_all([Todo(title=str(number)) for number in range(50)])
            assert count.trips == 3

    asyncio.run(count())
