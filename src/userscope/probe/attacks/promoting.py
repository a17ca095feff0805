"""Promoting oneself: what one's own row says of one's rights is changed, and then one looks again."""

import json
import re

from userscope.probe import sight, statements, words
from userscope.probe.catalog.model import Relation, labels
from userscope.probe.findings import Expected
from userscope.probe.scene import Scene
from userscope.probe.stage import Actor
from userscope.probe.worlds import ALICE, BOB

_EDITED = re.compile(r"raw_user_meta_data\"?\s*->>\s*'([\w-]+)'(?:::\w+)?\)*(?:::\w+)?\s*=\s*\(*'([^']*)'")
"""What is asked of what users write about themselves: the key, and what it is compared with."""


def by_update(scene: Scene, actor: Actor, table: Relation) -> None:
    """Set each column of Alice's row that policies or functions read to each value that they know."""
    mine = scene.row(table, ALICE)
    if not actor.alice or not mine or not scene.owned(table):
        return
    for name in scene.rights(actor, table).update:
        column = table.columns[name]
        if name not in scene.meaning.decisive or name in table.parents or name in table.primary or not column.settable:
            continue
        for value in scene.meaning.candidates(column, mine.values.get(name)):
            for where in (scene.where(table, ALICE), ""):
                statement = statements.update(table, name, value, where)
                if _promoted(scene, actor, table, statement, f"sets {name} = {value} in the own row", name, value, []):
                    break


def by_insert(
    scene: Scene, actor: Actor, table: Relation, mine: dict[str, str | None], whole: dict[str, str | None]
) -> None:
    """Insert Alice's row with each such value; her first row makes room where there may be only one."""
    for name in scene.rights(actor, table).insert:
        column = table.columns[name]
        if name not in scene.meaning.decisive or name in table.parents or table.primary == (name,):
            continue
        only_one = bool(table.primary) and all(key in table.parents or key == name for key in table.primary)
        setup = [statements.delete(table, scene.where(table, ALICE))] if only_one else []
        for value in scene.meaning.candidates(column):
            row = {**mine, name: value}
            statement = statements.insert(table, row)
            with scene.stage.undone():
                if setup and scene.row(table, ALICE):
                    scene.stage.arrange(*setup)
                said = f"inserts an own row with {name} = {value}"
                _promoted(scene, actor, table, statement, said, name, value, setup)
                if column.type == "bool" and value == "true" and _official(name):
                    _shown_to_all(scene, actor, table, name, statement, {**whole, **row})


def enrol(scene: Scene, actor: Actor, table: Relation, statement: str) -> None:
    """Insert Alice's row into a list of those who may do more."""
    _promoted(scene, actor, table, statement, "inserts an own row", "", "", [])


def _official(name: str) -> bool:
    return words.OFFICIAL.search(name) is not None and not words.PUBLIC.search(name)


def _shown_to_all(
    scene: Scene, actor: Actor, table: Relation, name: str, statement: str, values: dict[str, str | None]
) -> None:
    with scene.stage.acting(actor):
        shown = scene.stage.attempt(statement).did and scene.bob_sees(table, values)
    if shown:
        said = f"inserts a row with {name} = true, which everybody is shown"
        scene.tell("error", "shown to all", table, actor, said, statement, expected=Expected("works"))


def _promoted(
    scene: Scene, actor: Actor, table: Relation, statement: str, what: str, name: str, value: str, setup: list[str]
) -> bool:
    """Do it, and look again as each role; whether it changed a row."""
    ranked = words.PRIVILEGED.search(value) or (value == "true" and words.PRIVILEGED.search(name))
    of, whose = BOB, "Bob's rows of"
    with scene.stage.acting(actor):
        if not scene.stage.attempt(statement).did:
            return False
        for role in dict.fromkeys([actor.role, *scene.identities.members]):
            looking = scene.alice(role)
            scene.stage.become(looking)
            if gained := scene.gained(looking, table, told=statement):
                break
            if ranked and (gained := scene.gained(looking, table, ALICE)):
                of, whose = ALICE, "what her own tenant hid from her:"
                break
    if gained:
        look, expected = scene.look(gained[0], looking, of)
        steps = [statement, *(looking.login if looking.role != actor.role else ()), look]
        said = f"{what}: then reads {whose} {labels(gained)}"
        scene.tell("error", "promotion", table, actor, said, *steps, expected=expected, setup=setup, detail=name)
    elif ranked:
        said, works = f"{what}, which policies or functions read ({name})", Expected("works")
        scene.tell("warning", "own privilege", table, actor, said, statement, expected=works, setup=setup, detail=name)
    return True


def elevate(scene: Scene) -> None:
    """Give Alice each role that the schema knows, as its owner would: what is one tenant's must not open another's."""
    for role in scene.identities.members:
        alice, bob = scene.alice(role), scene.identities.person(BOB, role)
        scene.seen[bob] = scene.sight.by(bob)[0]
        for table in scene.filled_by_alice:
            if not table.slice and (scene.links(table) or table in scene.meaning.users):
                _elevate(scene, alice, table)
        if said := scene.identities.said_by_themselves:
            _edited_claim(scene, role, said)
        _edited_account(scene, alice)


