"""The verdict on one way in which a policy is true.

tied       the row that is judged is equal to something of the caller's, itself or through rows that a query finds
role       the caller is somebody who may: an administrator, whatever the row
function   a function decides that could not be read
public     nothing is asked of the caller, and the row says so of itself, or nothing is asked at all
open       something is asked, and it does not concern the row
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace

from userscope.audit.judge.catalog import PEOPLE, Relation
from userscope.audit.judge.decisions import ME, Decision, decisions_of
from userscope.audit.judge.reading import Reader
from userscope.audit.judge.terms import Branch, Limit, Link, Other, Source, sources_of

ORDER = ("dead", "tied", "role", "function", "public", "open")
ROW = ("row", 0)
_ROLES = re.compile(r"^(jwt\.role|login|setting role|setting is_superuser)$")
_LOOSE = re.compile(
    r"^(jwt\.(aal|amr|iss|aud|is_anonymous|session_id|exp|iat)|uid|jwt|jwt\.sub|jwt\.email)$"
    r"|^member of (anon|anonymous|authenticated)$"
)
MUTABLE = re.compile(r"user_meta_?data|^setting request\.(headers?|cookies?|method|path)\b")
"""What of a session or an account its user writes."""


@dataclass(frozen=True)
class Verdict:
    """A verdict, and why; ``flags`` are the row's own columns that open it."""

    kind: str
    why: str = ""
    functions: frozenset[int] = frozenset()
    flags: frozenset[str] = frozenset()
    asked: bool = False
    signed: bool = False
    rows: bool = False
    claims: frozenset[str] = frozenset()
    decisions: tuple[Decision, ...] = ()
    relations: frozenset[Relation] = frozenset()
    branch: Branch = field(default=(), compare=False)

    @property
    def badness(self) -> int:
        """How bad it is, for comparisons."""
        return ORDER.index(self.kind)


def judged(reader: Reader, branch: Branch, relation: Relation, covered: "Covered") -> Verdict:
    """Judge a branch of a policy of ``relation``; ``covered`` says whether a table's own policies tie what is read."""
    sources = sources_of(branch)
    if any(dead(atom, covered.anonymous) for atom in branch):
        return Verdict("dead", branch=branch)
    links: dict[tuple[str, int], set[tuple[str, int]]] = defaultdict(set)
    for atom in branch:
        if isinstance(atom, Link):
            (left,), (right,) = atom.left.entities, atom.right.entities
            if not any(_ROLES.match(s.name) for s in atom.left.sources | atom.right.sources if s.kind == "me"):
                links[left].add(right)
                links[right].add(left)
    for number, found in reader.tuples.items():
        if ("tuple", number) in links and found.relation and not found.above and covered(found.relation):
            links["tuple", number].add(ME)
            links[ME].add(("tuple", number))
    reached = _reach(links, ROW)
    mine = _reach(links, ME)
    claims = frozenset(
        source.name
        for source in sources
        if source.kind == "me" or (source.kind == "tuple" and MUTABLE.search(source.name))
    )
    decisions = tuple(decisions_of(reader, branch, mine))
    relations = [reader.tuples[s.of].relation for s in sources if s.kind == "tuple"]
    tied = Verdict(
        "tied",
        claims=claims,
        decisions=decisions,
        relations=frozenset(relation for relation in relations if relation),
        rows=bool(relations),
        branch=branch,
    )
    if ME in reached:
        return tied

    called = frozenset(source.of for source in sources if source.kind == "call")
    if called:
        return replace(tied, kind="function", why="a function that could not be read decides", functions=called)
    why = _beside(reader, branch, relation, mine)
    if why:
        return replace(tied, kind="open", why=why, asked=True)
    if why is not None:
        return replace(tied, kind="role", why="who asks decides, whatever the row")
    apart = next((s.of for s in sorted(sources) if s.kind == "tuple" and (s.kind, s.of) not in reached), None)
    if apart is not None and any(source.kind == "row" for source in sources):
        whose = reader.tuples[apart].relation
        why = f"what it asks for in {whose.full if whose else '?'} has nothing to do with the row"
        return replace(tied, kind="open", why=why, asked=True)
    return _without_me(reader, tied, branch, sources, reached)


