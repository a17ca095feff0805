"""Failing open: what befalls a database — a restore, a lost row, a changed role — must close the door, not open it."""

from tests.attacks.attack import HARVEST, NAIVE, Attack, Change, helper

_FORGE = ("select app.set_user_id('{bob}')", *HARVEST, "reset app.user_id", *HARVEST)

_BY_PRESENCE = helper(
    r"select sealing\.required into required from app_private\.sealing;",
    "required := exists (select from app_private.seal_keys as k where k.retired_at is null);",
)
"""The helper as it was first designed: a seal is required where there are keys."""
_LOST_IS_NO = helper(r"if not required then", "if required is not true then")

_POLICIES = "drop policy select_own on app.todos; drop policy select_own on app.users"

_CASES: list[tuple[str, str, Change]] = [
    ("every key deleted", "delete from app_private.seal_keys", _BY_PRESENCE),
    ("every key retired", "update app_private.seal_keys set retired_at = now()", _BY_PRESENCE),
    ("the row that says a seal is required, lost", "delete from app_private.sealing", _LOST_IS_NO),
    ("a restore without the rows of app_private", "truncate app_private.seal_keys, app_private.sealing", _LOST_IS_NO),
    (
        "row-level security forced on the keys",
        "alter table app_private.seal_keys force row level security",
        _BY_PRESENCE,
    ),
    (
        "row-level security forced on all of app_private",
        "alter table app_private.seal_keys force row level security; alter table app_private.sealing force row level security",
        _LOST_IS_NO,
    ),
    (
        "forced, and the owner loses its attributes",
        "alter table app_private.seal_keys force row level security; alter table app_private.sealing force row level security; "
        "alter role {owner} nosuperuser nobypassrls",
        _LOST_IS_NO,
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
