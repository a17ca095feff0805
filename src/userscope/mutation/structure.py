"""What could be wrong with tables, functions and roles: what policies stand on."""

import re
from collections.abc import Iterator

from userscope.mutation.catalog import Catalog, Json
from userscope.mutation.mutant import Mutant

_OWN = "a user reaches only their own rows"
_WELL_FORMED = "the database refuses what breaks its own rules"
_HIDDEN = "nobody learns of rows that they cannot see"
_CATALOG = "look into the catalog, and compare with what is meant"


def mutants(catalog: Catalog) -> Iterator[Mutant]:
    """Yield the mutants of each table, function, role and view that there is or could be."""
    for table in catalog.protected:
        yield from _of_security(catalog, table)
    for table in catalog.tables:
        yield from _of_rules(table)
    for function in catalog.functions:
        yield from _of_function(function)
    yield from _of_sealing(catalog)
    yield from _of_roles(catalog)


def _of_security(catalog: Catalog, table: Json) -> Iterator[Mutant]:
    name = table["name"]
    as_owner = f"as the owner of {name}, without BYPASSRLS, read it: nothing may come"
    if table["enabled"]:
        ddl = f"alter table {name} disable row level security"
        idea = f"as one user, read {name} while another has rows in it"
        yield Mutant("row security disabled", name, (ddl,), _OWN, idea)
    if table["forced"]:
        ddl = f"alter table {name} no force row level security"
        yield Mutant("row security not forced", name, (ddl,), _OWN, as_owner)
    for role in catalog.roles:
        if table["policies"]:
            ddl = f"alter table {name} owner to {role}"
            yield Mutant(f"owned by {role}", name, (ddl,), "a service's role owns nothing that protects", _CATALOG)
    if table["policies"] and catalog.roles:
        role = catalog.roles[-1]
        made = f"{table['schema']}.userscope_mutant"
        grant = f"grant select on {made} to {role}"
        idea = f"list the views that {role} may read: each must have security_invoker"
        view = f"create view {made} as table {name}"
        yield Mutant("definer view", name, (view, grant), _OWN, idea)
        head = f"create function {made}() returns setof {name} language sql stable security definer"
        body = f"{head} begin atomic table {name}; end"
        grant = f"grant execute on function {made}() to {role}"
        idea = f"list the definer functions that {role} may execute: none but those that are meant"
        yield Mutant("definer function", name, (body, grant), _OWN, idea)


def _of_rules(table: Json) -> Iterator[Mutant]:
    name = table["name"]
    for column in table["columns"]:
        target = f"{name}.{column['name']}"
        if column["not_null"] and not column["key"]:
            ddl = f"alter table {name} alter {column['name']} drop not null"
            yield Mutant("may be null", target, (ddl,), _WELL_FORMED, f"write null to {target}")
        if column["default"]:
            ddl = f"alter table {name} alter {column['name']} drop default"
            promise = "what an insert leaves out is supplied"
            yield Mutant("without default", target, (ddl,), promise, f"insert without {target}")
        if column["unmeasured"]:
            ddl = f"alter table {name} alter {column['name']} set statistics 100"
            idea = "EXPLAIN reads statistics: expect none, after ANALYZE too"
            yield Mutant("with statistics", target, (ddl,), _HIDDEN, idea)
    for constraint in table["constraints"]:
        target = f"{constraint['name']} on {name}"
        drop = f"alter table {name} drop constraint {constraint['name']}"
        if constraint["type"] == "f" and constraint["cascades"]:
            plain = constraint["definition"].replace(" ON DELETE CASCADE", "")
            add = f"alter table {name} add constraint {constraint['name']} {plain}"
            idea = "delete a user who has rows: these must go, and nobody else's"
            yield Mutant("does not cascade", target, (drop, add), "what a user owns goes with them", idea)
        if not constraint["referenced"]:
            idea = f"write what {constraint['name']} refuses"
            yield Mutant("constraint dropped", target, (drop,), _WELL_FORMED, idea)
    for trigger in table["triggers"]:
        ddl = f"alter table {name} disable trigger {trigger}"
        idea = f"cause what {trigger} does, and look"
        yield Mutant("trigger disabled", f"{trigger} on {name}", (ddl,), _WELL_FORMED, idea)


