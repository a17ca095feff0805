"""The shop's own tests, with two holes: nobody gives a review away, and nobody looks at the check of amounts.

``userscope mutate`` runs this file, as a program of its own; see tests/mutation/test_mutate.py.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

type Connection = psycopg.Connection[tuple[object, ...]]


def main() -> None:
    """Run them all; the first that fails ends it."""
    with (
        psycopg.connect(os.environ["ADMIN_DATABASE_URL"], autocommit=True) as admin,
        psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as ann,
    ):
        for test in (reads, writes, cascades, rules, catalog):
            admin.execute("""insert into "Shop".customers values (1, 'Ann'), (2, 'Ben')""")
            admin.execute("""insert into "Shop".orders values (10, 1), (20, 2)""")
            admin.execute("""insert into "Shop".reviews values (100, 1, 'good'), (200, 2, 'bad')""")
            ann.execute("select set_config('shop.customer', '1', false)")
            test(ann, admin)
            admin.execute('delete from "Shop".customers')
            admin.execute('delete from "Shop".reviews')


def rows(connection: Connection, query: str) -> set[tuple[object, ...]]:
    return set(connection.execute(query.encode()).fetchall())


@contextmanager
def refused(error: type[Exception] = psycopg.errors.InsufficientPrivilege) -> Iterator[None]:
    try:
        yield
    except error:
        return
    raise AssertionError(f"{error.__name__} was expected")


def reads(ann: Connection, _: Connection) -> None:
    assert rows(ann, 'select "No" from "Shop".customers') == {(1,)}
    assert rows(ann, 'select id from "Shop".orders') == {(10,)}
    assert rows(ann, 'select id from "Shop".reviews') == {(100,), (200,)}
    ann.execute("set shop.customer = ''")
    assert rows(ann, 'select id from "Shop".orders') == rows(ann, 'select "No" from "Shop".customers') == set()


def writes(ann: Connection, admin: Connection) -> None:
    assert ann.execute('update "Shop".orders set amount = 2').rowcount == 1
    assert ann.execute('insert into "Shop".orders (id, customer) values (11, 1)').rowcount == 1
    assert ann.execute("""insert into "Shop".reviews values (101, 1, 'fine')""").rowcount == 1
    for query in ('insert into "Shop".orders values (21, 2)', """insert into "Shop".reviews values (201, 2, '')"""):
        with refused():
            ann.execute(query.encode())
    assert ann.execute("""update "Shop".reviews set text = 'edited'""").rowcount == 2
    assert ann.execute('delete from "Shop".orders').rowcount == 2
    assert rows(admin, 'select id, amount from "Shop".orders') == {(20, 1)}
    ann.execute("set shop.customer = ''")
    assert ann.execute("""update "Shop".reviews set text = 'edited'""").rowcount == 0
    for query in ('insert into "Shop".orders values (21, 1)', """insert into "Shop".reviews values (201, 1, '')"""):
        with refused():
            ann.execute(query.encode())


def cascades(_: Connection, admin: Connection) -> None:
    admin.execute('delete from "Shop".customers where "No" = 1')
    assert rows(admin, 'select id from "Shop".orders') == {(20,)}


def rules(_: Connection, admin: Connection) -> None:
    for query, error in (
        ('update "Shop".orders set customer = null', psycopg.errors.NotNullViolation),
        ('update "Shop".orders set amount = null', psycopg.errors.NotNullViolation),
        ('update "Shop".customers set "Name" = null', psycopg.errors.NotNullViolation),
        ('update "Shop".reviews set author = null', psycopg.errors.NotNullViolation),
        ('update "Shop".orders set customer = 3', psycopg.errors.ForeignKeyViolation),
        ('update "Shop".orders set id = 1', psycopg.errors.UniqueViolation),
        ('update "Shop".reviews set id = 1', psycopg.errors.UniqueViolation),
    ):
        with refused(error):
            admin.execute(query.encode())


CATALOG = """
select format('%s: %s %s %s', relname, relrowsecurity, relforcerowsecurity, relowner = nspowner)
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace where nspname = 'Shop' and relkind in ('r', 'v')
union all
select format('%s: %s %s %s to %s', polrelid::regclass, polname, polcmd, polpermissive, polroles::regrole[])
  from pg_policy
union all
select format('%s may %s %s', role, privilege, pg_class.oid::regclass)
  from pg_class, unnest(array['shop customer', 'public']) as role,
       unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
 where relnamespace = '"Shop"'::regnamespace and relkind in ('r', 'v')
   and has_table_privilege(role, pg_class.oid, privilege)
union all
select format('%s %s %s.%s', role, privilege, attrelid::regclass, attname)
  from pg_attribute, unnest(array['shop customer']) as role, unnest(array['SELECT', 'INSERT', 'UPDATE']) as privilege
 where attrelid in (select oid from pg_class where relnamespace = '"Shop"'::regnamespace and relkind = 'r')
   and attnum > 0 and has_column_privilege(role, attrelid, attnum, privilege)
union all
select format('function %s', oid::regprocedure) from pg_proc where pronamespace = '"Shop"'::regnamespace
union all
select format('shop customer may %s', privilege) from unnest(array['USAGE', 'CREATE']) as privilege
 where has_schema_privilege('shop customer', 'Shop', privilege)
union all
select 'temporary objects' where has_database_privilege('shop customer', current_database(), 'temporary')
union all
select format('%s bypasses', rolname) from pg_roles where rolname like 'shop%' and rolbypassrls
"""


def catalog(_: Connection, admin: Connection) -> None:
    """Everything that is granted, and how every table is protected, is what was written down."""
    with open(os.environ["SHOP_CATALOG"], encoding="utf-8") as file:  # noqa: PTH123  # what a plain suite would do
        assert sorted(str(row[0]) for row in rows(admin, CATALOG)) == file.read().splitlines()


if __name__ == "__main__":
    main()
