"""What lies around the tables: roles, kept plans, sign-up, views that others filled, tables to come."""

import json
import re

from userscope.postgres.sql import ident
from userscope.probe import identities as who
from userscope.probe import statements, words
from userscope.probe.catalog.model import Relation
from userscope.probe.findings import Expected, Level, becoming
from userscope.probe.scene import Scene
from userscope.probe.stage import Actor
from userscope.probe.worlds import ALICE, BOB

_ABOVE = """
select rolname::text, rolbypassrls or rolsuper
  from pg_roles
 where (rolbypassrls or rolsuper
        or oid in (select relowner from pg_class where relkind in ('r', 'p') and relrowsecurity))
   and rolname <> {role} and pg_has_role({role}, oid, 'member')
 order by rolname collate "C"
"""
_DEFAULTS = """
select distinct defaclrole::regrole::text, n.nspname, quote_ident(n.nspname)
  from pg_default_acl
  join pg_namespace as n on n.oid = defaclnamespace or (defaclnamespace = 0 and n.nspname = 'public')
 where defaclobjtype = 'r'
 order by 1, 2
"""
_MADE_UP = re.compile(r"(?:raw_user_meta_data|\bmetadata)\s*->>?\s*'(\w+)'")


def look_around(scene: Scene) -> None:
    """Try all of it."""
    for role in scene.identities.roles:
        _become(scene, role)
    for login in who.above(scene.stage.connection, list(scene.identities.roles)):
        _held_by_nothing(scene, login)
    for role in scene.identities.members:
        for table in scene.catalog.tables:
            _kept_plan(scene, role, table)
    _sign_up(scene)
    _materialized(scene)
    _born(scene)


def _become(scene: Scene, role: str) -> None:
    """May who acts as this role become somebody above the policies?"""
    actor = Actor(role, None, "a session")
    for other, above in scene.stage.rows(_ABOVE.format(role=statements.literal(role))):
        become = f"set role {ident(other)}"
        with scene.stage.acting(actor):
            outcome = scene.stage.attempt(become)
        if outcome.error is None:
            does = "bypasses row-level security" if above else "owns tables"
            said = f"becomes it, which {does}"
            scene.findings.add("error", "becomes", other, actor, said, [become], Expected("passes"))


def _held_by_nothing(scene: Scene, login: str) -> None:
    """A login that acts as a service and bypasses row-level security: whoever connects by it reaches everything."""
    actor = Actor(login, None, "a session")
    table = next((t for t in scene.catalog.tables if scene.row(t, BOB) and scene.sight.rights(login, t).select), None)
    if table:
        look, expected = scene.look(table, actor)
        # A profile knows which roles services act by; of another database somebody has to say it.
        level: Level = "error" if scene.identities.profile else "question"
        said = "bypasses row-level security" + (": is it for a service?" if level == "question" else "")
        scene.findings.add(level, "becomes", login, actor, said, [look], expected)


def _kept_plan(scene: Scene, role: str, table: Relation) -> None:
    """A prepared statement that keeps the identity that it was prepared with."""
    alice, bob = scene.alice(role), scene.identities.person(BOB, role)
    if (
        not scene.sight.rights(role, table).whole
        or scene.sees(alice, table, BOB)
        or not scene.sees(alice, table, ALICE)
    ):
        return
    row = scene.row(table, ALICE)
    where = statements.line(row) if row else "true"
    reading = f"select * from {table.sql} where {where}"
    with scene.stage.acting(alice):
        scene.stage.attempt(f"prepare probe_kept as {reading}")
        scene.stage.attempt("execute probe_kept")
        for statement in bob.session:
            scene.stage.attempt(statement)
        kept = scene.stage.attempt("execute probe_kept").rows
        fresh = scene.stage.attempt(reading).rows
    scene.stage.attempt("deallocate all")
    if kept and not fresh:
        said = "a prepared statement still shows Alice's rows to Bob: a function that says who acts is IMMUTABLE"
        steps = [
            f"prepare kept as {reading}", "execute kept", *bob.session, "execute kept  -- Alice's row, and Bob acts",
        ]  # fmt: skip
        scene.tell("error", "stale identity", table, alice, said, *steps, expected=Expected("shows"))


