"""Every policy's clauses with their verdicts, for the roles that act for one user at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from userscope.audit.judge.catalog import COMMANDS, Catalog, Policy, Relation
from userscope.audit.judge.decisions import Decision
from userscope.audit.judge.profiles import Profile
from userscope.audit.judge.reading import Reader
from userscope.audit.judge.terms import Atom, Binding, Branch, Limit, Link, Scope, TooWide, equalities
from userscope.audit.judge.tree import Unreadable, expression
from userscope.audit.judge.verdict import Covered, Verdict, judged
from userscope.postgres.sql import ident


@dataclass(frozen=True)
class Clause:
    """USING or WITH CHECK of a policy, with the worst of its branches' verdicts first."""

    relation: Relation
    policy: Policy
    name: str
    text: str
    verdicts: tuple[Verdict, ...]
    services: tuple[int, ...]
    walled: bool
    unread: str = ""

    @property
    def object(self) -> str:
        """What findings are about."""
        return f"policy {ident(self.policy.name)} on {self.relation.full}"

    @property
    def reads(self) -> bool:
        """Whether it says which rows are read."""
        return self.policy.serves("r") and self.name == "USING"

    @property
    def worst(self) -> Verdict:
        """The verdict that counts."""
        return self.verdicts[0] if self.verdicts else Verdict("dead")


def _said(branch: Branch, relation: Relation) -> Branch:
    """What a branch asks, each once, and without what is so of every row: that a column is there which always is."""
    return tuple(dict.fromkeys(atom for atom in equalities(branch) if not _always(atom, relation)))


def _never(branch: Branch, relation: Relation) -> bool:
    """Whether a branch asks for null what cannot be."""
    null = {atom.value.sources for atom in branch if isinstance(atom, Limit) and atom.operator == "is null"}
    there = {atom.value.sources for atom in branch if isinstance(atom, Limit) and atom.operator != "is null"}
    there |= {side.sources for atom in branch if isinstance(atom, Link) for side in (atom.left, atom.right)}
    columns = [relation.fields.get(one.name) for one, *_ in null if one.kind == "row"]
    return bool(null & there) or any(column is not None and column.required for column in columns)


def _always(atom: Atom, relation: Relation) -> bool:
    if not isinstance(atom, Limit) or atom.operator != "is not null" or atom.value.entities != {("row", 0)}:
        return False
    columns = [relation.fields.get(source.name) for source in atom.value.sources]
    return all(column is not None and column.required for column in columns)


