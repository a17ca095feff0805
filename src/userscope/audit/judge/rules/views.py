"""Views: what they show as their owner, directly and through other views."""

import re
from collections.abc import Iterator

from userscope.audit.judge.catalog import Relation
from userscope.audit.judge.nothing import Rows
from userscope.audit.judge.policies import Policies
from userscope.audit.judge.reading import Reader
from userscope.audit.judge.rules.access import names, reached
from userscope.audit.judge.terms import Atom, Limit, Link, Scope, TooWide, atom_sources
from userscope.audit.judge.tree import Unreadable, statements
from userscope.audit.judge.verdict import dead, loose
from userscope.audit.model import Finding

RULES = ("relation_kind", "view_definer")


def findings(policies: Policies) -> Iterator[Finding]:
    """Ask what views and materialized views show."""
    if policies.profile.strict:
        return
    for relation in policies.catalog.relations.values():
        if relation.schema in policies.profile.brought or relation.kind not in ("v", "m", "f"):
            continue
        services = reached(policies, relation, "r" if relation.kind == "m" else "rawd")
        if not services:
            continue
        if relation.kind == "f":
            yield Finding(
                "error",
                "relation_kind",
                relation.full,
                "a foreign table is open to a service",
                f"{names(policies, services)} may use it. No policy can judge its rows.",
                f"revoke all on {relation.full} from …",
            )
            continue
        shown = _shown(policies, relation, relation.owner, set())
        rows = _rows(policies, relation) if shown else []
        if not shown or _asks(policies, rows):
            if shown and relation.written and not relation.checked and not relation.invoker:
                yield from _given(policies, relation, rows)
            continue
        behind = ", ".join(sorted({one.full for one in shown}))
        if relation.kind == "m":
            yield Finding(
                "error",
                "relation_kind",
                relation.full,
                "a materialized view is open to a service",
                f"{names(policies, services)} may read it: it holds what {behind} hides, and no policy judges it.",
                f"revoke all on {relation.full} from …",
            )
        elif not relation.invoker:
            yield Finding(
                "error",
                "view_definer",
                relation.full,
                "a view shows what its owner sees",
                f"{names(policies, services)} may read it, and it reads {behind} as its owner, whom no policy binds.",
                f"alter view {relation.full} set (security_invoker = true)",
            )
        else:
            yield Finding(
                "error",
                "view_definer",
                relation.full,
                "a view shows the platform's users, or reads through one that shows what its owner sees",
                f"{names(policies, services)} may read it, and behind it is {behind}.",
                "set security_invoker on every view between",
            )


def _shown(policies: Policies, view: Relation, reader: int, seen: set[int]) -> list[Relation]:
    """The tables of which a view shows rows that policies hide, read as its owner, and through other views."""
    found = []
    for oid in view.sources:
        source = policies.catalog.relations.get(oid)
        if source is None or oid in seen:
            continue
        seen.add(oid)
        if source.kind in ("v", "m"):
            if not view.invoker or not source.invoker:
                found += _shown(policies, source, source.owner if not source.invoker else reader, seen)
            continue
        private = source.schema in policies.profile.own | {"auth"} and source.name == "users"
        if view.invoker and view.kind == "v":
            if private and not source.secured and reached(policies, source, "r"):
                found.append(source)
            continue
        kept = view.kind == "m" or policies.catalog.above(
            reader, source
        )  # what a materialized view holds, it holds for all
        if private or (kept and source.secured and _hides(policies, source, view)):
            found.append(source)
    return found


def _hides(policies: Policies, table: Relation, view: Relation) -> bool:
    """Whether policies hide rows that a view shows: not where all are shown, or where it asks for the flag."""
    asked = set(re.findall(r"\w+", view.definition or ""))
    return all(
        c.walled
        or (c.worst.kind != "open" and (c.worst.kind != "public" or bool(c.worst.flags - asked and not c.worst.rows)))
        for c in policies.reads(table)
    )


def _rows(policies: Policies, view: Relation) -> Rows:
    """The rows of a view as its query tells them; none where it cannot be read."""
    text = re.sub(r";\s*$", "", view.definition or "")
    reader = Reader(policies.catalog, policies.profile)
    try:
        rows = reader.rows(statements(text)[0], Scope(near=view.schema, above=True))
        return [
            (columns, held)
            for columns, held in rows
            if held or any(value.sources or value.counts for _, value in columns)
        ]
    except (Unreadable, TooWide, RecursionError, LookupError, ValueError, AttributeError):
        return []


def _asks(policies: Policies, rows: Rows) -> bool:
    """Whether a view asks itself whose rows are shown."""
    return bool(rows) and all(
        any(_concerns(atom) or dead(atom, policies.anonymous) for atom in branch) for _, branch in rows
    )


def _given(policies: Policies, view: Relation, rows: Rows) -> Iterator[Finding]:
    """A view that shows one's own, and through which a row becomes somebody else's."""
    mine = {
        side.sources
        for _, branch in rows
        for atom in branch
        if isinstance(atom, Link) and any(source.kind == "me" for source in atom_sources(atom))
        for side in (atom.left, atom.right)
    }
    owners = [name for columns, _ in rows for name, value in columns if value.sources and value.sources in mine]
    services = [
        one
        for one in reached(policies, view, "aw")
        if any(view.may(one, letter, name) for letter in "aw" for name in owners)
    ]
    if services:
        yield Finding(
            "error",
            "view_definer",
            view.full,
            "a view shows one's own rows, and writes anybody's",
            f"{names(policies, services)} may write {', '.join(dict.fromkeys(owners))} through it, as its owner, "
            "whom no policy binds, and nothing asks what a row is then.",
            f"alter view {view.full} set (check_option = cascaded)",
        )


def _concerns(atom: Atom) -> bool:
    """Whether a condition asks who acts, and not only whether there is anybody."""
    mine = any(source.kind == "me" for source in atom_sources(atom))
    return mine and not (isinstance(atom, Limit) and loose(atom))