def _beside(reader: Reader, branch: Branch, relation: Relation, mine: set[tuple[str, int]]) -> str | None:
    """What is asked of the caller beside the row: why that is wrong, "" where it is enough, None where nothing is."""
    others = [atom for atom in branch if isinstance(atom, Other)]
    if any(atom.why == "without" for atom in others):
        return "without"
    if any({source.kind for source in atom.sources} >= {"me", "row"} for atom in others):
        return "it does not ask for the row to be the caller's"
    tuples = {number for kind, number in mine if kind == "tuple"}
    for atom in others:
        if {source.kind for source in atom.sources} >= {"me", "tuple"}:
            tuples |= {source.of for source in atom.sources if source.kind == "tuple"}
    limited = {source.of for atom in branch if isinstance(atom, Limit) for source in atom.value.sources}
    tuples = {
        number
        for number in tuples
        if number in limited or getattr(reader.tuples[number].relation, "name", "") not in PEOPLE
    }
    alike = next((atom.why for atom in others if atom.why and len({one.kind for one in atom.sources}) == 1), None)
    if alike:
        return alike
    if tuples:
        whys = [_unscoped(reader, number, branch, relation) for number in sorted(tuples)]
        return (whys[0] or "") if all(whys) else ""
    limits = [atom for atom in branch if isinstance(atom, Limit) and _is(atom, "me")]
    if any(_nobody(atom) for atom in limits):
        return "without"
    literal = next((atom for atom in limits if atom.operator == "=" and _names(atom)), None)
    if literal:
        return f"it names one user, {literal.constant}, who gets every row"
    said = any(
        atom.constant is not None
        and (re.search(r"\w", atom.constant) if atom.operator in ("~~", "~~*", "~") else not loose(atom))
        for atom in limits
    )
    return "" if said else None


def _without_me(
    reader: Reader, tied: Verdict, branch: Branch, sources: set[Source], reached: set[tuple[str, int]]
) -> Verdict:
    """Judge what asks nothing of the caller, but perhaps that there is one."""
    read = {(s.of, relation) for s in sources if s.kind == "tuple" and (relation := reader.tuples[s.of].relation)}
    people = {number for number, relation in read if _people(reader, relation)}
    limits = {s for a in branch if isinstance(a, Limit) and a.positive for s in a.value.sources if s.kind == "tuple"}
    found = {number for number in people if not _keyed(reader, number, branch)}
    if found and (not limits or not any(("tuple", number) in reached for number in found)):
        name = reader.tuples[min(found)].relation
        why = f"it asks for a row of {name.full if name else '?'}, whosever it is"
        return replace(tied, kind="open", why=why, asked=True)
    flags = frozenset(s.name for s in limits) or frozenset(s.name for s in sources if s.kind == "row")
    signed = any(source.kind == "me" for source in sources)
    why = "everybody who is signed in passes" if signed else "nothing is asked of the caller"
    return replace(tied, kind="public", why=why, flags=flags, signed=signed)


class Covered:
    """Whether whoever reads a table sees only what its policies tie to them; Policies fills it in."""

    anonymous = False

    def __call__(self, relation: Relation) -> bool:
        """Ask of one table."""
        raise NotImplementedError


def _reach(links: dict[tuple[str, int], set[tuple[str, int]]], start: tuple[str, int]) -> set[tuple[str, int]]:
    found, open_ = {start}, [start]
    while open_:
        for one in links[open_.pop()] - found:
            found.add(one)
            open_.append(one)
    return found


