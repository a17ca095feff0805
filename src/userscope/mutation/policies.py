"""What could be wrong with a policy."""

import re
from collections.abc import Iterator

from userscope.mutation.catalog import Catalog, Json
from userscope.mutation.mutant import Mutant

_SEES = "a user reaches only their own rows"
_WORKS = "whoever a row is for reaches it"


def mutants(catalog: Catalog) -> Iterator[Mutant]:
    """Yield each policy's mutants."""
    for table, policy in catalog.policies():
        yield from _of_policy(catalog, table, policy)


def _of_policy(catalog: Catalog, table: Json, policy: Json) -> Iterator[Mutant]:
    name, relation, command = policy["name"], table["name"], policy["command"]
    target = f"{name} on {relation}"
    drop = f"drop policy {name} on {relation}"
    commands = "every command" if command == "all" else command.upper()
    wider = f"as one user, {commands} on {relation}, and compare: another's row must exist, untouched"
    narrower = f"as the one it is for, {commands} on {relation}, and see that it works"

    yield Mutant("policy dropped", target, (drop,), _WORKS, narrower)
    for clause in ("using", "check"):
        text = policy[clause]
        if text is None:
            continue
        words = "using" if clause == "using" else "with check"

        def changed(operator: str, new: str, *, widens: bool, words: str = words) -> Mutant:
            ddl = f"alter policy {name} on {relation} {words} ({new})"
            promise, idea = (_SEES, wider) if widens else (_WORKS, narrower)
            return Mutant(f"{words} {operator}", target, (ddl,), promise, idea)

        yield changed("false", "false", widens=False)
        if text == "true":
            continue
        yield changed("true", "true", widens=True)
        yield changed("negated", f"not ({text})", widens=True)
        for identity in _identities(catalog, text):
            yield changed("or no identity", f"({text}) or {identity} is null", widens=True)
        for column in _unused(table, text)[:1]:
            yield changed("or another column", f"({text}) or {column} is not null", widens=True)
        for old, new in _alike(table, text):
            swapped = re.sub(rf"(?<![\w.\"]){re.escape(old)}(?![\w\"(])", new, text)
            yield changed(f"{new} for {old}", swapped, widens=True)
        other = policy["check" if clause == "using" else "using"]
        if other and other != text:
            yield changed("the other clause's", other, widens=True)

    for role in ["public", *catalog.roles]:
        if policy["roles"] != [role]:
            ddl = f"alter policy {name} on {relation} to {role}"
            yield Mutant(f"to {role}", target, (ddl,), "a policy is for the role it was written for", wider)
    flipped = {**policy, "permissive": not policy["permissive"]}
    yield Mutant("permissive or restrictive", target, (drop, _create(relation, flipped)), _WORKS, narrower)
    if command != "all":
        widened = {**policy, "command": "all"}
        promise = "a policy is for the command it was written for"
        yield Mutant("for all commands", target, (drop, _create(relation, widened)), promise, wider)
    if policy["check"] and policy["using"] and policy["check"] != policy["using"]:
        # Where both are equal PostgreSQL takes USING for a missing WITH CHECK: nothing would change.
        unchecked = {**policy, "check": None}
        idea = f"as one user, write a row to {relation} that would be another's"
        yield Mutant("without check", target, (drop, _create(relation, unchecked)), _SEES, idea)


def _create(relation: str, policy: Json) -> str:
    kind = "permissive" if policy["permissive"] else "restrictive"
    parts = [f"create policy {policy['name']} on {relation} as {kind} for {policy['command']}"]
    parts.append(f"to {', '.join(policy['roles'])}")
    if policy["using"] is not None:
        parts.append(f"using ({policy['using']})")
    if policy["check"] is not None:
        parts.append(f"with check ({policy['check']})")
    return " ".join(parts)


def _identities(catalog: Catalog, text: str) -> list[str]:
    """The expressions in a policy that tell who acts: a helper without arguments, or a setting."""
    helpers = [
        f"(select {function['plain']}())"
        for function in catalog.functions
        if function["in_policy"] and not function["arguments"] and f"{function['plain']}(" in text
    ]
    settings = re.findall(r"current_setting\('([^']+)'", text)
    return helpers + [f"nullif(current_setting('{setting}', true), '')" for setting in dict.fromkeys(settings)]


def _used(text: str, column: str) -> bool:
    return re.search(rf"(?<![\w\"]){re.escape(column)}(?![\w\"(])", text) is not None


def _unused(table: Json, text: str) -> list[str]:
    """Columns that a policy does not look at; those that are never null first."""
    columns = [column for column in table["columns"] if not _used(text, column["name"])]
    return [column["name"] for column in sorted(columns, key=lambda column: not column["not_null"])]


def _alike(table: Json, text: str) -> Iterator[tuple[str, str]]:
    """Each column that a policy looks at, with the first other one of the same type."""
    for column in table["columns"]:
        if _used(text, column["name"]):
            others = [
                other["name"]
                for other in table["columns"]
                if other["type"] == column["type"] and not _used(text, other["name"])
            ]
            yield from ((column["name"], other) for other in others[:1])