class Policies(Covered):
    """Reads the policies of a catalog; ``services`` are the roles that act for users."""

    def __init__(self, catalog: Catalog, profile: Profile, services: tuple[int, ...]) -> None:
        self.catalog = catalog
        self.profile = profile
        self.services = services
        self._covered: dict[int, bool] = {}
        self._clauses: dict[tuple[int, str, str], Clause] = {}
        self._asking: set[int] = set()

    def __call__(self, relation: Relation) -> bool:
        """Whether whoever reads a table sees only what is tied to them."""
        if relation.oid in self._covered:
            return self._covered[relation.oid]
        if not relation.secured or relation.oid in self._asking:
            return False
        self._asking.add(relation.oid)
        found = all(clause.worst.kind in ("dead", "tied") or clause.walled for clause in self.reads(relation))
        self._asking.discard(relation.oid)
        self._covered[relation.oid] = found
        return found

    def judged(self) -> Iterator[Clause]:
        """Every clause of a permissive policy that lets a service pass."""
        for relation in self.catalog.relations.values():
            if relation.secured:
                yield from self.of(relation)

    def of(self, relation: Relation) -> list[Clause]:
        """The clauses of a table's permissive policies that serve a service."""
        found = []
        for policy in relation.policies:
            services = self.served(policy, relation)
            if policy.permissive and services:
                found += [
                    self.clause(relation, policy, name, services)
                    for name in ("USING", "WITH CHECK")
                    if self._text(policy, name)
                ]
        return found

    def reads(self, relation: Relation) -> list[Clause]:
        """The clauses that let a service read a table's rows."""
        return [clause for clause in self.of(relation) if clause.reads]

    def effective_check(self, relation: Relation, policy: Policy) -> Clause | None:
        """What a row that is written must pass."""
        services = self.served(policy, relation)
        name = "WITH CHECK" if policy.check else "USING"
        return self.clause(relation, policy, name, services) if services and self._text(policy, name) else None

    def served(self, policy: Policy, relation: Relation) -> tuple[int, ...]:
        """The services that a policy is for, and which may do on the table what it is about."""
        letters = COMMANDS if policy.command == "*" else (policy.command,)
        schema = self.catalog.schemas.get(relation.schema)
        return tuple(
            service
            for service in self.services
            if schema
            and service in schema.entered
            and self._for(policy, service)
            and any(relation.may(service, letter) for letter in letters)
        )

    def clause(self, relation: Relation, policy: Policy, name: str, services: tuple[int, ...]) -> Clause:
        """Read one clause; what was read is kept."""
        key = (relation.oid, policy.name, name)
        if key not in self._clauses:
            text = self._text(policy, name) or "true"
            verdicts, why = self.read(text, relation, policy)
            walled = self._walled(relation, policy, name, services)
            self._clauses[key] = Clause(relation, policy, name, text, verdicts, services, walled, why)
        return self._clauses[key]

    def read(self, text: str, relation: Relation, policy: Policy) -> tuple[tuple[Verdict, ...], str]:
        """Judge a policy's expression on a table's row; and why it could not be read."""
        reader = Reader(self.catalog, self.profile, frozenset(policy.calls))
        reader.row = relation
        scope = Scope({relation.name: Binding(("row", 0), relation)}, near=relation.schema)
        try:
            branches: list[Branch] = reader.truths(expression(text), scope)
        except (TooWide, Unreadable, RecursionError, LookupError, ValueError, AttributeError) as error:
            unread = Verdict("function", "it is more than can be read")
            return (unread,), str(error) or "it can be true in too many ways"
        found = {
            judged(reader, _said(branch, relation), relation, self)
            for branch in branches
            if not _never(branch, relation)
        }
        return tuple(sorted(found, key=lambda one: (-one.badness, one.why, sorted(one.flags)))), ""

    def _walled(self, relation: Relation, policy: Policy, name: str, services: tuple[int, ...]) -> bool:
        """Whether restrictive policies tie whatever this one lets pass, whoever asks for whichever command."""
        letters = "rwd" if name == "USING" else "aw"
        return all(
            any(
                self._ties(wall, relation, name)
                for wall in relation.policies
                if not wall.permissive and wall.serves(letter) and self._for(wall, service)
            )
            for letter in letters
            if policy.serves(letter)
            for service in services
            if relation.may(service, letter)
        )

    def _ties(self, wall: Policy, relation: Relation, name: str) -> bool:
        text = (wall.check or wall.using) if name == "WITH CHECK" else wall.using
        return bool(text) and all(one.kind in ("dead", "tied") for one in self.read(text or "", relation, wall)[0])

    def _for(self, policy: Policy, service: int) -> bool:
        return any(role == 0 or role in self.catalog.roles[service].becomes for role in policy.roles)

    def decisions(self) -> dict[int, list[tuple[Decision, str]]]:
        """Which tables' rows decide about others, by table, each with the policy that believes them."""
        found: dict[int, list[tuple[Decision, str]]] = {}
        for clause in self.judged():
            for verdict in clause.verdicts:
                for decision in verdict.decisions:
                    if decision.relation.oid != clause.relation.oid or decision.limits:
                        listed = verdict.kind == "role" and not decision.limits | decision.scopes
                        kept = replace(decision, listed=listed)
                        found.setdefault(decision.relation.oid, []).append((kept, clause.object))
        return found

    @staticmethod
    def _text(policy: Policy, name: str) -> str | None:
        return policy.using if name == "USING" else policy.check
