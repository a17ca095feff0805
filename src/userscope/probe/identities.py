"""Who can act: roles, and the settings and claims by which the schema learns who somebody is."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from userscope.errors import AuditError
from userscope.identity import SealKey
from userscope.probe import profiles, statements, words
from userscope.probe.catalog.read import Connection
from userscope.probe.meaning import Meaning
from userscope.probe.stage import Actor
from userscope.probe.worlds import World

type Kind = Literal["uuid", "number"]

_SETTING = re.compile(r"current_setting\(\s*'([\w.]+)'")
_DOCUMENT = re.compile(
    r"current_setting\(\s*'([\w.]+)'(?:::text)?\s*(?:,\s*true)?\s*\)(?:::text)?(?:\s*,\s*''(?:::text)?\s*\))?\s*\)*"
    r"(?:::text)?\s*::\s*jsonb?"
)
_CLAIM = re.compile(r"->>?\s*'([\w-]+)'")
_NO_CLAIM = {"role", "app_metadata", "user_metadata", "aud", "exp", "sub", "email"}
_CLIENTS = ("request.headers", "request.cookies")
"""Settings that hold what a client sent along, whoever it is."""
_PLATFORM = ("anon", "authenticated")
_LITERAL = re.compile(r"'([0-9a-f]{8}-[0-9a-f-]{27})'")

_OURS = "app.user_id"
"""What app.set_user_id() sets: a uuid, or a number where users are an application's own."""

NOBODY = "a session without an identity"
NEVER = "a session that never set an identity"
STRANGER = "anybody, not signed in"


@dataclass
class Identities:
    """How the schema is told who acts. ``given`` are settings whose values somebody chose: a kind, or a text with
    ``{uuid}``, ``{number}``, ``{name}`` or ``{email}`` in it."""

    meaning: Meaning
    roles: list[str]
    given: Mapping[str, str] = field(default_factory=dict)
    profile: str = ""
    key: SealKey | None = None

    def __post_init__(self) -> None:
        catalog = self.meaning.catalog
        self.documents = set(_DOCUMENT.findall(catalog.text)) - set(self.given)
        found = {name for name in _SETTING.findall(catalog.text) if "." in name}
        self.settings = sorted((found | set(self.given)) - self.documents)
        claims = _CLAIM.findall(catalog.deciding) if self.documents else []
        self.claims = sorted(set(claims) - _NO_CLAIM)
        self.kinds: dict[str, Kind] = dict.fromkeys([*self.settings, *self.claims, "sub"], "uuid")
        if self.profile == "userscope":
            self.settings, self.documents, self.claims, self.kinds = [], set(), [], {_OURS: "uuid"}

    @property
    def said_by_themselves(self) -> str:
        """What policies read of what a user says of themselves; empty where they read nothing of it."""
        sent = [name for name in sorted(self.documents) if name in _CLIENTS]
        edited = ["user_metadata"] if self.documents and "user_metadata" in self.meaning.catalog.text else []
        return " and ".join([*edited, *sent])

    @property
    def strangers(self) -> set[str]:
        """The roles of those who have not signed in."""
        return {role for role in self.roles if words.UNKNOWN_PERSON.search(role)}

    @property
    def members(self) -> list[str]:
        """The roles that somebody signed in acts as."""
        return [role for role in self.roles if role not in self.strangers]

    def person(
        self, world: World, role: str, *, edited: World | None = None, uuid: str | None = None,
        kinds: Mapping[str, Kind] | None = None,
    ) -> Actor:  # fmt: skip
        """Somebody signed in; with what ``edited`` has in what they say of themselves: user_metadata, and headers."""
        kinds = kinds or self.kinds
        session = (
            self._ours(world, kinds)
            if self.profile == "userscope"
            else list(self._set(world, role, edited, uuid, kinds))
        )
        return Actor(role, world, world.person, tuple(session))

    def nobody(self, role: str) -> list[Actor]:
        """Those without an identity: it is empty; and signed in, but without a claim that says as whom."""
        if role in self.strangers:
            return [Actor(role, None, STRANGER, tuple(self._document({"role": role})))]
        if self.profile == "userscope":
            return [Actor(role, None, NOBODY, ("select app.set_user_id('')",))]
        empty = [f"set {name} = ''" for name in (*self.settings, *sorted(self.documents))]
        found = [Actor(role, None, NOBODY, tuple(empty))] if empty else []
        if self.documents:
            others = [f"set {name} = ''" for name in self.settings if name.rpartition(".")[2] != "role"]
            found.append(Actor(role, None, "a token without a subject", (*others, *self._document({"role": role}))))
        return found

    def never(self, role: str) -> Actor:
        """A session in which no setting was ever made; it must be a new one."""
        return Actor(role, None, NEVER)

    def built_in(self) -> list[str]:
        """The identities that are written into policies and functions."""
        return sorted(set(_LITERAL.findall(self.meaning.catalog.deciding)))

    def variations(self) -> Iterator[dict[str, Kind]]:
        """Yield the kinds with one setting or claim taken for a number."""
        for name in self.kinds:
            yield {**self.kinds, name: "number"}

    def _ours(self, world: World, kinds: Mapping[str, Kind]) -> list[str]:
        known = {function.label for function in self.meaning.catalog.functions}
        own = _own(world, kinds.get(_OURS), None)
        given = ", ".join(statements.literal(text) for text in (own, profiles.seal(self.key, own)) if text)
        session = [f"select app.set_user_id({given})"]
        if "app.set_organization_id(text)" in known:
            session.append(f"select app.set_organization_id({statements.literal(world.uuid)})")
        return session

    def _set(
        self, world: World, role: str, edited: World | None, uuid: str | None, kinds: Mapping[str, Kind]
    ) -> Iterator[str]:
        for name in self.settings:
            yield f"set {name} = {statements.literal(self._setting(name, world, role, uuid, kinds))}"
        flat = {name: self._claim(name, world, kinds) for name in self.claims}
        claims = {
            "sub": _own(world, kinds.get("sub"), uuid), "email": world.mail, "role": role, "aud": "authenticated",
            "exp": 4102444800, **flat, "app_metadata": flat,
            "user_metadata": {name: self._claim(name, world, kinds) for name in self.claims},
        }  # fmt: skip
        if edited:
            claims["user_metadata"] = {name: self._boast(name, edited, kinds) for name in (*self.claims, "role")}
        yield from self._document(claims, {name: self._claim(name, edited or world, kinds) for name in self.claims})

    def _document(self, claims: Mapping[str, object], sent: Mapping[str, str] = MappingProxyType({})) -> list[str]:
        """Each document is the token; but for what was sent along with it."""
        return [
            f"set {name} = {statements.literal(json.dumps(dict(sent if name in _CLIENTS else claims)))}"
            for name in sorted(self.documents)
        ]

    def _setting(self, name: str, world: World, role: str, uuid: str | None, kinds: Mapping[str, Kind]) -> str:
        own, last = _own(world, kinds.get(name), uuid), name.rpartition(".")[2]
        if (form := self.given.get(name)) is not None:
            shown = {"uuid": world.uuid, "number": f"{world.number}", "name": world.name, "email": world.mail}
            said = f"{{{form}}}" if form in shown else form
            for kind, value in {**shown, "role": role}.items():
                said = said.replace(f"{{{kind}}}", value)  # what else is in braces may be JSON
            return said
        if last == "role":
            return role
        return world.mail if "mail" in name else own

    def _boast(self, name: str, world: World, kinds: Mapping[str, Kind]) -> str:
        """Return what somebody would say of themselves: what policies ask for, or else that they are somebody else."""
        text = self.meaning.catalog.deciding
        asked = re.search(rf"'{re.escape(name)}'[^=;]{{0,40}}= (?:ANY \(+ARRAY\[)?\(*'([^']+)'", text)
        return asked[1] if asked else "true" if self._yes(name) else self._claim(name, world, kinds)

    def _yes(self, name: str) -> bool:
        """Whether a claim is taken for yes or no."""
        text = self.meaning.catalog.deciding
        return re.search(rf"'{re.escape(name)}'(?:::text)?\)*::bool", text) is not None

    def _claim(self, name: str, world: World, kinds: Mapping[str, Kind]) -> str:
        """Return a claim: what policies compare it with, or else what says whose it is."""
        text = self.meaning.catalog.policy_text
        compared = re.search(rf"->>? '{re.escape(name)}'(?:::text)?\)*(?:::[\w ]+)? = '([^']*)'", text)
        if compared and not words.PRIVILEGED.search(compared[1]):
            return compared[1]
        if self._yes(name):
            return "false"
        known = [value for value in sorted(self.meaning.literals.get(name, ())) if not words.PRIVILEGED.search(value)]
        if known and not words.identifying(name):
            return known[0]
        return world.mail if "mail" in name else _own(world, kinds.get(name), None)


