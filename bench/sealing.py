"""What a seal costs: the same reads sealed and unsealed, in turn, in one run; and the helper's own microseconds."""

import statistics
import time
from contextlib import ExitStack
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlmodel import select

from userscope import seals
from userscope.database import Database
from userscope.identity import SealKey
from userscope.local.throwaway import throwaway
from userscope.logins import ensure_login
from userscope.migrations import projects, runner
from userscope.models import Todo
from userscope.settings import Settings
from userscope.urls import ConnectionURL

ROUNDS, READS = 30, 40
CALLS, ROWS = 20_000, 20_000


def main() -> None:
    """Print the figures."""
    with throwaway() as server, ExitStack() as stack:
        admin, service = server.url("admin"), server.url("service")
        runner.migrate(admin, projects.find(()))
        ensure_login(admin, service.user, "app_user", service.params["password"])
        user = _person(admin)
        key, _ = seals.add(admin)
        # Neither kind is required, so that both serve from the same database at the same time.
        services = {"unsealed": _service(service), "sealed": _service(service, key)}
        for made in services.values():
            stack.enter_context(made)
        times = _reads(services, user)
        ratio = statistics.median(s / u for s, u in zip(times["sealed"], times["unsealed"], strict=True))
        print("reads of 20 todos, at the client's clock")
        for name, rounds in times.items():
            print(f"  {name:<10}{statistics.median(rounds) / READS * 1e6:8.0f} µs a read")
        print(f"  {'ratio':<10}{ratio:8.3f}")
        with psycopg.connect(service.conninfo()) as connection:
            print("in the server")
            for name, seal in (("unsealed", ""), ("sealed", key.seal(str(user), life=3600))):
                connection.execute("select app.set_user_id(%s, %s)", [str(user), seal])
                call = _spent(
                    connection,
                    "do $$ begin for i in 1..{n} loop perform app.current_user_id(); end loop; end $$",
                    CALLS,
                )
                empty = _spent(
                    connection, "do $$ begin for i in 1..{n} loop perform pg_backend_pid(); end loop; end $$", CALLS
                )
                insert = _spent(
                    connection, "insert into app.todos (title) select 'x' from generate_series(1, {n})", ROWS
                )
                connection.rollback()
                print(
                    f"  {name:<10}{call - empty:8.1f} µs a call of app.current_user_id(){insert:8.1f} µs a row inserted"
                )
        began = time.perf_counter()
        for _ in range(CALLS):
            key.seal(str(user))
        print(f"in the service\n  {'minting':<10}{(time.perf_counter() - began) / CALLS * 1e6:8.1f} µs a seal")


def _person(admin: ConnectionURL) -> UUID:
    user = uuid4()
    with psycopg.connect(admin.conninfo()) as connection:
        connection.execute("insert into app.users (id, name, email) values (%s, '', 'a@example.org')", [user])
        connection.execute("insert into app.todos (owner_id, title) select %s, 'x' from generate_series(1, 20)", [user])
    return user


def _service(url: ConnectionURL, key: SealKey | None = None) -> Database:
    values: dict[str, Any] = {"userscope_seal_key": key.text(), "userscope_seal_optional": True} if key else {}
    return Database(Settings(_env_file=None, database_url=url.text(), **values))


def _reads(services: dict[str, Database], user: UUID) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in services}
    for turn in range(ROUNDS + 1):
        for name, service in sorted(services.items(), reverse=bool(turn % 2)):
            began = time.perf_counter()
            for _ in range(READS):
                with service.reader(user) as session:
                    session.exec(select(Todo)).all()
            if turn:  # the first round warms up
                times[name].append(time.perf_counter() - began)
    return times


def _spent(connection: psycopg.Connection, statement: str, times: int) -> float:
    """Microseconds for each of ``times``."""
    text = statement.replace("{n}", str(times)).encode()
    began = time.perf_counter()
    connection.execute(text)
    return (time.perf_counter() - began) / times * 1e6


if __name__ == "__main__":
    main()
