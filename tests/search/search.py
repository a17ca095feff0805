"""Sends each probe to both worlds, and compares what Alice is told there letter for letter."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import unified_diff

from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from tests.search.people import CANARY, CANARY_YEAR
from tests.search.probes import Probe, normalised
from tests.search.worlds import World, settle

_END = "rollback; deallocate all; select pg_stat_force_next_flush()"
REPEATS = 8
"""How often a probe that workers share is sent again, before its answers count as different."""


@dataclass(frozen=True)
class Finding:
    """A probe that told, and what it was told in each world."""

    probe: Probe
    answers: tuple[str, str]

    def __str__(self) -> str:
        one, other = (answer.splitlines() for answer in self.answers)
        return "\n".join((str(self.probe), *unified_diff(one, other, "the one world", "the other", lineterm="")))


@dataclass
class Search:
    """One run in a pair of worlds, and what it found. ``compared``: whether all that she sees must be alike.

    ``told_apart``: all that she saw was not alike. ``rows_apart``: what a statement answered, without an error and no
    plan, was not. ``foreign``: an answer held a value of somebody else's. ``by_chance``: numbers of probes whose answers
    were alike once both worlds had been vacuumed, or that workers shared.
    """

    worlds: tuple[World, World]
    compared: bool = True
    settle_every: int = 1500
    probes: int = 0
    errors: int = 0
    seconds: float = 0
    by_chance: list[int] = field(default_factory=list)
    told_apart: list[Finding] = field(default_factory=list)
    foreign: list[Finding] = field(default_factory=list)
    rows_apart: list[Finding] = field(default_factory=list)

    @property
    def found(self) -> bool:
        """Whether anything told."""
        return bool(self.told_apart or self.foreign)

    def __str__(self) -> str:
        return (
            f"{len(self.told_apart)} told apart, {len(self.rows_apart)} by their rows, {len(self.foreign)} with a foreign "
            f"value, {len(self.by_chance)} by chance, {self.errors} errors, {self.seconds:.0f} s"
        )

    def run(self, probes: Iterable[Probe], *, until_found: bool = False) -> "Search":
        """Send them all, or until one tells."""
        began = time.monotonic()
        for probe in probes:
            if self.probes and self.probes % self.settle_every == 0:
                self._settle()
            self._try(probe)
            if until_found and self.found:
                break
        self.seconds += time.monotonic() - began
        return self

    def _settle(self) -> None:
        for world in self.worlds:
            with world.database.superuser_connection() as superuser:
                settle(superuser)

    def _try(self, probe: Probe) -> None:
        self.probes += 1
        first, second = _answers(probe, *self.worlds)
        answers = (first, second)
        self.errors += any("ERROR:" in answer for answer in answers)
        if any(CANARY in answer.lower() or f"{CANARY_YEAR}-" in answer for answer in answers):
            self.foreign.append(Finding(probe, answers))
        if answers[0] == answers[1] or (self.compared and self._by_chance(probe, _all)):
            return
        self.told_apart.append(Finding(probe, answers))
        one, other = (_rows(probe, answer) for answer in answers)
        if one and other and one != other and not self._by_chance(probe, _rows):
            self.rows_apart.append(Finding(probe, answers))

    def _by_chance(self, probe: Probe, part: Callable[[Probe, str], str]) -> bool:
        """Whether it was what earlier probes had left behind, or how workers divided the work.

        Each world is asked alone: of the server's workers, as few as a session allows, one would leave the other none.
        """
        self._settle()
        seen: tuple[set[str], set[str]] = (set(), set())
        for _ in range(REPEATS if probe.parallel else 1):
            for known, world in zip(seen, self.worlds, strict=True):
                known.add(part(probe, *_answers(probe, world)))
        if seen[0].isdisjoint(seen[1]):
            return False
        self.by_chance.append(probe.number)
        return True


def _answers(probe: Probe, *worlds: World) -> list[str]:
    connections = [world.alice.pgconn for world in worlds]
    told: list[list[str]] = [[] for _ in worlds]
    for part in (probe.before, probe.statement, f"rollback to s; {probe.after}", _END):
        for connection in connections:
            connection.send_query(part.encode())
        for connection, answers in zip(connections, told, strict=True):
            answers.append(_read(connection))
    return [normalised("\n".join(answers[1:3])) for answers in told]


def _all(_: Probe, answer: str) -> str:
    return answer


def _rows(probe: Probe, answer: str) -> str:
    """What the statement itself answered; nothing where that was an error or a plan."""
    rows = answer.split("\nROLLBACK\n")[0]
    return "" if "ERROR:" in rows or "explain" in probe.statement else rows


def _read(connection: PGconn) -> str:
    parts = []
    while (result := connection.get_result()) is not None:
        parts.append(_text(connection, result))
    return "\n".join(parts)


def _text(connection: PGconn, result: PGresult) -> str:
    if result.status == ExecStatus.TUPLES_OK:
        rows = (
            "|".join(
                "∅" if (value := result.get_value(row, column)) is None else value.decode(errors="replace")
                for column in range(result.nfields)
            )
            for row in range(result.ntuples)
        )
        return "\n".join((*rows, (result.command_status or b"").decode()))
    if result.status == ExecStatus.COPY_OUT:
        data = b""
        while (piece := connection.get_copy_data(0))[0] > 0:
            data += bytes(piece[1])
        return data.decode(errors="replace")
    if result.status == ExecStatus.COMMAND_OK:
        return (result.command_status or b"").decode()
    return (result.error_message or b"").decode()
