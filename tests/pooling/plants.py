"""What one transaction may leave on a connection for whoever borrows it next, and what the next one can notice."""

from collections.abc import Sequence
from dataclasses import dataclass

_STEAL = (
    "prepare \"_pg3_0\" as select set_config('app.loot', (select string_agg(title, ',') from app.todos) "
    "|| current_setting('app.user_seal', true), false)"
)
HARVEST = "select current_setting('app.loot', true)"


@dataclass(frozen=True)
class Plant:
    """Something left behind. ``needs`` is the hole, if any, without which it cannot be left at all."""

    name: str
    steps: Sequence[str]
    needs: str = ""


PLANTS = [
    Plant("the next borrower's prepared statement", ("deallocate all", _STEAL)),
    Plant("a prepared statement redefined in a DO block", (f"do $d$ begin execute $s${_STEAL}$s$; end $d$",)),
    Plant("TimeZone", ("set timezone = 'Asia/Tokyo'",)),
    Plant("synchronous_commit", ("set synchronous_commit = local",)),
    Plant("every later transaction read only", ("set default_transaction_read_only = on",)),
    Plant("every later transaction serializable", (
        "set session characteristics as transaction isolation level serializable",)),
    Plant("search_path", ("set search_path = evil, public",)),
    Plant("statement_timeout", ("set statement_timeout = '1min'",)),
    Plant("lock_timeout", ("set lock_timeout = 1",)),
    Plant("standard_conforming_strings", ("set standard_conforming_strings = off",)),
    Plant("row_security", ("set row_security = off",)),
    Plant("the planner's settings", ("set enable_indexscan = off", "set plan_cache_mode = force_generic_plan")),
    Plant("DateStyle and bytea_output", ("set datestyle = 'Postgres, DMY'", "set bytea_output = escape")),
    Plant("PL/pgSQL's settings", ("set plpgsql.extra_errors = 'all'",)),
    Plant("client_encoding", ("set client_encoding = 'LATIN1'",)),
    Plant("the role", ("set role app_user",)),
    Plant("an identity for the session, by set_config", (
        "select set_config('app.user_id', '{alice}', false), "
        "set_config('app.user_seal', current_setting('app.user_seal'), false)",)),
    Plant("an identity for the session, by SET", ("commit", "set session app.user_id = '{alice}'")),
    Plant("an organization for the session", ("select set_config('app.organization_id', '{alice}', false)",)),
    Plant("a setting of one's own", ("select set_config('app.loot', 'left by alice', false)",)),
    Plant("an advisory lock", ("select pg_advisory_lock(4711)",)),
    Plant("LISTEN", ("listen evil",)),
    Plant("a cursor WITH HOLD", ("declare evil cursor with hold for select title from app.todos",)),
    Plant("a prepared statement with a name of its own", ("prepare evil as select 1",)),
    Plant("a temporary table", ("create temporary table todos (id uuid, title text)",),
          "grant temporary on database {database} to public"),
    Plant("a temporary function", (
        "create function pg_temp.now() returns timestamptz language sql as $$ select timestamptz 'epoch' $$",),
        "grant temporary on database {database} to public"),
]  # fmt: skip

# What a borrower can notice.
OBSERVATIONS = (
    "select app.current_user_id(), app.current_organization_id()",  # loads PL/pgSQL and its settings
    "select string_agg(name || '=' || coalesce(setting, ''), ' ' order by name) from pg_settings "
    "where name not in ('application_name') and context in ('user', 'superuser')",
    "select current_user, session_user, nullif(current_setting('app.loot', true), ''), "
    "nullif(current_setting('app.organization_id', true), '')",
    "select name, statement from pg_prepared_statements",
    "select name, is_holdable from pg_cursors",
    "select * from pg_listening_channels()",
    "select objid from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
    "select count(*) from pg_class where relnamespace = pg_my_temp_schema()",
    "select count(*) from pg_proc where pronamespace = pg_my_temp_schema()",
    "select count(*), min(title) from app.todos",
    'execute "_pg3_0"',  # the last, since without a poisoner it fails
)
