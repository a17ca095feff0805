"""Every form of command × every actor on a fenced table, against the model of todos; what differs is named."""

from uuid import UUID

import pytest

from tests.clusters import MAIN, Connection
from tests.model.forms import DENIED, READS, WRITES, insert, upsert
from tests.model.test_forms import ACTORS, REFUSED, act, cases, superuser, world

__all__ = ["superuser", "world"]

type World = tuple[Connection, dict[str, UUID]]

NO_VIEWS = {
    "sample": "0A000",  # TABLESAMPLE is for tables
    "update cursor": "0A000",  # WHERE CURRENT OF too
    "insert or update": "42P10",  # ON CONFLICT … DO UPDATE needs a unique key
    "insert or nothing": "42P10",
    **({} if MAIN >= 17 else dict.fromkeys(["merge", "merge update", "merge delete"], "0A000")),
}
"""What a view cannot do, by its SQLSTATE; docs/fences.md lists it."""


ASKS_NOBODY = ("lock", "copy from")
"""What does not ask who acts where no row comes. COPY FROM goes into a view, though not into a table with policies."""


def on_the_twin(text: str) -> str:
    return text.replace("app.todos", "app.fenced_todos")


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("form", READS)
def test_read(world: World, form: str, actor: str) -> None:
    """Everybody sees their own rows, whatever the form; who is nobody sees none, or is refused."""
    before, case = next(cases(world, actor))
    seen, state, after = act(world, actor, on_the_twin(READS[form]), case)
    assert after == before
    if form in NO_VIEWS:
        assert (seen, state) == (set(), NO_VIEWS[form])
    else:
        assert seen == {row[2] for row in case.own(before)}
        assert state == ("42501" if actor == "identity provider" else REFUSED.get(actor))


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("form", WRITES)
def test_write(world: World, form: str, actor: str) -> None:
    """What is written is the actor's own, whatever the form and the state of the row that is aimed at."""
    text, effect = WRITES[form]
    for before, case in cases(world, actor):
        _, state, after = act(world, actor, on_the_twin(text), case)
        assert after == (before if form in NO_VIEWS else effect(before, case)), (case, state)
        if NO_VIEWS.get(form) == "0A000" and form != "update cursor":
            assert state == "0A000"
        elif actor == "identity provider":
            assert state == "42501"
        elif form in ASKS_NOBODY:
            assert state is None
        elif actor in REFUSED and NO_VIEWS.get(form) != "42P10":
            assert state == REFUSED[actor]
        elif form == "update cursor" and MAIN < 18 and not case.own(before):
            assert state is None  # refused once a row comes
        elif form in NO_VIEWS:
            assert state == NO_VIEWS[form]
        elif effect in (insert, upsert):
            assert state == {"unknown user": "23503"}.get(actor, None if case.me else "42501")
        else:
            assert state is None


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("form", DENIED)
def test_denied(world: World, form: str, actor: str) -> None:
    """What nobody may do is refused to everybody, and changes nothing."""
    for before, case in cases(world, actor):
        seen, state, after = act(world, actor, on_the_twin(DENIED[form]), case)
        assert (seen, after) == (set(), before)
        assert state
