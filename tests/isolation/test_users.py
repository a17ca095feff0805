"""What the rows themselves keep to: whose they are, what goes with a user, and which values stand."""

from uuid import uuid4

import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation

from tests.isolation.world import World


def test_deleting_a_user(world: World) -> None:
    """A user's todos, sessions and accounts go with them, and nobody else's; app_auth needs no right on todos."""
    alice, bob = world.users
    before = world.snapshot()
    with world.auth.transaction():
        world.auth.execute("delete from app.users where id = %s", [alice])
    after = world.snapshot()
    gone = {table: frozenset(row for row in rows if row[0] != alice) for table, rows in before.items()}
    assert {row[1] for row in after["organizations"]} == {row[1] for row in before["organizations"]}  # they stay
    assert after | {"organizations": None} == gone | {"organizations": None}
    assert world.titles(bob) != set()


def test_a_deleted_users_identity(world: World) -> None:
    """Who acts for a user that is gone sees nothing and writes nothing."""
    alice, _ = world.users
    world.auth.execute("delete from app.users where id = %s", [alice])
    with world.acting_as(alice) as connection:
        assert connection.execute("select from app.todos").rowcount == 0
    with pytest.raises(ForeignKeyViolation), world.acting_as(alice) as connection:
        connection.execute("insert into app.todos (title) values ('late')")


def test_a_todo_is_its_makers(world: World) -> None:
    """The database says whose a new todo is, when it was made and whether it is done."""
    alice, _ = world.users
    with world.acting_as(alice) as connection:
        row = connection.execute(
            "insert into app.todos (title) values ('new') "
            "returning owner_id, completed, created_at = now(), updated_at = now()"
        ).fetchone()
    assert row == (alice, False, True, True)


def test_the_same_id_twice(world: World) -> None:
    """Two users may have a todo of the same id: whether another has it cannot be found out by inserting it."""
    alice, bob = world.users
    todo = uuid4()
    for user in (alice, bob):
        with world.acting_as(user) as connection:
            connection.execute("insert into app.todos (id, title) values (%s, 'same')", [todo])
    with pytest.raises(UniqueViolation, match="todos_pkey"), world.acting_as(alice) as connection:
        connection.execute("insert into app.todos (id, title) values (%s, 'same')", [todo])
    assert world.admin.execute("select count(*) from app.todos where id = %s", [todo]).fetchone() == (2,)


def test_updated_at(world: World) -> None:
    """A change moves updated_at, of this row alone; nobody sets it by hand."""
    alice, _ = world.users
    with world.acting_as(alice) as connection:
        connection.execute("insert into app.todos (title) values ('one'), ('two')")
    with world.acting_as(alice) as connection:
        connection.execute("update app.todos set completed = true where title = 'one'")
        rows = connection.execute(
            "select title, updated_at > created_at from app.todos where title in ('one', 'two')"
        ).fetchall()
    assert set(rows) == {("one", True), ("two", False)}
    moved = "update app.users set name = 'Alice', updated_at = 'epoch' where id = %s returning updated_at = now()"
    assert world.auth.execute(moved, [alice]).fetchone() == (True,)


# É, U+00A0 and U+2003 are judged alike on every version and locale.
@pytest.mark.parametrize("title", ["x", "x" * 200, "É" * 200, "\u00a0é", "\u2003x\u2003", "\u200b", "𝄞" * 200])
def test_good_titles(world: World, title: str) -> None:
    """A title has 1 to 200 characters, one of them not blank."""
    with world.acting_as(world.users[0]) as connection:
        assert connection.execute("insert into app.todos (title) values (%s) returning title", [title]).fetchone() == (
            title,
        )


@pytest.mark.parametrize(
    "title", ["", " ", "\t\n\r", "\u00a0", "\u2003", "\u3000\u0085\u2028", "x" * 201, "É" * 201, " " * 300]
)
def test_bad_titles(world: World, title: str) -> None:
    """A blank title, and one of more than 200 characters, is refused."""
    with pytest.raises(CheckViolation, match="todos_title_check"), world.acting_as(world.users[0]) as connection:
        connection.execute("insert into app.todos (title) values (%s)", [title])


