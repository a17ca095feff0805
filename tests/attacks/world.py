"""Who and what is there to be attacked, and the snapshot of everything that must stay as it is."""

import hashlib
import time

import psycopg

from tests.clusters import Connection

ALICE = "aaaaaaaa-0000-4000-8000-000000000001"
BOB = "bbbbbbbb-0000-4000-8000-000000000002"
CAROL = "cccccccc-0000-4000-8000-000000000003"
GHOST = "dddddddd-0000-4000-8000-000000000004"
"""Somebody who has an account here; in the twin, under this id and address, there is nobody."""
ACME, GAMMA, BETA, DELTA, EPSILON, ZETA, QUIET, GHOST_TEAM = (
    f"0c0c0c0c-0000-4000-8000-00000000000{number}" for number in range(8)
)
"""Organizations: tests/attacks/organizations.py says who is in them; Zeta is gone, and the last is not in the twin."""
KEY, RETIRED = bytes(range(32)), bytes(range(32, 64))
VERIFY_SEAL = "_verify.9999999999.7b174f1e249fd63b1ddb816e60d8289f2a5abf3e9d368b4a289ec6956f9f2b75"
"""Of schema/verify/identity.sql, as everybody can read: a seal of somebody by a key of zeros."""
VERIFY_USER = "00000000-0000-4000-8000-00000000000a"

MARKS = ("bob secret", "Robert Secretly", "bob-session", "bob-password")
"""What only Bob's rows hold."""

_PEOPLE = """
insert into app.users (id, name, email, username) values
    (%(alice)s, 'Alice Plainly', 'alice@example.com', 'alice'),
    (%(bob)s, 'Robert Secretly', %(bob_email)s, %(bob_username)s),
    (%(carol)s, 'Carola Quietly', %(carol_email)s, %(carol_username)s),
    (%(ghost)s, 'Somebody', %(ghost_name)s || '@example.com', %(ghost_name)s);
"""
_OTHERS = """
insert into app.users (id, name, email)
select md5('user ' || n)::uuid, 'Somebody', 'user' || n || '@example.com' from generate_series(1, 20) as n;
insert into app.todos (owner_id, id, title) select md5('user ' || n % 20 + 1)::uuid, md5('todo ' || n)::uuid, 'other ' || n
  from generate_series(1, 780) as n;
"""
# The rows of the two who change places are the same rows, in the same order, with another owner.
_TODOS = """
insert into app.todos (owner_id, id, title, description, due_at, created_at)
select owner, md5(name || n || case name || n when 'bob1' then %(ghost_name)s else '' end)::uuid, format('%%s secret %%s', name, n), 'why', timestamptz '2027-01-01 00:00Z' + n * interval '1 day',
       timestamptz '2026-01-01 00:00Z' + n * interval '1 hour'
  from (values (%(alice)s::uuid, 'ali', 3), (%(many)s::uuid, 'bob', 37), (%(few)s::uuid, 'car', 5)) as p (owner, name, total),
       generate_series(1, total) as n order by name, n
"""
# Bob's has seven members more and Carol's two; in the twin it is the other way round.
_TEAMS = """
insert into app.organizations (id, name, slug, created_at)
select id, name, slug, timestamptz '2026-01-01 00:00Z' from (values
    (%(acme)s::uuid, 'Acme', 'acme'), (%(gamma)s, 'Gamma', 'gamma'), (%(beta)s, 'bob secret club', 'beta'),
    (%(delta)s, 'bob secret Delta', 'delta'), (%(epsilon)s, 'bob secret Epsilon', 'epsilon'), (%(zeta)s, 'Zeta', 'zeta'),
    (%(quiet)s, 'Quiet', 'quiet'), (%(ghost_team)s, 'Somebody', %(ghost_name)s || '-team')) as o (id, name, slug);
insert into app.members (id, organization_id, user_id, role, created_at)
select md5(o || u)::uuid, o::uuid, u::uuid, role, timestamptz '2026-01-01 00:00Z' from (values
    (%(acme)s, %(alice)s, 'owner'), (%(gamma)s, %(carol)s, 'owner'), (%(gamma)s, %(alice)s, 'member'), (%(beta)s, %(bob)s, 'owner'),
    (%(delta)s, %(bob)s, 'owner'), (%(delta)s, %(alice)s, 'member'), (%(epsilon)s, %(bob)s, 'owner'),
    (%(quiet)s, %(carol)s, 'owner')) as m (o, u, role)
 union all
select md5('member ' || n)::uuid, case when n <= 7 then %(many_team)s else %(few_team)s end::uuid, md5('user ' || n)::uuid, 'member',
       timestamptz '2026-01-01 00:00Z' from generate_series(1, 9) as n;
delete from app.members where organization_id = %(delta)s and user_id = %(alice)s;
insert into app.invitations (id, organization_id, email, role, expires_at, created_at, inviter_id)
values (md5('invitation')::uuid, %(epsilon)s, 'alice@example.com', 'member', 'infinity'::timestamptz, timestamptz '2026-01-01 00:00Z', %(bob)s);
insert into app.boards (organization_id, id, name, created_by, created_at, updated_at)
select o::uuid, md5('board ' || o || n)::uuid, name || ' board ' || n, %(carol)s, timestamptz '2026-01-01 00:00Z', timestamptz '2026-01-01 00:00Z'
  from generate_series(1, 3) as n, (values (%(acme)s, 'ali'), (%(gamma)s, 'gamma'), (%(beta)s, 'bob secret'),
       (%(delta)s, 'bob secret'), (%(epsilon)s, 'bob secret'), (%(zeta)s, 'zeta')) as b (o, name);
delete from app.organizations where id = %(zeta)s;
"""
_SECRETS = """
insert into app_fenced.secrets table app.todos;
insert into app.sessions (user_id, token, expires_at) values (%(bob)s, 'bob-session', now());
insert into app.accounts (user_id, account_id, provider_id, password) values (%(bob)s, '1', 'credential', 'bob-password');
"""