# What could be cut out of a helper, told by its text; each applies where it is found.
_CUTS = (
    ("ignores retirement", r" and keys\.retired_at is null", "", "a retired key seals nothing"),
    ("ignores expiry", r"expiry::bigint < extract\(epoch from now\(\)\)", "false", "an expired seal is refused"),
    ("ignores the seal", r"is distinct from\s+sha256\(", "is null and null = sha256(", "a seal is checked"),
    ("accepts unsealed", r"not required then", "required notnull then", "where a seal is required none is not enough"),
    ("falls open", r"not required then", "required is not true then", "no identity counts where sealing is unknown"),
    ("accepts any form of seal", r"if seal !~ '[^']+' then", "if false then", "a malformed seal is refused as such"),
    ("says unsealed when lost", r", true\)(?=\s*$)", ", false)", "where sealing cannot be read it is required"),
)  # fmt: skip


def _of_function(function: Json) -> Iterator[Mutant]:
    name = function["name"]
    definition = function["definition"]
    for operator, pattern, new, promise in _CUTS:
        cut = re.sub(pattern, new, definition)
        if cut != definition and (function["definer"] or function["in_policy"]):
            yield Mutant(operator, name, (cut,), promise, "call the helper with just that identity, and compare")
    if function["volatility"] != "v":
        ddl = f"alter function {name} volatile"
        yield Mutant("volatile", name, (ddl,), "the helper runs once a statement", _CATALOG)
    if any(setting.startswith("search_path=") for setting in function["settings"]):
        ddl = f"alter function {name} reset search_path"
        promise = "nobody can slip an object of theirs under a function"
        yield Mutant("search_path not pinned", name, (ddl,), promise, _CATALOG)
    if function["in_policy"] and not function["arguments"]:
        head = f"create or replace function {function['plain']}() returns {function['result']} language sql stable "
        security = "security definer set search_path = pg_catalog, pg_temp" if function["definer"] else ""
        body = f"{head} {security} as $$ select null::{function['result']} $$"
        idea = "act for a user, and see that user's rows"
        yield Mutant("constant", name, (body,), "an identity is whose it says", idea)
        for setting in dict.fromkeys(re.findall(r"current_setting\('([^']+)'", definition)):
            read = f"nullif(current_setting('{setting}', true), '')::{function['result']}"
            body = f"{head} {security} as $$ select {read} $$"
            idea = "act with a wrong identity in every form, and expect each to be refused"
            yield Mutant(f"only reads {setting}", name, (body,), "an identity is checked before it counts", idea)
    ddl = f"alter function {name} security {'invoker' if function['definer'] else 'definer'}"
    if not function["trigger"]:
        yield Mutant(
            "security invoker or definer", name, (ddl,), "a function runs as whom it was written for", _CATALOG
        )


def _of_sealing(catalog: Catalog) -> Iterator[Mutant]:
    if any(table["name"] == "app_private.sealing" for table in catalog.tables):
        target = "app_private.sealing"
        idea = "ask app.seal_required(), and act with and without a seal"
        for operator, ddl in (
            ("row deleted", "delete from app_private.sealing"),
            ("turned round", "update app_private.sealing set required = not required"),
        ):
            yield Mutant(operator, target, (ddl,), "whether seals are required is said aloud", idea)


def _of_roles(catalog: Catalog) -> Iterator[Mutant]:
    """Yield the mutants that concern the whole server: they run one at a time, and are undone."""
    for role in [*catalog.roles, *catalog.content["logins"]]:
        promise = "a service's role does not bypass row-level security"
        idea = f"look at rolbypassrls of {role}, or read as it without an identity"
        ddl, undo = f"alter role {role} bypassrls", f"alter role {role} nobypassrls"
        yield Mutant("bypasses row security", role, (ddl,), promise, idea, (undo,))