def _own(world: World, kind: Kind | None, uuid: str | None) -> str:
    return str(world.number) if kind == "number" else uuid or world.uuid


def roles(connection: Connection, meaning: Meaning, chosen: list[str]) -> list[str]:
    """Return the roles to act as: those chosen, or those that policies are for and that somebody can sign in as."""
    query = "select rolname::text, rolcanlogin, rolbypassrls, oid::int8 from pg_roles where not rolsuper "
    query += "and rolname !~ '^pg_' order by rolname collate \"C\""
    found = connection.execute(query.encode()).fetchall()
    names = [name for name, *_ in found]
    if unknown := [role for role in chosen if role not in names]:
        raise AuditError(
            f'"{unknown[0]}" is no role that can be acted as',
            hint=f"Name one that exists, and that is no superuser: {', '.join(names)}.",
        )
    if chosen:
        return chosen
    meant = {role for policy in meaning.catalog.policies for role in policy.roles}
    platform = [name for name, login, above, _ in found if name in _PLATFORM or (name in meant and login and not above)]
    if platform:
        return platform
    if groups := [name for name, _, above, _ in found if name in meant and not above]:
        return groups
    tables = meaning.catalog.tables
    owners = {table.owner for table in tables}
    reaches = "select bool_or(has_any_column_privilege(%s, o, 'select, insert, update')) from unnest(%s::oid[]) as o"
    return [
        name
        for name, _, above, oid in found
        if not above
        and oid not in owners
        and connection.execute(reaches, [name, [table.oid for table in tables]]).fetchone() == (True,)
    ]


def there(connection: Connection, names: Sequence[str]) -> list[str]:
    """Return the roles of these that exist."""
    query = "select name from unnest(%s::text[]) with ordinality as n (name, place) where to_regrole(name) is not null"
    return [name for (name,) in connection.execute(f"{query} order by place".encode(), [list(names)])]


def above(connection: Connection, roles: list[str]) -> list[str]:
    """Return the logins that act as one of these roles, and that no policy holds: what they reach is everything.

    Not who owns tables: whoever makes a role is a member of it, and an owner is meant to be above policies.
    """
    query = (
        "select m.rolname::text from pg_roles as m join pg_roles as r on r.rolname = any (%s) and m.oid <> r.oid "
        "where m.rolcanlogin and m.rolbypassrls and not m.rolsuper and pg_has_role(m.oid, r.oid, 'member') "
        "and m.oid not in (select relowner from pg_class where relkind in ('r', 'p')) order by 1"
    )
    return [name for (name,) in connection.execute(query, [roles]) if name not in roles]