TABLES = (
    "app.users", "app.todos", "app_fenced.secrets", "app.sessions", "app.accounts", "app.verifications", "app.jwks",
    "app.organizations", "app.members", "app.invitations", "app.boards",
)  # fmt: skip
_CATALOGS = (
    "pg_authid", "pg_auth_members", "pg_db_role_setting", "pg_default_acl", "pg_extension", "pg_policy",
    "pg_event_trigger", "pg_publication", "pg_largeobject_metadata", "pg_foreign_server", "pg_language", "pg_cast",
)  # fmt: skip
OWN = {"app.users": "id", "app.todos": "owner_id"}
SNAPSHOT = "\nunion all\n".join(
    [
        *(f"select '{name} of Alice', string_agg(t::text, '|' order by t::text) from {name} as t where {owner} = '{ALICE}'"
          for name, owner in OWN.items()),
        *(f"select '{name}', md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {name} as t"
          + (f" where {OWN[name]} <> '{ALICE}'" if name in OWN else "")
          for name in (*TABLES, "app_private.seal_keys", "app_private.sealing", *_CATALOGS)),
        "select 'pg_namespace', string_agg(t::text, '|' order by t::text) from pg_namespace as t where nspname !~ '^pg_'",
        "select 'pg_database', string_agg((datname, datdba, datacl)::text, '|' order by datname) from pg_database "
        "where datname = current_database()",
        "select 'pg_replication_slots', count(*)::text from pg_replication_slots",
        "select 'pg_rewrite', count(*)::text from pg_rewrite",
        "select 'pg_proc', md5(string_agg((oid, prosrc, prosqlbody, proacl, proowner, proconfig)::text, '|' order by oid)) "
        "from pg_proc where oid >= 16384",
        "select 'pg_class', string_agg((oid, relname, relnamespace, relowner, relacl, relrowsecurity, relforcerowsecurity, "
        "relhastriggers, relreplident)::text, '|' order by oid) from pg_class where relnamespace::regnamespace::text !~ '^pg_'",
        "select 'pg_attribute', md5(string_agg((attrelid, attname, attacl, attstattarget)::text, '|' order by attrelid, attnum)) "
        "from pg_attribute where attrelid >= 16384",
        "select 'pg_trigger', md5(string_agg((oid, tgname, tgrelid, tgenabled)::text, '|' order by oid)) from pg_trigger",
        "select 'pg_constraint', md5(string_agg((oid, conname)::text, '|' order by oid)) from pg_constraint",
        "select 'settings of the server', md5(string_agg(name || coalesce(setting, ''), '|' order by name)) "
        "from pg_file_settings",
    ]
)  # fmt: skip


def uuid_of(text: str) -> str:
    """What md5(text)::uuid is."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def fill(superuser: Connection, *, twin: bool) -> None:
    many, few = (CAROL, BOB) if twin else (BOB, CAROL)
    addresses = [("robert@example.com", "robert"), ("carola@example.com", "carola")]
    (bob_email, bob_username), (carol_email, carol_username) = reversed(addresses) if twin else addresses
    values = {
        "alice": ALICE, "bob": BOB, "carol": CAROL, "many": many, "few": few,
        "bob_email": bob_email, "carol_email": carol_email,
        "bob_username": bob_username, "carol_username": carol_username,
        "ghost": GHOST.replace("d", "e") if twin else GHOST, "ghost_name": "spook" if twin else "ghost",
        "acme": ACME, "gamma": GAMMA, "beta": BETA, "delta": DELTA, "epsilon": EPSILON, "zeta": ZETA, "quiet": QUIET,
        "ghost_team": GHOST_TEAM.replace("c", "e") if twin else GHOST_TEAM,
        "many_team": QUIET if twin else BETA, "few_team": BETA if twin else QUIET,
    }  # fmt: skip
    with psycopg.ClientCursor(superuser) as cursor:
        for statement in (_PEOPLE, _OTHERS, _TODOS, _SECRETS, _TEAMS):
            cursor.execute(statement, values if "%(" in statement else None)
    add_key(superuser, "k1", KEY)
    add_key(superuser, "k0", RETIRED, retired=True)
    superuser.execute("create schema kept")
    for table in ("users", "todos"):
        superuser.execute(f"create table kept.{table} with (autovacuum_enabled = off) as table app.{table}".encode())
    for table in TABLES:
        _settle(superuser, table)


def add_key(superuser: Connection, key_id: str, key: bytes, *, retired: bool = False) -> None:
    """Let a database accept seals made with this key, or refuse them as those of a retired one."""
    block = key.ljust(64, b"\0")
    pads = [bytes(byte ^ mask for byte in block) for mask in (0x36, 0x5C)]
    superuser.execute(
        "insert into app_private.seal_keys (id, inner_pad, outer_pad, retired_at) "
        "values (%s, %s, %s, case when %s then now() end)",
        [key_id, *pads, retired],
    )


def _settle(superuser: Connection, table: str) -> None:
    """Bring a table to the one state that vacuuming leads to, so that plans differ for no other reason than rows."""
    superuser.execute(f"alter table {table} set (autovacuum_enabled = off)".encode())
    unsettled = "select from pg_class where oid = %s::regclass and relallvisible < relpages"
    while True:
        superuser.execute(f"vacuum (analyze) {table}".encode())
        if superuser.execute(unsettled, [table]).fetchone() is None:
            return
        time.sleep(0.05)  # somebody's snapshot of a moment ago is still held
