"""Tampering: Bob's id with a seal that is not his, or not any more; made of whatever the attacker holds or can read."""

from tests.attacks.attack import HARVEST, NAIVE, UNCOMPARED, UNTIMED, Attack, Change, Outcome

_OWN = "current_setting('app.user_seal')"
_ACCEPTED = "select 'accepted ' || app.current_user_id()"

# (name, the seal as an SQL expression, the hole through which it would fit)
FOR_BOB: list[tuple[str, str, Change]] = [
    ("one's own seal", _OWN, UNCOMPARED),
    ("one's own, the last digit changed", f"left({_OWN}, -1) || translate(right({_OWN}, 1), '01', '10')",
     UNCOMPARED),
    ("a MAC of zeros", f"split_part({_OWN}, '.', 1) || '.9999999999.' || repeat('0', 64)", UNCOMPARED),
    ("a MAC by another key", "'{other_key}'", UNCOMPARED),
    ("a MAC by a key of zeros", "'{zero_key}'", UNCOMPARED),
    ("a MAC by no key, made in SQL",
     f"split_part({_OWN}, '.', 1) || '.9999999999.' || encode(sha256('{{bob}}.9999999999'), 'hex')",
     UNCOMPARED),
    ("the id of a key that never was", "'{unknown_key}'",
     "insert into app_private.seal_keys select 'k2', inner_pad, outer_pad from app_private.seal_keys where id = 'k1'"),
    ("a retired key's seal", "'{retired}'", "update app_private.seal_keys set retired_at = null"),
    ("an expired seal out of a log", "'{expired}'", UNTIMED),
    ("an expired seal with a later expiry", "replace('{expired}', split_part('{expired}', '.', 2), '9999999999')",
     UNCOMPARED),
    ("truncated", f"left({_OWN}, -1)", NAIVE),
    ("extended", f"{_OWN} || '0'", NAIVE),
    ("in capitals", f"upper({_OWN})", NAIVE),
    ("without a MAC", f"split_part({_OWN}, '.', 1) || '.9999999999.'", NAIVE),
    ("without an expiry", f"split_part({_OWN}, '.', 1) || '..' || split_part({_OWN}, '.', 3)", NAIVE),
    ("with a negative expiry", f"replace({_OWN}, '.', '.-')", NAIVE),
    ("with other digits of Unicode", f"translate({_OWN}, '0123456789', '٠١٢٣٤٥٦٧٨٩')", NAIVE),
    ("with a line end", f"{_OWN} || chr(10)", NAIVE),
    ("with blanks around", f"' ' || {_OWN} || ' '", NAIVE),
    ("two seals in one", f"{_OWN} || '.' || {_OWN}", NAIVE),
    ("SQL in it", "$$' or true or '$$", NAIVE),
    ("a pattern", "'%'", NAIVE),
]  # fmt: skip

# Alice's own seal, where it must not count: with her id written otherwise, or beyond its time.
_FOR_ALICE: list[tuple[str, str, str, Change]] = [
    ("one's own id in capitals", "upper('{alice}')", _OWN, UNCOMPARED),
    ("one's own id in braces", "'{' || '{alice}' || '}'", _OWN, UNCOMPARED),
    ("one's own id without hyphens", "replace('{alice}', '-', '')", _OWN, UNCOMPARED),
    ("one's own expiry made later", "'{alice}'",
     f"replace({_OWN}, split_part({_OWN}, '.', 2), '9999999999')", UNCOMPARED),
    ("one's own expiry with a leading zero", "'{alice}'",
     f"replace({_OWN}, '.' || split_part({_OWN}, '.', 2), '.0' || split_part({_OWN}, '.', 2))", UNCOMPARED),
    ("the seal of the verification script", "'{verify_user}'", "'{verify_seal}'",
     "insert into app_private.seal_keys select '_verify', decode(repeat('36', 64), 'hex'), decode(repeat('5c', 64), 'hex')"),
]  # fmt: skip

_SETTINGS = (
    "standard_conforming_strings = off",
    "transform_null_equals = on",
    "backslash_quote = on",
    "bytea_output = escape",
    "array_nulls = off",
    "search_path = pg_temp, app, public",
    "row_security = off",
    "plan_cache_mode = force_generic_plan",
    "timezone = 'Asia/Tokyo'",
    "intervalstyle = iso_8601",
    "datestyle = 'Postgres, DMY'",
    "check_function_bodies = off",
    "quote_all_identifiers = on",
    "default_text_search_config = 'pg_catalog.simple'",
    "client_encoding = 'SQL_ASCII'",
    "extra_float_digits = -15",
    "plpgsql.extra_errors = 'all'",
    "plpgsql.variable_conflict = use_variable",
    "debug_assertions = off",
    "session_replication_role = replica",
)

_SETTLE = "select set_config('app.user_id', {user}, true), set_config('app.user_seal', {seal}, true)"


def _settle(user: str, seal: str) -> str:
    return _SETTLE.replace("{user}", user).replace("{seal}", seal)


# Made of one's own seal these come to nothing where services do not seal, and then no seal is what is sent.
_VANISHING = {
    "one's own seal", "one's own, the last digit changed", "truncated", "in capitals", "with a negative expiry",
    "with other digits of Unicode",
}  # fmt: skip

ATTACKS = [
    *(
        Attack(f"for Bob: {name}", (_settle("'{bob}'", seal), *HARVEST), hole=hole,
               unsealed=Outcome.WORKS if name in _VANISHING else Outcome.HOLDS)
        for name, seal, hole in FOR_BOB
    ),
    *(
        Attack(name, (_settle(user, seal), _ACCEPTED), hole=hole, trophy="accepted ",
               unsealed=Outcome.WORKS if _OWN in seal else Outcome.HOLDS)
        for name, user, seal, hole in _FOR_ALICE
    ),
    Attack(
        "the helper misled by a session's settings",
        tuple(
            step
            for setting in _SETTINGS
            for step in (f"set local {setting}", _settle("'{bob}'", _OWN), *HARVEST)
        ),
        hole=UNCOMPARED,
        unsealed=Outcome.WORKS,
    ),
    Attack(
        "Bob's seal read from pg_stat_activity, and replayed",
        ("select query, query_id from pg_stat_activity where query ilike '%set_user_id%' and pid <> pg_backend_pid()",
         "select set_config('app.user_id', '{bob}', true), set_config('app.user_seal', coalesce(("
         "select substring(query from '[a-z0-9]+[.][0-9]+[.][0-9a-f]{64}') from pg_stat_activity "
         "where query ilike '%set_user_id%' and pid <> pg_backend_pid() limit 1), 'none'), true)", *HARVEST),
        careless=True,
    ),
    Attack(
        "an oracle that mints: every function one may call, asked for a seal of Bob's",
        ("select app.set_user_id('{bob}', encode(sha256(convert_to('{bob}', 'UTF8')), 'hex'))",
         "select app.touch()", "select hmac('{bob}', 'key', 'sha256')", "select app_private.mint('{bob}')", *HARVEST),
        hole="""grant usage on schema app_private to app_user;
                create function app_private.mint(text) returns void language sql security definer
                as $$ select set_config('app.user_id', $1, true), set_config('app.user_seal', '', true);
                      update app_private.sealing set required = false $$""",
    ),
]  # fmt: skip
