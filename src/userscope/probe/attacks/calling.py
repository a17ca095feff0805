"""Calling: every function that may be called, with what names Bob and what names Alice; then one looks again."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, product

from userscope.probe import statements
from userscope.probe.catalog import read
from userscope.probe.catalog.model import Column, Function, labels
from userscope.probe.findings import Expected, Level
from userscope.probe.scene import Scene
from userscope.probe.stage import Actor, Outcome
from userscope.probe.worlds import ALICE, BOB, Row

_MOST = 12
_MARK = "probe ran this"
_INJECTED = (
    f"do $$ begin raise exception '{_MARK}'; end $$",
    f"select cast('{_MARK}' as int)",
    f"cast('{_MARK}' as int)",
    f"' || cast('{_MARK}' as int) || '",
    f"'; do $$ begin raise exception '{_MARK}'; end $$; --",
)
"""Texts that tell of themselves where they are run: a statement, a query, an expression, and within a text."""
_TELLING = (_MARK, f'invalid input syntax for type integer: "{_MARK}"')
"""In these words; one that only repeats what it was given says more."""
_UNNAMED = Column(0, "", "", "", "b", "X", 0, 0, True, None, False, "", -1, "")


@dataclass(frozen=True)
class Call:
    """A function, called with arguments."""

    function: Function
    arguments: tuple[str, ...]

    @property
    def statement(self) -> str:
        """The statement that calls it."""
        given = [f"{value}::{kind}" for value, kind in zip(self.arguments, self.function.types, strict=True)]
        if self.function.variadic and given:
            given[-1] = f"variadic {given[-1]}"
        verb = "call" if self.function.kind == "p" else "select * from"
        return f"{verb} {self.function.sql}({', '.join(given)})"

    @property
    def names_bob(self) -> bool:
        """Whether it was told of Bob: then it may be for telling of him."""
        return any(mark in " ".join(self.arguments) for mark in (BOB.uuid, "bob@", str(BOB.number)))


def call(scene: Scene, leave: frozenset[str] = frozenset()) -> None:
    """Call all functions as everybody but who has no identity; none of those named in ``leave``."""
    for actor in scene.actors:
        if not actor.alice and not scene.stranger(actor):
            continue
        for function in read.callable_by(scene.stage.connection, scene.catalog, actor.role):
            if function.leakproof and len(function.types) == 1:
                _leakproof(scene, actor, function)
            if function.label not in leave and (function.definer or function.schema != "auth"):
                _function(scene, actor, function)


def _function(scene: Scene, actor: Actor, function: Function) -> None:
    if _runs_text(scene, actor, function):
        return
    choices = [_arguments(scene, *argument) for argument in _named(function)]
    last: Outcome | None = None
    worked = False
    for arguments in islice(product(*choices), _MOST):
        outcome, found = _called(scene, actor, Call(function, arguments))
        if outcome.error:
            last = outcome
            if outcome.state == "57014":
                break
            continue
        worked = True
        if found:
            return
    if function.definer and not worked and last and last.error:
        reason = str(last.error.diag.message_primary)
        note = f"{function.label}: every call by {actor.role} failed: {reason}"
        scene.not_tried.append(note.replace("canceling statement due to statement timeout", "it did not end in time"))


def _runs_text(scene: Scene, actor: Actor, function: Function) -> bool:
    """Whether it runs as SQL what it is given, as somebody whom no policy binds."""
    places = [place for place, kind in enumerate(function.types) if kind in ("text", "character varying", "name")]
    if not function.definer or not re.search(r"\bexecute\b", function.source, re.IGNORECASE):
        return False
    others = [_arguments(scene, *argument)[0] for argument in _named(function)]
    for place in places:
        for given in _INJECTED:
            arguments = [*others[:place], statements.literal(given), *others[place + 1 :]]
            call = Call(function, tuple(arguments))
            with scene.stage.acting(actor):
                outcome = scene.stage.attempt(call.statement)
            if outcome.error and (told := outcome.error.diag.message_primary) in _TELLING:
                said = "the function runs what it is given as SQL, with its owner's rights"
                return _tell(scene, actor, call, "error", said, Expected("tells", told))
    return False


def _named(function: Function) -> Iterator[tuple[str, int]]:
    names = [*function.names, *[""] * len(function.types)]
    return zip(names, function.type_oids, strict=False)


def _arguments(scene: Scene, name: str, oid: int) -> list[str]:
    """Return what to call a function with in one place: Bob's, then Alice's."""
    kind = scene.catalog.type_names.get(oid, "text")
    if labels := scene.catalog.labels.get(oid):
        return [statements.literal(label) for label in labels[:3]]
    if kind in ("uuid", "int4", "int8", "text", "varchar"):
        if kind.startswith("int"):
            return [str(BOB.number), str(ALICE.number)]
        mail = "mail" in name
        given = [world.mail if mail else world.uuid for world in (BOB, ALICE)]
        known = scene.meaning.literals
        if kind in ("text", "varchar"):
            given += sorted({*known.get(name, ()), *known.get(name.removeprefix("p_"), ())})[:2]
            given.append("")  # what everything is like
        return [statements.literal(value) for value in given]
    if kind == "bool":
        return ["true"]
    row = next((table for table in scene.catalog.tables if table.name == kind), None)
    if row and scene.row(row, BOB):
        return [f"(select probe_row from {row.sql} as probe_row limit 1)"]
    category = "A" if kind.startswith("_") else "X"
    element = _element(scene, kind)
    column = replace(_UNNAMED, name=name or "x", type=kind, type_oid=oid, category=category, element=element)
    value = scene.values.scalar(column, BOB)
    return [statements.literal(value)]


def _element(scene: Scene, kind: str) -> int:
    return next((oid for oid, name in scene.catalog.type_names.items() if f"_{name}" == kind), 0)


def _called(scene: Scene, actor: Actor, call: Call) -> tuple[Outcome, bool]:
    function = call.function
    with scene.stage.acting(actor):
        outcome = scene.stage.attempt(call.statement)
        if outcome.error:
            return outcome, False
        found = _told(scene, actor, call, outcome)
        if not found and function.volatility == "v":
            attempts = (_then_reads, _changed, _let_alice_read)
            found = any(attempt(scene, actor, call) for attempt in attempts)
    return outcome, found


def _told(scene: Scene, actor: Actor, call: Call, outcome: Outcome) -> bool:
    """Whether the answer holds what is Bob's and was not in the question."""
    function, answer, asked = call.function, " ".join(map(str, outcome.rows)), " ".join(call.arguments)
    marks = [mark for mark in (BOB.uuid, BOB.mail, f"{BOB.name} ") if mark in answer and mark not in asked]
    if not marks and not re.findall(r"bob [\w.\"]+\.\w+", answer):
        return False
    named = scene.meaning.reached(function)
    read = [table for table in scene.catalog.tables if table.name in named]
    hidden = [t.label for t in read if t in scene.meaning.owned and not scene.sees(actor, t, BOB)]
    if not hidden and (read or not function.definer):
        return False
    said = "the function hands out Bob's data" + (f": {', '.join(hidden)}" if hidden else "")
    expected = Expected("shows", marks[0] if marks else BOB.name)
    return _tell(scene, actor, call, "error", said, expected)


