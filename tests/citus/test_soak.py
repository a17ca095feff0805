"""Many people at once on few connections, while workers lose theirs: nobody meets another's row, and all told holds."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID, uuid4

from sqlmodel import Session, select

from tests.citus.rig import Distributed
from tests.connection.conftest import make_user, settings_for
from tests.connection.served import run
from userscope.admin import seals
from userscope.database import Database
from userscope.errors import DatabaseError, Unavailable
from userscope.models import Account, Todo

PEOPLE, THREADS, TURNS = 30, 6, 60


class Town:
    """People with todos, and what they were told of each."""

    def __init__(self, database: Database, people: list[UUID]) -> None:
        self.database = database
        self.people = people
        self.kept: dict[UUID, UUID] = {}
        self.doubted: dict[UUID, UUID] = {}
        self.wrong: list[str] = []
        self.told: Counter[str] = Counter()

    def turn(self, chance: random.Random) -> None:
        """Somebody adds, reads, fails, or looks at their account."""
        person, todo = chance.choice(self.people), uuid4()
        work = chance.choice(("add", "add", "read", "read", "account", "fail"))
        try:
            if work == "add":
                with self.database.session(person) as session:
                    session.add(Todo(id=todo, title=str(person)))
                self.kept[todo] = person
            elif work == "fail":
                with suppress(DatabaseError), self.database.session(person) as session:
                    session.add(Todo(title=str(person)))
                    session.flush()
                    run(session, "select 1/0 from app.todos")
            else:
                with self.database.reader(person) as session:
                    self.look(session, person, work)
            self.told[work] += 1
        except Unavailable:
            self.doubted[todo] = person
            self.told["unavailable"] += 1

    def look(self, session: Session, person: UUID, work: str) -> None:
        """Note whatever is not theirs, and a todo of theirs that is missing."""
        if work == "account":
            found = [account.id for account in session.exec(select(Account))]
            if found != [person]:
                self.wrong.append(f"{person} was shown the accounts {found}")
            return
        expected = {todo for todo, owner in list(self.kept.items()) if owner == person}
        todos = session.exec(select(Todo)).all()
        if {todo.title for todo in todos} > {str(person)} or {todo.owner_id for todo in todos} > {person}:
            self.wrong.append(f"{person} was shown another's")
        if missing := expected - {todo.id for todo in todos}:
            self.wrong.append(f"{person} misses {missing}")


@contextmanager
def town_of(ready: Distributed) -> Iterator[Town]:
    """People of a sealed database, over four connections."""
    admin = ready.coordinator.url()
    people = [make_user(ready.coordinator) for _ in range(PEOPLE)]
    key, _ = seals.add(admin)
    seals.require(admin)
    values = {"userscope_seal_key": key.text(), "database_pool_size": 4, "database_pool_timeout": 60}
    with Database(settings_for(ready.coordinator.url("service"), **values)) as database:
        yield Town(database, people)


def test_soak(ready: Distributed) -> None:
    """Everybody sees what is theirs, and all of that; what is in doubt is there or not, and nothing else is."""
    with town_of(ready) as town:

        def live(seed: int) -> None:
            chance = random.Random(seed)  # noqa: S311  # no secret
            for _ in range(TURNS):
                town.turn(chance)

        threads = [threading.Thread(target=live, args=[seed]) for seed in range(THREADS)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for worker in ready.workers:
                with worker.superuser_connection() as superuser:
                    superuser.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                        "and application_name like 'citus_internal%' and pid <> pg_backend_pid()"
                    )
            threads[0].join(0.3)
    assert town.wrong == []
    assert min(town.told[work] for work in ("add", "read", "account", "fail")) > 0
    assert sum(town.told.values()) == THREADS * TURNS
    stored = dict(ready.execute("select id, owner_id from app.todos where owner_id = any (%s)", [town.people]))
    assert {todo: stored.get(todo) for todo in town.kept} == town.kept
    assert all(town.doubted.get(todo) == owner for todo, owner in stored.items() if todo not in town.kept)


def test_a_hole_shows(ready: Distributed) -> None:
    """With a policy that lets everybody pass, it is noticed."""
    ((right,),) = ready.execute(
        "select pg_get_expr(polqual, polrelid) from pg_policy "
        "where polrelid = 'app.todos'::regclass and polname = 'select_own'"
    )
    ready.execute("alter policy select_own on app.todos using (true)")
    try:
        with town_of(ready) as town:
            for person in town.people:
                with town.database.session(person) as session:
                    session.add(Todo(title=str(person)))
            with town.database.reader(town.people[0]) as session:
                town.look(session, town.people[0], "read")
    finally:
        ready.execute(f"alter policy select_own on app.todos using {right}")
    assert town.wrong == [f"{town.people[0]} was shown another's"]
