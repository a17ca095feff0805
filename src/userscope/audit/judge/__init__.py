"""An audit that judges like an expert: policies read by PostgreSQL's own parser, and what stands around them.

It gives each policy one of four verdicts: tied, decided by a function, public by design, open (``verdict``). What is
the platform's own is left alone (``profiles``); what it finds around the policies stands in ``rules``, by concern.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from userscope.audit.judge import catalog as database
from userscope.audit.judge.catalog import Catalog, Role
from userscope.audit.judge.policies import Policies
from userscope.audit.judge.profiles import PROFILES, Profile, chosen
from userscope.audit.judge.rules import RULES, findings
from userscope.audit.model import Clause, Finding

if TYPE_CHECKING:
    import psycopg

__all__ = ["JUDGED_TOO", "PROFILES", "RULES", "Judged", "judged", "ours"]

JUDGED_TOO = {"policy_open"}
"""Questions of psql, strict, that the judge answers as well: what it finds is told in its words."""
ELSEWHERE = {"access_matrix", "grant_option", "partition", "role_both"}
"""Questions of psql that mean the same on every platform."""


@dataclass(frozen=True)
class Judged:
    """What was found, the profile that it was judged by, and what psql's questions are to be told.

    ``empty``: there is no table or view but what a platform or a migration tool brought along.
    """

    profile: Profile
    findings: list[Finding]
    settings: dict[str, str]
    empty: bool
    verdicts: dict[Clause, str]


def judged(connection: "psycopg.Connection[Any]", name: str | None) -> Judged:
    """Judge what a transaction sees whose search_path is pg_catalog; ``name`` is the profile's, None: by its looks."""
    asked = database.asked(connection)
    roles = database.roles(connection)
    profile = chosen(name, asked)
    services = services_of(roles, profile)
    catalog = database.read(connection, roles, services)
    policies = Policies(catalog, profile, tuple(services if profile.services else _without_owners(catalog, services)))
    settings = {} if profile.strict else _settings(policies, asked)
    empty = {relation.schema for relation in catalog.relations.values()} <= profile.own | {"sqitch"}
    return Judged(profile, findings(policies), settings, empty, _verdicts(policies))


def ours(profile: Profile, asked: Mapping[str, str], standard: Collection[str]) -> dict[str, str]:
    """Which of psql's questions are asked besides: all; elsewhere what means the same there, or is no ``standard``."""
    if profile.strict:
        return dict(asked)
    return {name: text for name, text in asked.items() if name in ELSEWHERE or name not in standard}


def services_of(roles: Mapping[int, Role], profile: Profile) -> list[int]:
    """The roles that act for users: the profile's, or all that are not above row-level security."""
    if profile.services:
        return [role.oid for role in roles.values() if role.name in profile.services]
    return [
        role.oid
        for role in roles.values()
        if not (role.superuser or role.bypasses or role.name.startswith("pg_") or role.name in profile.above)
    ]


def _verdicts(policies: Policies) -> dict[Clause, str]:
    """One of the four for each clause; what a wall ties is tied, and who asks decides as a function does."""
    words = {"tied": "tied", "role": "function", "function": "function", "public": "public", "open": "open"}
    return {
        (clause.relation.full, clause.policy.name, clause.name): "tied" if clause.walled else words[clause.worst.kind]
        for clause in policies.judged()
        if clause.walled or clause.worst.kind in words
    }


def _without_owners(catalog: Catalog, services: Sequence[int]) -> list[int]:
    """Who owns tables, or has no right on any, serves nobody."""
    owners = {relation.owner for relation in catalog.relations.values()}
    return [
        one
        for one in services
        if one not in owners
        and any(relation.may(one, letter) for relation in catalog.relations.values() for letter in "rawd")
    ]


def _settings(policies: Policies, asked: Mapping[str, Any]) -> dict[str, str]:
    """What psql's questions are told of a platform, where the database does not say it."""
    catalog, profile = policies.catalog, policies.profile
    schemas = sorted(
        {relation.schema for relation in catalog.relations.values()}
        & {name for name, schema in catalog.schemas.items() if schema.entered and name not in profile.own}
    )
    known = {
        "userscope.audit_schemas": ("schemas", schemas),
        "userscope.audit_service_roles": ("services", sorted(catalog.roles[one].name for one in policies.services)),
        "userscope.audit_provider_roles": ("providers", []),
    }
    found = {name: _list(entries) for name, (key, entries) in known.items() if not asked[key]}
    return {**found, "userscope.audit_private_schemas": "none"}


def _list(entries: Sequence[str]) -> str:
    return ",".join('"' + entry.replace("\\", "\\\\").replace('"', '\\"') + '"' for entry in entries) or "none"
