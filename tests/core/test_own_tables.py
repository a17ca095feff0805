"""sample-data, demo and psql over a project's own tables: what may stand in them is read from the catalog."""

import re
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import Database, make_logins
from tests.migrations.sketch import Sketch, write

ME = "owner_id = (select app.current_user_key()::bigint)"
PARENT = f"exists (select from shop.basket where basket.id = basket_id and {ME})"
SHOP = f"""
begin;
create schema shop;
grant usage on schema shop to app_user;
create type shop.size as enum ('s', 'm', 'l');
create domain shop.code as text check (value in ('A-1', 'B-2'));
create table shop.customer (id bigint primary key, email text not null unique check (email like '%@%'));
create table shop.colour (
    id   int generated always as identity primary key,
    name text not null check (name = upper(name))
);
create table shop.basket (
    owner_id bigint not null default app.current_user_key()::bigint references shop.customer on delete cascade,
    id       uuid not null default gen_random_uuid() primary key,
    title    varchar(12) not null check (title ~ '[^[:space:]]'),
    size     shop.size not null,
    code     shop.code not null,
    percent  numeric(5, 2) not null check (percent between 0 and 1),
    tags     text[] not null,
    colour   int references shop.colour,
    unique (owner_id, title, id)
);
create table shop.line (
    basket_id uuid not null references shop.basket on delete cascade,
    id        bigint generated always as identity primary key,
    amount    int not null check (amount > 0),
    note      text
);
create table shop.shut (
    owner_id bigint not null default app.current_user_key()::bigint primary key,
    never    int not null check (never > 5 and never < 5)
);
alter table shop.customer enable row level security, force row level security;
alter table shop.basket enable row level security, force row level security;
alter table shop.line enable row level security, force row level security;
alter table shop.shut enable row level security, force row level security;
create policy own on shop.customer to app_user using (id = (select app.current_user_key()::bigint));
create policy own on shop.basket to app_user using ({ME}) with check ({ME});
create policy own on shop.line to app_user using ({PARENT}) with check ({PARENT});
create policy own on shop.shut to app_user using ({ME}) with check ({ME});
grant select, insert (email), update (email), delete on shop.customer to app_user;
grant select, insert (id, title, size, code, percent, tags, colour), update (title), delete on shop.basket to app_user;
grant select, insert (basket_id, amount, note), delete on shop.line to app_user;
grant select, insert on shop.shut to app_user;
commit;
"""


@pytest.fixture
def cli(fresh: Database, folder: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line in a project of the core and a shop, whose customers are numbers."""
    shop = Sketch(
        "shop", SHOP, "begin;\ndrop schema shop cascade;\ncommit;\n", "begin;\nrollback;\n", "policies:access"
    )
    write(folder / "db", shop, name="shop")
    (folder / "pyproject.toml").write_text('[tool.userscope]\nours = "core"\nprojects = ["db"]\n', encoding="utf-8")
    runner = Runner(folder, capfd, USERSCOPE_USER_ID="bigint", **fresh.environment)
    runner("migrate")
    make_logins(fresh)
    return runner


def content(database: Database) -> list[tuple[object, ...]]:
    with database.superuser_connection() as connection:
        return connection.execute(
            "select owner_id, title, size::text, code::text, percent, tags, colour, amount, note "
            "from shop.basket join shop.line on basket_id = basket.id order by 1, basket.id, line.id"
        ).fetchall()


def test_sample_data(cli: Runner, fresh: Database) -> None:
    """Types, checks, keys and owners are the catalog's; a second run replaces the first, and makes the same."""
    done = cli("sample-data", "--users", "3", "--rows", "2", code=1)
    assert done.stdout.startswith("3 users with 12 rows in shop.basket, shop.line. Look at the first")
    assert "WARNING:  no row could be put into shop.shut\nDETAIL:  PostgreSQL said: new row" in done.stderr
    rows = content(fresh)
    assert len({row[0] for row in rows}) == 3
    assert len(rows) == 6  # of each user two baskets; lines are of the first
    assert len({row[1] for row in rows}) > 1
    cli("sample-data", "--users", "3", "--rows", "2", code=1)
    assert content(fresh) == rows
    shown = re.findall(r"--as (\d+)$", done.stdout, re.MULTILINE)[0]
    counted = "select count(*) from shop.basket"
    assert cli("psql", "--as", shown, "--", "-Atc", counted).stdout == "2\n"
    with fresh.superuser_connection() as connection:
        assert connection.execute(counted.encode()).fetchone() == (6,)


def test_demo(cli: Runner, fresh: Database) -> None:
    """Two people reach for each other's rows of a table of one's own; a policy too many is seen."""
    said = cli("demo").stdout
    assert "insert into shop.basket" in said
    assert "permission denied for table basket" in said  # to plant a row: its owner is not granted
    assert "Nobody reached a row of anybody else." in said
    for table in ("line", "shop.line"):
        assert "Nobody reached a row of anybody else." in cli("demo", "--table", table).stdout
    assert "PostgreSQL said: new row" in cli("demo", "--table", "shut", code=2).stderr
    assert "HINT:  There are: shop.shut, shop.basket, shop.line" in cli("demo", "--table", "customer", code=2).stderr
    with fresh.superuser_connection() as connection:
        connection.execute("create policy all_of_it on shop.basket for update to app_user using (true)")
        connection.execute("create policy see_it on shop.basket for select to app_user using (true)")
    said = cli("demo", code=1).stdout
    assert re.search(r"update shop\.basket .* +1 row +← wrong", re.sub(r"\n {2,}", " ", said))
    assert "rows are not isolated" in said


@pytest.mark.breadth
def test_probe(cli: Runner) -> None:
    """Who acts is a number where policies compare one: both people see their own rows."""
    said = cli("probe", code=1).stdout  # one table can hold no row
    assert "reading fails" not in said
    assert "4 of 5 tables filled, 3 of 4 policies met" in said


@pytest.mark.breadth
def test_nothing_of_ones_own(cli: Runner, fresh: Database) -> None:
    """Without a table there is nothing to fill, and it says how to come to one."""
    with fresh.superuser_connection() as connection:
        connection.execute("drop schema shop cascade")
    for words in ("sample-data", "demo"):
        refused = cli(words, code=2).stderr
        assert refused.startswith("ERROR:  there is no table with rows of users' own\n")
        assert "userscope protect" in refused