def _then_reads(scene: Scene, actor: Actor, call: Call) -> bool:
    gained = scene.gained(actor, told=call.statement)
    if not gained:
        return False
    look, expected = scene.look(gained[0], actor)
    return _tell(scene, actor, call, "error", f"after the call reads Bob's rows of {labels(gained)}", expected, look)


def _changed(scene: Scene, actor: Actor, call: Call) -> bool:
    """Whether the function changed Bob's row; what it may do to whom it was told is asked."""
    if not call.function.definer:
        return False
    lost = scene.bobs(actor)
    if not lost:
        return False
    row = lost[0]
    expected = Expected.moved(row)
    asks = scene.meaning.speaks_of_identity(call.function.source)
    said = f"the function changes or deletes Bob's row of {row.table.label}"
    # Without arguments it may be there to count, or to tidy up.
    if (call.names_bob and asks) or ((call.names_bob or not call.arguments) and not _harmed(scene, actor, row)):
        given = "given Bob, " if call.names_bob else ""
        return _tell(scene, actor, call, "question", f"{given}{said}: meant?", expected)
    return _tell(scene, actor, call, "error", said, expected)


def _harmed(scene: Scene, actor: Actor, row: Row) -> bool:
    """Whether a row is gone, or says something else: what is counted, dated or seen is not harmed."""
    if not scene.owned(row.table):
        return False
    query = f"select to_jsonb(x.*) from {row.table.sql} as x where {statements.line(row)}"
    now = scene.stage.as_superuser(actor.role, query)
    telling = [name for name, column in row.table.columns.items() if column.kind == "e" or column.textual]
    return not now or any(str(now[0][0].get(name)) != str(row.values.get(name)) for name in telling)


def _let_alice_read(scene: Scene, actor: Actor, call: Call) -> bool:
    """Whether Alice, who comes later, reads more because of the call: somebody made her a member."""
    for role in scene.identities.members:
        alice = scene.alice(role)
        scene.stage.become(alice)
        if gained := scene.gained(alice, told=call.statement):
            look, expected = scene.look(gained[0], alice)
            said = f"after the call Alice reads Bob's rows of {labels(gained)}"
            return _tell(scene, actor, call, "error", said, expected, *alice.login, look)
    return False


def _tell(scene: Scene, actor: Actor, call: Call, level: Level, said: str, expected: Expected, *more: str) -> bool:
    steps = [call.statement, *more]
    scene.findings.add(level, "function", call.function.label, actor, said, steps, expected, setup=scene.arranged)
    return True


def _leakproof(scene: Scene, actor: Actor, function: Function) -> None:
    """What is called leakproof runs before the policy, and may tell what it is given."""
    off = "set enable_indexscan = off; set enable_bitmapscan = off; set enable_indexonlyscan = off"
    for table in scene.catalog.tables:
        hidden = not scene.sees(actor, table, BOB) and scene.row(table, BOB) is not None
        for name in scene.rights(actor, table).select if hidden else ():
            if table.columns[name].type_oid != function.type_oids[0]:
                continue
            statement = f"select from {table.sql} where {function.sql}({table.columns[name].sql}) is null"
            with scene.stage.acting(actor):
                scene.stage.attempt(off)
                scene.stage.notices.clear()
                outcome = scene.stage.attempt(statement)
            if "bob " in " ".join(scene.stage.notices) or BOB.uuid in str(outcome.error or ""):
                said = f"LEAKPROOF: runs before the policy of {table.label}, and tells Bob's values"
                steps = [off, f"{statement}  -- NOTICE: bob …"]
                scene.findings.add(
                    "error", "leakproof", function.label, actor, said, steps, Expected("tells", BOB.name)
                )
                return
