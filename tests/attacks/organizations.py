"""Organizations: another's, claimed; what a member may not; and what is told of those that one is not in.

Alice owns Acme and is a plain member of Gamma. Beta is Bob's; of Delta she was a member, to Epsilon she is invited, Zeta
is gone. Whichever of her own she acts in is hers to choose, and no attack.
"""

from tests.attacks import forging
from tests.attacks.attack import Aim, Attack, Change, Outcome
from tests.attacks.tampering import FOR_BOB

NAIVE = """
create or replace function app.current_organization_id(variadic roles text[] default '{}') returns uuid
language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
return nullif(current_setting('app.organization_id', true), '')::uuid
"""
"""What every peer has: whichever organization the setting names."""
EXPOSED = "alter table app.boards disable row level security"
_UNPINNED = "alter function app.current_organization_id(text[]) reset search_path"

_THEIRS = "not in ('{acme}', '{gamma}')"
HARVEST = (
    "select name, created_by from app.boards",
    "select name, slug from app.organization",
    "select organization_id, name, role from app.memberships",
    "select name, role from app.colleagues()",
    "select name, inviter from app.my_invitations()",
    f"update app.boards set name = 'spoiled' where organization_id {_THEIRS}",
    f"delete from app.boards where organization_id {_THEIRS}",
    f"insert into app.boards (name) select 'planted' where app.current_organization_id() {_THEIRS}",
)
_CLAIM = "select set_config('app.organization_id', '{beta}', true)"


def _each(*steps: str) -> tuple[str, ...]:
    return tuple(step for each in steps for step in (each, *HARVEST))


def _settle(user: str, seal: str) -> str:
    return f"select set_config('app.user_id', {user}, true), set_config('app.user_seal', {seal}, true)"


_EVERY_CLAUSE = tuple(
    text.replace("{call}", "set_config('app.organization_id', '{beta}', true)") for text in forging.CLAUSES.values()
)
_OTHERWISE = (
    "upper('{beta}')",
    "'{' || '{beta}' || '}'",
    "replace('{beta}', '-', '')",
    "'{' || upper('{beta}') || '}'",
)
_NO_ID = (
    "%", "*", "' or true --", "null", "0", "-1", "{}", "{{beta}}", "{acme},{beta}", "{acme} {beta}", "{\"{acme}\",\"{beta}\"}",
    " {beta}", "{beta}\n", "{beta}.", "(select id from app.organizations)",
)  # fmt: skip
_TAKEN_OVER = (
    "grant select, insert, update, delete on app.members to app_user; "
    "create policy evil on app.members to app_user using (true) with check (true)"
)