def _elevate(scene: Scene, alice: Actor, table: Relation) -> None:
    mine = scene.row(table, ALICE)
    links, scope = scene.links(table), scene.scope(table)
    for name, column in table.columns.items() if mine else ():
        known = scene.meaning.literals.get(name) or (column.type == "bool" and name in scene.meaning.decisive)
        if name in table.parents or not known or scene.findings.has(table.label, "promotion"):
            continue
        for value in scene.meaning.candidates(column, mine.values.get(name) if mine else None):
            if words.PUBLIC.search(value) and not words.PRIVILEGED.search(value):
                continue
            setup = statements.update(table, name, value, scene.where(table, ALICE))
            with scene.stage.undone():
                if not scene.stage.arrange(setup):
                    continue
                with scene.stage.acting(alice):
                    gained = scene.gained(alice, table)
                tenant = [each for each in scope if each not in links and _membership(table, each)]
                if words.RANKED.search(value if value != "true" else name):
                    _for_all(scene, alice.role, table, f"{name} = {value}", setup)
                if not gained and tenant:
                    _tenant_writes(scene, alice, table, f"with {name} = {value} in the own {tenant[0]}", setup)
            if gained:
                look, expected = scene.look(gained[0], alice)
                names = labels(gained)
                if tenant:
                    said = (
                        f"with {name} = {value} in the own {tenant[0]} reads Bob's rows of other {tenant[0]}: {names}"
                    )
                else:
                    said = f"with {name} = {value} reads everybody's rows of {names}"
                kind = "tenant role opens all" if tenant else "global role"
                scene.tell(
                    "error" if tenant else "note", kind, table, alice, said, look, expected=expected, setup=[setup]
                )


def _membership(table: Relation, column: str) -> bool:
    """Whether a column says in which tenant a role is, and not what somebody prefers."""
    parent = table.parent(column)
    named = words.TENANT.search(f"{column} {parent.name if parent else ''}")
    return named is not None or table.columns[column].required or column in table.unique_columns


def _for_all(scene: Scene, role: str, table: Relation, what: str, setup: str) -> None:
    """Alice may do more: does Bob, since it is asked for anybody who may?"""
    bob = scene.identities.person(BOB, role)
    with scene.stage.acting(bob):
        gained = scene.gained(bob, table, ALICE)
    if gained:
        look, expected = scene.look(gained[0], bob, ALICE)
        said = f"reads Alice's rows of {labels(gained)} once she has {what}"
        scene.tell("error", "reads", gained[0], bob, said, look, expected=expected, setup=[setup])


def _tenant_writes(scene: Scene, alice: Actor, table: Relation, who: str, setup: str) -> None:
    """With a role in the own tenant: may Alice delete or change what is another's?"""
    leads = scene.meaning.affected(table)
    for other in scene.catalog.tables:
        rights = scene.rights(alice, other)
        if other is table or other.oid not in leads or not scene.owned(other) or not scene.row(other, BOB):
            continue
        plain = [name for name in rights.update if other.columns[name].textual and name not in other.parents][:1]
        tried = [("deletes", statements.delete(other))] if rights.delete else []
        tried += [("changes", statements.update(other, name, "changed")) for name in plain]
        for verb, statement in () if scene.findings.has(other.label, "deletes", "updates") else tried:
            if hit := scene.hit(alice, other, statement):
                said = f"{who} {verb} Bob's row of {other.label}"
                scene.tell(
                    "error", "tenant role opens all", table, alice, said, statement,
                    expected=Expected.moved(hit[0]), setup=[setup], detail=other.label,
                )  # fmt: skip
                return


def _edited_claim(scene: Scene, role: str, where: str) -> None:
    """What a user writes about themselves is in their token as well, and headers are whatever a client sends."""
    edited = scene.identities.person(ALICE, role, edited=BOB)
    seen, _ = scene.sight.by(edited)
    before = scene.seen[scene.alice(role)]
    for relation in sight.of(BOB, seen - before):
        if not relation.table or relation in scene.meaning.owned:
            look, expected = scene.look(relation, edited)
            said = f"with Bob's values in {where}, which a user writes, reads Bob's rows"
            scene.tell("error", "mutable claim", relation, edited, said, look, expected=expected)


def _edited_account(scene: Scene, alice: Actor) -> None:
    """The same where policies look it up in the account, as the platform stored it."""
    users = next((t for t in scene.filled_by_alice if "raw_user_meta_data" in t.columns), None)
    if users is None:
        return
    for key, value in sorted(set(_EDITED.findall(scene.catalog.text))):
        setup = statements.update(users, "raw_user_meta_data", json.dumps({key: value}), scene.where(users, ALICE))
        with scene.stage.undone():
            if not scene.stage.arrange(setup):
                continue
            with scene.stage.acting(alice):
                gained = scene.gained(alice, users)
        if gained:
            look, expected = scene.look(gained[0], alice)
            said = f"with {key} = {value} in raw_user_meta_data, which a user edits, reads Bob's rows"
            scene.tell("error", "mutable claim", gained[0], alice, said, look, expected=expected, setup=[setup])
