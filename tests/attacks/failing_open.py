"""Failing open: what befalls a database — a restore, a lost row, a changed role — must close the door, not open it."""

from tests.attacks.attack import HARVEST, NAIVE, Attack, Change
from tests.clusters import Connection

_FORGE = ("select app.set_user_id('{bob}')", *HARVEST, "reset app.user_id", *HARVEST)

_DECIDED = """
create or replace function app.current_user_key() returns text language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp return case when {required}
then app_private.verified_user_key() else nullif(current_setting('app.user_id', true), '') end
"""
_BY_PRESENCE = _DECIDED.replace("{required}", "exists (select from app_private.seal_keys where retired_at is null)")
"""The helper as it was first designed: a seal is required where there are keys."""
_HIDDEN_IS_NO = _DECIDED.replace("{required}", "coalesce((select required from app_private.sealing), false)")


def _lost_is_no(superuser: Connection) -> None:
    row = superuser.execute("select pg_get_functiondef('app_private.decide_sealing()'::regprocedure)").fetchone()
    assert row
    closed = "from app_private.sealing), true)"
    assert row[0].count(closed) == 2
    superuser.execute(row[0].replace(closed, closed.replace("true", "false")).encode())
    superuser.execute("update app_private.sealing set required = required")  # decides, of no row too


def _row_unread(superuser: Connection) -> None:
    """The helper that accepts no seal as well does so whatever the row says."""
    row = superuser.execute("select pg_get_functiondef('app.current_user_key()'::regprocedure)").fetchone()
    assert row
    unread = row[0].replace(" or coalesce((select required from app_private.sealing), true)", "")
    superuser.execute(unread.encode())


def _past_the_trigger(statement: str) -> str:
    return (
        "update app_private.sealing set required = false; alter table app_private.sealing disable trigger all; "
        f"{statement}; alter table app_private.sealing enable trigger all"
    )


_POLICIES = "drop policy select_own on app.todos; drop policy select_own on app.users"

_CASES: list[tuple[str, str, Change]] = [
    ("every key deleted", "delete from app_private.seal_keys", _BY_PRESENCE),
    ("every key retired", "update app_private.seal_keys set retired_at = now()", _BY_PRESENCE),
    ("the row that says a seal is required, lost", "delete from app_private.sealing", _lost_is_no),
    ("a restore without the rows of app_private", "truncate app_private.seal_keys, app_private.sealing", _lost_is_no),
    (
        "the row changed past its trigger, as logical replication and a restore of data do",
        _past_the_trigger("update app_private.sealing set required = true"),
        _row_unread,
    ),
    ("the row lost past its trigger", _past_the_trigger("delete from app_private.sealing"), _row_unread),
    (
        "row-level security forced on the keys",
        "alter table app_private.seal_keys force row level security",
        _BY_PRESENCE,
    ),
    (
        "row-level security forced on all of app_private",
        "alter table app_private.seal_keys force row level security; alter table app_private.sealing force row level security",
        _HIDDEN_IS_NO,
    ),
    (
        "forced, and the owner loses its attributes",
        "alter table app_private.seal_keys force row level security; alter table app_private.sealing force row level security; "
        "alter role {owner} nosuperuser nobypassrls",
        _HIDDEN_IS_NO,
    ),
    ("the owner loses BYPASSRLS or superuser", "alter role {owner} nosuperuser nobypassrls", NAIVE),
    ("the policies reverted", _POLICIES, NAIVE + f"; alter table app.todos disable row level security; {_POLICIES}"),
    (
        "a database whose privileges were not restored",
        "grant temporary on database {database} to public; "
        "grant usage on schema app_private to public; grant usage, create on schema public to public",
        NAIVE,
    ),
    (
        "select on the keys granted to everybody",
        "grant usage on schema app_private to public; grant select on app_private.seal_keys, app_private.sealing to public",
        NAIVE,
    ),
    ("pg_read_all_data for services", "grant pg_read_all_data to app_service", "alter role app_service bypassrls"),
]

ATTACKS = [
    Attack(
        name,
        (*_FORGE, "select encode(inner_pad, 'hex') || ' is an inner pad' from app_private.seal_keys"),
        circumstance=circumstance,
        hole=hole.replace(f"; {_POLICIES}", "") if isinstance(hole, str) else hole,
        unsealed=None,
    )
    for name, circumstance, hole in _CASES
]