def dead(atom: object, anonymous: bool) -> bool:
    """Whether no service passes: what only the platform's own roles are."""
    if not isinstance(atom, Limit) or not _is(atom, "me") or atom.operator != "=" or atom.constant is None:
        return False
    if not all(_ROLES.match(source.name) for source in atom.value.sources):
        return False
    services = {"anon"} if anonymous else {"anon", "authenticated", "anonymous"}
    return not services & set(atom.constant.split("|"))


def _is(limit: Limit, kind: str) -> bool:
    return {source.kind for source in limit.value.sources} == {kind}


def _names(limit: Limit) -> bool:
    """Whether a condition names one user."""
    return limit.constant is not None and all(s.name in ("uid", "jwt.sub", "jwt.email") for s in limit.value.sources)


def _nobody(limit: Limit) -> bool:
    """Whether a condition on the caller is that there is none."""
    if limit.operator == "=" and limit.constant is not None:
        return "" in limit.constant.split("|")
    return limit.operator == "is null"


def loose(limit: Limit) -> bool:
    """Whether a condition on the caller asks no more than that there is one."""
    if limit.operator == "<>" and limit.constant == "":
        return True
    return all(_LOOSE.match(source.name) or _ROLES.match(source.name) for source in limit.value.sources)


def _unscoped(reader: Reader, number: int, branch: Branch, judged_: Relation) -> str | None:
    """Why a row of the caller's says nothing of the row that is judged; None where it says who they are everywhere."""
    relation = reader.tuples[number].relation
    if relation is None:
        return "a row that is the caller's is asked for, which does not concern the row"
    bound = {
        s.name for a in branch if isinstance(a, Limit) for s in a.value.sources if s.of == number and s.kind == "tuple"
    }
    limits = set(bound)
    bound |= _linked(number, branch)
    own = any(isinstance(a, Other) and a.why.startswith("it compares a column with") for a in branch)
    keys = [set(key.columns) for key in relation.unique if None not in key.columns]
    left = set(relation.fields) - bound
    matching = {name for name in left if _matches(relation, name, judged_)}
    if matching and not any(key <= bound for key in keys):
        return f"any row of the caller's in {relation.full} will do, whatever its {', '.join(sorted(matching))}"
    if own:
        return f"it compares a column of {relation.full} with itself"
    if any(key <= bound for key in keys) or limits or not keys:
        return None
    foreign = {column for key in relation.foreign for column in key.columns if column} & left
    if foreign:
        return f"any row of the caller's in {relation.full} will do, whatever its {', '.join(sorted(foreign))}"
    return (
        f"any row of the caller's in {relation.full} will do" if len(keys[0]) > 1 or keys[0].isdisjoint(bound) else None
    )


def _matches(relation: Relation, name: str, other: Relation) -> bool:
    """Whether a column says of which of the other table's rows a row is."""
    if name in ("id", "created_at", "updated_at", "name", "role", "status"):
        return False
    if name in other.fields and name.endswith("id"):
        return True
    targets = {key.target for key in relation.foreign if key.columns == [name]}
    return other.oid in targets


def _keyed(reader: Reader, number: int, branch: Branch) -> bool:
    """Whether a row is found by a key of its own: a parent's, not one of several members'."""
    relation = reader.tuples[number].relation
    linked = _linked(number, branch)
    return relation is not None and any(set(key.columns) <= linked for key in relation.unique)


def _linked(number: int, branch: Branch) -> set[str]:
    """The columns of a row that are equal to something else."""
    return {
        source.name
        for atom in branch
        if isinstance(atom, Link)
        for one in (atom.left, atom.right)
        if one.entities == {("tuple", number)}
        for source in one.sources
    }


def _people(reader: Reader, relation: Relation) -> bool:
    """Whether a table's rows are somebody's."""
    if reader.catalog.persons(relation):
        return True
    return any(re.search(r"^(user|member|owner|profile|person)_?(id)?$", name) for name in relation.fields)
