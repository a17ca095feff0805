"""Ranks: a third person in Alice's own tenant who may more than she, and whom she must not overrule."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from userscope.probe import statements
from userscope.probe.catalog.model import Relation
from userscope.probe.findings import Expected
from userscope.probe.scene import Scene
from userscope.probe.worlds import ALICE, Row

CAROL = replace(ALICE, name="carol", uuid="ca501000-0000-4000-8000-000000000003", number=1003, address=3)
_NUMBER = 90
_RANK = re.compile(r"role|rank|level|permission", re.IGNORECASE)


def overrule(scene: Scene, order: Sequence[str]) -> None:
    """Try each table of memberships, with each pair of ranks that follow each other; ``order`` has the least first."""
    ranked = False
    for table in scene.filled_by_alice:
        links = scene.links(table)
        if table.slice or not links:
            continue
        for name, column in table.columns.items():
            known = _known(scene, table, name)
            ranks = [rank for rank in order if rank in known or (column.textual and _RANK.search(name))]
            for less, more in itertools.pairwise(ranks):
                ranked = True
                _pair(scene, table, links[0], name, less, more)
    if order and not ranked:
        scene.not_tried.append(f"no column beside one that names a person holds two of the ranks {', '.join(order)}")


def _known(scene: Scene, table: Relation, name: str) -> set[str]:
    """The values that a column is known to take."""
    checks = " ".join(check.definition for check in table.checks if check.columns == (name,))
    labels = scene.catalog.labels.get(table.columns[name].type_oid, ())
    return {*labels, *scene.meaning.literals.get(name, ()), *re.findall(r"'([^']*)'", checks)}


def _pair(scene: Scene, table: Relation, link: str, rank: str, less: str, more: str) -> None:
    mine = scene.where(table, ALICE)
    lowering = statements.update(table, rank, less, mine)
    person = str(CAROL.number) if table.columns[link].type.startswith("int") else CAROL.uuid
    for role in scene.identities.members:
        alice = scene.alice(role)
        with scene.stage.undone():
            scene.stage.execute("set local session_replication_role = replica")
            account = None
            if link in table.parents and table.parents[link][0] is not table:
                parent, key = table.parents[link]
                account = scene.filling.put(parent, ALICE, _NUMBER, {key: person})
            placed = scene.filling.put(table, ALICE, _NUMBER, {link: person, rank: more})
            scene.stage.execute("set local session_replication_role = origin")
            if placed is None or not scene.stage.arrange(lowering):
                scene.not_tried.append(f"{table.label}: no third person who is {more} could be put beside Alice")
                continue
            carol: Row = placed[1]
            there = [
                statements.insert(each.table, each.given) for each in (account[1] if account else None, carol) if each
            ]
            hers, setup = statements.line(carol), [lowering, *there]
            tried = (
                (f"makes themselves {more}", statements.update(table, rank, more, mine), mine),
                (f"makes a third person, who is {more}, {less}", statements.update(table, rank, less, hers), hers),
                (f"removes a third person, who is {more}", statements.delete(table, hers), hers),
            )
            for said, statement, where in tried:
                with scene.stage.acting(alice):
                    done = scene.stage.attempt(statement).did
                if done:
                    watch = Expected("changes", f"select ctid::text from {table.sql} where {where}")
                    told = f"as {less} {said}"
                    scene.tell(
                        "error", "overrules", table, alice, told, statement, expected=watch, setup=setup, detail=said
                    )
