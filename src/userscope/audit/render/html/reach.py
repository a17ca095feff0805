"""What the picture shows: for each role, table and command which rows are reached, and what is wrong with that."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from userscope.audit.conditions import shortened
from userscope.audit.difference import Difference
from userscope.audit.model import LEVELS, VERDICTS, Access, Finding, Report

COMMANDS = ("SELECT", "INSERT", "UPDATE", "DELETE")
type Rows = Literal["none", "some", "every"]
type Place = tuple[str, str, str]

WORDS: Mapping[Rows, str] = {"none": "no row", "some": "some rows", "every": "every row"}
JUDGED: Mapping[str, str] = {
    "tied": "tied to who asks",
    "function": "decided by a function, or by who asks",
    "public": "public by design",
    "open": "open",
}
_POLICY = re.compile(r"policy (.+) on (.+)", re.DOTALL)


@dataclass(frozen=True)
class Tile:
    """One role's one command on one table: ``accesses`` are what lets it, ``before`` what did before a change."""

    id: str
    place: Place
    accesses: list[Access]
    findings: list[Finding]
    accepted: bool = False
    before: list[Access] | None = None
    verdict: str | None = None

    @property
    def rows(self) -> Rows:
        """Which rows it reaches."""
        asked = {one.check if one.command == "INSERT" else one.using for one in self.accesses}
        return "every" if "true" in asked else "some" if asked - {"false"} else "none"

    @property
    def level(self) -> str | None:
        """The worst level of what was found about it."""
        return min((found.level for found in self.findings), key=LEVELS.index, default=None)

    @property
    def words(self) -> str:
        """What it is, for whoever does not see it."""
        role, thing, command = self.place
        told = f"{role}, {command} on {thing}: {WORDS[self.rows] if self.accesses else 'not any more'}"
        conditions = dict.fromkeys(shortened(one.using or one.check or "") for one in self.accesses)
        told += f": {' or '.join(conditions)}" if self.rows == "some" else ""
        told += f", {JUDGED[self.verdict]}" if self.verdict else ""
        marks = [self.level, "accepted" if self.accepted else None, "changed" if self.before is not None else None]
        return ", ".join([told, *(mark for mark in marks if mark)])


@dataclass(frozen=True)
class Reached:
    """Everything, in the order of the matrix; ``about`` are the findings about a table or a role as such."""

    roles: list[str]
    objects: list[str]
    tiles: Mapping[Place, Tile]
    about: Mapping[str, list[Finding]] = field(default_factory=dict)
    compared: bool = False

    def of(self, found: Finding) -> str | None:
        """Return the id of the first tile that a finding is about, or of its table or role, if there is one."""
        tile = next((tile for tile in self.tiles.values() if found in tile.findings), None)
        thing = next((thing for thing, every in self.about.items() if found in every), None)
        return tile.id if tile else self.id_of(thing) if thing else None

    def id_of(self, thing: str) -> str:
        """Return the id of a table's row, or of the column of a role: "role alice"."""
        return f"o{self.objects.index(thing)}" if thing in self.objects else f"r{self.roles.index(thing[5:])}"


def reached(report: Report, told: Difference | None) -> Reached:
    """Work out the picture of a report; with what was lost, where there is a difference to tell."""
    every: dict[Place, list[Access]] = {}
    for one in [*report.matrix, *(told.lost if told else [])]:
        every.setdefault(_place(one), [])
    for one in report.matrix:
        every[_place(one)].append(one)
    roles = list(dict.fromkeys(role for role, _, _ in every))
    objects = sorted({thing for _, thing, _ in every})
    named = {thing: rf'(?<![\w."]){re.escape(thing)}(?![\w"])' for thing in objects}
    named |= {f"role {role}": rf'^role "?{re.escape(role)}"?$' for role in roles}
    about: dict[str, list[Finding]] = {name: [] for name in named}
    for finding in report.findings:
        for name, word in named.items():
            if name.removeprefix("role ") in finding.object and re.search(word, finding.object):
                about[name].append(finding)
    by_policy: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_policy.setdefault(_plain(finding.object), []).append(finding)
    accepted = {_plain(found.object) for found, _ in report.accepted or []}
    tiles: dict[Place, Tile] = {}
    for place, accesses in every.items():
        policies = [f"policy {one.policy} on {one.object}" for one in accesses if one.policy]
        found = [one for policy in policies for one in by_policy.get(policy, [])]
        if any(one.policy is None and "true" in (one.using, one.check) for one in accesses):  # open, by no policy
            found += [one for one in about[place[1]] if one.level == "error" and not _POLICY.match(one.object)]
        meant = not accepted.isdisjoint(policies)
        tiles[place] = Tile(
            f"t{len(tiles)}", place, accesses, found, meant, _before(place, accesses, told), _verdict(report, accesses)
        )
    return Reached(roles, objects, tiles, {name: found for name, found in about.items() if found}, told is not None)


def _verdict(report: Report, accesses: list[Access]) -> str | None:
    """The worst that the judge says of what lets it; None where it judges nothing."""
    found = [
        verdict
        for one in accesses
        for clause in ("WITH CHECK", "USING")
        if (verdict := report.verdicts.get((one.object, one.policy or "", clause)))
        and (clause == "USING" or one.command in ("INSERT", "UPDATE"))
    ]
    return max(found, key=VERDICTS.index, default=None)


def _place(one: Access) -> Place:
    return one.role, one.object, one.command


def _plain(thing: str) -> str:
    """Return a policy's name as the matrix has it: without SQL's quotes."""
    policy = _POLICY.fullmatch(thing)
    if not policy or not policy[1].startswith('"'):
        return thing
    name = policy[1][1:-1].replace('""', '"')
    return f"policy {name} on {policy[2]}"


def _before(place: Place, accesses: list[Access], told: Difference | None) -> list[Access] | None:
    """Return what let it before, where that was something else; None where nothing has changed."""
    if told is None:
        return None
    gained, lost = ([one for one in every if _place(one) == place] for every in (told.gained, told.lost))
    old = {now.policy: before for before, now in told.changed if _place(now) == place}
    if not gained and not lost and not old:
        return None
    return [*(old.get(one.policy, one) for one in accesses if one not in gained), *lost]