def test_every_blank_of_unicode(world: World) -> None:
    """What is blank in a title is what Python's str.isspace says, for each character there is."""
    blanks = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000 and chr(code).isspace()]
    text = "".join(chr(code) for code in range(1, 0x10000) if not 0xD800 <= code < 0xE000)
    row = world.admin.execute(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = 'todos_title_check'"
    ).fetchone()
    assert row is not None
    left = world.admin.execute(
        "select array_agg(title) from (select unnest(string_to_array(%s, null)) as title) as t "
        "where not " + row[0].removeprefix("CHECK ").replace("%", "%%"), [text]
    ).fetchone()  # fmt: skip
    assert left is not None
    assert sorted(left[0]) == sorted(blanks)


def test_descriptions(world: World) -> None:
    """A description may be missing or empty, and has at most 10000 characters."""
    with world.acting_as(world.users[0]) as connection:
        for good in (None, "", "É" * 10_000):
            connection.execute("insert into app.todos (title, description) values ('t', %s)", [good])
    with pytest.raises(CheckViolation, match="todos_description_check"), world.acting_as(world.users[0]) as connection:
        connection.execute("insert into app.todos (title, description) values ('t', %s)", ["x" * 10_001])


@pytest.mark.parametrize("email", ["a@b.c", "x" * 242 + "@example.com", "o'hara+tag@ex-ample.io", "a_b%c@[::1]"])
def test_good_addresses(world: World, email: str) -> None:
    """An address of lower-case ASCII without blanks stands."""
    world.auth.execute("insert into app.users (name, email) values ('', %s)", [email])


@pytest.mark.parametrize(
    "email",
    [
        "",
        "A@b.c",
        "a@B.c",
        "É@x.io",
        "é@x.io",
        "a b@c.d",
        "a\u00a0@b.c",
        "\u2003a@b.c",
        "a@b.c\n",
        "x" * 243 + "@example.com",
    ],
)
def test_bad_addresses(world: World, email: str) -> None:
    """Capitals, blanks and what is not ASCII are refused, by the same rule in every locale."""
    with pytest.raises(CheckViolation, match="users_email_check"):
        world.auth.execute("insert into app.users (name, email) values ('', %s)", [email])


@pytest.mark.parametrize("username", [None, "abc", "a_b.9", "x" * 30, "...", "___"])
def test_good_usernames(world: World, username: str | None) -> None:
    """A username is optional, and has 3 to 30 of a to z, 0 to 9, _ and dot."""
    world.auth.execute("insert into app.users (name, email, username) values ('', 'new@x.io', %s)", [username])


@pytest.mark.parametrize("username", ["", "ab", "x" * 31, "Abc", "a-b", "a b", "élan", "abc\n", "a\u00a0bc", "٣٤٥"])
def test_bad_usernames(world: World, username: str) -> None:
    """Capitals, accents, blanks and other lengths are refused, by the same rule in every locale."""
    with pytest.raises(CheckViolation, match="users_username_check"):
        world.auth.execute("insert into app.users (name, email, username) values ('', 'new@x.io', %s)", [username])


@pytest.mark.parametrize("column", ["email", "username"])
def test_one_user_each(world: World, column: str) -> None:
    """No two users share an e-mail address or a username; several may go without a username."""
    world.auth.execute("insert into app.users (name, email) values ('', 'first@x.io'), ('', 'second@x.io')")
    world.auth.execute(f"update app.users set {column} = 'taken' where email = 'first@x.io'")
    with pytest.raises(UniqueViolation, match=f"users_{column}_key"):
        world.auth.execute(f"update app.users set {column} = 'taken' where email = 'second@x.io'")


