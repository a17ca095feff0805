"""Rights: tables without row-level security, owners who are bound by none, what no policy judges, what is published."""

from collections.abc import Iterator

from userscope.audit.judge.catalog import Relation
from userscope.audit.judge.policies import Policies
from userscope.audit.model import Finding
from userscope.audit.names import MIGRATIONS
from userscope.postgres.sql import ident

RULES = ("default_privileges", "grant_dangerous", "publication", "rls_disabled", "rls_not_forced", "role_bypass")
_KINDS = {"r": "table", "S": "sequence", "f": "function", "n": "schema", "T": "type"}


def findings(policies: Policies) -> Iterator[Finding]:
    """Ask who has which rights."""
    catalog, profile = policies.catalog, policies.profile
    if profile.strict:  # policies/audit asks the same of our own shape, and more
        yield from _published(policies)
        return
    for relation in catalog.relations.values():
        if relation.kind in ("r", "p") and relation.schema not in profile.brought:
            yield from _unsecured(policies, relation)
            yield from _owners(policies, relation)
            yield from _dangerous(policies, relation)
    yield from _published(policies)
    yield from _births(policies)
    for service in policies.services:
        role = catalog.roles[service]
        if (
            role.superuser
            or role.bypasses
            or any(catalog.roles[one].bypasses for one in role.becomes if one in catalog.roles)
        ):
            yield Finding(
                "error",
                "role_bypass",
                f"role {ident(role.name)}",
                "a service is above row-level security",
                "It is a superuser, has BYPASSRLS, or is a member of one that has.",
                f"alter role {ident(role.name)} nosuperuser nobypassrls",
            )


def reached(policies: Policies, relation: Relation, letters: str = "rawd") -> list[int]:
    """The services that may do any of this to a table, in a schema that they may enter."""
    schema = policies.catalog.schemas.get(relation.schema)
    return [
        service
        for service in policies.services
        if schema and service in schema.entered and any(relation.may(service, letter) for letter in letters)
    ]


def names(policies: Policies, services: list[int]) -> str:
    """Roles, as findings write them."""
    return ", ".join(f'"{policies.catalog.roles[service].name}"' for service in services)


def _unsecured(policies: Policies, relation: Relation) -> Iterator[Finding]:
    services = [one for one in reached(policies, relation) if relation.owner not in policies.catalog.roles[one].becomes]
    if relation.secured or not (services or relation.policies):
        return
    tool = relation.name in MIGRATIONS and bool(services)
    yield Finding(
        "error" if services else "warning",
        "rls_disabled",
        relation.full,
        "row-level security is off",
        ("The table has policies, and none of them applies. " if relation.policies else "")
        + (f"{names(policies, services)} may reach every row." if services else "The first grant opens every row.")
        + (" It looks like a migration tool's own, whose owner must read all of it." if tool else ""),
        f"revoke all on {relation.full} from {names(policies, services)}"
        if tool
        else f"alter table {relation.full} enable row level security",
    )


def _owners(policies: Policies, relation: Relation) -> Iterator[Finding]:
    """Owners whom the policies are for, and do not bind."""
    owner = policies.catalog.roles.get(relation.owner)
    if owner is None or owner.superuser or owner.bypasses or not relation.secured or relation.forced:
        return
    acting = [s for s in policies.services if relation.owner in policies.catalog.roles[s].becomes]
    named = [policy.name for policy in relation.policies if relation.owner in policy.roles]
    alone = relation.policies and owner.logs_in and not relation.shared and not policies.profile.services
    if acting or named or alone:
        why = f"policy {named[0]} is for it" if named else "nobody else has a right on it"
        why = "acts for users" if acting else why
        yield Finding(
            "error",
            "rls_not_forced",
            relation.full,
            "row-level security does not bind who works with it",
            f'"{owner.name}" owns the table, and {why}. No policy is asked of an owner.',
            f"alter table {relation.full} force row level security",
        )


def _dangerous(policies: Policies, relation: Relation) -> Iterator[Finding]:
    for service in reached(policies, relation, "Dxt"):
        if relation.owner in policies.catalog.roles[service].becomes:
            continue
        letters = relation.privileges.get(str(service), "")
        if policies.profile.makers and set("rawdDxt") <= set(letters):
            continue  # what the platform grants on every table at birth, which its API cannot use
        found = [
            name
            for letter, name in (("D", "TRUNCATE"), ("x", "REFERENCES"), ("t", "TRIGGER"))
            if relation.may(service, letter)
        ]
        if found:
            left = policies.profile.makers and len(found) == 3  # of what is granted at birth
            yield Finding(
                "warning" if left else "error",
                "grant_dangerous",
                relation.full,
                "a privilege that no policy judges",
                f"{names(policies, [service])} has {', '.join(found)}.",
                f"revoke {', '.join(found).lower()} on {relation.full} from {names(policies, [service])}",
            )


def _published(policies: Policies) -> Iterator[Finding]:
    for row in policies.catalog.published:
        relation = policies.catalog.relations.get(row["relation"])
        if not relation or relation.secured or row["publication"] != "supabase_realtime":
            continue
        if relation.schema in policies.profile.own:
            continue
        yield Finding(
            "error",
            "publication",
            relation.full,
            "is broadcast without row-level security",
            f'Publication "{row["publication"]}" tells every subscriber of each change.',
            f"alter table {relation.full} enable row level security, or take it out of the publication",
        )


def _births(policies: Policies) -> Iterator[Finding]:
    for row in policies.catalog.births:
        schema = row["schema"]
        opens = row["kind"] in ("r", "n") or (row["kind"] == "f" and row["closed"])  # others PUBLIC may run anyway
        if row["maker"] in policies.profile.makers or schema in policies.profile.brought or not opens:
            continue
        who = policies.catalog.roles[row["grantee"]].name if row["grantee"] else "public"
        yield Finding(
            "warning",
            "default_privileges",
            f"schema {ident(schema)}" if schema else "the database",
            "objects to come are granted at birth",
            f'What "{row["maker"]}" makes opens to "{who}": {row["privileges"]} on every {_KINDS[row["kind"]]}.',
            f"alter default privileges for role {ident(row['maker'])} revoke all on … from {ident(who)}",
        )
