"""Which rows of the caller's decide in a policy: found by what, held to what, and saying what of the row."""

from dataclasses import dataclass

from userscope.audit.judge.catalog import Relation
from userscope.audit.judge.reading import Reader
from userscope.audit.judge.terms import Branch, Limit, Link

ME = ("me", 0)
"""Who asks, as an entity."""


@dataclass(frozen=True)
class Decision:
    """The caller's rows of ``relation`` decide: found by ``mine``; ``limits`` must be so, ``scopes`` say where."""

    relation: Relation
    mine: frozenset[str]
    limits: frozenset[str]
    scopes: frozenset[str]
    asked: frozenset[tuple[str, str]] = frozenset()
    """Columns with what they must be equal to."""
    listed: bool = False
    """That there is one is all that is asked, and opens every row."""


def decisions_of(reader: Reader, branch: Branch, mine: set[tuple[str, int]]) -> list[Decision]:
    """Which tables' rows of the caller's decide in a branch."""
    found = []
    for kind, number in sorted(mine):
        relation = reader.tuples[number].relation if kind == "tuple" else None
        if relation is None:
            continue
        by: dict[str, set[str]] = {"mine": set(), "limits": set(), "scopes": set()}
        asked: set[tuple[str, str]] = set()
        for atom in branch:
            if isinstance(atom, Link):
                for one, other in ((atom.left, atom.right), (atom.right, atom.left)):
                    if one.entities == {("tuple", number)}:
                        place = "mine" if other.entities == {ME} else "scopes"
                        by[place] |= {source.name for source in one.sources}
            elif isinstance(atom, Limit) and atom.value.entities == {("tuple", number)}:
                by["limits"] |= {source.name for source in atom.value.sources}
                asked |= equal_to(atom)
        if by["mine"]:
            mine_, limits, scopes = (frozenset(by[name]) for name in ("mine", "limits", "scopes"))
            found.append(Decision(relation, mine_, limits, scopes, frozenset(asked)))
    return found


def equal_to(atom: object) -> set[tuple[str, str]]:
    """The column that a condition holds to some value, with the value (or several, joined)."""
    if not isinstance(atom, Limit) or len(atom.value.sources) != 1:
        return set()
    (source,) = atom.value.sources
    if atom.operator in ("is true", "not"):
        return {(source.name, "true" if atom.operator == "is true" else "false")}
    return {(source.name, atom.constant)} if atom.operator == "=" and atom.constant is not None else set()