# Every column that must not be null, and nothing beyond: the rest of what an insert may leave out has a default.
NOT_NULL = {
    "users": {"id", "name", "email", "email_verified", "created_at", "updated_at"},
    "todos": {"owner_id", "id", "title", "completed", "created_at", "updated_at"},
    "organizations": {"id", "name", "slug", "created_at"},
    "members": {"id", "organization_id", "user_id", "role", "created_at"},
    "invitations": {"id", "organization_id", "email", "status", "expires_at", "created_at", "inviter_id"},
    "sessions": {"id", "user_id", "token", "expires_at", "created_at", "updated_at"},
    "accounts": {"id", "user_id", "account_id", "provider_id", "created_at", "updated_at"},
    "verifications": {"id", "identifier", "value", "expires_at", "created_at", "updated_at"},
    "jwks": {"id", "public_key", "private_key", "created_at"},
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in NOT_NULL.items() for column in sorted(columns)]
)
def test_never_null(world: World, table: str, column: str) -> None:
    """The column is never null, whoever asks for it."""
    with pytest.raises(NotNullViolation, match=f'"{column}"'), world.admin.transaction():
        world.admin.execute("set local session_replication_role = replica")  # so that no trigger mends it first
        world.admin.execute(f"update app.{table} set {column} = null")


def test_every_other_column_may_be_null(world: World) -> None:
    """The list above is whole."""
    found = world.admin.execute(
        "select relname, attname from pg_attribute join pg_class on pg_class.oid = attrelid "
        "where relnamespace = 'app'::regnamespace and relkind = 'r' and attnum > 0 and attnotnull and not attisdropped"
    ).fetchall()
    assert set(found) == {(table, column) for table, columns in NOT_NULL.items() for column in columns}


def test_defaults(world: World) -> None:
    """The database supplies ids and times where an insert leaves them out."""
    alice, _ = world.users
    inserts = {
        "users": ("name, email", "'', 'new@x.io'"),
        "sessions": ("user_id, token, expires_at", f"'{alice}', 'new', now()"),
        "accounts": ("user_id, account_id, provider_id", f"'{alice}', 'new', 'new'"),
        "verifications": ("identifier, value, expires_at", "'new', 'new', now()"),
        "jwks": ("public_key, private_key", "'new', 'new'"),
    }
    for table, (columns, values) in inserts.items():
        query = f"insert into app.{table} ({columns}) values ({values}) returning id is not null, created_at = now()"
        assert world.auth.execute(query).fetchone() == (True, True), table
    updated = "select bool_and(updated_at = created_at) from (table_) as t"
    updated = updated.replace(
        "table_",
        " union all ".join(
            f"select updated_at, created_at from app.{t}" for t in ("users", "sessions", "accounts", "verifications")
        ),
    )
    assert world.admin.execute(updated).fetchone() == (True,)


@pytest.mark.parametrize(("table", "columns"), [("sessions", ["token"]), ("accounts", ["provider_id", "account_id"])])
def test_one_row_each(world: World, table: str, columns: list[str]) -> None:
    """A session's token, and an account at a provider, is one user's."""
    sets = ", ".join(f"{column} = 'same'" for column in columns)
    with pytest.raises(UniqueViolation, match=f"{table}_{'_'.join(columns)}_key"):
        world.admin.execute(f"update app.{table} set {sets}")


@pytest.mark.parametrize(
    "table", ["users", "organizations", "members", "invitations", "sessions", "accounts", "verifications", "jwks"]
)
def test_primary_keys(world: World, table: str) -> None:
    """An id names one row."""
    assert world.admin.execute(f"select from app.{table}").rowcount >= 2
    with pytest.raises(UniqueViolation, match=f"{table}_pkey"), world.admin.transaction():
        world.admin.execute("set local session_replication_role = replica")
        world.admin.execute(f"update app.{table} set id = %s", [uuid4()])


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("todos", "owner_id"),
        ("sessions", "user_id"),
        ("accounts", "user_id"),
        ("members", "organization_id"),
        ("members", "user_id"),
        ("invitations", "organization_id"),
        ("invitations", "inviter_id"),
        ("sessions", "active_organization_id"),
    ],
)
def test_references(world: World, table: str, column: str) -> None:
    """Nothing belongs to a user or an organization that does not exist."""
    with pytest.raises(ForeignKeyViolation, match=f"{table}_{column}_fkey"):
        world.admin.execute(f"update app.{table} set {column} = gen_random_uuid()")