_CLAIMS: list[tuple[str, tuple[str, ...], Change]] = [
    ("another's, claimed in every clause that evaluates a call", _each(*_EVERY_CLAUSE), NAIVE),
    ("another's, by every way to set it", _each(
        "select app.set_organization_id('{beta}')", "select set_config('app.organization_id', '{beta}', false)",
        "set app.organization_id = '{beta}'", "set local app.organization_id to '{beta}'",
        "set local \"APP.ORGANIZATION_ID\" = '{beta}'", "prepare claim as select app.set_organization_id($1); execute claim ('{beta}')",
    ), NAIVE),
    ("another's, in a transaction of one's own, and outside of any", (
        "select set_config('app.user_id', current_setting('app.user_id'), false) is null",
        "select set_config('app.user_seal', current_setting('app.user_seal'), false) is null",
        "commit", "begin", _CLAIM, *HARVEST, "commit and chain", _CLAIM, *HARVEST,
        "commit", "select set_config('app.organization_id', '{beta}', false)", *HARVEST,
    ), NAIVE),
    ("another's, from one's own in the same statement", (
        "select app.set_organization_id('{acme}')",
        "select name from app.boards where set_config('app.organization_id', '{beta}', true) is not null",
        "with own as materialized (select name from app.boards), claimed as materialized ("
        "select set_config('app.organization_id', '{beta}', true) from own) select b.name from claimed, app.boards as b",
        "(select name from app.boards) union all select set_config('app.organization_id', '{beta}', true) union all "
        "(select name from app.colleagues())", *HARVEST,
    ), NAIVE),
    ("another's, written otherwise", _each(
        *(f"select set_config('app.organization_id', {text}, true)" for text in _OTHERWISE)), NAIVE),
    ("another's, for one of its roles", tuple(
        step for roles in ("", "'owner'", "'member', 'owner'", "variadic '{owner,admin,member}'", "null", "variadic '{NULL}'")
        for step in (_CLAIM, f"select name from app.boards where organization_id = app.current_organization_id({roles})",
                     f"insert into app.boards (organization_id, name) select app.current_organization_id({roles}), 'planted'", *HARVEST)
    ), NAIVE),
    ("a former member", _each("select app.set_organization_id('{delta}')"), NAIVE),
    ("who is invited, and did not accept", _each("select app.set_organization_id('{epsilon}')"), NAIVE),
    ("one that is gone", _each("select app.set_organization_id('{zeta}')"), EXPOSED),
    ("a pattern, a list, an array, SQL, a line end instead of an id", _each(
        *(f"select set_config('app.organization_id', $w${text}$w$, true)" for text in _NO_ID)), EXPOSED),
    ("no byte of zero is sent: it ends a text", _each(
        r"select set_config('app.organization_id', E'{acme}\000{beta}', true)",
        "select set_config('app.organization_id', '{acme}' || chr(0) || '{beta}', true)"), EXPOSED),
    ("none: RESET, an empty one, null, RESET ALL, ROLLBACK, DISCARD ALL", _each(
        "reset app.organization_id", "select app.set_organization_id('')", "select app.set_organization_id(null)",
        "reset all", "rollback", "discard all"), EXPOSED),
    ("nobody, in an organization", _each(
        "select set_config('app.user_id', '', true), set_config('app.user_seal', '', true), app.set_organization_id('{beta}')"), NAIVE),
    ("move a row to another organization, or plant one there", (
        "select app.set_organization_id('{gamma}')", "update app.boards set organization_id = '{beta}'",
        "insert into app.boards (organization_id, name) values ('{beta}', 'planted')",
        "merge into app.boards as b using (values ('{beta}'::uuid)) as v (o) on b.organization_id = v.o "
        "when matched then update set name = 'merged' when not matched then insert (organization_id, name) values (v.o, 'merged')",
    ), "grant insert, update on app.boards to app_user; alter policy update_own on app.boards with check (true); "
       "alter policy insert_own on app.boards with check (true)"),
    ("a role that one has elsewhere", (
        "select app.set_organization_id('{gamma}')", "delete from app.boards",
        "select app.set_organization_id('{acme}') from app.current_organization_id(); "
        "select set_config('app.organization_id', '{gamma}', true) from app.current_organization_id('owner')",
        "delete from app.boards where set_config('app.organization_id', '{gamma}', true) is not null",
    ), "alter policy delete_own on app.boards using (organization_id = (select app.current_organization_id()))"),
    ("become a member, or more of one, by oneself", (
        "insert into app.members (organization_id, user_id, role) values ('{beta}', '{alice}', 'owner')",
        "update app.members set role = 'owner' where user_id = '{alice}'",
        "delete from app.members where organization_id = '{beta}' and role = 'member'",
        "insert into app.memberships (organization_id, role) values ('{beta}', 'owner')",
        "update app.memberships set role = 'owner'", "update app.memberships set organization_id = '{beta}'",
        "delete from app.memberships", "update app.organization set name = 'evil'", "delete from app.organization",
        "update app.invitations set status = 'accepted'", "select app_fenced.keep_owner()",
        "insert into app.invitations (organization_id, email, expires_at, inviter_id) values ('{beta}', 'alice@example.com', now(), '{alice}')",
    ), _TAKEN_OVER),
    ("read whose organizations there are, their members and invitations", (
        "select name, slug from app.organizations", "select role from app.members", "select email from app.invitations",
        "copy app.organizations (name) to stdout", "select active_organization_id from app.sessions",
        "select query_to_xml('select name from app.organizations', true, false, '')",
        "select name from app.organizations for update",
    ), "grant select on app.organizations to app_user; create policy evil on app.organizations to app_user using (true)"),
    ("what others plan, prepare and open: a plan kept from one's own organization", (
        "set local plan_cache_mode = force_generic_plan", "select app.set_organization_id('{acme}')",
        "prepare kept as select name from app.boards", "execute kept", "prepare told as select name from app.colleagues()",
        "execute told", "declare late cursor for select name from app.boards", _CLAIM, "execute kept", "execute told",
        "fetch all from late",
    ), NAIVE),
    ("an invitation to one's address, which was not verified", (
        "select name, inviter from app.my_invitations()", "select name from app.my_invitations() where id is not null",
    ), "update app.users set email_verified = true where id = '{alice}'"),
]  # fmt: skip

_TELLING = (
    *(step for each in ("beta", "quiet", "zeta", "ghost_team", "spook_team")
      for step in (f"select app.set_organization_id('{{{each}}}')", "select app.current_organization_id()",
                   "select count(*) from app.boards", "select count(*) from app.colleagues()")),
    "select app.set_organization_id('{acme}')",
    *(f"explain (analyze, costs off, timing off, summary off, buffers off) select 1 from {each}"
      for each in ("app.organization", "app.memberships", "app.colleagues()", "app.my_invitations()", "app.boards where name >= 'bob'")),
    "select organization_id, name, role from app.memberships", "select name from app.colleagues()",
    "insert into app.organizations (name, slug) values ('x', 'ghost-team')",
    "explain select 1 from app.memberships where organization_id = '{beta}'",
    "explain select 1 from app.organization where slug >= 'ghost'",
)  # fmt: skip

ATTACKS = [
    *(
        Attack(
            name,
            steps,
            hole=hole,
        )
        for name, steps, hole in _CLAIMS
    ),
    Attack(
        "another's, with its owner's id forged",
        ("select set_config('app.user_id', '{bob}', true)", _CLAIM, *HARVEST),
        unsealed=Outcome.WORKS,
    ),
    Attack(
        "another's, with its owner's id and every seal that is not his",
        tuple(step for _, seal, _ in FOR_BOB for step in (_settle("'{bob}'", seal), _CLAIM, *HARVEST)),
        unsealed=Outcome.WORKS,
    ),
    Attack(
        "operators and temporary objects of one's own before the server's",
        (
            "create temporary table members (organization_id uuid, user_id uuid, role text)",
            "insert into members values ('{beta}', '{alice}', 'owner')",
            "create function public.alike(uuid, uuid) returns boolean language sql immutable as 'select true'",
            "create operator public.= (leftarg = uuid, rightarg = uuid, function = public.alike)",
            "create function public.current_setting(text, boolean) returns text language sql as $$ select '{beta}' $$",
            "set local search_path = pg_temp, public, app, pg_catalog",
            _CLAIM,
            *HARVEST,
            "rollback",
        ),
        circumstance="grant temporary on database {database} to public; grant usage, create on schema public to public",
        hole=_UNPINNED,
        unsealed=None,
    ),
    Attack(
        "which organizations there are, and how large they are",
        _TELLING,
        hole="alter policy select_own on app.members using (true); alter policy select_own on app.organizations using (true)",
        aim=Aim.TELL,
    ),
]
