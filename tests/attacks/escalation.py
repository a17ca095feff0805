"""Escalation: becoming somebody else, or changing what protects; and trespassing, which needs neither."""

from tests.attacks import trespassing
from tests.attacks.attack import HARVEST, NAIVE, SESSIONS, Attack, Outcome

_MIGHT = "alter role app_service superuser"

_SUPERUSER: dict[str, tuple[str, ...]] = {
    "SET ROLE": (
        "set role postgres",
        *HARVEST,
        "set role {owner}",
        *HARVEST,
        "set role app_auth",
        *HARVEST,
        SESSIONS,
    ),
    "SET SESSION AUTHORIZATION": (
        "set session authorization postgres",
        *HARVEST,
        "reset session authorization",
        "reset role",
        *HARVEST,
    ),
    "ALTER ROLE: superuser, BYPASSRLS": (
        "alter role current_user superuser",
        "alter role current_user bypassrls",
        "alter role app_user bypassrls",
        "alter role current_user createrole",
        "alter role current_user replication",
        *HARVEST,
    ),
    "GRANT a role to oneself": (
        "grant app_auth to current_user",
        "grant {owner} to current_user",
        "grant pg_read_all_data to current_user",
        "grant pg_write_all_data to app_user",
        *HARVEST,
        SESSIONS,
    ),
    "CREATE ROLE": ("create role evil login superuser", "create role evil login bypassrls in role app_user"),
    "turn row-level security off": (
        "set row_security = off",
        "select title from app.todos",
        "alter table app.todos disable row level security",
        "alter table app.todos no force row level security",
        "alter table app.todos owner to current_user",
        *HARVEST,
    ),
    "change a policy": (
        "create policy evil on app.todos using (true)",
        "alter policy select_own on app.todos using (true)",
        "drop policy select_own on app.todos",
        *HARVEST,
    ),
    "replace the helper": (
        NAIVE,
        "alter function app.current_user_key() security invoker",
        "alter function app.current_user_key() set search_path = public",
        "drop function app.current_user_key() cascade",
        "create or replace function app.current_user_id() returns uuid return '{bob}'::uuid",
        "select set_config('app.user_id', '{bob}', true)",
        *HARVEST,
    ),
    "read or write the keys": (
        "select encode(inner_pad, 'hex') from app_private.seal_keys",
        "insert into app_private.seal_keys values ('evil', '', '')",
        "update app_private.sealing set required = false",
        "delete from app_private.seal_keys",
        "truncate app_private.sealing",
        "grant usage on schema app_private to public",
        "select set_config('app.user_id', '{bob}', true), set_config('app.user_seal', '', true)",
        *HARVEST,
    ),
    "create a function, a view, an operator, a domain": (
        "create schema evil",
        "create function public.evil() returns int language sql security definer as 'select 1'",
        "create function app.evil() returns int language sql as 'select 1'",
        "create view app.evil as select * from app.todos",
        "create operator app.= (function = int4eq, leftarg = int, rightarg = int)",
        "create domain app.evil as text",
        "create table app.evil (x int)",
        "create materialized view public.evil as select * from app.todos",
        "create cast (text as int) with inout",
        "create table public.evil (x int)",
    ),
    "a trigger or a rule on a table": (
        "create trigger evil before insert on app.todos for each row execute function app.touch()",
        "create rule evil as on select to app.todos do instead select * from app.users",
        "alter table app.todos disable trigger all",
        "create event trigger evil on ddl_command_end execute function app.touch()",
        "set session_replication_role = replica",
        *HARVEST,
    ),
    "grant on": (
        "grant select on app.todos to public",
        "grant all on schema app to public",
        "reassign owned by {owner} to current_user",
        "drop owned by app_user",
        "drop owned by {owner}",
    ),
    "extensions, languages, foreign servers": (
        "create extension plpython3u",
        "create extension postgres_fdw",
        "create extension file_fdw",
        "create extension citext",
        "create extension pg_stat_statements schema public",
        "create language c",
        "create server evil foreign data wrapper postgres_fdw",
        "load 'auto_explain'",
    ),
    "programs and files of the server": (
        "copy (select 1) to program 'true'",
        "copy (select 1) to '/tmp/userscope-evil'",
        "select pg_read_file('PG_VERSION')",
        "select pg_ls_dir('.')",
        "select lo_import('/etc/passwd')",
        "select lo_export(1, '/tmp/userscope-evil')",
        "select pg_read_binary_file('global/pg_control')",
        "select pg_logdir_ls()",
        "select pg_current_logfile()",
    ),
    "the server's settings": (
        "commit",
        "alter system set log_statement = 'all'",
        "alter database {database} set row_security = off",
        "alter database {database} owner to current_user",
        "select pg_reload_conf()",
    ),
    "replication": (
        "select pg_create_logical_replication_slot('evil', 'test_decoding')",
        "select pg_create_physical_replication_slot('evil')",
        "create publication evil for all tables",
        "select pg_logical_emit_message(true, 'evil', 'x') is null",
        "select pg_export_snapshot() is null",
    ),
    "the catalog itself": (
        "update pg_class set relrowsecurity = false where relname = 'todos'",
        "delete from pg_policy",
        "update pg_authid set rolsuper = true",
        "select rolpassword from pg_authid",
        "select usename, passwd from pg_shadow",
        "set allow_system_table_mods = on",
        *HARVEST,
    ),
}

ATTACKS = [
    *(
        # Unsealed, the forged identity that these try out beside counts by itself.
        Attack(
            name,
            steps,
            hole=_MIGHT,
            unsealed=Outcome.WORKS if any("set_config(" in step for step in steps) else Outcome.HOLDS,
        )
        for name, steps in _SUPERUSER.items()
    ),
    *trespassing.ATTACKS,
    Attack(
        "a temporary object in the way",
        (
            "create temporary table todos (id uuid, title text)",
            "create function pg_temp.sha256(bytea) returns bytea "
            "language sql as $$ select decode(split_part(current_setting('app.user_seal'), '.', 3), 'hex') $$",
            "create temporary table seal_keys as select 'k1' as id",
            "select set_config('app.user_id', '{bob}', true)",
            "set local search_path = pg_temp, app_private, app",
            *HARVEST,
        ),
        hole="grant temporary on database {database} to public; "
        "alter function app.current_user_key() set search_path = pg_temp, pg_catalog; "
        "drop policy select_own on app.todos; create policy select_own on app.todos for select to app_user using (owner_id = "
        "(select current_setting('app.user_id')::uuid))",
        unsealed=Outcome.WORKS,
    ),
]