def _sign_up(scene: Scene) -> None:
    """Sign up with metadata that gives rights: what the platform does then, and which row a trigger makes of it."""
    users = next((t for t in scene.catalog.tables if (t.schema, t.name) == ("auth", "users")), None)
    column = next((n for n in ("raw_user_meta_data", "metadata") if users and n in users.columns), None)
    if users is None or column is None or not users.triggers:
        return
    platform = Actor("the platform", None, "a new user")
    for key in sorted(set(_MADE_UP.findall(scene.catalog.function_text))):
        if not words.METADATA.search(key):
            continue
        ranks = [value for value in sorted(scene.meaning.literals.get(key, ())) if words.PRIVILEGED.search(value)]
        rank = ranks[0] if ranks else "admin"
        row = {**scene.values.row(users, ALICE, 9), column: json.dumps({key: rank})}
        signing = statements.insert(users, row)
        with scene.stage.undone():
            outcome = scene.stage.attempt(signing)
            if outcome.error:
                said = f"cannot sign up: {outcome.error.diag.message_primary}"
                expected = Expected("raises", outcome.state or "")
                scene.tell("warning", "sign-up fails", users, platform, said, signing, expected=expected)
                continue
            for table in scene.catalog.tables:
                if table is not users and key in table.columns:
                    _has_rank(scene, platform, table, key, rank, row, signing)


def _has_rank(
    scene: Scene, platform: Actor, table: Relation, key: str, rank: str, row: dict[str, str | None], signing: str
) -> None:
    sql, new = table.columns[key].sql, str(row.get("id"))
    has = f"{sql}::text = {statements.literal(rank)} and (x.*)::text like '%{new}%'"
    look = f"select {sql} from {table.sql} as x where {has}"
    if scene.stage.rows(look):
        said = f"signs up with metadata {key} = {rank}, and has it"
        scene.findings.add(
            "error", "sign-up", table.label, platform, said, [f"{signing}  -- what the platform does", look],
            Expected("shows", rank), login=False,
        )  # fmt: skip


def _materialized(scene: Scene) -> None:
    """A materialized view that its owner sees nothing through holds what another filled it with."""
    for view in scene.catalog.materialized:
        readers = [a for a in scene.actors if (a.alice or scene.stranger(a)) and scene.rights(a, view).select]
        if not readers or scene.findings.has(view.label):
            continue
        owner = scene.stage.rows(f"select quote_ident(pg_get_userbyid({view.owner}))")[0][0]
        filling = [
            f"alter materialized view {view.sql} owner to current_user", f"refresh materialized view {view.sql}",
            f"alter materialized view {view.sql} owner to {owner}",
        ]  # fmt: skip
        with scene.stage.undone():
            done = [scene.stage.attempt(statement) for statement in filling]
            if any(outcome.error for outcome in done):
                continue
            seen, _ = scene.sight.by(readers[0])
            mark = scene.mark(view, readers[0])
        if (view, BOB) in seen and any(scene.owned(scene.catalog.relations[o]) for o in view.sources
                                       if o in scene.catalog.relations):  # fmt: skip
            said = "is shown Bob's rows by the materialized view, as soon as who refreshes it sees them"
            steps = [*filling, becoming(readers[0].role), scene.reading(readers[0], view)]
            scene.findings.add(
                "warning", "view", view.label, readers[0], said, steps, Expected("shows", mark), login=False
            )


def _born(scene: Scene) -> None:
    """Make a table as an owner would, and write to it as a service."""
    for owner, schema, sql in scene.stage.rows(_DEFAULTS):
        for role in scene.identities.roles:
            make = [f"set session authorization {owner}", f"create table {sql}.probe_new (id int)"]
            with scene.stage.undone():
                done = [scene.stage.attempt(statement) for statement in make]
                scene.stage.execute("set local session authorization default")
                if done[-1].error:
                    continue
                writing = f"insert into {sql}.probe_new values (1)"
                actor = Actor(role, None, "a session")
                with scene.stage.acting(actor):
                    outcome = scene.stage.attempt(writing)
            if outcome.did:
                said = f"writes to a table that {owner} creates, from its birth"
                steps = [*make, becoming(role), writing]
                scene.findings.add(
                    "warning", "born open", f"schema {schema}", actor, said, steps, Expected("works"), login=False
                )
